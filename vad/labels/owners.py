"""Whose labels these are: one rule for labels beside recordings, in a folder of label files, and in one file.

1. A recording's own label file is called like it. Where it names no recording or a single one, it is that recording's,
   whatever the name.
2. Any other line goes to the recording whose path ends in the name or path that the line gives, with the audio file's
   extension or without. Where several do, a file's own recording comes first.
3. A name that fits several recordings is a fault, and so are files that contradict each other about a recording. A name
   that fits none is remarked: it may be of a recording that is not looked at.
"""

from __future__ import annotations

import os
import posixpath
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vad.detection.segments import Segment
from vad.errors import LabelError
from vad.labels import Entry, files_of, format_of, read_all
from vad.labels.plain_text import text_of
from vad.labels.reading import shown
from vad.labels.tables import one_word
from vad.labels.textgrid import other_tiers

__all__ = ["LabelOwners", "Remark", "label_stems", "labels_of", "own_label_file", "segments_of_speech"]

_Parts = tuple[str, ...]


@dataclass(frozen=True)
class Remark:
    """What is to be said of a label file.

    Attributes:
        where: The file, with its line where there is one; "" where the text begins with it.
        text: What is wrong, or worth a look.
        unclear: Its labels fit several recordings.
    """

    where: str
    text: str
    unclear: bool = False

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" if self.where else self.text


def label_stems(folder: Path, below: Path) -> list[Path]:
    """Where a recording's own label file may lie, without its extension: the longest end of its path first.

    Args:
        folder: Of label files.
        below: The recording's path below its own folder; its name alone, to look beside it.
    """
    # What leads upwards, or to the root, would lead out of the folder: to other labels of the recording, perhaps.
    parts = [part for part in below.parts if part not in ("..", below.anchor)]
    places = (folder.joinpath(*parts[depth:]) for depth in range(len(parts)))
    return [stem for place in places for stem in (place.with_suffix(""), place)]


def own_label_file(stems: Iterable[Path]) -> Path | None:
    """The label file that is read of those at `label_stems`; None where there is none."""
    return next((file for stem in stems for file in files_of(stem)), None)


def segments_of_speech(entries: Iterable[Entry]) -> list[Segment]:
    """The stretches in which somebody speaks, in order of time."""
    return sorted(Segment(entry.start, entry.end) for entry in entries if entry.is_speech)


def labels_of(recording: Path, file: Path) -> list[Segment]:
    """Reads one recording's segments out of a label file that is given as its own.

    Raises:
        LabelError: The file cannot be read, breaks a rule of its format, or names several others.
    """
    owners = LabelOwners([recording])
    owners.read(file, [recording])
    if owners.faults:
        raise LabelError(*map(str, owners.faults))
    return segments_of_speech(owners.labels[recording][1])


