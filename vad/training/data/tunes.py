"""Tunes of synthetic instruments, since recorded music is scarce and some instruments resemble voices.

A tune is one to six voices in one key, and at times drums. A voice has an instrument (a wave that is bright when a note
begins and duller as it rings, an envelope, vibrato, glides from note to note) and a line of notes that repeats with
changes, bar after bar.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vad.audio.acoustics import SAMPLE_RATE, Samples

__all__ = ["played_tune"]

_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9), (0, 3, 5, 6, 7, 10))  # semitones
_TABLE = 2_048  # samples of one period
_HARMONICS = 24
_STEPS = 16  # of a bar

Track = npt.NDArray[np.float64]


def played_tune(rng: np.random.Generator, n: int) -> Samples:
    """A tune from beginning to end.

    Args:
        rng: Source of randomness.
        n: Samples, at least 1.

    Returns:
        The tune, with an RMS of 1 [shape=(n,)].
    """
    step_s = float(np.exp(rng.uniform(np.log(0.08), np.log(0.4))))
    key_hz = float(np.exp(rng.uniform(np.log(55), np.log(110))))
    scale = _SCALES[int(rng.integers(len(_SCALES)))]
    sound = np.zeros(n)
    for _ in range(int(rng.choice([1, 2, 3, 6]))):
        sound += rng.uniform(0.3, 1.0) * _voice(rng, n, step_s, key_hz, scale)
    if rng.random() < 0.4:
        sound += rng.uniform(0.3, 1.5) * _drums(rng, n, step_s)
    return (sound / np.sqrt(np.square(sound).mean() + 1e-12)).astype(np.float32)


def _voice(rng: np.random.Generator, n: int, step_s: float, key_hz: float, scale: tuple[int, ...]) -> Track:
    """One instrument and its line."""
    semitones, since_s, until_s = _line(rng, n, step_s, scale)
    hertz = key_hz * 2.0 ** (int(rng.integers(0, 4)) + semitones / 12)
    time = np.arange(n) / SAMPLE_RATE
    if rng.random() < 0.5:
        depth = np.clip(since_s / 0.2, 0, 1)  # vibrato begins after the onset of the note
        hertz = hertz * 2.0 ** (
            rng.uniform(0.1, 0.8) / 12 * depth * np.sin(2 * np.pi * rng.uniform(3, 8) * time)
        )
    phase = (np.cumsum(hertz) / SAMPLE_RATE % 1 * _TABLE).astype(np.intp) % _TABLE
    tilt, fades_s = rng.uniform(0.3, 2.0), np.exp(rng.uniform(np.log(0.05), np.log(3.0)))
    dull, bright = (_wave(rng, t, float(hertz.max())) for t in (tilt + rng.uniform(0, 1.5), tilt))
    ringing = np.exp(-since_s / fades_s)
    sound = dull[phase] + ringing * (bright - dull)[phase]
    sustain = rng.choice([0.0, rng.uniform(0.2, 1.0)])
    attack_s, release_s = np.exp(rng.uniform(np.log(0.002), np.log(0.15))), rng.uniform(0.005, 0.1)
    edges = np.clip(np.minimum(since_s / attack_s, until_s / release_s), 0, 1)
    voice: Track = sound * edges * (sustain + (1 - sustain) * ringing)
    return voice


def _line(
    rng: np.random.Generator, n: int, step_s: float, scale: tuple[int, ...]
) -> tuple[Track, Track, Track]:
    """Semitones over the key, seconds since the note began and until it ends, per sample; 0 s left is a rest."""
    bar_steps = np.flatnonzero(rng.random(_STEPS) < rng.uniform(0.1, 0.8))
    bar_steps = bar_steps if len(bar_steps) else np.array([0])
    degrees = np.cumsum(rng.integers(-2, 3, len(bar_steps)))
    step = step_s * SAMPLE_RATE
    bars = int(n / step / _STEPS) + 2
    starts = ((np.arange(bars)[:, None] * _STEPS + bar_steps) * step).astype(np.intp).ravel()
    starts -= starts[0]
    moved = np.repeat(rng.choice([0, 0, 3, 4, 5], bars), len(bar_steps))  # harmonies
    degree = np.tile(degrees, bars) + moved + rng.choice([0, 0, 0, 1, -1], len(starts))
    pitches = np.array(scale)[degree % len(scale)] + 12.0 * (degree // len(scale))
    pitches = (pitches + 12) % 36 - 12  # within three octaves
    lengths = np.diff(starts, append=starts[-1] + int(step)) * rng.uniform(0.2, 1.0)
    lengths *= rng.random(len(starts)) > rng.choice([0.0, 0.3])
    at = np.arange(n)
    note = np.searchsorted(starts, at, side="right") - 1
    since = at - starts[note]
    if rng.random() < 0.3:
        before = pitches[np.maximum(note - 1, 0)]
        glide = np.clip(since / (rng.uniform(0.02, 0.15) * SAMPLE_RATE), 0, 1)
        semitones = before + (pitches[note] - before) * glide
    else:
        semitones = pitches[note]
    return semitones, since / SAMPLE_RATE, np.maximum(lengths[note] - since, 0) / SAMPLE_RATE


def _wave(rng: np.random.Generator, tilt: float, highest_hz: float) -> Track:
    """One period: harmonics that fall off, sometimes the odd ones alone, below half the sample rate."""
    k = np.arange(1, _HARMONICS + 1)
    weights = k**-tilt * rng.uniform(0.3, 1.0, len(k)) * (k * highest_hz < SAMPLE_RATE / 2)
    weights[1::2] *= rng.choice([0.0, 1.0, 1.0])
    place = np.arange(_TABLE) / _TABLE
    wave: Track = weights @ np.sin(2 * np.pi * (np.outer(k, place) + rng.random((len(k), 1))))
    return wave / (np.sqrt(np.square(wave).mean()) + 1e-12)


def _drums(rng: np.random.Generator, n: int, step_s: float) -> Track:
    """A low drum that falls in pitch, a noisy one and a short bright one, each with a bar that repeats."""
    time = np.arange(int(0.4 * SAMPLE_RATE)) / SAMPLE_RATE
    noise = rng.standard_normal(len(time))
    low = np.sin(2 * np.pi * rng.uniform(40, 80) * (time + 0.02 * (1 - np.exp(-time / 0.02)) * 4))
    kinds = (
        low * np.exp(-time / rng.uniform(0.05, 0.2)),
        noise * np.exp(-time / rng.uniform(0.03, 0.12)),
        np.diff(noise, append=0.0) * np.exp(-time / rng.uniform(0.01, 0.05)),
    )
    track = np.zeros(n + len(time))
    for kind in kinds:
        hits = np.flatnonzero(rng.random(_STEPS) < rng.uniform(0.05, 0.5))
        loudness = rng.uniform(0.2, 1.0)
        for bar in range(int(n / SAMPLE_RATE / step_s / _STEPS) + 1):
            for hit in hits:
                at = int((bar * _STEPS + hit) * step_s * SAMPLE_RATE)
                if at < n:
                    track[at : at + len(time)] += loudness * rng.uniform(0.6, 1.0) * kind
    return track[:n]
