"""Sounds to compare an export with Keras on: typical ones, and ones that are hard for arithmetic."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import signal

__all__ = ["probe_signals"]

_SAMPLE_RATE = 16_000
_SECONDS = 10


def probe_signals() -> dict[str, npt.NDArray[np.float32]]:
    """Speech, silence, noise, a tone, full-scale and near-zero input, ten seconds each [shape=(samples,)].

    The speech is synthetic (pulses through three formants, with hissing and pauses): it needs no recording, and
    moves the probability as talk does.
    """
    rng = np.random.default_rng(0)
    n = _SECONDS * _SAMPLE_RATE
    time = np.arange(n) / _SAMPLE_RATE
    noise = rng.standard_normal(n)
    speech = _synthetic_speech(rng)
    signals = {
        "speech": speech,
        "speech in noise": speech + 0.02 * noise,
        "silence": np.zeros(n),
        "noise": 0.1 * noise,
        "tone": 0.5 * np.sin(2 * np.pi * 440 * time),
        "full scale": np.sign(np.sin(2 * np.pi * 110 * time)),
        "near zero": 1e-5 * speech,
    }
    return {name: samples.astype(np.float32) for name, samples in signals.items()}


def _synthetic_speech(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Vowels and fricatives in syllables of 100-250 ms, with pauses, at about -20 dBFS."""
    pieces: list[npt.NDArray[np.float64]] = []
    while sum(map(len, pieces)) < _SECONDS * _SAMPLE_RATE:
        n = int(rng.uniform(0.1, 0.25) * _SAMPLE_RATE)
        if rng.random() < 0.25:
            pieces.append(np.zeros(3 * n))
            continue
        pitch = rng.uniform(90, 220) * (1 + 0.1 * np.sin(np.linspace(0, np.pi, n)))
        voice = np.diff(np.floor(np.cumsum(pitch) / _SAMPLE_RATE), prepend=0.0)
        for formant in (rng.uniform(300, 800), rng.uniform(900, 2_200), rng.uniform(2_400, 3_200)):
            voice = (
                signal.lfilter(*signal.iirpeak(formant, formant / 90, fs=_SAMPLE_RATE), voice) + 0.1 * voice
            )
        hiss = signal.lfilter(*signal.butter(2, 3_500, "high", fs=_SAMPLE_RATE), rng.standard_normal(n // 3))
        voice *= 0.15 * np.hanning(n) / (np.abs(voice).max() + 1e-9)
        pieces += [0.02 * hiss * np.hanning(len(hiss)), voice]
    return np.concatenate(pieces)[: _SECONDS * _SAMPLE_RATE]
