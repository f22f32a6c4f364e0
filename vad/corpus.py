"""A labelled corpus: a JSONL manifest, or plain folders, as a list of items.

A manifest has one JSON object per line; ``audio_filepath`` (relative to the manifest) and ``kind`` are
required, ``segments`` ([[start, end], ...] in seconds) for speech that is not speech throughout. The other
keys are optional. A folder without a manifest is read by its layout::

    my_corpus/speech/<speaker>/a.wav + a.rttm     (any format of `vad.labels`; one folder per speaker)
    my_corpus/noise/fan.wav                       (no speech anywhere)
    my_corpus/music/song.flac                     (no speech anywhere)

A folder with neither a manifest nor these three names is taken as labelled recordings: each audio file needs a
label file of the same stem beside it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vad.decoding import KNOWN_SUFFIXES
from vad.errors import LabelError
from vad.labels.owners import LabelOwners, label_stems, own_label_file, segments_of_speech
from vad.segments import Segment

__all__ = ["KINDS", "SPLITS", "Item", "audio_files", "item_from_line", "manifest_lines", "read_corpus"]

KINDS = ("speech", "noise", "music")
SPLITS = ("train", "dev", "test")
_DEV_SHARE = 0.1
_STRINGS = ("speaker", "language", "source", "original", "license", "commit", "label")


@dataclass(frozen=True)
class Item:
    """One recording and what is known of it.

    Attributes:
        path: The audio file.
        kind: "speech", "noise" or "music"; the last two hold no speech.
        segments: Where speech is, seconds, sorted.
        split: "train", "dev" or "test"; a speaker never stands in two.
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


def read_corpus(path: str | Path) -> list[Item]:
    """Reads a manifest (``.jsonl``), a folder that holds ``manifest.jsonl``, or a plain folder.

    Args:
        path: The manifest or the folder.

    Returns:
        The items, in the manifest's order or sorted by path.

    Raises:
        LabelError: A row or a label file breaks the rules, or nothing is there.
    """
    path = Path(path)
    manifest = path / "manifest.jsonl" if path.is_dir() else path
    if manifest.is_file():
        items = list(_read_manifest(manifest))
    elif path.is_dir():
        kinds = [kind for kind in KINDS if (path / kind).is_dir()]
        folders = [(path / kind, kind) for kind in kinds] or [(path, "speech")]
        items = _with_dev([item for folder, kind in folders for item in _read_folder(folder, kind)])
    else:
        raise LabelError(
            f"A corpus must be a manifest (.jsonl) or a folder. Received: {path}, which does not exist."
        )
    if not items:
        raise LabelError(f"A corpus must hold recordings. Received: {path}, which holds none.")
    return items


def _read_manifest(manifest: Path) -> Iterator[Item]:
    split_of: dict[str, str] = {}
    for where, line in manifest_lines(manifest):
        item = item_from_line(line, manifest.parent, where)
        for speaker in item.speakers:
            if split_of.setdefault(speaker, item.split) != item.split:
                raise LabelError(
                    f"{where}: a speaker must be in one split. Received: {speaker!r} in {item.split}, "
                    f"before in {split_of[speaker]}."
                )
        yield item


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


def item_from_line(line: str, folder: Path, where: str) -> Item:
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


def _item_from_row(row: Any, folder: Path, where: str) -> Item:
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
    return Item(folder / key, row["kind"], _segments_from_row(row, where), key=key, **optional)


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


def _read_folder(folder: Path, kind: str) -> Iterator[Item]:
    files = audio_files(folder)
    labels = _labels_beside(files) if kind == "speech" else {}
    for path in files:
        below = path.relative_to(folder)
        speaker = below.parts[0] if len(below.parts) > 1 else path.stem
        yield Item(
            path,
            kind,
            labels.get(path, ()),
            "dev" if _share(kind, speaker) < _DEV_SHARE else "train",
            speaker,
            key=path.relative_to(folder.parent).as_posix(),
        )


def audio_files(folder: Path) -> list[Path]:
    """All recordings in a folder and the folders in it, sorted; none that is hidden."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in KNOWN_SUFFIXES
        and path.is_file()
        and not _is_hidden(path.relative_to(folder))
    )


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)  # macOS keeps `._clip.wav`, which is no audio


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


def _share(kind: str, speaker: str) -> float:
    """A number from 0 to 1 that hangs on the name alone, so adding recordings never moves anybody."""
    return int.from_bytes(hashlib.sha256(f"{kind}/{speaker}".encode()).digest()[:4], "big") / 2**32


def _with_dev(items: list[Item]) -> list[Item]:
    """Give dev the speaker whose name comes nearest, where few speakers would leave it without any."""
    speech = [item for item in items if item.kind == "speech"]
    speakers = {item.speaker for item in speech}
    if len(speakers) < 2 or any(item.split == "dev" for item in speech):
        return items
    nearest = min(speakers, key=lambda speaker: _share("speech", speaker))
    chosen = [item.kind == "speech" and item.speaker == nearest for item in items]
    return [
        replace(item, split="dev") if is_dev else item for item, is_dev in zip(items, chosen, strict=True)
    ]
