"""Recordings made for `vad prepare`, and what it makes of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from support.sounds import RATE, tone
from vad.cli import main
from vad.corpus.manifest import read_corpus
from vad.detection.segments import Segment
from vad.labels import write_labels

TALK = [Segment(0.5, 1.0), Segment(1.5, 2.5)]


def recording(
    path: Path, *turns: Segment, seconds: float = 3.0, rate: int = RATE, labels: str = ".rttm"
) -> Path:
    """Quiet noise, with a tone where the turns are; a label file beside it where there are turns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = 1e-4 * np.random.default_rng(0).standard_normal(round(seconds * rate))
    for turn in turns:
        first, last = round(turn.start * rate), round(min(turn.end, seconds) * rate)
        samples[first:last] += tone((last - first) / rate, sample_rate=rate, level=0.3)[: last - first]
    soundfile.write(path, samples, rate, "PCM_16")
    if turns:
        write_labels(path.with_suffix(labels), turns, duration=seconds)
    return path


def recordings_with_a_name_that_is_no_text(folder: Path) -> None:
    """Four labelled recordings, one of them called by bytes that are no UTF-8."""
    for path in ("a", "b", "c/b", "c/a"):
        recording(folder / f"{path}.wav", *TALK, labels=".txt")
    try:
        for suffix in (".wav", ".txt"):
            (folder / f"c/a{suffix}").rename(folder / "c" / os.fsdecode(b"\xff" + suffix.encode()))
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")


def prepare(capsys: pytest.CaptureFixture[str], folder: Path, *words: Any) -> tuple[int, list[Any], str]:
    """Exit code, the manifest's items (none where none was written) and stderr."""
    output = folder / "out" / "corpus.jsonl"
    code = main(["prepare", *map(str, words), "--output", str(output)])
    items = read_corpus(output) if output.exists() else []
    return code, items, capsys.readouterr().err


def rttm(*lines: str) -> str:
    """Lines of a name, a start and a duration."""
    fields = (line.split() for line in lines)
    return "".join(
        f"SPEAKER {name} 1 {start} {length} <NA> <NA> A <NA> <NA>\n" for name, start, length in fields
    )
