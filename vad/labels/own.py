"""The labels that are a recording's own, out of a file that may tell of others too."""

from __future__ import annotations

from pathlib import Path

from vad.errors import LabelError
from vad.labels import read_entries
from vad.labels.columns import one_word
from vad.labels.entry import shown
from vad.segments import Segment

__all__ = ["read_own_labels"]


def read_own_labels(path: Path, recording: Path) -> list[Segment]:
    """Reads the segments of one recording: all where the file names no recording or a single one, else its own.

    Args:
        path: The label file.
        recording: The recording; its name without the extension, or with it, is what the file has to say.

    Raises:
        LabelError: The file cannot be read, breaks a rule of its format, or names several others.
    """
    entries = read_entries(path)
    named = {entry.uri for entry in entries if entry.uri}
    own = {one_word(recording.stem), one_word(recording.name)}
    if len(named) > 1:
        if own.isdisjoint(named):
            raise LabelError(
                f"{path}: labels of several recordings must name {recording.stem} too. "
                f"Received: {shown(sorted(named))}."
            )
        entries = [entry for entry in entries if entry.uri in own]
    return [Segment(entry.start, entry.end) for entry in entries]
