"""The corpus decoded once: all audio in one memory-mapped file, with labels on a 10 ms grid beside it."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from vad.audio.acoustics import CELL, SAMPLE_RATE
from vad.audio.reading import read_audio
from vad.corpus.manifest import CorpusItem, read_corpus
from vad.corpus.sound_classes import sound_class
from vad.errors import AudioError, ConfigError
from vad.files import write_text, writing
from vad.json_text import read_json
from vad.labels.cells import CELL_DURATION, labels_to_frames
from vad.labels.reading import require_within
from vad.processes import in_order

__all__ = [
    "CELL",
    "SAMPLE_RATE",
    "DecodedCorpus",
    "DecodedRecording",
    "decode_corpus",
    "fingerprint",
    "label_cells",
]

_REMEDY = "Delete the data folder: it is made again."
_FULL_SCALE = 32_768
_SPEECH_LEVEL_PERCENTILE = 50

Samples16 = npt.NDArray[np.int16]
Cells = npt.NDArray[np.uint8]
SoftLabels = Mapping[str, Cells]


@dataclass(frozen=True)
class DecodedRecording:
    """One recording of a decoded corpus.

    Attributes:
        index: Its row.
        kind: "speech", "noise" or "music".
        speaker: The speaker, or the file where the speaker is unknown.
        source: Its source; "" where unknown.
        sound_class: What it is, as `vad.corpus.sound_classes.sound_class` has it.
        offset: First sample in the corpus' audio.
        length: Samples.
        level_db: Level of its active part, dBFS.
        range_db: Loud minus quiet frames, dB: how clean it is.
    """

    index: int
    kind: str
    speaker: str
    source: str
    sound_class: str
    offset: int
    length: int
    level_db: float
    range_db: float


class DecodedCorpus:
    """Decoded recordings of one split.

    Args:
        folder: The folder that `decode_corpus` wrote.
        split: "train" or "dev".

    Attributes:
        split: Which one.
        recordings: In the corpus' order.
    """

    def __init__(self, folder: Path, split: str):
        rows = read_json(folder / "index.json", ConfigError, _REMEDY)
        self._samples = np.memmap(folder / "audio.i16", np.int16, "r")
        self._labels = np.memmap(folder / "labels.u8", np.uint8, "r")
        self.split = split
        self.recordings = [DecodedRecording(**row["clip"]) for row in rows if row["split"] == split]

    def samples(self, recording: DecodedRecording) -> npt.NDArray[np.float32]:
        """Its samples in [-1, 1], a copy [shape=(length,)]."""
        samples = self._samples[recording.offset : recording.offset + recording.length].astype(np.float32)
        return samples / np.float32(_FULL_SCALE)

    def labels(self, recording: DecodedRecording) -> npt.NDArray[np.float32]:
        """Its speech probability per 10 ms cell, in [0, 1] [shape=(length // CELL,)]."""
        first = recording.offset // CELL
        cells = self._labels[first : first + recording.length // CELL]
        return cells.astype(np.float32) / np.float32(255)


def decode_corpus(
    corpus: Path, folder: Path, jobs: int = 2, items: Sequence[CorpusItem] | None = None
) -> Path:
    """Decodes a corpus, unless that is done already. Recordings are cut to whole label cells.

    Args:
        corpus: A manifest or a folder, as `vad.corpus.manifest.read_corpus` takes it.
        folder: Where to write ``audio.i16``, ``labels.u8``, ``corpus.sha256``, ``files.json`` and ``index.json``.
        jobs: Processes.
        items: Those of the corpus, where it was read already.

    Returns:
        The folder.

    Raises:
        ConfigError: The folder holds another corpus, or this one before it or a recording was changed.
        LabelError: The corpus breaks its rules.
        AudioError: A recording cannot be read.
    """
    items = read_corpus(corpus) if items is None else items
    found, states = fingerprint(corpus, items), _file_states(items)
    index, note, files = folder / "index.json", folder / "corpus.sha256", folder / "files.json"
    if index.exists():
        if note.read_text(encoding="utf-8") != found:
            raise ConfigError(
                f"A data folder holds one corpus. Received: {corpus}, which is not, or no longer, what {folder} "
                "was made from. Name another data folder and, for a run that has begun, another run."
            )
        # A folder of an earlier version has no such file; a recording that is gone was decoded before.
        earlier = read_json(files, ConfigError, _REMEDY) if files.exists() else {}
        touched = {path for path, state in states.items() if earlier.get(path, state) != state}
        changed = [_name(item) for item in _with_other_sound(items, touched, folder, jobs)]
        if changed:
            raise ConfigError(
                f"The recordings must be those that {folder} was made from. Received: {len(changed)} with other "
                f"sound, such as {changed[0]}. Name another data folder, and another run."
            )
        if touched:
            write_text(files, json.dumps(earlier | states))
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    rows = _decode_all(items, _read_soft_labels(_soft_path(corpus)), folder, jobs)
    write_text(note, found)
    write_text(files, json.dumps(states))
    # The index is written last: without one the folder is unfinished and is made again.
    write_text(index, json.dumps(rows))
    return folder


def fingerprint(corpus: Path, items: Iterable[CorpusItem]) -> str:
    """The hash of the rows and soft labels of a corpus, without its audio."""
    soft_path = _soft_path(corpus)
    digest = hashlib.sha256(soft_path.read_bytes() if soft_path.exists() else b"")
    for item in items:
        segments = [(segment.start, segment.end) for segment in item.segments]
        row = (item.key, item.kind, item.split, item.speaker, item.source, item.sound_class, segments)
        digest.update(repr(row).encode())
    return digest.hexdigest()


def _file_states(items: Iterable[CorpusItem]) -> dict[str, list[int]]:
    """The size in bytes and the time of change in nanoseconds of each recording that is there, by its key."""
    states = {}
    for item in items:
        with contextlib.suppress(OSError):
            status = item.path.stat()
            states[_name(item)] = [status.st_size, status.st_mtime_ns]
    return states


def _with_other_sound(
    items: Sequence[CorpusItem], touched: Container[str], folder: Path, jobs: int
) -> Iterator[CorpusItem]:
    """Decodes recordings with another size or time, such as copies, and yields those whose sound is another."""
    rows = read_json(folder / "index.json", ConfigError, _REMEDY)
    pairs = [pair for pair in zip(items, rows, strict=True) if _name(pair[0]) in touched]
    if not pairs:
        return
    stored = np.memmap(folder / "audio.i16", np.int16, "r")
    decoded = in_order(_make_decoder, [str(item.path) for item, _ in pairs], jobs, crashed=_crashed)
    progress = tqdm(decoded, "compare", len(pairs), unit=" recordings", leave=False, disable=None)
    for (item, row), samples in zip(pairs, progress, strict=True):
        offset, length = row["clip"]["offset"], row["clip"]["length"]
        whole = samples[: len(samples) // CELL * CELL]
        before = stored[offset : offset + length]
        # Another version of a decoder or a resampler may round otherwise.
        if len(whole) != length or np.abs(whole.astype(np.int32) - before).max(initial=0) > 1:
            yield item


def _name(item: CorpusItem) -> str:
    return item.key or str(item.path)


def _soft_path(corpus: Path) -> Path:
    return (corpus if corpus.is_dir() else corpus.parent) / "soft_labels.npz"


def _read_soft_labels(path: Path) -> SoftLabels:
    if not path.exists():
        return {}
    with np.load(path) as archive:
        return dict(archive)


def _decode_all(
    items: Sequence[CorpusItem], soft: SoftLabels, folder: Path, jobs: int
) -> list[dict[str, Any]]:
    """Writes the audio and the labels, and returns the rows of the index."""
    rows, offset = [], 0
    decoded = in_order(_make_decoder, [str(item.path) for item in items], jobs, crashed=_crashed)
    with ExitStack() as files:
        audio = files.enter_context(files.enter_context(writing(folder / "audio.i16")).open("wb"))
        labels = files.enter_context(files.enter_context(writing(folder / "labels.u8")).open("wb"))
        progress = tqdm(decoded, "decode", len(items), unit=" recordings", leave=False, disable=None)
        for index, (item, samples) in enumerate(zip(items, progress, strict=True)):
            samples = samples[: len(samples) // CELL * CELL]
            require_within(item.segments, len(samples) / SAMPLE_RATE, item.key)
            cells = label_cells(item, soft, len(samples) // CELL)
            audio.write(samples.tobytes())
            labels.write(cells.tobytes())
            recording = DecodedRecording(
                index,
                item.kind,
                item.speaker or item.key,
                item.source,
                sound_class(item),
                offset,
                len(samples),
                _active_level_db(samples, cells if item.kind == "speech" else None),
                60.0 if item.range_db is None else item.range_db,
            )
            rows.append({"split": item.split, "clip": asdict(recording)})
            offset += len(samples)
    return rows


def _make_decoder() -> Callable[[str], Samples16]:
    return _decode


def _decode(path: str) -> Samples16:
    samples = np.clip(read_audio(path, sample_rate=SAMPLE_RATE), -1, (_FULL_SCALE - 1) / _FULL_SCALE)
    return np.round(samples * _FULL_SCALE).astype(np.int16)


def _crashed(path: str) -> NoReturn:
    raise AudioError(f"cannot decode {path}: its decoder crashed. Leave it out.")


def label_cells(item: CorpusItem, soft: SoftLabels, n_cells: int) -> Cells:
    """Speech probability x 255 per 10 ms, from soft labels (``soft_labels.npz``), or else from segments."""
    cells = np.zeros(n_cells, np.uint8)
    known = soft.get(item.key.replace("/", "|"))
    if known is not None:
        cells[: len(known)] = known[:n_cells]
    else:
        cells[labels_to_frames(item.segments, n_cells, CELL_DURATION)] = 255
    return cells


def _active_level_db(samples: Samples16, cells: Cells | None) -> float:
    """Level of the speech cells, or of the louder half of a noise, in dBFS."""
    power = np.square(samples.reshape(-1, CELL).astype(np.float64) / _FULL_SCALE).mean(axis=1)
    if cells is not None and (cells >= 128).any():
        power = power[cells >= 128]
    elif len(power):
        power = power[power >= np.percentile(power, _SPEECH_LEVEL_PERCENTILE)]
    return float(10 * np.log10(power.mean() + 1e-12)) if len(power) else -120.0
