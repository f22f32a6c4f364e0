"""The recordings that were given: nothing is heard yet, and their label files are found, not read."""

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
from vad.labels import Entry
from vad.labels.owners import label_stems, own_label_file
from vad.prepare.findings import Finding, problem, problems_of
from vad.prepare.kaldi import read_kaldi_folder
from vad.prepare.unread import check_label_files

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
        turns: Speech as its labels say, in order of time; None for speech whose labels are not read, or that has none.
        labels: Where its labels are, "" where nowhere; in messages a turn's line comes after it.
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
        labels: A folder of label files, or one file that names its recordings; None looks beside each recording.
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
        The recordings, speech of folders without its turns yet, and what is wrong with the others.
    """
    finder = _Finder(reading)
    recordings = [recording for path in paths for recording in finder.find(path)]
    findings, spoiled = check_label_files(finder.label_folders, finder.owners)
    return [one for one in recordings if one.path not in spoiled], [*finder.findings, *findings]


class _Finder:
    """Walks what was given.

    Attributes:
        findings: What is wrong.
        label_folders: Where the label files of the folders walked lie.
        owners: By the path of a label file without its extension, the kinds of the recordings whose it may be.
    """

    def __init__(self, reading: Reading):
        self._reading = reading
        self.findings: list[Finding] = []
        self.label_folders: set[Path] = set()
        self.owners: dict[Path, dict[Path, str]] = defaultdict(dict)

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

    def _folder(self, folder: Path, split: str) -> Iterator[Recording]:
        splits = [name for name in SPLITS if (folder / name).is_dir()] if not split else []
        if splits:
            for name in splits:
                yield from self._folder(folder / name, name)
            return
        kinds = [kind for kind in KINDS if (folder / kind).is_dir()]
        found = 0
        for place, kind in [(folder / kind, kind) for kind in kinds] or [(folder, "speech")]:
            if self._reading.labels is None or self._reading.labels.is_dir():
                self.label_folders.add(self._reading.labels or place)
            for path in audio_files(place):
                found += 1
                yield from self._labelled(path, place, kind, split)
        if found == 0:
            self.findings.append(problem(folder, "a folder must hold recordings. Received: none."))

    def _labelled(self, path: Path, root: Path, kind: str, split: str) -> Iterator[Recording]:
        stems = self._label_stems(path, root)
        for stem in stems:
            self.owners[stem][path] = kind
        if kind != "speech":
            below = path.relative_to(root)
            yield Recording(
                path, str(path), kind, speaker=below.parts[0] if len(below.parts) > 1 else "", split=split
            )
            return
        yield Recording(
            path, str(path), kind, None, str(own_label_file(stems) or ""), self._speaker(path, root), split
        )

    def _label_stems(self, path: Path, root: Path) -> list[Path]:
        """Where the labels of a recording may lie, without their extension."""
        folder = self._reading.labels
        if folder is None:
            return label_stems(path.parent, Path(path.name))
        return label_stems(folder, path.relative_to(root))

    def _speaker(self, path: Path, root: Path) -> str:
        how = self._reading.speaker
        below = path.relative_to(root)
        if how == "folder":
            return below.parts[0] if len(below.parts) > 1 else path.stem
        if how == "file":
            return below.with_suffix("").as_posix()
        if how == "labels":
            return ""  # they are not read yet
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
            self.findings += problems_of(error)
            return
        for where, line in lines:
            try:
                item = item_from_line(line, manifest.parent, where)
            except LabelError as error:
                self.findings += problems_of(error)
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
                    speaker=self._speaker(path, path.parent) if who not in ("folder", "labels") else speakers,
                )
        except LabelError as error:
            self.findings += problems_of(error)


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
