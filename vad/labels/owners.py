"""Which recordings labels belong to: one rule for label files beside recordings, in a folder, and about many.

1. A recording's own label file has its name. Where the file names no recording or a single one, it belongs to that
   recording, whatever the name in it.
2. Any other line belongs to the recording whose path ends in the name or path of the line, with the audio file's
   extension or without. Of several, a file's own recording comes first.
3. A name that fits several recordings is a problem, and so are files that contradict each other about a recording. A
   name that fits none is a note: its recording may not be among those given.
"""

from __future__ import annotations

import os
import posixpath
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from vad.detection.segments import Segment
from vad.errors import LabelError, shown
from vad.labels import Entry, format_of, read_all
from vad.labels.findings import Finding, note
from vad.labels.formats import label_files
from vad.labels.plain_text import read_text
from vad.labels.reading import one_word
from vad.labels.textgrid import other_tiers

__all__ = ["LabelOwners", "label_stems", "labels_of", "own_label_file", "segments_of_speech"]

_Parts = tuple[str, ...]


def label_stems(folder: Path, below: Path) -> list[Path]:
    """Where a recording's own label file may lie, without its extension: the longest end of its path first.

    Args:
        folder: The folder of label files.
        below: The recording's path below its own folder; its name alone, to look beside it.
    """
    # ".." or the root would lead out of the folder, perhaps to other labels of the recording.
    parts = [part for part in below.parts if part not in ("..", below.anchor)]
    places = (folder.joinpath(*parts[depth:]) for depth in range(len(parts)))
    return [stem for place in places for stem in (place.with_suffix(""), place)]


def own_label_file(folder: Path, below: Path) -> Path | None:
    """A recording's own label file, at the first of `label_stems` that has one; None where there is none."""
    return next((file for stem in label_stems(folder, below) for file in label_files(stem)), None)


def segments_of_speech(entries: Iterable[Entry]) -> list[Segment]:
    """The segments in which somebody speaks, in order of time."""
    return sorted(Segment(entry.start, entry.end) for entry in entries if entry.is_speech)


def labels_of(recording: Path, file: Path) -> list[Segment]:
    """Reads one recording's segments from a label file that is given as its own.

    Raises:
        LabelError: The file cannot be read, breaks a rule of its format, or names several others.
    """
    owners = LabelOwners([recording])
    owners.read(file, [recording])
    if owners.problems:
        raise LabelError(*map(str, owners.problems))
    return segments_of_speech(owners.labels[recording][1])


