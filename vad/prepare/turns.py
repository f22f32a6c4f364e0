"""Whose the labels are: each label file is read, and its lines go to the recordings that they name."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from vad.labels import Entry, format_of, read_all
from vad.labels.columns import one_word
from vad.labels.entry import shown
from vad.labels.plain_text import text_of
from vad.labels.textgrid import other_tiers
from vad.prepare.findings import Finding, note, problem
from vad.prepare.sources import Reading, Recording

__all__ = ["read_turns"]

_Parts = tuple[str, ...]


def read_turns(recordings: Sequence[Recording], reading: Reading) -> tuple[list[Recording], list[Finding]]:
    """Gives speech without turns those that label files have for it.

    A recording's own label file, as its name says, is of that recording where it names none or a single one. Other
    lines go to the one recording whose path ends in the name or path that they give.

    Args:
        recordings: All there are.
        reading: How they are labelled.

    Returns:
        The recordings with their turns, and what is wrong with those left out.
    """
    waiting = [one for one in recordings if one.turns is None]
    giver = _Giver([one.path for one in waiting], reading.tiers)
    if reading.labels is not None and not reading.labels.is_dir():
        giver.give(str(reading.labels), set())
    else:
        owners = defaultdict(set)
        for one in waiting:
            owners[one.labels].add(one.path)
        for file in filter(None, owners):
            giver.give(file, owners[file])
    labelled = []
    for one in recordings:
        if one.turns is not None:
            labelled.append(one)
        elif one.path in giver.spoiled:
            continue
        elif one.path in giver.given:
            labelled.append(_with_turns(one, *giver.given[one.path], reading))
        elif reading.may_lack_labels:
            labelled.append(one)
        else:
            giver.findings.append(_unlabelled(one, reading))
    given = {one.path for one in waiting}
    named = [bool(one.speaker) for one in labelled if one.path in given and one.turns != ()]
    if reading.speaker == "labels" and not all(named):
        giver.findings.append(_nameless(named.count(False), len(named)))
    return labelled, giver.findings + giver.tier_notes()


def _with_turns(recording: Recording, file: str, turns: Sequence[Entry], reading: Reading) -> Recording:
    spoken = [turn for turn in turns if turn.is_speech]
    in_order = tuple(sorted(spoken, key=lambda turn: (turn.start, turn.end)))
    named = " + ".join(sorted({turn.speaker for turn in spoken if turn.speaker}))
    speaker = named if reading.speaker == "labels" else recording.speaker
    return replace(recording, turns=in_order, labels=file, speaker=speaker)


def _nameless(nameless: int, labelled: int) -> Finding:
    rule = "labels must name who speaks, as --speaker is labels"
    received = f"{nameless} of {labelled} recordings in which they name nobody, so splits may share speakers"
    return note("", f"{rule}. Received: {received}. Name them, or give --speaker folder, file or a pattern.")


def _unlabelled(recording: Recording, reading: Reading) -> Finding:
    beside = f"Write {recording.path.with_suffix('.rttm').name} beside it, give --labels"
    received, remedy = "none", beside
    if reading.labels is not None:
        received = f"none in {reading.labels}"
        remedy = "Add them there (where nobody speaks, a CSV row without times), lay what is noise in noise/"
    clean = "or let a model label clean recordings with --label-with default"
    return problem(recording.path, f"speech must have labels. Received: {received}. {remedy}, {clean}.")


class _Giver:
    """Gives the lines of label files to recordings.

    Attributes:
        given: By recording, its label file and its lines there.
        spoiled: Recordings whose labels are broken or unclear, which has been said.
        findings: What was said.
    """

    def __init__(self, paths: Sequence[Path], tiers: Sequence[str]):
        self.given: dict[Path, tuple[str, list[Entry]]] = {}
        self.spoiled: set[Path] = set()
        self.findings: list[Finding] = []
        self._paths = paths
        self._tiers = tiers or (None,)
        self._ends: dict[int, dict[_Parts, set[Path]]] = {}
        self._other_tiers: dict[tuple[str, ...], list[str]] = defaultdict(list)

    def give(self, file: str, owners: set[Path]) -> None:
        """Reads a label file and gives its lines away.

        Args:
            file: The label file.
            owners: The recordings whose own it is; none where it is about many.
        """
        entries = self._read(file)
        if entries is None:
            self.spoiled.update(owners or self._paths)
            return
        stem = Path(file).stem
        by_name = defaultdict(list)
        for entry in entries:
            by_name[entry.uri or stem].append(entry)
        if owners and len(by_name) <= 1:
            self._give_one(file, stem, entries, owners)
            for name in by_name:
                self._note_other(file, name, entries, owners)
            return
        if not (owners or any(entry.uri for entry in entries) or self._ending_in(_parts(stem))):
            rule = "labels of several recordings must name them, in a column file or such"
            self.findings.append(problem(_place(file, entries), f"{rule}. Received: none that is named."))
            self.spoiled.update(self._paths)
            return
        for name, its in by_name.items():
            found = self._ending_in(_parts(name))
            self._give_one(file, name, its, found & owners or found)
        for owner in sorted(owners - self.given.keys() - self.spoiled):
            rule = f"labels of several recordings that lie beside {owner} must name it too"
            self.findings.append(problem(file, f"{rule}. Received: {shown(list(by_name))}."))
            self.spoiled.add(owner)

    def _ending_in(self, parts: _Parts) -> set[Path]:
        """The recordings whose path ends so, with its extension or without."""
        if len(parts) not in self._ends:
            ends = self._ends[len(parts)] = defaultdict(set)
            for path in self._paths:
                whole = _parts(str(path.absolute()))
                for name in (whole[-1], one_word(path.stem)):
                    ends[(*whole[-len(parts) : -1], name)].add(path)
        return self._ends[len(parts)].get(parts, set())

    def tier_notes(self) -> list[Finding]:
        """Says which tiers of TextGrids were passed over: another talker's would be taken for no speech."""
        rule = "tiers of a TextGrid besides the first must be named"
        return [
            note(
                files[0],
                f"{rule}. Received: {shown(list(names))}, not read here{_also(files)}. Give --tier for each.",
            )
            for names, files in self._other_tiers.items()
        ]

    def _read(self, file: str) -> list[Entry] | None:
        """The lines of a label file, also those that only say that nobody speaks; None where it is broken."""
        entries: list[Entry] = []
        broken: list[str] = []
        for tier in self._tiers:
            its, problems = read_all(file, tier=tier)
            entries += its
            broken += problems
        # Of formats without tiers, each tier has all lines.
        self.findings += [problem("", text) for text in dict.fromkeys(broken)]
        if broken:
            return None
        if self._tiers == (None,) and format_of(file) == "textgrid" and (names := other_tiers(text_of(file))):
            self._other_tiers[tuple(names)].append(file)
        return list(dict.fromkeys(entries))

    def _give_one(self, file: str, name: str, entries: list[Entry], found: Collection[Path]) -> None:
        """Gives the lines of one name to the one recording that has it."""
        where = _place(file, entries)
        if len(found) != 1:
            self.findings.append(problem(where, self._unclear(name, found)))
            self.spoiled.update(found)
            return
        (path,) = found
        kept_file, kept = self.given.setdefault(path, (file, []))
        kept += entries
        if kept_file != file:
            rule = "labels of a recording must be in one file"
            self.findings.append(problem(where, f"{rule}. Received: those of {path}, as in {kept_file}."))
            self.spoiled.add(path)

    def _unclear(self, name: str, found: Collection[Path]) -> str:
        if found:
            paths = " and ".join(str(path.absolute()) for path in sorted(found)[:2])
            more = f" and {len(found) - 2} more" if len(found) > 2 else ""
            remedy = "Write more of the path, or lay label files in folders like the recordings'"
            return f"labels must be of one recording. Received: {name!r}, for {paths}{more}. {remedy}."
        parts = _parts(name)
        ends = (self._ending_in(parts[first:]) for first in range(len(parts)))
        nearest = next(
            (f" Is it {min(paths).absolute()}? Write the end of this." for paths in ends if paths), ""
        )
        return f"labels must name a recording that is there. Received: {name!r}.{nearest}"

    def _note_other(self, file: str, name: str, entries: list[Entry], owners: set[Path]) -> None:
        """Says when a recording's own label file has the name of another recording."""
        others = self._ending_in(_parts(name))
        if others and others.isdisjoint(owners):
            taken = f"they are taken as those of {min(owners)}, beside which they lie"
            self.findings.append(note(_place(file, entries), f"labels name {min(others)}: {taken}."))


def _also(files: Sequence[str]) -> str:
    return f", nor in {len(files) - 1} more files" if len(files) > 1 else ""


def _place(file: str, entries: Sequence[Entry]) -> str:
    return f"{file}:{min(entry.line for entry in entries)}" if entries else file


def _parts(name: str) -> _Parts:
    """The folders and the name in a path of any system, as RTTM can say them; what leads upwards says nothing."""
    parts = posixpath.normpath(name.replace("\\", "/")).split("/")
    return tuple(one_word(part) for part in parts if part != "..")
