"""Both resamplers: the same sound, and the same samples whatever the block lengths."""

import copy

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from vad.audio.resampling import LiveResampler, Resampler

RATE = 16000
RATES = [4000, 8000, 11025, 12345, 22050, 32000, 44100, 48000, 96000, 192000, 384000]


def noise(seconds: float, rate: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, round(seconds * rate)).astype(np.float32)


def resampled(samples: np.ndarray, rate: float) -> np.ndarray:
    resampler = LiveResampler(rate, RATE)
    return np.concatenate([resampler.feed(samples), resampler.finish()])


@pytest.mark.parametrize("rate", RATES)
def test_frequencies_below_both_nyquist_limits_keep_level_and_time(rate: int) -> None:
    times, later = np.arange(rate) / rate, np.arange(RATE) / RATE
    for hertz in (100, 0.4 * min(rate, RATE)):
        made = resampled(np.sin(2 * np.pi * hertz * times).astype(np.float32), rate)
        expected = np.sin(2 * np.pi * hertz * later)
        assert np.abs(made - expected)[100:-100].max() < 3e-3


@pytest.mark.parametrize("rate", [22050, 44100, 48000, 96000])
def test_frequencies_above_the_lower_nyquist_limit_are_removed(rate: int) -> None:
    for hertz in range(8500, rate // 2, 700):
        made = resampled(np.sin(2 * np.pi * hertz * np.arange(rate) / rate).astype(np.float32), rate)
        assert np.abs(made)[100:-100].max() < 2e-3, hertz


@given(st.sampled_from(RATES), st.integers(1, 3000), st.lists(st.integers(0, 3000), max_size=8).map(sorted))
def test_block_lengths_do_not_change_the_samples(rate: int, length: int, positions: list[int]) -> None:
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


def test_it_agrees_with_soxr_below_6_khz() -> None:
    low = soxr.resample(noise(1.0, 12000), 12000, 48000)  # nothing above 6 kHz
    difference = resampled(low, 48000) - soxr.resample(low, 48000, RATE)
    assert np.abs(difference)[200:-200].max() < 2e-3


def test_no_samples_and_equal_rates_are_unchanged() -> None:
    assert len(resampled(np.zeros(0, np.float32), 48000)) == 0
    samples = noise(0.1, RATE)
    np.testing.assert_array_equal(resampled(samples, RATE), samples)


def test_a_copy_is_independent() -> None:
    samples = noise(0.2, 44100)
    resampler = LiveResampler(44100, RATE)
    first = resampler.feed(samples[:3001])
    copied = copy.deepcopy(resampler)
    resampler.feed(noise(0.1, 44100))
    made = np.concatenate([first, copied.feed(samples[3001:]), copied.finish()])
    np.testing.assert_array_equal(made, resampled(samples, 44100))


@settings(max_examples=40)
@given(cuts=st.lists(st.integers(0, 5000), max_size=8), rate=st.sampled_from([8000, 44100, 48000]))
def test_soxr_block_by_block_equals_soxr_at_once(cuts: list[int], rate: int) -> None:
    values = noise(1, 5000)
    resampler = Resampler(rate, RATE)
    made = [resampler.feed(piece) for piece in np.split(values, sorted(cuts))]
    assert np.array_equal(np.concatenate([*made, resampler.finish()]), soxr.resample(values, rate, RATE))


def test_soxr_keeps_channels_and_gives_a_sample_for_one_sample() -> None:
    resampler = Resampler(48000, RATE, channels=2)
    first = resampler.feed(np.ones((1, 2), np.float32))
    assert np.concatenate([first, resampler.finish()]).shape == (1, 2)


@pytest.mark.parametrize("rate", [np.float32(44100), np.float16(44096), np.int64(44100)])
def test_rates_may_be_numbers_of_numpy(rate: float) -> None:
    assert len(LiveResampler(rate, 16000).feed(np.zeros(4410, np.float32))) > 1500
