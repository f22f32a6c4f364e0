"""An archive of many short recordings and a long one, for tests of jobs."""

import random
from pathlib import Path

import numpy as np
import soundfile

from support.sounds import RATE, long_speech

__all__ = ["write_archive"]


def write_archive(folder: Path, n_short: int, longest_s: int, long_s: int) -> None:
    """Write short recordings of 1 s and more, a damaged one, and one of two channels that is far longer.

    Args:
        folder: Where to write; it must not exist.
        n_short: Number of short recordings.
        longest_s: Seconds of the longest of these.
        long_s: Seconds of the long one.
    """
    folder.mkdir()
    speech = long_speech(60, RATE, [1.0] * 5)[:, 0]
    draw = random.Random(0)
    for index in range(n_short):
        start = draw.randrange(50 * RATE)
        part = speech[start : start + draw.randrange(RATE, longest_s * RATE)] * np.float32(draw.random())
        soundfile.write(folder / f"{index:05d}.wav", part, RATE)
    (folder / "damaged.wav").write_bytes((folder / "00000.wav").read_bytes()[:4_000])
    soundfile.write(folder / "long.wav", long_speech(long_s, RATE, [0.3, 1.0, 0.01] * 20), RATE)
