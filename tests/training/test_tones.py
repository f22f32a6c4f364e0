"""Tones of machines: in tune, within their loudness, of many kinds."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal
from support.sounds import RATE

from vad.training.data.tones import machine_tones


@given(st.integers(0, 2**32 - 1), st.integers(1, 3 * RATE))
@settings(max_examples=40, deadline=None)
def test_tones_are_as_long_as_asked_finite_and_of_one_loudness(seed: int, n: int) -> None:
    sound = machine_tones(np.random.default_rng(seed), n)
    assert sound.shape == (n,)
    assert sound.dtype == np.float32
    assert np.abs(sound).max() < 8


def test_tones_are_at_unit_power_while_they_sound() -> None:
    for seed in range(30):
        sound = machine_tones(np.random.default_rng(seed), 8 * RATE).astype(np.float64)
        power = np.square(sound[: len(sound) // 160 * 160].reshape(-1, 160)).mean(axis=1)
        assert 0.7 < power[power > 0.05].mean() < 1.3


def test_a_tone_is_a_few_lines_and_no_noise() -> None:
    """Steady ones: most of the power stands in a few narrow lines, none of it folded back from over 8 kHz."""
    lines = []
    for seed in range(60):
        _, _, picture = signal.spectrogram(
            machine_tones(np.random.default_rng(seed), RATE), RATE, "hann", 1024, 512
        )
        loud = picture[:, picture.sum(axis=0) > 0.1 * picture.sum(axis=0).max()]
        strongest = np.sort(loud, axis=0)[::-1]
        lines.append(float((strongest[:40].sum(axis=0) / strongest.sum(axis=0)).mean()))
    assert np.median(lines) > 0.99


def test_some_go_on_some_pause_some_change_their_pitch() -> None:
    pausing, changing = 0, 0
    for seed in range(40):
        sound = machine_tones(np.random.default_rng(seed), 6 * RATE)
        _, _, picture = signal.spectrogram(sound, RATE, "hann", 1024, 512)
        power = picture.sum(axis=0)
        pausing += bool((power < 1e-3 * power.max()).any())
        pitch = picture.argmax(axis=0)[power > 0.5 * power.max()]
        changing += int(np.ptp(pitch)) > 2
    assert 8 <= pausing <= 36
    assert 8 <= changing <= 36
