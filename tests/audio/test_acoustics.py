"""What happens to sound on its way: it must arrive when it was said, as loud and as limited as was asked for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal
from support.sounds import RATE, noise, tone

from vad.audio import acoustics
from vad.audio.acoustics import SAMPLE_RATE

drawn = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def impulse(length: int, at: int) -> npt.NDArray[np.float32]:
    samples = np.zeros(length, np.float32)
    samples[at] = 1.0
    return samples


def power_db(samples: npt.NDArray[np.float32], low_hz: float, high_hz: float) -> float:
    """Mean power density in a band, dB."""
    frequency, density = signal.welch(samples, RATE, nperseg=1024)
    return float(10 * np.log10(density[(frequency >= low_hz) & (frequency < high_hz)].mean() + 1e-20))


@given(seeds, st.floats(0.05, 1.5), st.floats(-18, 20))
@drawn
def test_a_room_keeps_the_direct_sound_first_and_its_ratio(seed: int, rt60_s: float, ratio_db: float) -> None:
    response = acoustics.room_response(np.random.default_rng(seed), rt60_s, ratio_db)
    assert response[0] == 1.0
    assert not response[1 : SAMPLE_RATE // 500].any(), "nothing comes back within 2 ms"
    assert -10 * np.log10(np.square(response[1:], dtype=np.float64).sum()) == pytest.approx(
        ratio_db, abs=0.01
    )


@pytest.mark.parametrize("rt60_s", [0.3, 0.6, 1.2])
def test_a_room_decays_in_its_reverberation_time(rt60_s: float) -> None:
    slopes = []
    for seed in range(5):
        response = acoustics.room_response(np.random.default_rng(seed), rt60_s, 0.0)
        # Schroeder's backward integral, over the part where noise and not single reflections decides.
        decay = 10 * np.log10(np.cumsum(np.square(response[::-1], dtype=np.float64))[::-1] + 1e-20)
        time = np.arange(len(response)) / SAMPLE_RATE
        part = (time > 0.15 * rt60_s) & (time < 0.7 * rt60_s)
        slopes.append(np.polyfit(time[part], decay[part], 1)[0])
    assert -60 / np.mean(slopes) == pytest.approx(rt60_s, rel=0.15)


@given(seeds, st.integers(0, 3999))
@drawn
def test_reverberation_moves_no_onset(seed: int, at: int) -> None:
    response = acoustics.room_response(np.random.default_rng(seed), 0.4, 0.0)
    heard = acoustics.reverberate(impulse(4000, at), response)
    assert len(heard) == 4000
    assert np.abs(heard[:at]).max(initial=0) < 1e-5
    assert heard[at] == pytest.approx(1.0, abs=1e-5)


@given(seeds)
@drawn
def test_from_across_the_hall_comes_little_direct_sound_and_treble(seed: int) -> None:
    response = acoustics.far_room(np.random.default_rng(seed))
    energy = np.square(response, dtype=np.float64)
    assert energy[: SAMPLE_RATE // 500].sum() < 0.25 * energy.sum()
    assert power_db(response, 6000, 8000) < power_db(response, 200, 1500) - 6


def test_noise_has_about_unit_power_whatever_its_colour() -> None:
    powers = [
        float(np.square(acoustics.coloured_noise(np.random.default_rng(seed), 2 * SAMPLE_RATE)).mean())
        for seed in range(60)
    ]
    assert np.median(powers) == pytest.approx(1.0, abs=0.1)
    assert min(powers) > 0.2
    assert max(powers) < 10


def test_noise_is_white_to_brown_never_blue() -> None:
    slopes = [
        power_db(sound, 4000, 8000) - power_db(sound, 500, 1000)
        for sound in (
            acoustics.coloured_noise(np.random.default_rng(seed), SAMPLE_RATE) for seed in range(40)
        )
    ]
    assert max(slopes) < 1
    assert min(slopes) < -12


@pytest.mark.parametrize("make", [acoustics.thump, acoustics.breath])
def test_handling_sounds_are_short_and_of_unit_power(make: object) -> None:
    assert callable(make)
    for seed in range(20):
        sound = make(np.random.default_rng(seed))
        assert 0.015 < len(sound) / SAMPLE_RATE <= 1.0
        assert np.square(sound).mean() == pytest.approx(1.0, rel=1e-3)


def test_thumps_are_mostly_low_and_fade() -> None:
    sounds = [acoustics.thump(np.random.default_rng(seed)) for seed in range(20)]
    halves = [(np.square(sound[: len(sound) // 2]).sum(), np.square(sound).sum()) for sound in sounds]
    assert all(first > 0.9 * whole for first, whole in halves)


@given(seeds)
@drawn
def test_equalising_stays_within_10_db_and_moves_nothing(seed: int) -> None:
    heard = acoustics.equalise(np.random.default_rng(seed), impulse(2001, 1000))
    assert len(heard) == 2001
    assert np.abs(heard).argmax() == 1000
    np.testing.assert_allclose(heard[1001:], heard[:1000][::-1], atol=1e-6)
    gain_db = 20 * np.log10(np.abs(np.fft.rfft(heard)) + 1e-9)
    assert gain_db.max() < 10.5
    assert gain_db.min() > -12


def test_equalising_differs_from_draw_to_draw() -> None:
    rng = np.random.default_rng(0)
    first, second = (acoustics.equalise(rng, impulse(512, 256)) for _ in range(2))
    assert np.abs(first - second).max() > 0.05


def test_a_codecs_wall_cuts_above_and_a_high_pass_below() -> None:
    white = noise(2 * RATE)
    low = acoustics.band_limit(white, None, 4000, order=8)
    assert power_db(low, 5000, 8000) < power_db(white, 5000, 8000) - 20
    assert power_db(low, 100, 3000) == pytest.approx(power_db(white, 100, 3000), abs=0.3)
    high = acoustics.band_limit(white, 200, None)
    assert power_db(high, 16, 64) < power_db(white, 16, 64) - 15
    assert power_db(high, 1000, 8000) == pytest.approx(power_db(white, 1000, 8000), abs=0.3)


def test_without_limits_or_with_one_above_all_sound_nothing_is_filtered() -> None:
    white = noise(1600)
    np.testing.assert_array_equal(acoustics.band_limit(white, None, None), white)
    np.testing.assert_array_equal(acoustics.band_limit(white, None, 8000), white)


@given(seeds)
@drawn
def test_a_telephone_leaves_nothing_above_its_band_or_below(seed: int) -> None:
    heard = acoustics.telephone(np.random.default_rng(seed), noise(2 * RATE))
    speech_db = power_db(heard, 500, 3000)
    # mu-law's own noise is some 40 dB down everywhere.
    assert power_db(heard, 4600, 5000) < speech_db - 25
    assert power_db(heard, 5200, 8000) < speech_db - 35
    assert power_db(heard, 0, 80) < speech_db - 15
    assert heard.dtype == np.float32


def test_half_of_the_calls_have_mu_laws_steps() -> None:
    calls = [acoustics.telephone(np.random.default_rng(seed), noise(RATE)) for seed in range(40)]
    # At the line's own 8 kHz the samples stand on 255 steps; between them the upsampling writes its own.
    line = [call[400:-400:2] / np.abs(call).max() for call in calls]
    stepped = [
        call for call, samples in zip(calls, line, strict=True) if len(np.unique(samples.round(3))) <= 255
    ]
    assert 10 <= len(stepped) <= 30
    for call in stepped:
        assert power_db(call, 5000, 8000) < power_db(call, 500, 3000) - 50, (
            "steps taken at 16 kHz fill the band"
        )


def test_mu_law_keeps_quiet_sound_apart_from_silence() -> None:
    quiet_after_loud = np.concatenate([tone(0.5, level=0.5), tone(0.5, level=0.005)])
    for seed in range(20):
        heard = acoustics.telephone(np.random.default_rng(seed), quiet_after_loud)
        assert np.square(heard[9000:15000]).mean() > 0.25 * np.square(quiet_after_loud[9000:15000]).mean()


@given(seeds)
@drawn
def test_clipping_flattens_peaks_and_leaves_the_rest(seed: int) -> None:
    white = noise(RATE)
    heard = acoustics.clip_hard(np.random.default_rng(seed), white)
    limit = np.abs(heard).max()
    flat = np.abs(white) > limit
    assert 0.0005 < flat.mean() < 0.031
    np.testing.assert_array_equal(heard[~flat], white[~flat])


def test_silence_through_everything_is_silence() -> None:
    silence = np.zeros(RATE, np.float32)
    for seed in range(4):
        rng = np.random.default_rng(seed)
        for heard in (
            acoustics.clip_hard(rng, silence),
            acoustics.telephone(rng, silence),
            acoustics.equalise(rng, silence),
            acoustics.reverberate(silence, acoustics.room_response(rng, 0.3, 0.0)),
        ):
            assert not heard.any()


@pytest.mark.parametrize(("level_db", "factor"), [(0.0, 1.0), (20.0, 10.0), (-6.0206, 0.5)])
def test_a_level_in_decibels_is_an_amplitude(level_db: float, factor: float) -> None:
    assert acoustics.decibel_gain(level_db) == pytest.approx(factor, rel=1e-4)
