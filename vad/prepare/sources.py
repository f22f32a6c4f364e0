"""The recordings that were given, each with its labels as they lie: nothing is heard yet."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vad.corpus import KINDS, SPLITS, Item, audio_files, item_from_line, manifest_lines
from vad.decoding import KNOWN_SUFFIXES
from vad.errors import ConfigError, LabelError
from vad.labels import EXTENSIONS, Entry, read_entries
from vad.prepare.findings import Finding, problem
from vad.prepare.kaldi import read_kaldi_folder

__all__ = ["Reading", "Recording", "find_recordings"]

_ABOUT = ("language", "source", "original", "license", "commit", "label", "snr_db")
_SPEAKERS = ("folder", "file", "labels")


@dataclass(frozen=True)
class Recording:
    """A recording that was given.

    Attributes:
        path: The audio file.
        where: What messages call it.
        kind: "speech", "noise" or "music".
        turns: Speech as its labels say, in order of time; None for speech without labels.
        labels: What messages call the labels; a turn's line comes after it.
        speaker: Everybody who speaks, " + " between; "" where unknown.
        split: The split it was given in; "" where it is to be drawn.
        duration: Seconds, as its manifest says; None where nothing does.
        about: What else its manifest says of it: source, original, license, language, commit, label, snr_db.
    """

    path: Path
    where: str
    kind: str = "speech"
    turns: tuple[Entry, ...] | None = ()
    labels: str = ""
    speaker: str = ""
    split: str = ""
    duration: float | None = None
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Everybody who speaks; none where unknown."""
        return tuple(filter(None, self.speaker.split(" + ")))


@dataclass(frozen=True)
class Reading:
    """How what was given is to be read.

    Attributes:
        labels: A folder of label files, or one file about many recordings; None looks beside each recording.
        tiers: TextGrid and ELAN tiers; none takes the format's own choice.
        speaker: Who speaks: "folder", the folder below ``speech`` (the file where there is none); "file", each its
            own; "labels", as these say; or a pattern (a regular expression) whose first group in the path names him.
        may_lack_labels: Speech without labels is no problem.

    Raises:
        ConfigError: The pattern is none, or has no group.
    """

    labels: Path | None = None
    tiers: tuple[str, ...] = ()
    speaker: str = "folder"
    may_lack_labels: bool = False

    def __post_init__(self) -> None:
        if self.speaker in _SPEAKERS:
            return
        try:
            groups = re.compile(self.speaker).groups
        except re.error as error:
            raise ConfigError(
                f"speaker must be folder, file, labels or a pattern. Received: {self.speaker!r} ({error})."
            ) from error
        if groups == 0:
            raise ConfigError(
                f"speaker must be folder, file, labels or a pattern with a group, such as '([a-z]+)-'. "
                f"Received: {self.speaker!r}."
            )


def find_recordings(paths: Sequence[Path], reading: Reading) -> tuple[list[Recording], list[Finding]]:
    """Finds all recordings in what was given: folders, manifests, Kaldi data folders and audio files.

    Args:
        paths: What was given.
        reading: How to read it.

    Returns:
        The recordings, and what is wrong with the others.
    """
    finder = _Finder(reading)
    recordings = [recording for path in paths for recording in finder.find(path)]
    finder.check_all_labels_used()
    return recordings, finder.findings


