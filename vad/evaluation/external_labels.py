"""Somebody else's segments over a corpus: the same figures as a detector's, but those that need probabilities."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from vad.audio.reading import open_audio
from vad.corpus.manifest import CorpusItem
from vad.detection.segments import Segment
from vad.errors import ConfigError, LabelError
from vad.evaluation.scoring import Scored, score_segments
from vad.labels import SUFFIXES
from vad.labels.owners import LabelOwners, label_stems, own_label_file, segments_of_speech
from vad.labels.reading import shown

__all__ = ["Hypothesis", "find_hypotheses", "score_hypothesis"]

Hypothesis = Sequence[Segment] | LabelError
"""What is said of a recording, or why it cannot be used."""


def find_hypotheses(place: Path, items: Sequence[CorpusItem]) -> dict[str, Hypothesis]:
    """Find what is said of every recording, as `vad.labels.owners` has it.

    Args:
        place: A folder of label files, or one file, in any format of `vad.labels`. In a folder, a recording's own is
            called like its path below the folder, or like the end of that path.
        items: The recordings.

    Returns:
        By the keys of the items. Recordings of which nothing is said are left out.

    Raises:
        ConfigError: The place is none, what it says would be of two recordings, or it names none of them.
        LabelError: The one file cannot be read, or breaks a rule of its format.
    """
    owners = LabelOwners(item.path for item in items)
    if place.is_file():
        owners.read(place)
    elif place.is_dir():
        for file, own in _files_by_path(place, items).items():
            owners.read(file, own)
    else:
        raise ConfigError(
            f"hypothesis must be a folder of label files, or one file that names its recordings. Received: {place}."
        )
    if unclear := next((fault for fault in owners.faults if fault.unclear), None):
        raise ConfigError(str(unclear))
    if place.is_file() and not owners.labels:
        if broken := [str(fault) for fault in owners.faults if not fault.where]:
            raise LabelError(*broken)
        raise ConfigError(
            f"a hypothesis must name the recordings. Received: {place}, which names none of {len(items)}. "
            "Write the ends of their paths."
        )
    found: dict[str, Hypothesis] = {}
    for item in items:
        if item.path in owners.spoiled:
            found[item.key] = LabelError(str(owners.spoiled[item.path]))
        elif item.path in owners.labels:
            found[item.key] = segments_of_speech(owners.labels[item.path][1])
    return found


def score_hypothesis(found: Hypothesis | None, item: CorpusItem) -> Scored:
    """Measure what is said of a recording.

    Args:
        found: What is said; None where nothing is.
        item: The recording and its reference.

    Raises:
        LabelError: Nothing is said, or it cannot be used.
        AudioError: The recording, whose length counts, cannot be read.
        MissingDependencyError: A container needs the `media` extra.
    """
    if found is None:
        raise LabelError(f"{item.key}: a recording must have a label file in the hypothesis. Received: none.")
    if isinstance(found, LabelError):
        raise found
    return score_segments(item.segments, found, _duration(item))


def _files_by_path(folder: Path, items: Sequence[CorpusItem]) -> dict[Path, set[Path]]:
    """By label file, the recordings whose own it is."""
    own: dict[Path, set[Path]] = defaultdict(set)
    for item in items:
        if file := own_label_file(label_stems(folder, Path(item.key))):
            own[file].add(item.path)
    others = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if others and not own:
        raise ConfigError(
            f"label files must be called like the recordings. Received: {folder}, with {shown(others)}, like none. "
            "Rename them, or give one about many itself."
        )
    return own


def _duration(item: CorpusItem) -> float:
    with open_audio(item.path) as audio:
        if audio.duration is None:
            for _ in audio:
                pass
        return audio.duration or 0.0
