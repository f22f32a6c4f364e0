"""A recording of a day: `vad detect` takes constant memory but for its probabilities, 17 MB.

Run it with `python -m pytest -m acceptance tests/acceptance/test_a_day.py`; it takes about five minutes of processor
time. The day took 160 MB with `default`, and its picture 304 MB.
"""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance

_RATE = 16_000
_MEASURED = (
    "import resource, sys; from vad.cli import main; code = main(sys.argv[1:])\n"
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); sys.exit(code)"
)


def silence(path: Path, hours: float) -> Path:
    """Write a WAV of zeros, which takes no space on disk."""
    size = round(hours * 3600) * _RATE * 2
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, _RATE, 2 * _RATE, 2, 16,
                         b"data", size)  # fmt: skip
    with open(path, "wb") as file:
        file.write(header)
        file.truncate(len(header) + size)
    return path


def peak_megabytes(*words: str | Path) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *words], capture_output=True, text=True, check=True
    )
    return int(done.stderr.split()[-1]) / 1024


@pytest.mark.parametrize("model", ["tiny", "default"])
def test_a_day_takes_no_more_memory_than_half_an_hour_and_its_probabilities(
    tmp_path: Path, model: str
) -> None:
    short = peak_megabytes("detect", silence(tmp_path / "short.wav", 0.5), "--model", model)
    day = peak_megabytes("detect", silence(tmp_path / "day.wav", 24), "--model", model)
    assert day < 200
    assert day - short < 30


def test_the_picture_of_a_day_is_bounded(tmp_path: Path) -> None:
    words = ("--model", "tiny", "--plot", tmp_path / "day.png")
    assert peak_megabytes("detect", silence(tmp_path / "day.wav", 24), *words) < 400
