"""Synthetic tones of machines: dialling, ringing, beeps, sirens, horns. A network may take a steady one for a vowel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vad.audio.acoustics import SAMPLE_RATE, Samples

__all__ = ["machine_tones"]

_RAMP_S = 0.004


def machine_tones(rng: np.random.Generator, n: int) -> Samples:
    """One to three tones at once in a row of notes: steady or gliding, pure or buzzing, one pitch or a tune.

    Args:
        rng: Source of randomness.
        n: Samples, at least 1.

    Returns:
        The tones, with an RMS of 1 while they sound [shape=(n,)].
    """
    voices = int(rng.integers(1, 4))
    # A few repeated pitches: a cadence has one, a telephone number or a tune has several.
    pitches = np.exp(rng.uniform(np.log(90), np.log(2_800), (int(rng.choice([1, 1, 4, 8])), voices)))
    harmonics = int(rng.choice([1, 1, 2, 8]))
    note, loudness = _notes(rng, n)
    glide = _glide(rng, n) if rng.random() < 0.3 else np.ones(n)
    which = rng.integers(len(pitches), size=int(note[-1]) + 1)[note]
    sound = np.zeros(n)
    for voice in range(voices):
        hertz = pitches[which, voice] * glide
        phase = 2 * np.pi * np.cumsum(hertz) / SAMPLE_RATE
        for k in range(1, harmonics + 1):
            sound += np.sin(k * phase) / k * (k * hertz < SAMPLE_RATE / 2)
    sound *= loudness
    return (sound / np.sqrt(np.square(sound).sum() / max(1.0, loudness.sum()) + 1e-12)).astype(np.float32)


def _notes(rng: np.random.Generator, n: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """The number of the note at each sample, and how loud it is, from 0 (a gap) to 1."""
    on = int(np.exp(rng.uniform(np.log(0.05), np.log(5.0))) * SAMPLE_RATE)
    off = int(np.exp(rng.uniform(np.log(0.03), np.log(2.0))) * SAMPLE_RATE) if rng.random() < 0.7 else 0
    time = np.arange(n)
    note, place = time // (on + off), time % (on + off)
    ramp = _RAMP_S * SAMPLE_RATE
    return note, np.clip(np.minimum(place / ramp, (on - place) / ramp), 0, 1)


def _glide(rng: np.random.Generator, n: int) -> npt.NDArray[np.float64]:
    """A factor on the pitch that swings, as a siren does, or climbs and falls back, by up to an octave each way."""
    turns = rng.uniform(0.1, 8.0) * np.arange(n) / SAMPLE_RATE
    swing = np.sin(2 * np.pi * turns) if rng.random() < 0.5 else 2 * (turns % 1) - 1
    return 2.0 ** (rng.uniform(0.02, 1.0) * swing)
