"""Tunes of synthetic instruments: as long and loud as asked, in tune, of many kinds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal
from support.sounds import RATE

from vad.training.data import tunes
from vad.training.data.tunes import played_tune


@given(st.integers(0, 2**32 - 1), st.integers(1, 3 * RATE))
@settings(max_examples=40, deadline=None)
def test_tunes_are_as_long_as_asked_and_finite(seed: int, n: int) -> None:
    sound = played_tune(np.random.default_rng(seed), n)
    assert sound.shape == (n,)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert np.square(sound, dtype=np.float64).mean() <= 1 + 1e-3


def test_a_tune_has_unit_power_throughout() -> None:
    for seed in range(30):
        sound = played_tune(np.random.default_rng(seed), 4 * RATE)
        assert np.square(sound, dtype=np.float64).mean() == pytest.approx(1, abs=1e-3)


def test_a_seed_decides_the_tune() -> None:
    first, again, other = (played_tune(np.random.default_rng(seed), RATE) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


def test_overtones_over_8_khz_are_left_out_not_folded_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of steady notes at 360, 720, 1440 or 2880 Hz no power lies between their overtones; about half have vibrato."""
    n = 2 * RATE
    note = np.full(n, 24.0), np.full(n, 0.3), np.full(n, 9.0)
    monkeypatch.setattr(tunes, "_line", lambda *_: note)
    clean = 0
    for seed in range(40):
        voice = tunes._voice(np.random.default_rng(seed), n, 0.2, 90.0, (0,))
        power = np.square(np.abs(np.fft.rfft(voice * np.blackman(n))))
        between = np.abs((np.fft.rfftfreq(n, 1 / RATE) + 180) % 360 - 180) > 4
        clean += power[between].sum() < 1e-5 * power.sum()
    assert clean >= 12


def test_a_line_keeps_to_its_scale_within_three_octaves() -> None:
    scale = (0, 2, 4, 7, 9)
    for seed in range(30):
        semitones, _, _ = tunes._line(np.random.default_rng(seed), 8 * RATE, 0.1, scale)
        assert -12 <= semitones.min() <= semitones.max() < 24
        notes, samples = np.unique(semitones, return_counts=True)
        held = notes[samples > RATE // 20]  # what is passed in a glide is not held
        assert set(held % 12) <= set(scale)


def test_some_tunes_have_drums() -> None:
    """Drums are noise: over 5 kHz there is power everywhere, not at overtones alone."""
    noisy = 0
    for seed in range(40):
        sound = played_tune(np.random.default_rng(seed), 8 * RATE)
        hertz, power = signal.welch(sound, RATE, nperseg=4096)
        high = power[hertz > 5000]
        is_flat = np.exp(np.log(high + 1e-30).mean()) > 0.5 * high.mean()
        noisy += bool(is_flat and np.median(high) * RATE / 2 > 10**-2.5)
    assert 8 <= noisy <= 26


def test_some_change_their_pitch_often_and_some_hardly() -> None:
    changes = []
    for seed in range(30):
        sound = played_tune(np.random.default_rng(seed), 6 * RATE)
        _, _, picture = signal.spectrogram(sound, RATE, "hann", 1024, 512)
        power = picture.sum(axis=0)
        pitch = picture.argmax(axis=0)[power > 0.1 * power.max()]
        changes.append(np.mean(np.abs(np.diff(pitch)) > 1))
    assert min(changes) < 0.1
    assert max(changes) > 0.5
