"""A sound as cells of time and frequency, each of which can be turned down."""

from __future__ import annotations

from math import log
from typing import Any

import librosa
import numpy as np

from vad.training.backend import ops
from vad.training.inspection.network import Array

__all__ = ["TimeFrequency"]

_WINDOW = 512
_BANDS = 40  # narrow enough for harmonics, wide enough for the window to separate them
_SILENCE = 1e-11  # power under any microphone's noise, that of a full-scale sine being 1


class TimeFrequency:
    """A sound as cells of one hop by one band, each of which can be turned down.

    The change is made in the sound itself, on its short-time Fourier transform (Allen and Rabiner, "A unified approach
    to short-time Fourier analysis and synthesis", 1977), so it serves networks on a spectrogram and on the waveform.

    Args:
        samples: Whole hops. [shape=(hops * hop_length,)]
        sample_rate: Hz.
        hop_length: Samples.

    Attributes:
        samples: The sound. [shape=(hops * hop_length,)]
        frequencies: Centre of each band, Hz, equally far apart on the mel scale. [shape=(bands,)]
        decibels: Power of each cell; a full-scale sine is about 0. [shape=(hops, bands)]
    """

    def __init__(self, samples: Array, sample_rate: int, hop_length: int):
        self.samples, self._hop_length = samples, hop_length
        self._margin = (_WINDOW - hop_length) // 2
        padded = np.pad(samples, self._margin)[np.newaxis]
        parts = ops.stft(padded, _WINDOW, hop_length, _WINDOW, center=False)
        self._spectrum = tuple(ops.convert_to_numpy(part)[0] for part in parts)
        self.frequencies = librosa.mel_frequencies(_BANDS + 2, fmax=sample_rate / 2)[1:-1]
        hertz = np.fft.rfftfreq(_WINDOW, 1 / sample_rate)
        # A bin belongs to its two nearest bands, to each the more the nearer. [bands, bins]
        shares = [np.interp(hertz, self.frequencies, one) for one in np.eye(_BANDS)]
        self._shares = np.stack(shares).astype(np.float32)
        power = sum(np.square(part / (_WINDOW / 4)) for part in self._spectrum) @ self._shares.T
        self.decibels: Array = 10 * np.log10(power + _SILENCE)

    def with_gains(self, gains_db: Any) -> Any:
        """The sound with a gain on each cell.

        Args:
            gains_db: A tensor or Keras' stand-in for one. [shape=(batch, hops, bands)]

        Returns:
            Samples; where every gain is 0, those of the sound. [shape=(batch, hops * hop_length)]
        """
        taken = 1.0 - ops.exp((log(10) / 20) * ops.matmul(gains_db, self._shares))
        parts = tuple(taken * part for part in self._spectrum)
        away = ops.istft(parts, _WINDOW, self._hop_length, _WINDOW, center=False)
        return ops.subtract(self.samples, away[:, self._margin : self._margin + len(self.samples)])
