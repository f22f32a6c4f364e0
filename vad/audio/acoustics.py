"""Effects of rooms, microphones and lines on sound, for training scenes and benchmarks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import signal

__all__ = [
    "CELL",
    "SAMPLE_RATE",
    "Samples",
    "band_limit",
    "breath",
    "clip_hard",
    "coloured_noise",
    "decibel_gain",
    "equalise",
    "far_room",
    "level_db",
    "next_room",
    "reverberate",
    "room_response",
    "telephone",
    "thump",
]

SAMPLE_RATE = 16_000
CELL = 160  # samples per 10 ms cell of labels

Samples = npt.NDArray[np.float32]
_MU = 255.0  # of G.711


def decibel_gain(level_db: float) -> float:
    """The amplitude factor of a level in dB."""
    return float(10 ** (level_db / 20))


def level_db(samples: Samples, labels: npt.NDArray[np.floating | np.bool_] | None) -> float:
    """Level in dB over the speech cells, or over the louder half where there is no speech; -120 for silence.

    Args:
        samples: Whole cells. [shape=(cells * CELL,)]
        labels: Speech probability of each cell; None for no speech. [shape=(cells,)]
    """
    power = np.square(samples.reshape(-1, CELL), dtype=np.float64).mean(axis=1)
    active = power[labels > 0.5] if labels is not None else power[:0]
    if not len(active):
        active = power[power >= np.median(power)]
    return float(10 * np.log10(active.mean() + 1e-12))


def room_response(rng: np.random.Generator, rt60_s: float, direct_to_reverberant_db: float) -> Samples:
    """A synthetic room impulse response. Sample 0 is the direct sound, so labels stay valid.

    A few early reflections, then Gaussian noise that decays by 60 dB in `rt60_s`, and faster at high frequencies
    (Polack's statistical model, "Playing billiards in the concert hall", 1993). The direct sound has energy 1.

    Args:
        rng: Source of randomness.
        rt60_s: Reverberation time in seconds.
        direct_to_reverberant_db: Energy of the direct sound relative to the rest, in dB.

    Returns:
        The response. [shape=(samples,)]
    """
    n = int(SAMPLE_RATE * min(rt60_s, 1.5))
    time = np.arange(n) / SAMPLE_RATE
    bright = rng.standard_normal(n) * 10 ** (-3 * time / (0.5 * rt60_s))
    dark = signal.lfilter([0.3], [1, -0.7], rng.standard_normal(n)) * 10 ** (-3 * time / rt60_s)
    tail = (bright + dark) * (1 - np.exp(-time / 0.02))
    early = rng.integers(int(0.002 * SAMPLE_RATE), int(0.04 * SAMPLE_RATE), 6)
    tail[early] += rng.choice([-1, 1], 6) * rng.uniform(0.5, 3.0, 6)
    tail[: int(0.002 * SAMPLE_RATE)] = 0
    tail *= decibel_gain(-direct_to_reverberant_db) / np.sqrt(np.square(tail).sum())
    tail[0] = 1.0
    return tail.astype(np.float32)


def far_room(rng: np.random.Generator) -> Samples:
    """The response from the other end of a hall: little direct sound, weak high frequencies."""
    response = room_response(rng, rng.uniform(0.5, 1.5), rng.uniform(-18, -6))
    return signal.lfilter(*signal.butter(1, rng.uniform(1_500, 5_000), fs=SAMPLE_RATE), response).astype(
        np.float32
    )


def next_room(rng: np.random.Generator) -> Samples:
    """The response from another seat at the table, or through a door."""
    response = room_response(rng, rng.uniform(0.2, 1.2), rng.uniform(-15, 15))
    if rng.random() < 0.5:
        response = signal.lfilter(*signal.butter(1, rng.uniform(1_000, 4_000), fs=SAMPLE_RATE), response)
    return response.astype(np.float32)


def reverberate(samples: Samples, response: Samples) -> Samples:
    """Convolve, and keep the length."""
    return signal.oaconvolve(samples, response)[: len(samples)].astype(np.float32)


def coloured_noise(rng: np.random.Generator, n: int) -> Samples:
    """Noise of a random slope (white to brown), at times with level drift or mains hum; the RMS is near 1."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    frequency = np.fft.rfftfreq(n, 1 / SAMPLE_RATE)
    spectrum *= np.maximum(frequency, 40.0) ** (-rng.uniform(0, 1.2))
    noise = np.fft.irfft(spectrum, n)
    noise /= np.sqrt(np.square(noise).mean())
    if rng.random() < 0.3:
        anchors = rng.uniform(-6, 6, max(2, n // SAMPLE_RATE))
        noise *= 10 ** (np.interp(np.linspace(0, 1, n), np.linspace(0, 1, len(anchors)), anchors) / 20)
    if rng.random() < 0.2:
        mains, time = rng.choice([50.0, 60.0]), np.arange(n) / SAMPLE_RATE
        for harmonic in range(1, 8):
            noise += (
                rng.uniform(0, 1.5)
                / harmonic
                * np.sin(2 * np.pi * mains * harmonic * time + rng.uniform(0, 6.28))
            )
    return noise.astype(np.float32)


def thump(rng: np.random.Generator) -> Samples:
    """A knock on the table or the microphone: a short noise burst, mostly of low frequencies."""
    decay = np.exp(rng.uniform(np.log(0.003), np.log(0.08)))
    time = np.arange(int(6 * decay * SAMPLE_RATE)) / SAMPLE_RATE
    burst = rng.standard_normal(len(time)) * np.exp(-time / decay)
    high = np.exp(rng.uniform(np.log(80), np.log(7_000)))
    return _unit_power(signal.sosfilt(signal.butter(2, high, fs=SAMPLE_RATE, output="sos"), burst))


def breath(rng: np.random.Generator) -> Samples:
    """A breath at the microphone: band-limited noise that rises and falls."""
    n = int(rng.uniform(0.15, 1.0) * SAMPLE_RATE)
    band = [rng.uniform(150, 1_200), rng.uniform(2_000, 7_500)]
    puff = signal.sosfilt(
        signal.butter(1, band, "band", fs=SAMPLE_RATE, output="sos"), rng.standard_normal(n)
    )
    return _unit_power(puff * np.hanning(n) ** rng.uniform(0.5, 2.0))


def _unit_power(samples: npt.NDArray[np.float64]) -> Samples:
    return (samples / np.sqrt(np.square(samples).mean() + 1e-12)).astype(np.float32)


def equalise(rng: np.random.Generator, samples: Samples) -> Samples:
    """The frequency response of a microphone: random, smooth, within 10 dB, without delay."""
    points = np.array([0, 60, 120, 250, 500, 1_000, 2_000, 4_000, 8_000])
    gain_db = np.convolve(rng.uniform(-10, 10, len(points) + 2), [0.25, 0.5, 0.25], "valid")
    taps = signal.firwin2(255, points, 10 ** (gain_db / 20), fs=SAMPLE_RATE)
    return signal.oaconvolve(samples, taps, mode="same").astype(np.float32)


def band_limit(samples: Samples, low_hz: float | None, high_hz: float | None, order: int = 4) -> Samples:
    """Butterworth high-pass and low-pass filters; a high order is as steep as a codec."""
    if low_hz is not None:
        samples = signal.sosfilt(signal.butter(2, low_hz, "high", fs=SAMPLE_RATE, output="sos"), samples)
    if high_hz is not None and high_hz < SAMPLE_RATE / 2:
        samples = signal.sosfilt(signal.butter(order, high_hz, fs=SAMPLE_RATE, output="sos"), samples)
    return samples.astype(np.float32)


def telephone(rng: np.random.Generator, samples: Samples) -> Samples:
    """A telephone line: about 300-3400 Hz, and for half of the calls mu-law at 8 kHz (ITU-T G.711)."""
    samples = band_limit(samples, rng.uniform(200, 350), rng.uniform(3_200, 3_700), order=8)
    if rng.random() < 0.5:
        line = signal.resample_poly(samples, 1, 2)
        peak = np.abs(line).max() / rng.uniform(0.1, 1.0) + 1e-9
        companded = np.round(np.sign(line) * np.log1p(_MU * np.abs(line) / peak) / np.log1p(_MU) * 127) / 127
        line = np.sign(companded) * np.expm1(np.abs(companded) * np.log1p(_MU)) / _MU * peak
        samples = signal.resample_poly(line, 2, 1)[: len(samples)].astype(np.float32)
    return samples


def clip_hard(rng: np.random.Generator, samples: Samples) -> Samples:
    """An overdriven input: clip at a high percentile of the magnitude."""
    limit = np.percentile(np.abs(samples), rng.uniform(97, 99.9))
    return np.clip(samples, -limit, limit) if limit > 0 else samples
