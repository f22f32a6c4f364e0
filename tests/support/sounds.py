"""Sounds that the tests make, and containers to put them in."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from support.places import EXAMPLES
from vad.audio.reading import read_audio

RATE = 16000
Samples = npt.NDArray[np.float32]


def tone(seconds: float, sample_rate: int = RATE, hertz: float = 440.0, level: float = 0.3) -> Samples:
    times = np.arange(round(seconds * sample_rate)) / sample_rate
    return (level * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def noise(samples: int, channels: int = 1, seed: int = 0) -> Samples:
    values = np.random.default_rng(seed).normal(0.0, 0.1, (samples, channels)).astype(np.float32)
    return values[:, 0] if channels == 1 else values


def long_speech(seconds: float, sample_rate: int, levels: Sequence[float]) -> Samples:
    """The example clip again and again, in two channels; its level changes as given. [shape=(samples, 2)]."""
    clip = read_audio(EXAMPLES / "clip.wav", sample_rate=sample_rate)
    samples = np.resize(clip, round(seconds * sample_rate))[:, np.newaxis] * np.float32([1.0, 0.7])
    for level, part in zip(levels, np.array_split(samples, len(levels)), strict=True):
        part *= np.float32(level)
    return samples


def encode_container(path: Path, codec: str, samples: Samples, sample_rate: int, gap_s: float = 0.0) -> None:
    """Write a stereo container, its second half `gap_s` seconds late."""
    av = pytest.importorskip("av", reason="containers need PyAV")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=sample_rate, layout="stereo")
        for start in range(0, len(samples), 1024):
            piece = np.stack([samples[start : start + 1024]] * 2)
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="stereo")
            frame.rate = sample_rate
            frame.time_base = Fraction(1, sample_rate)
            frame.pts = start + (round(gap_s * sample_rate) if start >= len(samples) // 2 else 0)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