class LabelOwners:
    """Gives the lines of label files to recordings.

    Args:
        recordings: All that labels may be of.
        tiers: TextGrid and ELAN tiers; none takes the format's own choice.

    Attributes:
        labels: By recording, its label file and its lines there, also those that only say that nobody speaks.
        faults: What is wrong.
        spoiled: By recording, the fault for which it has no labels.
        remarks: What is used, or passed over, and should be looked at.
        unread_tiers: By their names, the TextGrids whose other tiers are not read.
    """

    def __init__(self, recordings: Iterable[Path], tiers: Sequence[str] = ()):
        self.labels: dict[Path, tuple[str, list[Entry]]] = {}
        self.faults: list[Remark] = []
        self.spoiled: dict[Path, Remark] = {}
        self.remarks: list[Remark] = []
        self.unread_tiers: dict[tuple[str, ...], list[str]] = defaultdict(list)
        self._recordings = list(dict.fromkeys(recordings))
        self._tiers = tiers or (None,)
        self._ends: dict[int, dict[_Parts, set[Path]]] = {}

    def read(self, path: Path, own: Collection[Path] | None = None) -> None:
        """Reads a label file and gives its lines away.

        Args:
            path: The label file.
            own: The recordings whose own it is; None takes those that are called like it.
        """
        file = str(path)
        entries = self._entries(file, self._recordings if own is None else own)
        if entries is None:
            return
        whose = self._called(path.stem) if own is None else set(own)
        by_name: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_name[entry.uri or path.stem].append(entry)
        if whose and len(by_name) <= 1:
            self._give_all(file, next(iter(by_name), path.stem), entries, whose)
        elif whose or any(entry.uri for entry in entries):
            self._give_by_name(file, by_name, whose)
        else:
            rule = "labels of several recordings must name them, in a column file or such"
            self._fault(_place(file, entries), f"{rule}. Received: none that is named.", self._recordings)

    def _entries(self, file: str, readers: Iterable[Path]) -> list[Entry] | None:
        """The lines of a label file; None where it is broken, for all who would read it."""
        entries: list[Entry] = []
        broken: list[str] = []
        for tier in self._tiers:
            its, problems = read_all(file, tier=tier)
            entries += its
            broken += problems
        # Of formats without tiers, each tier has all lines.
        for text in dict.fromkeys(broken):
            self._fault("", text, readers)
        if broken:
            return None
        if self._tiers == (None,) and format_of(file) == "textgrid" and (names := other_tiers(text_of(file))):
            self.unread_tiers[tuple(names)].append(file)
        return list(dict.fromkeys(entries))

    def _give_all(self, file: str, name: str, entries: list[Entry], own: set[Path]) -> None:
        """Gives a recording its own label file, which names no other or one."""
        called = self._called(name)
        found = called & own or own
        where = _place(file, entries)
        if len(found) > 1:
            self._fault(where, _unclear(Path(file).stem, found), found, unclear=True)
            return
        if called and called.isdisjoint(own):
            taken = f"they are taken as those of {min(own)}, whose own they are"
            self.remarks.append(Remark(where, f"labels name {min(called)}: {taken}."))
        self._give(file, min(found), entries)

    def _give_by_name(self, file: str, by_name: dict[str, list[Entry]], own: set[Path]) -> None:
        given: dict[Path, list[Entry]] = defaultdict(list)
        for name, entries in by_name.items():
            found = self._called(name)
            found = found & own or found
            if len(found) > 1:
                self._fault(_place(file, entries), _unclear(name, found), found, unclear=True)
            elif found:
                given[min(found)] += entries
            else:
                self.remarks.append(Remark(_place(file, entries), self._unknown(name)))
        for path, entries in given.items():
            self._give(file, path, entries)
        for path in sorted(own - given.keys() - self.spoiled.keys()):
            rule = f"labels of several recordings must name {path} too, whose own they are"
            self._fault(file, f"{rule}. Received: {shown(sorted(by_name))}.", [path])

    def _give(self, file: str, path: Path, entries: list[Entry]) -> None:
        before, known = self.labels.setdefault(path, (file, entries))
        if before != file and segments_of_speech(known) != segments_of_speech(entries):
            received = f"those of {path}, other than in {before}"
            self._fault(
                _place(file, entries),
                f"labels of a recording must be in one file. Received: {received}.",
                [path],
            )

    def _fault(self, where: str, text: str, recordings: Iterable[Path], *, unclear: bool = False) -> None:
        self.faults.append(Remark(where, text, unclear))
        for path in recordings:
            self.spoiled.setdefault(path, self.faults[-1])

    def _called(self, name: str) -> set[Path]:
        """The recordings whose path ends in a name or path."""
        return self._ending_in(_parts(name))

    def _ending_in(self, parts: _Parts) -> set[Path]:
        if len(parts) not in self._ends:
            ends = self._ends[len(parts)] = defaultdict(set)
            for path in self._recordings:
                whole = _parts(os.path.abspath(path))
                for name in (whole[-1], one_word(path.stem)):
                    ends[(*whole[-len(parts) : -1], name)].add(path)
        return set(self._ends[len(parts)].get(parts, ()))

    def _unknown(self, name: str) -> str:
        parts = _parts(name)
        ends = (self._ending_in(parts[first:]) for first in range(1, len(parts)))
        nearest = next(
            (f" Is it {min(paths).absolute()}? Write the end of this." for paths in ends if paths), ""
        )
        return f"labels must name a recording that is there. Received: {name!r}.{nearest}"


def _unclear(name: str, found: Collection[Path]) -> str:
    paths = " and ".join(str(path.absolute()) for path in sorted(found)[:2])
    more = f" and {len(found) - 2} more" if len(found) > 2 else ""
    remedy = "Write more of the path, or lay label files in folders like the recordings'"
    return f"labels must be of one recording. Received: {name!r}, for {paths}{more}. {remedy}."


def _place(file: str, entries: Sequence[Entry]) -> str:
    return f"{file}:{min(entry.line for entry in entries)}" if entries else file


def _parts(name: str) -> _Parts:
    """The folders and the name in a path of any system, as RTTM can say them; what leads upwards says nothing."""
    parts = posixpath.normpath(name.replace("\\", "/")).split("/")
    return tuple(one_word(part) for part in parts if part not in ("", ".", ".."))