class LabelOwners:
    """Assigns the entries of label files to recordings.

    Args:
        recordings: All recordings that labels may belong to.
        tiers: TextGrid and ELAN tiers; none takes the format's own choice.

    Attributes:
        labels: By recording, its label file and its entries there, also those that are not speech.
        findings: Problems and notes.
        rejected: By recording, the problem for which its labels are not used.
        unread_tiers: By their names, the TextGrids whose other tiers are not read.
    """

    def __init__(self, recordings: Iterable[Path], tiers: Sequence[str] = ()):
        self.labels: dict[Path, tuple[str, list[Entry]]] = {}
        self.findings: list[Finding] = []
        self.rejected: dict[Path, Finding] = {}
        self.unread_tiers: dict[tuple[str, ...], list[str]] = defaultdict(list)
        self._recordings = list(dict.fromkeys(recordings))
        self._tiers = tiers or (None,)
        self._by_end: dict[int, dict[_Parts, set[Path]]] = {}

    @property
    def problems(self) -> list[Finding]:
        """The findings that are problems."""
        return [finding for finding in self.findings if finding.is_problem]

    def read_own(self, file_of: Mapping[Path, Path | None]) -> None:
        """Reads the label files of recordings.

        Args:
            file_of: Each recording's own label file; None where it has none. Several may have the same.
        """
        owners: dict[Path, set[Path]] = defaultdict(set)
        for recording, file in file_of.items():
            if file is not None:
                owners[file].add(recording)
        for file, recordings in owners.items():
            self.read(file, recordings)

    def read(self, path: Path, owners: Collection[Path] | None = None) -> None:
        """Reads a label file and assigns its entries.

        Args:
            path: The label file.
            owners: The recordings whose own file it is; None takes those with its name.
        """
        file = str(path)
        entries = self._entries(file, self._recordings if owners is None else owners)
        if entries is None:
            return
        own = self._named(path.stem) if owners is None else set(owners)
        by_name: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_name[entry.uri or path.stem].append(entry)
        if own and len(by_name) <= 1:
            self._assign_all(file, next(iter(by_name), path.stem), entries, own)
        elif own or any(entry.uri for entry in entries):
            self._assign_by_name(file, by_name, own)
        else:
            rule = (
                "the file has the name of no recording, and its lines name none. Write the names in a column"
            )
            self._reject(_place(file, entries), f"{rule} file.", self._recordings)

    def _entries(self, file: str, owners: Iterable[Path]) -> list[Entry] | None:
        """The entries of a label file; None where it is broken, which rejects its owners."""
        entries: list[Entry] = []
        broken: list[str] = []
        for tier in self._tiers:
            of_tier, problems = read_all(file, tier=tier)
            entries += of_tier
            broken += problems
        # A format without tiers gives all lines for each tier.
        for text in dict.fromkeys(broken):
            self._reject("", text, owners)
        if broken:
            return None
        if (
            self._tiers == (None,)
            and format_of(file) == "textgrid"
            and (names := other_tiers(read_text(file)))
        ):
            self.unread_tiers[tuple(names)].append(file)
        return list(dict.fromkeys(entries))

    def _assign_all(self, file: str, name: str, entries: list[Entry], own: set[Path]) -> None:
        """Assigns the entries of a file that names one recording or none to its own recording."""
        named = self._named(name)
        owners = named & own or own
        where = _place(file, entries)
        if len(owners) > 1:
            self._reject(where, _ambiguous(Path(file).stem, owners), owners, is_ambiguous=True)
            return
        if named and named.isdisjoint(own):
            text = f"the labels name {min(named)}, but the file belongs to {min(own)}, which gets them."
            self.findings.append(note(where, text))
        self._assign(file, min(owners), entries)

    def _assign_by_name(self, file: str, by_name: dict[str, list[Entry]], own: set[Path]) -> None:
        assigned: dict[Path, list[Entry]] = defaultdict(list)
        for name, entries in by_name.items():
            named = self._named(name)
            owners = named & own or named
            if len(owners) > 1:
                self._reject(_place(file, entries), _ambiguous(name, owners), owners, is_ambiguous=True)
            elif owners:
                assigned[min(owners)] += entries
            else:
                self.findings.append(note(_place(file, entries), self._unknown(name)))
        for path, entries in assigned.items():
            self._assign(file, path, entries)
        for path in sorted(own - assigned.keys() - self.rejected.keys()):
            rule = f"the file belongs to {path}, but its lines name only {shown(sorted(by_name))}"
            self._reject(file, f"{rule}. Rename one or the other.", [path])

    def _assign(self, file: str, path: Path, entries: list[Entry]) -> None:
        before, known = self.labels.setdefault(path, (file, entries))
        if before != file and segments_of_speech(known) != segments_of_speech(entries):
            rule = f"the labels of {path} differ from those in {before}. Remove the wrong ones"
            self._reject(_place(file, entries), f"{rule}.", [path])

    def _reject(
        self, where: str, text: str, recordings: Iterable[Path], *, is_ambiguous: bool = False
    ) -> None:
        finding = Finding(where, text, is_problem=True, is_ambiguous=is_ambiguous)
        self.findings.append(finding)
        for path in recordings:
            self.rejected.setdefault(path, finding)

    def _named(self, name: str) -> set[Path]:
        """The recordings whose path ends in a name or path."""
        return self._ending_in(_parts(name))

    def _ending_in(self, parts: _Parts) -> set[Path]:
        if len(parts) not in self._by_end:
            by_end = self._by_end[len(parts)] = defaultdict(set)
            for path in self._recordings:
                whole = _parts(os.path.abspath(path))
                for name in (whole[-1], one_word(path.stem)):
                    by_end[(*whole[-len(parts) : -1], name)].add(path)
        return set(self._by_end[len(parts)].get(parts, ()))

    def _unknown(self, name: str) -> str:
        parts = _parts(name)
        matches = (self._ending_in(parts[first:]) for first in range(1, len(parts)))
        nearest = next((min(paths).absolute() for paths in matches if paths), None)
        hint = f" Is it {nearest}? Write the end of this path." if nearest else ""
        return f"no recording is called {name!r}.{hint}"


def _ambiguous(name: str, recordings: Collection[Path]) -> str:
    paths = " and ".join(str(path.absolute()) for path in sorted(recordings)[:2])
    more = f" and {len(recordings) - 2} more" if len(recordings) > 2 else ""
    remedy = "Write more of the path, or put label files in folders like the recordings'"
    return f"{name!r} fits several recordings: {paths}{more}. {remedy}."


def _place(file: str, entries: Sequence[Entry]) -> str:
    return f"{file}:{min(entry.line for entry in entries)}" if entries else file


def _parts(name: str) -> _Parts:
    """The folders and the name in a path of any system, with underscores for blanks; "." and ".." are dropped."""
    parts = posixpath.normpath(name.replace("\\", "/")).split("/")
    return tuple(one_word(part) for part in parts if part not in ("", ".", ".."))
