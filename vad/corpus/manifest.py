"""A labelled corpus: a JSONL manifest, or plain folders, as a list of items.

A manifest has one JSON object per line; ``audio_filepath`` (relative to the manifest) and ``kind`` are
required, ``segments`` ([[start, end], ...] in seconds) for speech that is not speech throughout. The other
keys are optional. A folder without a manifest is read by its layout::

    my_corpus/speech/<speaker>/a.wav + a.rttm     (any format of `vad.labels`; one folder per speaker)
    my_corpus/noise/fan.wav                       (no speech anywhere)
    my_corpus/music/song.flac                     (no speech anywhere)

Folders ``train``, ``dev`` and ``test`` around these say the splits; else they are drawn by the speakers' names.
A folder with neither a manifest nor these three names is taken as labelled recordings: each audio file needs a
label file of the same stem beside it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vad.corpus.folders import KINDS, SPLITS, Place, nameless_text, places_in
from vad.detection.segments import Segment
from vad.errors import LabelError
from vad.labels.owners import LabelOwners, label_stems, own_label_file, segments_of_speech

__all__ = ["KINDS", "SPLITS", "CorpusItem", "item_from_line", "manifest_lines", "read_corpus"]

_DEV_SHARE = 0.1
_STRINGS = ("speaker", "language", "source", "original", "license", "commit", "label")


@dataclass(frozen=True)
class CorpusItem:
    """One recording and what is known of it.

    Attributes:
        path: The audio file.
        kind: "speech", "noise" or "music"; the last two hold no speech.
        segments: Where speech is, seconds, sorted.
        split: "train", "dev" or "test"; a speaker never stands in two. "" before it is drawn.
        speaker: Who speaks, several names with " + " between; "" where unknown.
        language: What is spoken.
        source: Where the recording comes from.
        original: Its path there.
        license: Its licence.
        commit: The version of its source.
        label: Where its segments come from.
        duration: Seconds, or None where the manifest does not tell.
        snr_db: Speech over noise, dB. None where unknown.
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
    duration: float | None = None
    snr_db: float | None = None
    range_db: float | None = None
    key: str = field(default="", compare=False)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Everybody who speaks; none where unknown."""
        return tuple(name.strip() for name in self.speaker.split(" + ") if name.strip())


def read_corpus(path: str | Path, note: Callable[[str], object] | None = None) -> list[CorpusItem]:
    """Reads a manifest (``.jsonl``), a folder that holds ``manifest.jsonl``, or a plain folder.

    Args:
        path: The manifest or the folder.
        note: Is called with what its owner should know.

    Returns:
        The items, in the manifest's order or sorted by path.

    Raises:
        LabelError: A row or a label file breaks the rules, or nothing is there.
    """
    path = Path(path)
    manifest = path / "manifest.jsonl" if path.is_dir() else path
    if manifest.is_file():
        items = _read_manifest(manifest)
    elif path.is_dir():
        items = _read_folder(path, note)
    else:
        raise LabelError(
            f"A corpus must be a manifest (.jsonl) or a folder. Received: {path}, which does not exist."
        )
    if not items:
        raise LabelError(f"A corpus must hold recordings. Received: {path}, which holds none.")
    return items


def _read_manifest(manifest: Path) -> list[CorpusItem]:
    items = [
        (where, item_from_line(line, manifest.parent, where)) for where, line in manifest_lines(manifest)
    ]
    _check_speakers(items)
    return [item for _, item in items]


def _check_speakers(items: Iterable[tuple[str, CorpusItem]]) -> None:
    """Nobody may be in two splits; each item comes after its place."""
    split_of: dict[str, str] = {}
    for where, item in items:
        for speaker in item.speakers:
            if split_of.setdefault(speaker, item.split) != item.split:
                raise LabelError(
                    f"{where}: a speaker must be in one split. Received: {speaker!r} in {item.split}, "
                    f"before in {split_of[speaker]}."
                )


def manifest_lines(manifest: Path) -> Iterator[tuple[str, str]]:
    """The lines of a manifest that hold something, each after its place, ``manifest:number``.

    Raises:
        LabelError: It is no text that can be read.
    """
    try:
        lines = manifest.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(
            f"A manifest must be readable UTF-8 text. Received: {manifest} ({error})."
        ) from error
    return ((f"{manifest}:{number}", line) for number, line in enumerate(lines, start=1) if line.strip())


def item_from_line(line: str, folder: Path, where: str) -> CorpusItem:
    """Reads one line of a manifest.

    Args:
        line: A JSON object.
        folder: What its path is relative to.
        where: What messages call the line.

    Raises:
        LabelError: It breaks the rules.
    """
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise LabelError(f"{where}: a manifest row must be one JSON object. Received: {error}.") from error
    return _item_from_row(row, folder, where)


def _item_from_row(row: Any, folder: Path, where: str) -> CorpusItem:
    if not isinstance(row, dict) or not isinstance(row.get("audio_filepath"), str):
        raise LabelError(
            f"{where}: a manifest row must have audio_filepath, a string. Received: {str(row)[:80]}."
        )
    row = {name: value for name, value in row.items() if value is not None}
    _require_one_of(KINDS, row.get("kind"), "kind", where)
    _require_one_of(SPLITS, row.get("split", "train"), "split", where)
    for name in _STRINGS:
        if not isinstance(row.get(name, ""), str):
            raise LabelError(f"{where}: {name} must be a string. Received: {name}={row[name]!r}.")
    for name in ("duration", "snr_db", "range_db"):
        if name in row and not _is_number(row[name]):
            raise LabelError(f"{where}: {name} must be a finite number. Received: {name}={row[name]!r}.")
    if row.get("duration", 0) < 0:
        raise LabelError(f"{where}: duration must be 0 or more. Received: duration={row['duration']!r}.")
    key = row["audio_filepath"]
    optional = {
        name: row[name] for name in ("split", "duration", "snr_db", "range_db", *_STRINGS) if name in row
    }
    return CorpusItem(folder / key, row["kind"], _segments_from_row(row, where), key=key, **optional)


def _require_one_of(known: tuple[str, ...], value: object, name: str, where: str) -> None:
    if value not in known:
        raise LabelError(f"{where}: {name} must be {' or '.join(known)}. Received: {name}={value!r}.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _segments_from_row(row: dict[str, Any], where: str) -> tuple[Segment, ...]:
    pairs = row.get("segments")
    if row["kind"] != "speech":
        if pairs:
            raise LabelError(
                f"{where}: {row['kind']} must have no speech segments. Received: {str(pairs)[:80]}."
            )
        return ()
    if pairs is None:
        if "duration" not in row:
            raise LabelError(
                f"{where}: speech must have segments, or a duration where all of it is speech. Received: neither."
            )
        pairs = [[0.0, row["duration"]]]
    if not isinstance(pairs, list):
        raise LabelError(f"{where}: segments must be a list of [start, end]. Received: {str(pairs)[:80]}.")
    return tuple(sorted(_segment(pair, where) for pair in pairs))


def _segment(pair: Any, where: str) -> Segment:
    if isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair)) and 0 <= pair[0] <= pair[1]:
        return Segment(float(pair[0]), float(pair[1]))
    raise LabelError(
        f"{where}: a segment must be [start, end] in seconds, 0 or more, the start first. "
        f"Received: {str(pair)[:80]}."
    )


def _read_folder(corpus: Path, note: Callable[[str], object] | None) -> list[CorpusItem]:
    found = [(place, path) for place in places_in(corpus) for path in place.recordings()]
    labels = _labels_beside([path for place, path in found if place.kind == "speech"])
    items = [_item_in(corpus, place, path, labels.get(path, ())) for place, path in found]
    nameless = sum(item.kind == "speech" and not item.split and not item.speaker for item in items)
    if note is not None and nameless > 1:
        note(nameless_text(nameless))
    items = _drawn(items)
    _check_speakers((str(item.path), item) for item in items)
    return items


def _item_in(corpus: Path, place: Place, path: Path, segments: tuple[Segment, ...]) -> CorpusItem:
    above = corpus.parent if place.folder == corpus else corpus
    return CorpusItem(
        path,
        place.kind,
        segments,
        place.split,
        place.speaker_of(path),
        key=path.relative_to(above).as_posix(),
    )


def _labels_beside(recordings: Sequence[Path]) -> dict[Path, tuple[Segment, ...]]:
    """The segments of each, out of the label files beside them."""
    own: dict[Path, set[Path]] = defaultdict(set)
    for path in recordings:
        if file := own_label_file(label_stems(path.parent, Path(path.name))):
            own[file].add(path)
    owners = LabelOwners(recordings)
    for file, whose in own.items():
        owners.read(file, whose)
    problems = [str(fault) for fault in owners.faults]
    problems += [
        f"{path}: a speech file must have a label file beside it. Received: none; "
        f"write one, such as {path.with_suffix('.rttm').name}."
        for path in recordings
        if path not in owners.labels and path not in owners.spoiled
    ]
    if problems:
        raise LabelError(*problems)
    return {path: tuple(segments_of_speech(lines)) for path, (_, lines) in owners.labels.items()}


def _drawn(items: Sequence[CorpusItem]) -> list[CorpusItem]:
    """Gives items without a split one: that of their speaker, or else one by their names alone.

    So adding recordings never moves anybody. Where few speakers would leave dev without any speech, it gets the one
    whose name comes nearest.
    """
    split_of = {name: item.split for item in items if item.split for name in item.speakers}
    drawn: dict[tuple[str, str], str] = {}
    for kind in KINDS:  # noise in a folder called like a speaker goes where the speaker is
        groups = {_group(item) for item in items if item.kind == kind and not item.split} - split_of.keys()
        shares = {group: _share(kind, group) for group in sorted(groups)}
        dev = {group for group, share in shares.items() if share < _DEV_SHARE}
        if kind == "speech" and len(groups) > 1 and not dev and not _has_dev(items):
            dev = {min(shares, key=shares.__getitem__)}
        drawn |= {(kind, group): "dev" if group in dev else "train" for group in groups}
        split_of |= {
            item.speaker: drawn[kind, item.speaker]
            for item in items
            if item.speaker and item.speaker in groups
        }
    return [
        item
        if item.split
        else replace(item, split=split_of.get(item.speaker) or drawn[item.kind, _group(item)])
        for item in items
    ]


def _has_dev(items: Iterable[CorpusItem]) -> bool:
    return any(item.kind == "speech" and item.split == "dev" for item in items)


def _group(item: CorpusItem) -> str:
    """What is drawn together: a speaker's recordings; a file where the speaker is unknown."""
    return item.speaker or item.path.stem


def _share(kind: str, group: str) -> float:
    """A number from 0 to 1 that hangs on the name alone."""
    return int.from_bytes(hashlib.sha256(f"{kind}/{group}".encode()).digest()[:4], "big") / 2**32
