"""What was heard is kept, so that a stopped run goes on and a new model alone has to listen again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile

import numpy as np

from vad.audio.acoustics import SAMPLE_RATE, Samples
from vad.detection.detector import Detection
from vad.detection.segments import Segment
from vad.evaluation.benchmark.systems import System
from vad.files import writing
from vad.labels.cells import CELL_DURATION

__all__ = ["Store"]


class Store:
    """Answers of systems, under a name that the system, its version and options, and every sample decide.

    Args:
        folder: Where to keep them; None keeps nothing.
    """

    def __init__(self, folder: Path | None):
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def listen(
        self, system: System, sounds: Sequence[Samples], advance: Callable[[float], None]
    ) -> list[Detection]:
        """Let a system hear sounds, unless it has heard the very same before.

        Args:
            system: Who listens.
            sounds: Mono at 16 kHz [shape=(samples,)] each.
            advance: Told the seconds of every sound as it is heard; 0 for what was kept.

        Returns:
            What it says of each.
        """
        if self._folder is None:
            return _listen(system, sounds, advance)
        path = self._folder / f"{_digest(system, sounds)}.npz"
        if (kept := _read(path)) is not None:
            for _ in sounds:
                advance(0.0)
            return kept
        heard = _listen(system, sounds, advance)
        with writing(path) as unfinished, unfinished.open("wb") as file:
            _write(file, heard)
        return heard


def _listen(system: System, sounds: Sequence[Samples], advance: Callable[[float], None]) -> list[Detection]:
    heard = []
    for samples in sounds:
        heard.append(system.process(samples))
        advance(len(samples) / SAMPLE_RATE)
    return heard


def _digest(system: System, sounds: Sequence[Samples]) -> str:
    digest = hashlib.sha256(f"{system.version} {system.options} {system.name}".encode())
    for samples in sounds:
        digest.update(f" {len(samples)} ".encode())
        digest.update(np.ascontiguousarray(samples, np.float32).tobytes())
    return digest.hexdigest()[:32]


def _write(file: BinaryIO, heard: Sequence[Detection]) -> None:
    np.savez_compressed(
        file,
        durations=np.array([one.duration for one in heard]),
        cells=np.array([len(one.probabilities) for one in heard]),
        probabilities=np.concatenate([one.probabilities for one in heard]),
        found=np.array([len(one.segments) for one in heard]),
        segments=np.array([(part.start, part.end) for one in heard for part in one.segments]).reshape(-1, 2),
    )


def _read(path: Path) -> list[Detection] | None:
    """What was kept; None where nothing was, or the file is damaged: then it is heard again."""
    try:
        with np.load(path) as file:
            kept = dict(file)
        probabilities = np.split(kept["probabilities"], np.cumsum(kept["cells"])[:-1])
        segments = np.split(kept["segments"], np.cumsum(kept["found"])[:-1])
        return [
            Detection(
                float(duration),
                CELL_DURATION,
                cells,
                [Segment(float(start), float(end)) for start, end in found],
            )
            for duration, cells, found in zip(kept["durations"], probabilities, segments, strict=True)
        ]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None
