"""The change of rate of live streams: the same sound, soon, and whatever the cutting."""

import copy

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from vad.audio.resampling import LiveResampler

RATE = 16000
RATES = [4000, 8000, 11025, 12345, 22050, 32000, 44100, 48000, 96000, 192000, 384000]


def noise(seconds: float, rate: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, round(seconds * rate)).astype(np.float32)


def resampled(samples: np.ndarray, rate: float) -> np.ndarray:
    resampler = LiveResampler(rate, RATE)
    return np.concatenate([resampler.feed(samples), resampler.finish()])


@pytest.mark.parametrize("rate", RATES)
def test_what_both_rates_can_hold_is_kept_in_place(rate: int) -> None:
    times, later = np.arange(rate) / rate, np.arange(RATE) / RATE
    for hertz in (100, 0.4 * min(rate, RATE)):
        made = resampled(np.sin(2 * np.pi * hertz * times).astype(np.float32), rate)
        expected = np.sin(2 * np.pi * hertz * later)
        assert np.abs(made - expected)[100:-100].max() < 3e-3


@pytest.mark.parametrize("rate", [22050, 44100, 48000, 96000])
def test_what_the_lower_rate_cannot_hold_is_gone(rate: int) -> None:
    for hertz in range(8500, rate // 2, 700):
        made = resampled(np.sin(2 * np.pi * hertz * np.arange(rate) / rate).astype(np.float32), rate)
        assert np.abs(made)[100:-100].max() < 2e-3, hertz


@given(st.sampled_from(RATES), st.integers(1, 3000), st.lists(st.integers(0, 3000), max_size=8).map(sorted))
def test_any_cutting_gives_the_same_samples(rate: int, length: int, positions: list[int]) -> None:
    samples = noise(1, 3000)[:length]
    resampler = LiveResampler(rate, RATE)
    made = [resampler.feed(block) for block in np.split(samples, positions)]
    made.append(resampler.finish())
    whole = resampled(samples, rate)
    np.testing.assert_array_equal(np.concatenate(made), whole)
    assert len(whole) == max(1, round(length * RATE / rate))


def test_an_odd_rate_of_many_blocks_does_not_drift() -> None:
    resampler = LiveResampler(44101, RATE)
    made = sum(len(resampler.feed(np.zeros(44101, np.float32))) for _ in range(60))
    assert made + len(resampler.finish()) == 60 * RATE


def test_it_agrees_with_soxr_on_sound() -> None:
    low = soxr.resample(noise(1.0, 12000), 12000, 48000)  # nothing above 6 kHz
    difference = resampled(low, 48000) - soxr.resample(low, 48000, RATE)
    assert np.abs(difference)[200:-200].max() < 2e-3


def test_nothing_becomes_nothing_and_the_same_rate_is_let_through() -> None:
    assert len(resampled(np.zeros(0, np.float32), 48000)) == 0
    samples = noise(0.1, RATE)
    np.testing.assert_array_equal(resampled(samples, RATE), samples)


def test_a_copy_goes_on_by_itself() -> None:
    samples = noise(0.2, 44100)
    resampler = LiveResampler(44100, RATE)
    first = resampler.feed(samples[:3001])
    copied = copy.deepcopy(resampler)
    resampler.feed(noise(0.1, 44100))
    made = np.concatenate([first, copied.feed(samples[3001:]), copied.finish()])
    np.testing.assert_array_equal(made, resampled(samples, 44100))
