"""What is fuzzed: everything of the package that reads files of any origin."""

from __future__ import annotations

import functools
import hashlib
import io
import math
from argparse import Namespace
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path, PurePath
from typing import BinaryIO

import numpy as np
from support import tiny_model, tiny_onnx

from fuzz import seeds
from fuzz.mutation import Mutator, gzip_content, ogg_sums, zip_members
from fuzz.target import Target
from vad.audio.raw_format import ENCODINGS, RawFormat
from vad.audio.reading import open_audio
from vad.commands.detecting.journal import Identity, identify, open_journal
from vad.commands.detecting.outputs import refuse_overwriting
from vad.commands.detecting.recordings import AudioInput, find_recordings
from vad.commands.options.detection import chosen_options
from vad.corpus.manifest import read_corpus
from vad.detection.model import Model
from vad.detection.options import SegmentOptions
from vad.labels import read_all
from vad.labels.formats import EXTENSIONS, READERS

__all__ = ["GROUPS", "HEAVY", "TARGETS"]


class _OneWay(io.RawIOBase):
    """A pipe: it gives some bytes at a time, and cannot seek."""

    def __init__(self, file: BinaryIO):
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        return self._file.readinto(buffer[:1000])


def _recording(source: Path | BinaryIO, raw: RawFormat | None = None) -> None:
    with open_audio(source, block_duration=20.0, raw=raw, name="x") as audio:
        for block in audio:
            assert block.dtype == np.float32
            assert np.isfinite(block).all()


def _pipe(path: Path) -> None:
    with path.open("rb") as file:
        _recording(io.BufferedReader(_OneWay(file)))


def _packed(path: Path) -> None:
    import gzip

    with gzip.open(path) as file:
        _recording(file)


def _raw(path: Path) -> None:
    content = path.read_bytes()
    number = content[0] if content else 0
    encoding = list(ENCODINGS)[number % len(ENCODINGS)]
    _recording(io.BytesIO(content[1:]), RawFormat(8000, 1 + number // 100, encoding))


def _labels(path: Path, format: str | None = None) -> str:
    entries, problems = read_all(path, format)
    assert all(0 <= one.start <= one.end < math.inf for one in entries)
    return f"{'some' if entries else 'no'} entries, {'; '.join(problems[:1])}"


def _detection_options(path: Path) -> None:
    found = chosen_options(Namespace(config=str(path)))
    SegmentOptions(**{name: value for name, (value, _) in found.items() if not isinstance(value, str)})


def _training_options(path: Path) -> None:
    from vad.training.config import load_config

    load_config(path)


def _recordings(path: Path) -> None:
    """What `vad detect` does with a manifest before it opens a recording."""
    with ExitStack() as resources:
        recordings = find_recordings([str(path)], resources, recursive=False)
        refuse_overwriting([path], recordings)
        identify(recordings, with_content=False)


def _journal(path: Path) -> None:
    """What a job that goes on reads: every entry, and the result of the recording of the seed."""
    with open_journal(path, {}) as journal:
        recording = AudioInput("a.wav", "a.wav", PurePath("a.wav"))
        if recording in journal:
            journal.reason(recording, Identity(1, "2"))
            journal.other_options(recording)
            list(journal.results([recording]))


def _card(path: Path) -> None:
    """A card beside the graph that it was made for."""
    lookahead = b"late_frames" in path.read_bytes()
    graph = path.with_suffix(".tflite")
    graph.write_bytes(_tiny_graph(lookahead))
    Model.load(graph)


_tiny_graph = functools.cache(lambda lookahead: tiny_model.graph_bytes(lookahead=lookahead))


def _graph(path: Path, card: dict[str, object]) -> None:
    """A graph whose card has its sum."""
    content = path.read_bytes()
    model = Model(content, card | {"sha256": hashlib.sha256(content).hexdigest()}, source=path.name)
    model.chunk(np.zeros(model.chunk_frames * model.frame_length, np.float32), model.initial_state())


def _litert(path: Path) -> None:
    _graph(path, tiny_model.card(b""))


def _onnx(path: Path) -> None:
    states = {"state": [1, tiny_onnx.STATE]}
    _graph(path, tiny_model.card(b"", lookahead=True) | {"format": "onnx", "states": states})


def _keras(path: Path) -> None:
    from vad.training.provenance import load_network

    load_network(path)


def _audio(kind: str, repair: Callable[[bytes, Mutator], bytes] | None = None) -> Target:
    return Target(functools.partial(seeds.recordings, kind), _recording, f".{kind}", repair)


def _all(make: Callable[[str], list[bytes]], names: Iterable[str]) -> list[bytes]:
    return [one for name in names for one in make(name)]


_JSON = ("json", "jsonl", "nemo", "labelstudio")
_PIPED = ("wav", "flac", "ogg", "mp3")
_SUFFIXES = {format: suffix for suffix, format in reversed(EXTENSIONS.items())}

GROUPS: dict[str, dict[str, Target]] = {
    "audio": {
        **{kind: _audio(kind) for kind in ("wav", "flac", "mp3", "m4a", "aac", "media", "libsndfile")},
        "ogg": _audio("ogg", ogg_sums),
        "raw": Target(seeds.raw_samples, _raw, ".raw"),
        "pipe": Target(lambda: _all(seeds.recordings, _PIPED), _pipe, ".audio"),
        "pipe-ogg": Target(lambda: seeds.recordings("ogg"), _pipe, ".audio", ogg_sums),
        "packed-audio": Target(lambda: seeds.packed(seeds.recordings("wav")), _packed, ".gz", gzip_content),
    },
    "labels": {
        **{
            name: Target(
                functools.partial(seeds.labels, name),
                functools.partial(_labels, format=name),
                _SUFFIXES.get(name, ".txt"),
            )
            for name in READERS
        },
        "guessed-txt": Target(lambda: _all(seeds.labels, READERS), _labels, ".txt"),
        "guessed-json": Target(lambda: _all(seeds.labels, _JSON), _labels, ".json"),
        "packed-labels": Target(lambda: seeds.packed(seeds.labels("rttm")), _labels, ".rttm.gz", gzip_content),
    },
    "settings": {
        "manifest": Target(seeds.manifest, read_corpus, ".jsonl"),
        "recordings": Target(seeds.manifest, _recordings, ".jsonl"),
        "detection-options": Target(seeds.detection_options, _detection_options, ".toml"),
        "training-options": Target(seeds.training_options, _training_options, ".toml"),
        "journal": Target(seeds.journals, _journal, ".jsonl"),
        "card": Target(seeds.cards, _card, ".json"),
    },
    "models": {
        "tflite": Target(seeds.litert_graphs, _litert, ".tflite", is_native=True),
        "onnx": Target(seeds.onnx_graphs, _onnx, ".onnx", is_native=True),
        "keras": Target(seeds.keras_files, _keras, ".keras", zip_members),
    },
}  # fmt: skip
"""The targets by group."""

HEAVY = ("keras", "training-options")
"""The targets that import TensorFlow."""

TARGETS = {name: target for group in GROUPS.values() for name, target in group.items()}
"""The targets by name."""
