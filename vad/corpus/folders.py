"""Recordings in folders: the audio files, with the split, kind and speaker that their folders name.

A folder of a corpus may be divided by split and by kind::

    rec/train/speech/anna/a.wav      split, kind and speaker
    rec/speech/anna/a.wav            kind and speaker; the split is assigned later
    rec/train/a.wav                  a labelled recording of speech, its speaker unknown
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from vad.audio.decoding import KNOWN_SUFFIXES, is_pipe
from vad.errors import LabelError

__all__ = [
    "A_PIPE",
    "KINDS",
    "SPLITS",
    "Place",
    "files_in",
    "places_in",
    "reason_unread",
    "unnamed_speakers_text",
    "visible_in",
]

KINDS = ("speech", "noise", "music")
SPLITS = ("train", "dev", "test")
A_PIPE = "it is a pipe or a device, which is read only where it is named itself"


@dataclass(frozen=True)
class Place:
    """A folder of recordings of one kind.

    Attributes:
        folder: Holds them, in it and in the folders below it.
        kind: "speech", "noise" or "music".
        split: "train", "dev" or "test"; "" where no folder names it.
    """

    folder: Path
    kind: str = "speech"
    split: str = ""

    def recordings(self) -> list[Path]:
        """Its audio files, sorted."""
        return sorted(map(Path, files_in(str(self.folder), KNOWN_SUFFIXES)))

    def speaker_of(self, path: Path) -> str:
        """The speaker of a recording: the name of the folder below this one; "" (unknown) where there is none."""
        below = path.relative_to(self.folder)
        return below.parts[0] if len(below.parts) > 1 else ""


def places_in(folder: Path) -> list[Place]:
    """The places of the recordings in a corpus that is a folder.

    Args:
        folder: It may hold ``train``, ``dev`` and ``test``, and in these or by itself ``speech``, ``noise`` and
            ``music``. Without any of the latter three, the recordings are labelled speech.
    """
    parts = [(folder / split, split) for split in SPLITS if (folder / split).is_dir()]
    found = [Place(folder / kind, kind) for kind in KINDS if (folder / kind).is_dir()]
    for part, split in parts:
        kinds = [kind for kind in KINDS if (part / kind).is_dir()]
        found += [Place(part / kind, kind, split) for kind in kinds] or [Place(part, split=split)]
    return found or [Place(folder)]


def reason_unread(error: OSError) -> str:
    """The line about a folder or a file that `files_in` cannot use."""
    return f"{error.filename}: cannot be read: {str(error.strerror).lower()}."


def _refuse(error: OSError) -> None:
    raise LabelError(reason_unread(error)) from error


def files_in(
    folder: str,
    suffixes: Collection[str],
    *,
    recursive: bool = True,
    on_error: Callable[[OSError], object] | None = _refuse,
) -> Iterator[str]:
    """Finds the files with certain extensions in a folder, except hidden ones.

    Args:
        folder: The folder; the paths found begin with it.
        suffixes: In lower case, with the dot; files may have them in any case.
        recursive: Also look in the folders below it.
        on_error: Takes the error of each folder that cannot be read, and of each pipe among the files. None ignores
            them.

    Raises:
        LabelError: There is such an error, and no other `on_error`.
    """
    for parent, _, files in visible_in(folder, recursive=recursive, on_error=on_error):
        for name in files:
            if os.path.splitext(name)[1].lower() in suffixes:
                path = os.path.join(parent, name)
                if not is_pipe(path):
                    yield path
                elif on_error is not None:
                    on_error(OSError(errno.EINVAL, A_PIPE, path))


def visible_in(
    folder: str, *, recursive: bool = True, on_error: Callable[[OSError], object] | None = None
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Visits a folder, and the folders below it, except hidden ones. Links are followed; each folder is visited once.

    Args:
        folder: The folder.
        recursive: Also visit the folders below it.
        on_error: Takes the error of each folder that cannot be read.

    Yields:
        The path of each, the names of its folders and the names of its files, without hidden ones.
    """
    visited: set[str] = set()
    for parent, folders, files in os.walk(folder, onerror=on_error, followlinks=True):
        place = os.path.realpath(parent)
        if place in visited:
            folders.clear()
            continue
        visited.add(place)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        # macOS keeps `._clip.wav`, which is not audio.
        yield parent, [*folders], [name for name in files if not name.startswith(".")]
        if not recursive:
            return


def unnamed_speakers_text(count: int) -> str:
    """The note that so many recordings of speech without a split lie in no speaker's folder."""
    return (
        f"{count} recordings of speech lie in no speaker's folder. Each counts as a speaker, so one voice may be in "
        "several splits. Put each speaker's recordings in a folder of their own."
    )
