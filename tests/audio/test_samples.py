"""The one validator, and the resampler."""

import numpy as np
import numpy.typing as npt
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sounds import RATE, noise

from vad.audio.reading import Resampler, validate_samples
from vad.errors import AudioError


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 5000), max_size=8), from_rate=st.sampled_from([8000, 44100, 48000]))
def test_the_resampler_does_not_hear_how_it_is_fed(cuts: list[int], from_rate: int) -> None:
    values = noise(5000)
    resampler = Resampler(from_rate, RATE)
    heard = [resampler.feed(piece) for piece in np.split(values, sorted(cuts))]
    assert np.array_equal(
        np.concatenate([*heard, resampler.finish()]), soxr.resample(values, from_rate, RATE)
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([-32768, 16384], np.int16), [-1.0, 0.5]),
        (np.array([-(2**31), 2**30], np.int32), [-1.0, 0.5]),
        (np.array([0, 192, 128], np.uint8), [-1.0, 0.5, 0.0]),
        (np.array([-1.5, 0.5], np.float64), [-1.5, 0.5]),
        (np.array([[0.5, -0.5], [1.0, 0.0]], np.float32), [0.0, 0.5]),
        (np.zeros(0, np.float32), []),
    ],
)
def test_samples_of_every_type_are_scaled(values: npt.NDArray[np.generic], expected: list[float]) -> None:
    heard = validate_samples(values, RATE)
    assert heard.dtype == np.float32
    assert heard.tolist() == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([1, 2], np.int64), "Received: int64"),
        (np.array(["a"]), "Received: <U1|Received: str"),
        (np.zeros((2, 2, 2), np.float32), r"Received: \(2, 2, 2\)"),
        (np.zeros((2, 16000), np.float32), "Transpose"),
        (np.float32(0.5), r"Received: \(\)"),
        (np.array([0.0, np.inf]), "Received: inf"),
        (np.array([[0.0, 0.1], [0.2, -np.inf]]), "Received: -inf at 0.000 s"),
        (np.array([1e300]), "Received: inf"),
        (np.array([0.0, 32768.0]), "peak of 32768"),
    ],
)
def test_what_is_no_audio_is_refused(values: npt.NDArray[np.generic], message: str) -> None:
    with pytest.raises(AudioError, match=message):
        validate_samples(values, RATE)


@pytest.mark.parametrize("sample_rate", [0, -16000, 16, float("nan")])
def test_a_sample_rate_that_is_none_is_refused(sample_rate: float) -> None:
    with pytest.raises(AudioError, match="sample_rate must be between"):
        validate_samples(np.zeros(10, np.float32), sample_rate)


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=50))
def test_int16_and_the_same_floats_are_the_same_audio(values: list[int]) -> None:
    integers = np.array(values, np.int16)
    assert np.array_equal(validate_samples(integers, RATE), validate_samples(integers / 32768.0, RATE))
