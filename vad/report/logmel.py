"""The log-mel spectrogram of pictures, with numpy alone. It is for the eye: networks have their own front end."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LogMel", "LogMelColumns", "mel_bands"]

_WINDOW_S = 0.025
_HOP_S = 0.010
_BANDS = 64
_FAINTEST_DB = -120.0


@dataclass(frozen=True)
class LogMel:
    """Decibels by time and mel band.

    Attributes:
        decibels: dBFS, at least -120; a sine of full scale is about 0 [shape=(columns, bands)].
        column_duration: Seconds.
        centres: Centre of each band, Hz, rising [shape=(bands,)].
    """

    decibels: NDArray[np.float32]
    column_duration: float
    centres: NDArray[np.float64]

    def visible_range(self) -> tuple[float, float]:
        """Give the decibels to draw as darkest (the background) and as lightest (all but the loudest spots)."""
        if self.decibels.size == 0:
            return _FAINTEST_DB, 0.0
        background, loud = np.percentile(self.decibels, [10, 99.9])
        return float(min(background, loud - 40.0)), float(loud)


def mel_bands(sample_rate: int, n_fft: int, n_bands: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Make triangles of height 1, evenly spaced on the mel scale 2595 log10(1 + f / 700) (O'Shaughnessy, 1987).

    Returns:
        The weight of every bin in every band [shape=(n_fft // 2 + 1, bands)], and the centre of each band in Hz
        [shape=(bands,)]. The bands cover 0 Hz to half the sample rate.
    """
    top = 2595 * math.log10(1 + sample_rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, n_bands + 2) / 2595) - 1)
    bins = np.arange(n_fft // 2 + 1) * sample_rate / n_fft
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, None] - low) / (centre - low)
    falling = (high - bins[:, None]) / (high - centre)
    return np.maximum(0.0, np.minimum(rising, falling)), centre


class LogMelColumns:
    """Turns blocks of samples into columns of log-mel; a column is the mean power of its windows.

    Args:
        sample_rate: Hz.
        samples: Expected number; it decides how wide columns are.
        max_columns: Limit for that number of samples.
    """

    def __init__(self, sample_rate: int, samples: int, max_columns: int):
        self._hop = round(_HOP_S * sample_rate)
        self._length = round(_WINDOW_S * sample_rate)
        self._windows = max(1, math.ceil(samples / self._hop / max_columns))  # in a column
        self._window = np.hanning(self._length + 1)[:-1].astype(np.float32)
        # Twice as many points as samples: the lowest bands would be narrower than a bin.
        self._n_fft = 2 ** math.ceil(math.log2(2 * self._length))
        weights, self._centres = mel_bands(sample_rate, self._n_fft, _BANDS)
        self._weights = (weights / (self._window.sum() / 2) ** 2).astype(np.float32)
        self._column_duration = self._windows * self._hop / sample_rate
        # Centres each window on its hop.
        self._rest = np.zeros((self._length - self._hop) // 2, np.float32)
        self._fed = 0
        self._columns: list[NDArray[np.float32]] = []

    def feed(self, samples: NDArray[np.float32]) -> None:
        """Take the next samples [shape=(samples,)]."""
        self._fed += len(samples)
        self._take(np.concatenate([self._rest, samples]))

    def finish(self) -> LogMel:
        """Give the spectrogram; silence fills the last column."""
        made = sum(map(len, self._columns))
        missing = math.ceil(self._fed / (self._hop * self._windows)) - made
        needed = self._length + self._hop * (self._windows * missing - 1)
        if missing > 0:
            self._take(np.pad(self._rest, (0, max(0, needed - len(self._rest)))), at_most=missing)
        none = np.zeros((0, _BANDS), np.float32)
        return LogMel(np.concatenate([none, *self._columns]), self._column_duration, self._centres)

    def _take(self, samples: NDArray[np.float32], at_most: int | None = None) -> None:
        columns = max(0, (len(samples) - self._length) // self._hop + 1) // self._windows
        columns = columns if at_most is None else min(columns, at_most)
        if columns > 0:
            views = np.lib.stride_tricks.sliding_window_view(samples, self._length)[:: self._hop]
            windows = views[: columns * self._windows] * self._window
            power = np.abs(np.fft.rfft(windows, self._n_fft)) ** 2 @ self._weights
            mean = power.reshape(columns, self._windows, -1).mean(axis=1)
            self._columns.append(
                (10 * np.log10(np.maximum(mean, 10 ** (_FAINTEST_DB / 10)))).astype(np.float32)
            )
        self._rest = samples[columns * self._windows * self._hop :]