class _Finder:
    def __init__(self, reading: Reading):
        self._reading = reading
        self.findings: list[Finding] = []
        self._by_name: dict[str, list[Entry]] = defaultdict(list)
        self._used: set[str] = set()
        if reading.labels is not None and not reading.labels.is_dir():
            for entry in self._read(reading.labels) or ():
                self._by_name[entry.uri or ""].append(entry)

    def find(self, path: Path) -> Iterator[Recording]:
        if path.is_file() and path.suffix.lower() in KNOWN_SUFFIXES:
            yield from self._labelled(path, path.parent, "speech", "")
        elif path.is_file():
            yield from self._manifest(path)
        elif (path / "manifest.jsonl").is_file():
            yield from self._manifest(path / "manifest.jsonl")
        elif (path / "wav.scp").is_file():
            yield from self._kaldi(path)
        elif path.is_dir():
            yield from self._folder(path, "")
        else:
            self.findings.append(problem(path, "a file or a folder must exist. Received: nothing there."))

    def check_all_labels_used(self) -> None:
        """A recording that the one label file names must be there."""
        for name, entries in self._by_name.items():
            if name and name not in self._used:
                where = f"{self._reading.labels}:{entries[0].line}"
                self.findings.append(
                    problem(where, f"labels must name a recording that is there. Received: {name!r}.")
                )

    def _folder(self, folder: Path, split: str) -> Iterator[Recording]:
        splits = [name for name in SPLITS if (folder / name).is_dir()] if not split else []
        if splits:
            for name in splits:
                yield from self._folder(folder / name, name)
            return
        kinds = [kind for kind in KINDS if (folder / kind).is_dir()]
        found = 0
        for place, kind in [(folder / kind, kind) for kind in kinds] or [(folder, "speech")]:
            for path in audio_files(place):
                found += 1
                yield from self._labelled(path, place, kind, split)
        if found == 0:
            self.findings.append(problem(folder, "a folder must hold recordings. Received: none."))

    def _labelled(self, path: Path, root: Path, kind: str, split: str) -> Iterator[Recording]:
        if kind != "speech":
            below = path.relative_to(root)
            yield Recording(
                path, str(path), kind, speaker=below.parts[0] if len(below.parts) > 1 else "", split=split
            )
            return
        turns, labels = self._turns(path, root)
        if turns is None and labels:
            return  # they are broken, which has been said
        if turns is None and not self._reading.may_lack_labels:
            near = path.with_suffix(".rttm").name
            self.findings.append(
                problem(
                    path,
                    f"speech must have labels. Received: none. Write {near} beside it, give --labels, "
                    "or let a model label clean recordings with --label-with default.",
                )
            )
            return
        yield Recording(path, str(path), kind, turns, labels, self._speaker(path, root, turns), split)

    def _turns(self, path: Path, root: Path) -> tuple[tuple[Entry, ...] | None, str]:
        """The labels of a recording and what they are called; None where there are none, or only broken ones."""
        below = path.relative_to(root)
        if self._by_name:
            names = (
                below.as_posix(),
                below.with_suffix("").as_posix(),
                path.name,
                path.stem,
                str(path),
                "_".join(path.stem.split()),
            )
            known = [name for name in dict.fromkeys(names) if name in self._by_name]
            self._used.update(known)
            entries = [entry for name in known for entry in self._by_name[name]]
            return (tuple(entries), str(self._reading.labels)) if known else (None, "")
        stems = [path.with_suffix("")]
        if self._reading.labels is not None:
            stems = [self._reading.labels / below.with_suffix(""), self._reading.labels / path.stem]
        for stem in stems:
            for extension in EXTENSIONS:
                label = stem.with_name(stem.name + extension)
                if label.is_file():
                    return self._read(label), str(label)
        return None, ""

    def _read(self, path: Path) -> tuple[Entry, ...] | None:
        """The labels in a file; None, and a finding, where it is broken."""
        try:
            tiers = self._reading.tiers or (None,)
            entries = [entry for tier in tiers for entry in read_entries(path, tier=tier)]
        except LabelError as error:
            self.findings.append(Finding("", str(error), is_problem=True))
            return None
        return tuple(sorted(entries, key=lambda entry: (entry.start, entry.end)))

    def _speaker(self, path: Path, root: Path, turns: Sequence[Entry] | None) -> str:
        how = self._reading.speaker
        below = path.relative_to(root)
        if how == "folder":
            return below.parts[0] if len(below.parts) > 1 else path.stem
        if how == "file":
            return below.with_suffix("").as_posix()
        if how == "labels":
            return " + ".join(sorted({turn.speaker for turn in turns or () if turn.speaker}))
        match = re.search(how, path.as_posix())
        if match is None:
            self.findings.append(
                problem(path, f"a path must fit the pattern of speakers. Received: {how!r}.")
            )
        return match[1] or "" if match else ""

    def _manifest(self, manifest: Path) -> Iterator[Recording]:
        try:
            lines = list(manifest_lines(manifest))
        except LabelError as error:
            self.findings.append(Finding("", str(error), is_problem=True))
            return
        for where, line in lines:
            try:
                item = item_from_line(line, manifest.parent, where)
            except LabelError as error:
                self.findings.append(Finding("", str(error), is_problem=True))
                continue
            yield _from_item(item, where, '"split"' in line)

    def _kaldi(self, folder: Path) -> Iterator[Recording]:
        try:
            for name, (path, where, turns) in read_kaldi_folder(folder).items():
                who = self._reading.speaker
                speakers = " + ".join(sorted({turn.speaker or name for turn in turns}))
                yield Recording(
                    path,
                    where,
                    turns=turns,
                    labels=str(folder / "segments"),
                    speaker=self._speaker(path, path.parent, turns)
                    if who not in ("folder", "labels")
                    else speakers,
                )
        except LabelError as error:
            self.findings.append(Finding("", str(error), is_problem=True))


def _from_item(item: Item, where: str, has_split: bool) -> Recording:
    number = int(where.rpartition(":")[2])
    labels = where.rpartition(":")[0]
    turns = tuple(Entry(number, segment.start, segment.end) for segment in item.segments)
    about = {name: getattr(item, name) for name in _ABOUT}
    return Recording(
        item.path,
        where,
        item.kind,
        turns,
        labels,
        item.speaker,
        item.split if has_split else "",
        item.duration,
        {name: value for name, value in about.items() if value not in ("", None)},
    )
