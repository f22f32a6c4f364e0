"""A labelled corpus, from a JSONL manifest or plain folders, as a list of items. data/README.md describes both."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vad.audio.remote import is_url, read_url
from vad.corpus.folders import KINDS, SPLITS, places_in, unnamed_speakers_text
from vad.corpus.speakers import speakers_in_two_splits
from vad.detection.segments import Segment
from vad.errors import LabelError
from vad.json_text import parse_json
from vad.labels.owners import LabelOwners, own_label_file, segments_of_speech

__all__ = [
    "KINDS",
    "SPLITS",
    "CorpusItem",
    "item_from_line",
    "manifest_lines",
    "read_corpus",
    "require_corpus",
    "row_from_line",
]

_DEV_SHARE = 0.1
_STRINGS = ("speaker", "language", "source", "original", "license", "commit", "label", "class")


@dataclass(frozen=True)
class CorpusItem:
    """One recording and its labels.

    Attributes:
        path: The audio file.
        kind: "speech", "noise" or "music"; the last two hold no speech.
        segments: Speech, in seconds, in order of time.
        split: "train", "dev" or "test"; a speaker is in one only. "" before it is assigned.
        speaker: The speaker's name, or several joined with " + "; "" where unknown.
        language: The language spoken.
        source: The data set it comes from.
        original: Its path there.
        license: Its licence.
        commit: The version of its source.
        label: The origin of its segments.
        sound_class: What a recording without speech holds, ``class`` in a manifest; "" where unknown.
        duration: Seconds; None where unknown.
        snr_db: Speech over noise, dB; None where unknown.
        range_db: Loud minus quiet frames, dB: how clean the recording is. None where unknown.
        key: Its path inside the corpus, with slashes.
    """

    path: Path
    kind: str
    segments: tuple[Segment, ...] = ()
    split: str = "train"
    speaker: str = ""
    language: str = ""
    source: str = ""
    original: str = ""
    license: str = ""
    commit: str = ""
    label: str = ""
    sound_class: str = ""
    duration: float | None = None
    snr_db: float | None = None
    range_db: float | None = None
    key: str = field(default="", compare=False)

    @property
    def speakers(self) -> tuple[str, ...]:
        """The names of all speakers; none where unknown."""
        return tuple(name.strip() for name in self.speaker.split(" + ") if name.strip())


def read_corpus(path: str | Path, note: Callable[[str], object] | None = None) -> list[CorpusItem]:
    """Reads a manifest (``.jsonl``), a folder that holds ``manifest.jsonl``, or a plain folder.

    Args:
        path: The manifest or the folder.
        note: Called with each note on the corpus.

    Returns:
        The items, in the manifest's order or sorted by path.

    Raises:
        LabelError: A row or a label file breaks the rules, or there are no recordings.
    """
    require_corpus(path)
    path = Path(path)
    manifest = path / "manifest.jsonl" if path.is_dir() else path
    items = _read_manifest(manifest) if manifest.is_file() else _read_folder(path, note)
    if not items:
        raise LabelError(f"the corpus {path} holds no recordings.")
    return items


def require_corpus(path: str | Path) -> None:
    """Requires that there is a manifest or a folder; nothing is read.

    Raises:
        LabelError: There is neither.
    """
    if not (os.path.isfile(path) or os.path.isdir(path)):
        raise LabelError(f"no corpus at {path}: there is neither a manifest (.jsonl) nor a folder.")


def _read_manifest(manifest: Path) -> list[CorpusItem]:
    items = [
        (where, item_from_line(line, manifest.parent, where)) for where, line in manifest_lines(manifest)
    ]
    _require_one_split(items)
    return [item for _, item in items]


def _require_one_split(items: Iterable[tuple[str, CorpusItem]]) -> None:
    for where, text in speakers_in_two_splits((where, one.split, one.speakers) for where, one in items):
        raise LabelError(f"{where}: {text}")


def manifest_lines(manifest: Path | str) -> Iterator[tuple[str, str]]:
    """The lines of a manifest, a file or a URL, that are not blank, each after its place, ``manifest:number``.

    Raises:
        LabelError: It cannot be read as text.
    """
    try:
        if is_url(manifest):
            text = read_url(manifest).decode("utf-8-sig")
        else:
            text = Path(manifest).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise LabelError(f"cannot read the manifest {manifest}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise LabelError(
            f"{manifest}: this file is not text. Give a manifest (.jsonl) or a folder."
        ) from error
    lines = enumerate(text.split("\n"), start=1)
    return ((f"{manifest}:{number}", line) for number, line in lines if line.strip())


def row_from_line(line: str, where: str) -> dict[str, Any]:
    """Reads one line of a manifest of any program: an object with ``audio_filepath``, a string.

    Args:
        line: A JSON object.
        where: The line's place, for messages.

    Raises:
        LabelError: It is none.
    """
    try:
        row: dict[str, Any] = parse_json(line)
    except ValueError as error:
        raise LabelError(f"{where}: a manifest row must be one JSON object. Received: {error}.") from error
    is_row = isinstance(row, dict) and isinstance(row.get("audio_filepath"), str)
    _require(is_row, where, "a manifest row must have audio_filepath, a string", row)
    name = row["audio_filepath"]
    _require(_can_be_path(name), where, "audio_filepath must be the path of a file", ascii(name))
    return row


def item_from_line(line: str, folder: Path, where: str) -> CorpusItem:
    """Reads one line of a manifest.

    Args:
        line: A JSON object.
        folder: The folder that its path is relative to.
        where: The line's place, for messages.

    Raises:
        LabelError: It breaks a rule of the manifest.
    """
    row = row_from_line(line, where)
    row = {name: value for name, value in row.items() if value is not None}
    kind = row.get("kind")
    _require(kind in KINDS, where, f"kind must be {' or '.join(KINDS)}", f"kind={kind!r}")
    split = row.get("split", "train")
    _require(split in SPLITS, where, f"split must be {' or '.join(SPLITS)}", f"split={split!r}")
    optional = {
        name: row[name] for name in ("split", "duration", "snr_db", "range_db", *_STRINGS) if name in row
    }
    for name, value in optional.items():
        if name in _STRINGS:
            _require(isinstance(value, str), where, f"{name} must be a string", f"{name}={value!r}")
        elif name != "split":
            _require(_is_number(value), where, f"{name} must be a finite number", f"{name}={value!r}")
    duration = row.get("duration", 0)
    _require(duration >= 0, where, "duration must be 0 or more", f"duration={duration!r}")
    if "class" in optional:
        optional["sound_class"] = optional.pop("class")
    key = row["audio_filepath"]
    return CorpusItem(folder / key, row["kind"], _segments_from_row(row, where), key=key, **optional)


def _require(holds: bool, where: str, rule: str, received: object) -> None:
    if not holds:
        raise LabelError(f"{where}: {rule}. Received: {str(received)[:80]}.")


def _can_be_path(text: str) -> bool:
    try:
        return bool(text) and b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _segments_from_row(row: dict[str, Any], where: str) -> tuple[Segment, ...]:
    pairs = row.get("segments")
    if row["kind"] != "speech":
        _require(not pairs, where, f"{row['kind']} must have no speech segments", pairs)
        return ()
    if pairs is None:
        rule = "speech must have segments, or a duration where all of it is speech"
        _require("duration" in row, where, rule, "neither")
        pairs = [[0.0, row["duration"]]]
    _require(isinstance(pairs, list), where, "segments must be a list of [start, end]", pairs)
    for pair in pairs:
        is_pair = isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair))
        rule = "a segment must be [start, end] in seconds, 0 or more, the start first"
        _require(is_pair and 0 <= pair[0] <= pair[1], where, rule, pair)
    return tuple(sorted(Segment(float(start), float(end)) for start, end in pairs))


def _read_folder(corpus: Path, note: Callable[[str], object] | None) -> list[CorpusItem]:
    found = [(place, path) for place in places_in(corpus) for path in place.recordings()]
    labels = _labels_beside([path for place, path in found if place.kind == "speech"])
    items = [
        CorpusItem(
            path,
            place.kind,
            labels.get(path, ()),
            place.split,
            place.speaker_of(path),
            key=path.relative_to(corpus.parent if place.folder == corpus else corpus).as_posix(),
        )
        for place, path in found
    ]
    unnamed = sum(item.kind == "speech" and not item.split and not item.speaker for item in items)
    if note is not None and unnamed > 1:
        note(unnamed_speakers_text(unnamed))
    items = _with_splits(items)
    _require_one_split((str(item.path), item) for item in items)
    return items


def _labels_beside(recordings: Sequence[Path]) -> dict[Path, tuple[Segment, ...]]:
    """The segments of each recording, from the label files beside them."""
    owners = LabelOwners(recordings)
    owners.read_own({path: own_label_file(path.parent, Path(path.name)) for path in recordings})
    problems = [str(problem) for problem in owners.problems]
    problems += [
        f"{path}: speech needs a label file beside it. Write one, such as {path.with_suffix('.rttm').name}."
        for path in recordings
        if path not in owners.labels and path not in owners.rejected
    ]
    if problems:
        raise LabelError(*problems)
    return {path: tuple(segments_of_speech(entries)) for path, (_, entries) in owners.labels.items()}


def _with_splits(items: Sequence[CorpusItem]) -> list[CorpusItem]:
    """Gives items without a split that of their speaker, or else one that depends on their name alone.

    So new recordings never move the others. If no speaker's name falls in dev, the nearest one goes there, where there
    are two or more.
    """
    split_of = {name: item.split for item in items if item.split for name in item.speakers}
    has_dev = any(item.kind == "speech" and item.split == "dev" for item in items)
    drawn: dict[tuple[str, str], str] = {}
    for kind in KINDS:  # noise in a folder with a speaker's name goes where the speaker is
        groups = {_group(item) for item in items if item.kind == kind and not item.split} - split_of.keys()
        shares = {group: _share(kind, group) for group in sorted(groups)}
        dev = {group for group, share in shares.items() if share < _DEV_SHARE}
        if kind == "speech" and len(groups) > 1 and not dev and not has_dev:
            dev = {min(shares, key=shares.__getitem__)}
        drawn |= {(kind, group): "dev" if group in dev else "train" for group in groups}
        speakers = {item.speaker for item in items if item.speaker} & groups
        split_of |= {speaker: drawn[kind, speaker] for speaker in speakers}
    return [
        item
        if item.split
        else replace(item, split=split_of.get(item.speaker) or drawn[item.kind, _group(item)])
        for item in items
    ]


def _group(item: CorpusItem) -> str:
    """The recordings that get one split: a speaker's, or a single file where the speaker is unknown."""
    return item.speaker or item.path.stem


def _share(kind: str, group: str) -> float:
    """A number from 0 to 1 that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(f"{kind}/{group}".encode()).digest()[:4], "big") / 2**32
