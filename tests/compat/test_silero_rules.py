"""Silero's rules at their borders, and its progress, by any model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from vad.compat import SileroModel, VADIterator, get_speech_timestamps, get_speech_timestamps_from_probs
from vad.detection.detector import Detector
from vad.errors import ConfigError

WINDOW = 512
EVENTS = list[tuple[int, dict[str, float]]]


def saying(probabilities: Sequence[float]) -> Callable[[object, int], float]:
    """A model that gives these, window by window."""
    given = iter(probabilities)
    return lambda _samples, _rate: next(given)


def events(probabilities: Sequence[float], **options: float) -> EVENTS:
    """The events of an iterator, each with its window."""
    iterator = VADIterator(saying(probabilities), **options)  # type: ignore[arg-type]
    found = [iterator(np.zeros(WINDOW, np.float32)) for _ in probabilities]
    return [(index, one) for index, one in enumerate(found) if one is not None]


@pytest.mark.parametrize(("silent", "ends"), [(3, False), (4, True)])
def test_an_iterator_ends_after_as_much_silence_as_is_asked_for(silent: int, ends: bool) -> None:
    """96 ms are 3 windows, after the first silent one."""
    probabilities = [0.1, 0.9, 0.9, *[0.1] * silent, 0.9]
    found = events(probabilities, min_silence_duration_ms=96, speech_pad_ms=10)
    end: EVENTS = [
        (3 + silent - 1, {"end": 3 * WINDOW + 160}),
        (3 + silent, {"start": (3 + silent) * WINDOW - 160}),
    ]
    assert found == [(1, {"start": WINDOW - 160}), *(end if ends else [])]


def test_an_iterator_counts_in_its_sample_rate() -> None:
    probabilities = [0.9, *[0.1] * 7]
    (_, (ended, _)) = events(probabilities, sampling_rate=8000, min_silence_duration_ms=256)
    assert ended == 1 + 4, "256 ms are 2048 samples"


@pytest.mark.parametrize(("least_ms", "cut"), [(63.0, 8), (64.0, 18)])
def test_speech_that_is_too_long_is_cut_at_a_silence_longer_than_the_least(least_ms: float, cut: int) -> None:
    """A silence of two windows lasts 64 ms. Without a silence the cut is where the speech is too long."""
    probabilities = [*[0.9] * 8, *[0.1] * 2, *[0.9] * 14, *[0.1] * 10]
    first, *_ = get_speech_timestamps_from_probs(
        probabilities, max_speech_duration_s=0.6, min_silence_at_max_speech=least_ms, speech_pad_ms=0
    )
    assert first == {"start": 0, "end": cut * WINDOW}


def test_a_threshold_is_a_probability() -> None:
    probabilities = [0.0] * 10
    assert get_speech_timestamps_from_probs(probabilities, threshold=0.0, neg_threshold=0.0)
    assert not get_speech_timestamps_from_probs(probabilities, threshold=1.0)
    for threshold in (-0.01, 1.01, float("nan")):
        with pytest.raises(ConfigError, match="threshold"):
            get_speech_timestamps_from_probs(probabilities, threshold=threshold)


def test_progress_is_told_once_for_each_window_of_every_block(detector: Detector) -> None:
    told: list[float] = []
    windows = 2 * round(detector.block_duration / 0.032)
    samples = np.zeros(windows * WINDOW, np.float32)
    get_speech_timestamps(samples, SileroModel(detector), progress_tracking_callback=told.append)
    assert told == pytest.approx([100 * (index + 1) / windows for index in range(windows)])


def test_a_reset_is_for_one_recording_unless_it_says_otherwise() -> None:
    assert inspect.signature(SileroModel.reset_states).parameters["batch_size"].default == 1
