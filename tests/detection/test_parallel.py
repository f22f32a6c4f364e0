"""Threads that share one recording give, to the bit, what one pass gives; also where gain control is led astray."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from support.sounds import long_speech

from vad.detection import parallel
from vad.detection.detector import Detector
from vad.detection.model import Model
from vad.errors import ConfigError

RATE = 16_000


@pytest.fixture(scope="module")
def tiny() -> Detector:
    return Detector("tiny")


@pytest.fixture(autouse=True)
def short_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_SPAN_S", 12.0)


def blocks(samples: npt.NDArray[np.float32]) -> Iterator[npt.NDArray[np.float32]]:
    return (samples[start : start + 50_001] for start in range(0, len(samples), 50_001))


# 48 s are whole spans: the last one has no samples of its own.
@pytest.mark.parametrize(("duration", "gain"), [(5.0, 1.0), (48.0, 1.0), (61.23, 1.0), (100.0, 0.005)])
def test_threads_give_the_results_of_one_pass(tiny: Detector, duration: float, gain: float) -> None:
    samples = gain * np.asarray(long_speech(duration, RATE, [2.0, 0.01, 0.3, 0.002]), np.float32)
    whole = tiny.process(samples, RATE)
    shared = tiny.process(blocks(samples), RATE, threads=2)
    np.testing.assert_array_equal(shared.probabilities, whole.probabilities)
    assert (shared.segments, shared.duration) == (whole.segments, whole.duration)


def test_a_span_that_began_in_a_wrong_state_is_analysed_again(
    tiny: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = np.asarray(long_speech(40.0, RATE, [2.0, 0.01, 0.3, 0.002]), np.float32)
    whole = tiny.process(samples, RATE)
    monkeypatch.setattr(Model, "gain", lambda model, samples, state: state)
    shared = tiny.process(samples, RATE, threads=2)
    np.testing.assert_array_equal(shared.probabilities, whole.probabilities)


def test_the_number_of_threads_is_checked(tiny: Detector) -> None:
    with pytest.raises(ConfigError, match="threads"):
        tiny.process(np.zeros(RATE, np.float32), RATE, threads=0)
