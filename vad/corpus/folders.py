"""Recordings in folders: which files are audio, and what their folders say of them.

A folder of a corpus may be divided by split and by kind::

    rec/train/speech/anna/a.wav      split, kind and speaker
    rec/speech/anna/a.wav            kind and speaker; the split is to be drawn
    rec/train/a.wav                  a labelled recording of speech, its speaker unknown
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from vad.audio.decoding import KNOWN_SUFFIXES

__all__ = ["KINDS", "SPLITS", "Place", "files_in", "nameless_text", "places_in"]

KINDS = ("speech", "noise", "music")
SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class Place:
    """A folder of recordings of one kind.

    Attributes:
        folder: Where they lie, in it and in the folders in it.
        kind: "speech", "noise" or "music".
        split: "train", "dev" or "test"; "" where no folder says it.
    """

    folder: Path
    kind: str = "speech"
    split: str = ""

    def recordings(self) -> list[Path]:
        """Its audio files, sorted."""
        return sorted(map(Path, files_in(str(self.folder), KNOWN_SUFFIXES)))

    def speaker_of(self, path: Path) -> str:
        """Who speaks in one of its recordings: the folder below it has the name; "" (unknown) where there is none."""
        below = path.relative_to(self.folder)
        return below.parts[0] if len(below.parts) > 1 else ""


def places_in(folder: Path) -> list[Place]:
    """Where the recordings of a corpus lie that is a folder.

    Args:
        folder: With ``train``, ``dev`` or ``test``, and in each of these or without them ``speech``, ``noise`` or
            ``music``. A part without any of the three holds labelled recordings.
    """
    parts = [(folder / split, split) for split in SPLITS if (folder / split).is_dir()]
    found = [Place(folder / kind, kind) for kind in KINDS if (folder / kind).is_dir()]
    for part, split in parts:
        kinds = [kind for kind in KINDS if (part / kind).is_dir()]
        found += [Place(part / kind, kind, split) for kind in kinds] or [Place(part, split=split)]
    return found or [Place(folder)]


def files_in(folder: str, suffixes: Collection[str], *, recursive: bool = True) -> Iterator[str]:
    """Walks a folder for files with certain extensions, in any case; none that is hidden.

    Args:
        folder: The folder; the paths found begin with it.
        suffixes: In lower case, each with its dot.
        recursive: Whether the folders in it are walked too.
    """
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if recursive and not name.startswith(".")]
        for name in files:  # macOS keeps `._clip.wav`, which is no audio
            if os.path.splitext(name)[1].lower() in suffixes and not name.startswith("."):
                yield os.path.join(parent, name)


def nameless_text(count: int) -> str:
    """What to say where splits are drawn and so many recordings of speech lie in no speaker's folder."""
    return (
        f"{count} recordings of speech lie in no speaker's folder: each is taken as a speaker of its own, so one voice "
        "may be in several splits. Lay each speaker's recordings in a folder of their own."
    )
