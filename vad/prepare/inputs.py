"""The recordings that were given: nothing is measured yet, and their label files are found, not read."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from vad.audio.decoding import KNOWN_SUFFIXES
from vad.corpus.folders import Place, nameless_text, places_in
from vad.corpus.manifest import CorpusItem, item_from_line, manifest_lines
from vad.errors import ConfigError, LabelError
from vad.labels import Entry
from vad.labels.owners import label_stems, own_label_file
from vad.prepare.findings import Finding, note, problem, problems_of
from vad.prepare.kaldi import read_kaldi_folder
from vad.prepare.stray_labels import check_label_files

__all__ = ["Candidate", "InputOptions", "find_recordings"]

_SPEAKERS = ("folder", "file", "labels")


@dataclass(frozen=True)
class Candidate(CorpusItem):
    """A recording that was given, with what is known of it; its split is "" where it is to be drawn.

    Attributes:
        where: What messages call it.
        turns: Speech as its labels say, in order of time; None for speech whose labels are not read, or that has none.
        labels: Where its labels are, "" where nowhere; in messages a turn's line comes after it.
    """

    split: str = ""
    where: str = ""
    turns: tuple[Entry, ...] | None = ()
    labels: str = ""


@dataclass(frozen=True)
class InputOptions:
    """How what was given is to be read.

    Attributes:
        labels: A folder of label files, or one file that names its recordings; None looks beside each recording.
        tiers: TextGrid and ELAN tiers; none takes the format's own choice.
        speaker: Who speaks: "folder", the folder below ``speech`` (unknown where there is none); "file", each its
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


def find_recordings(paths: Sequence[Path], reading: InputOptions) -> tuple[list[Candidate], list[Finding]]:
    """Finds all recordings in what was given: folders, manifests, Kaldi data folders and audio files.

    Args:
        paths: What was given.
        reading: How to read it.

    Returns:
        The recordings, speech of folders without its turns yet, and what is wrong with the others.
    """
    finder = _Finder(reading)
    recordings = [recording for path in paths for recording in finder.find(path)]
    findings, spoiled = check_label_files(finder.label_folders, finder.owners)
    if finder.nameless > 1:
        findings.append(note("", f"{nameless_text(finder.nameless)} Or give --speaker labels or a pattern."))
    return [one for one in recordings if one.path not in spoiled], [*finder.findings, *findings]


class _Finder:
    """Walks what was given.

    Attributes:
        findings: What is wrong.
        nameless: Recordings of speech in no speaker's folder, though folders were to say who speaks.
        label_folders: Where the label files of the folders walked lie.
        owners: By the path of a label file without its extension, the kinds of the recordings whose it may be.
    """

    def __init__(self, reading: InputOptions):
        self._reading = reading
        self.findings: list[Finding] = []
        self.label_folders: set[Path] = set()
        self.nameless = 0
        self.owners: dict[Path, dict[Path, str]] = defaultdict(dict)

    def find(self, path: Path) -> Iterator[Candidate]:
        if path.is_file() and path.suffix.lower() in KNOWN_SUFFIXES:
            yield self._labelled(path, Place(path.parent))
        elif path.is_file():
            yield from self._manifest(path)
        elif (path / "manifest.jsonl").is_file():
            yield from self._manifest(path / "manifest.jsonl")
        elif (path / "wav.scp").is_file():
            yield from self._kaldi(path)
        elif path.is_dir():
            yield from self._folder(path)
        else:
            self.findings.append(problem(path, "a file or a folder must exist. Received: nothing there."))

    def _folder(self, folder: Path) -> Iterator[Candidate]:
        places = places_in(folder)
        if self._reading.labels is None:
            self.label_folders.update(place.folder for place in places)
        elif self._reading.labels.is_dir():
            self.label_folders.add(self._reading.labels)
        found = [(place, path) for place in places for path in place.recordings()]
        if not found:
            self.findings.append(problem(folder, "a folder must hold recordings. Received: none."))
        for place, path in found:
            yield self._labelled(path, place)

    def _labelled(self, path: Path, place: Place) -> Candidate:
        stems = self._label_stems(path, place.folder)
        for stem in stems:
            self.owners[stem][path] = place.kind
        if place.kind != "speech":
            return Candidate(
                path, place.kind, split=place.split, speaker=place.speaker_of(path), where=str(path)
            )
        return Candidate(
            path,
            place.kind,
            split=place.split,
            speaker=self._speaker(path, place),
            where=str(path),
            turns=None,
            labels=str(own_label_file(stems) or ""),
        )

    def _label_stems(self, path: Path, root: Path) -> list[Path]:
        """Where the labels of a recording may lie, without their extension."""
        folder = self._reading.labels
        if folder is None:
            return label_stems(path.parent, Path(path.name))
        return label_stems(folder, path.relative_to(root))

    def _speaker(self, path: Path, place: Place) -> str:
        how = self._reading.speaker
        if how == "folder":
            speaker = place.speaker_of(path)
            self.nameless += not speaker and not place.split
            return speaker
        if how == "file":
            return path.relative_to(place.folder).with_suffix("").as_posix()
        if how == "labels":
            return ""  # they are not read yet
        match = re.search(how, path.as_posix())
        if match is None:
            self.findings.append(
                problem(path, f"a path must fit the pattern of speakers. Received: {how!r}.")
            )
        return match[1] or "" if match else ""

    def _manifest(self, manifest: Path) -> Iterator[Candidate]:
        try:
            lines = list(manifest_lines(manifest))
        except LabelError as error:
            self.findings += problems_of(error)
            return
        for where, line in lines:
            try:
                item = item_from_line(line, manifest.parent, where)
            except LabelError as error:
                self.findings += problems_of(error)
                continue
            yield _from_item(item, where, '"split"' in line)

    def _kaldi(self, folder: Path) -> Iterator[Candidate]:
        segments = folder / "segments"
        a_model_labels = self._reading.may_lack_labels and not segments.is_file()
        try:
            for name, (path, where, turns) in read_kaldi_folder(folder).items():
                who = self._reading.speaker
                speakers = " + ".join(sorted({turn.speaker or name for turn in turns}))
                yield Candidate(
                    path,
                    "speech",
                    speaker=self._speaker(path, Place(path.parent))
                    if who not in ("folder", "labels")
                    else speakers,
                    where=where,
                    turns=None if a_model_labels else turns,
                    labels=""
                    if a_model_labels
                    else str(segments if segments.is_file() else folder / "wav.scp"),
                )
        except LabelError as error:
            self.findings += problems_of(error)


def _from_item(item: CorpusItem, where: str, has_split: bool) -> Candidate:
    labels, _, number = where.rpartition(":")
    known = {field.name: getattr(item, field.name) for field in fields(CorpusItem)}
    turns = tuple(Entry(int(number), segment.start, segment.end) for segment in item.segments)
    return Candidate(
        **known | {"split": item.split if has_split else ""}, where=where, turns=turns, labels=labels
    )
