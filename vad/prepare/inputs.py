"""The recordings to prepare, with their label files found, but nothing decoded and no label file read."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vad.audio.decoding import KNOWN_SUFFIXES
from vad.corpus.folders import Place, places_in, unnamed_speakers_text
from vad.corpus.manifest import CorpusItem, item_from_line, manifest_lines
from vad.errors import ConfigError, LabelError
from vad.labels import Entry
from vad.labels.findings import Finding, note, problem, problems_of
from vad.labels.owners import label_stems, own_label_file
from vad.prepare.kaldi import read_kaldi_folder
from vad.prepare.stray_labels import check_label_files

__all__ = ["Candidate", "InputOptions", "find_recordings"]

_SPEAKERS = ("folder", "file", "labels")


@dataclass(frozen=True)
class Candidate(CorpusItem):
    """A recording to prepare; its split is "" before it is assigned.

    Attributes:
        where: Its place in messages.
        turns: Its labels in order of time. None for speech whose labels are not read yet, or that has none.
        labels: Its label file, before the line in messages; "" where there is none.
    """

    split: str = ""
    where: str = ""
    turns: tuple[Entry, ...] | None = ()
    labels: str = ""


@dataclass(frozen=True)
class InputOptions:
    """How to read the inputs.

    Attributes:
        labels: A folder of label files, or one file that names its recordings; None looks beside each recording.
        tiers: TextGrid and ELAN tiers; none takes the format's own choice.
        speaker: The source of speakers' names: "folder", the folder below ``speech`` (unknown where there is none);
            "file", one for each file; "labels"; or a regular expression whose first group in the path is the name.
        may_lack_labels: Speech without labels is allowed.

    Raises:
        ConfigError: The pattern is not a regular expression, or has no group.
    """

    labels: Path | None = None
    tiers: tuple[str, ...] = ()
    speaker: str = "folder"
    may_lack_labels: bool = False

    def __post_init__(self) -> None:
        if self.speaker in _SPEAKERS:
            return
        rule = "speaker must be folder, file, labels or a pattern with a group, such as '([a-z]+)-'"
        try:
            has_group = re.compile(self.speaker).groups > 0
        except re.error as error:
            raise ConfigError(f"{rule}. Received: {self.speaker!r} ({error}).") from error
        if not has_group:
            raise ConfigError(f"{rule}. Received: {self.speaker!r}.")


def find_recordings(paths: Sequence[Path], options: InputOptions) -> tuple[list[Candidate], list[Finding]]:
    """Finds all recordings in folders, manifests, Kaldi data folders and audio files.

    Returns:
        The recordings, and the problems of others. Speech from folders has no turns yet.
    """
    finder = _Finder(options)
    recordings = [recording for path in paths for recording in finder.find(path)]
    findings, rejected = check_label_files(finder.label_folders, finder.owners)
    if finder.unnamed > 1:
        hint = "Or give --speaker labels or a pattern."
        findings.append(note("", f"{unnamed_speakers_text(finder.unnamed)} {hint}"))
    return [one for one in recordings if one.path not in rejected], [*finder.findings, *findings]


class _Finder:
    """Finds recordings, input by input.

    Attributes:
        findings: Problems of inputs.
        unnamed: Number of recordings of speech in no speaker's folder, where folders name the speakers.
        label_folders: The folders of label files.
        owners: By the path of a label file without its extension, its possible recordings with their kinds.
    """

    def __init__(self, options: InputOptions):
        self._options = options
        self.findings: list[Finding] = []
        self.label_folders: set[Path] = set()
        self.unnamed = 0
        self.owners: dict[Path, dict[Path, str]] = defaultdict(dict)

    def find(self, path: Path) -> Iterator[Candidate]:
        if path.is_file() and path.suffix.lower() in KNOWN_SUFFIXES:
            yield self._from_file(path, Place(path.parent))
        elif path.is_file():
            yield from self._from_manifest(path)
        elif (path / "manifest.jsonl").is_file():
            yield from self._from_manifest(path / "manifest.jsonl")
        elif (path / "wav.scp").is_file():
            yield from self._from_kaldi(path)
        elif path.is_dir():
            yield from self._from_folder(path)
        else:
            self.findings.append(problem(path, "no such file or folder."))

    def _from_folder(self, folder: Path) -> Iterator[Candidate]:
        places = places_in(folder)
        if self._options.labels is None:
            self.label_folders.update(place.folder for place in places)
        elif self._options.labels.is_dir():
            self.label_folders.add(self._options.labels)
        found = [(place, path) for place in places for path in place.recordings()]
        if not found:
            self.findings.append(problem(folder, "the folder holds no recordings."))
        for place, path in found:
            yield self._from_file(path, place)

    def _from_file(self, path: Path, place: Place) -> Candidate:
        is_speech = place.kind == "speech"
        folder, below = path.parent, Path(path.name)
        if self._options.labels is not None:
            folder, below = self._options.labels, path.relative_to(place.folder)
        for stem in label_stems(folder, below):
            self.owners[stem][path] = place.kind
        return Candidate(
            path,
            place.kind,
            split=place.split,
            speaker=self._speaker(path, place) if is_speech else place.speaker_of(path),
            where=str(path),
            turns=None if is_speech else (),
            labels=str(own_label_file(folder, below) or "") if is_speech else "",
        )

    def _speaker(self, path: Path, place: Place) -> str:
        source = self._options.speaker
        if source == "folder":
            speaker = place.speaker_of(path)
            self.unnamed += not speaker and not place.split
            return speaker
        if source == "file":
            return path.relative_to(place.folder).with_suffix("").as_posix()
        if source == "labels":
            return ""  # they are not read yet
        match = re.search(source, path.as_posix())
        if match is None:
            self.findings.append(
                problem(path, f"the path does not match the pattern of speakers {source!r}.")
            )
        return match[1] or "" if match else ""

    def _from_manifest(self, manifest: Path) -> Iterator[Candidate]:
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
            else:
                yield _from_item(item, where, '"split"' in line)

    def _from_kaldi(self, folder: Path) -> Iterator[Candidate]:
        has_segments = (folder / "segments").is_file()
        is_labelled = has_segments or not self._options.may_lack_labels
        labels = str(folder / ("segments" if has_segments else "wav.scp"))
        named_by_kaldi = self._options.speaker in ("folder", "labels")
        try:
            recordings = read_kaldi_folder(folder)
        except LabelError as error:
            self.findings += problems_of(error)
            return
        for name, (path, where, turns) in recordings.items():
            speakers = " + ".join(sorted({turn.speaker or name for turn in turns}))
            yield Candidate(
                path,
                "speech",
                speaker=speakers if named_by_kaldi else self._speaker(path, Place(path.parent)),
                where=where,
                turns=turns if is_labelled else None,
                labels=labels if is_labelled else "",
            )


def _from_item(item: CorpusItem, where: str, has_split: bool) -> Candidate:
    labels, _, number = where.rpartition(":")
    known = vars(item) | {"split": item.split if has_split else ""}
    turns = tuple(Entry(int(number), segment.start, segment.end) for segment in item.segments)
    return Candidate(**known, where=where, turns=turns, labels=labels)
