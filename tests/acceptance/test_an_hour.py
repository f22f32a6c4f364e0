"""An hour of a live stream: its output does not drift, and its memory does not grow.

Run it with `python -m pytest -m acceptance tests/acceptance/test_an_hour.py`; it takes about two minutes.
"""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest
from support.places import EXAMPLES

from vad.audio.reading import read_audio
from vad.detection.detector import Detector

pytestmark = pytest.mark.acceptance

RATE = 44_100
BLOCK = RATE // 50


def test_an_hour_changes_neither_output_nor_memory() -> None:
    detector = Detector()
    samples = read_audio(EXAMPLES / "clip.wav", sample_rate=RATE)
    frame = round(detector.frame_duration * RATE)
    samples = samples[: len(samples) // frame * frame]  # so that every round lies alike on the grid of frames
    stream = detector.stream(RATE, keep_audio_s=5.0)
    rounds, memory = [], []
    tracemalloc.start()
    while stream.duration < 3600:
        given = []
        for position in range(0, len(samples), BLOCK):
            stream.feed(samples[position : position + BLOCK])
            given.append(stream.probabilities)
        probabilities = np.concatenate(given)
        # The first round begins from silence; the second is what all others are compared with.
        if len(rounds) < 2:
            rounds.append(probabilities)
        size = min(len(probabilities), len(rounds[-1]))
        np.testing.assert_allclose(probabilities[-size:], rounds[-1][-size:], atol=1e-3)
        gc.collect()
        memory.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert memory[-1] - memory[len(memory) // 10] < 100_000, "bytes"
