"""The detections of systems, kept in files so that a stopped run goes on and only new systems run again."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile

import numpy as np

from vad.audio.acoustics import SAMPLE_RATE, Samples
from vad.detection.detection import Detection
from vad.detection.segments import Segment
from vad.evaluation.benchmark.systems import System
from vad.files import writing
from vad.labels.cells import CELL_DURATION

__all__ = ["detect_all"]


def detect_all(
    system: System, sounds: Sequence[Samples], folder: Path | None, advance: Callable[[float], None]
) -> list[Detection]:
    """Process sounds with a system, or read its detections of the same sounds.

    Args:
        system: The system. Its name, version and options decide the file, and so does every sample.
        sounds: Mono at 16 kHz [shape=(samples,)] each.
        folder: The folder of the files; None keeps none.
        advance: Called with the seconds of every sound as it is processed; 0 for one that was kept.
    """
    path = None if folder is None else folder / f"{_digest(system, sounds)}.npz"
    kept = None if path is None else _read(path)
    if kept is not None:
        for _ in sounds:
            advance(0.0)
        return kept
    detections = []
    for samples in sounds:
        detections.append(system.process(samples))
        advance(len(samples) / SAMPLE_RATE)
    if path is not None:
        with writing(path) as unfinished, unfinished.open("wb") as file:
            _write(file, detections)
    return detections


def _digest(system: System, sounds: Sequence[Samples]) -> str:
    digest = hashlib.sha256(f"{system.version} {system.options} {system.name}".encode())
    for samples in sounds:
        digest.update(f" {len(samples)} ".encode())
        digest.update(np.ascontiguousarray(samples, np.float32).tobytes())
    return digest.hexdigest()[:32]


def _write(file: BinaryIO, detections: Sequence[Detection]) -> None:
    np.savez_compressed(
        file,
        durations=np.array([one.duration for one in detections]),
        cells=np.array([len(one.probabilities) for one in detections]),
        probabilities=np.concatenate([one.probabilities for one in detections]),
        found=np.array([len(one.segments) for one in detections]),
        segments=np.array([(part.start, part.end) for one in detections for part in one.segments]).reshape(
            -1, 2
        ),
    )


def _read(path: Path) -> list[Detection] | None:
    """The detections in a file; None where there is none, or it is damaged."""
    try:
        with np.load(path) as file:
            kept = dict(file)
        probabilities = np.split(kept["probabilities"], np.cumsum(kept["cells"])[:-1])
        segments = np.split(kept["segments"], np.cumsum(kept["found"])[:-1])
        return [
            Detection(float(duration), CELL_DURATION, cells, [Segment(*map(float, pair)) for pair in pairs])
            for duration, cells, pairs in zip(kept["durations"], probabilities, segments, strict=True)
        ]
    except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, BadZipFile, zlib.error):
        return None
