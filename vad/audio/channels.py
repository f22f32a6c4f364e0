"""Several channels as one: their mean, unless they cancel each other out."""

import itertools
import logging
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Mixer", "Samples"]

Samples: TypeAlias = npt.NDArray[np.float32]

# Channels cancel each other out where the mix has so many times less energy than n channels side by side would give
# it. Judged over the last second or so, every 50 ms, so that cutting changes nothing.
_CANCELLED = 16.0
_WINDOW_S = 0.05
_HALF_LIFE_WINDOWS = 20.0
_STRIDE = 32  # energy, and who has it, shows in so few samples as well

_log = logging.getLogger("vad")


class Mixer:
    """The mean of all channels, or the louder one where they cancel each other out.

    Args:
        channels: How many there are.
        sample_rate: In Hz.
        name: What messages begin with.
    """

    def __init__(self, channels: int, sample_rate: float, name: str):
        self.channels = channels
        self._window = round(_WINDOW_S * sample_rate / _STRIDE) * _STRIDE
        self._name = name
        self._filled = 0
        self._mixed = 0.0  # energy
        self._energies = np.zeros(channels)
        self._chosen: int | None = None
        self._said = False

    def feed(self, values: Samples) -> Samples:
        """Mix the next samples. [shape=(samples, channels)], and [shape=(samples,)] comes back."""
        mono = _mean(values)
        if not len(values):
            return mono
        edges = [0, *range(self._window - self._filled, len(values), self._window), len(values)]
        offset = -self._filled % _STRIDE
        energies = _energies(values[offset::_STRIDE], edges, offset)
        mixed = _energies(mono[offset::_STRIDE, np.newaxis], edges, offset)
        for index, (start, stop) in enumerate(itertools.pairwise(edges)):
            self._mixed += float(mixed[index, 0])
            self._energies += energies[index]
            if self._chosen is not None:
                mono[start:stop] = values[start:stop, self._chosen]
            self._filled += stop - start
            if self._filled == self._window:
                self._judge()
        return mono

    def _judge(self) -> None:
        loudest = int(self._energies.argmax())
        cancelled = self._mixed * self.channels * _CANCELLED < self._energies[loudest]
        if not cancelled:
            self._chosen = None
        elif self._chosen is None:
            self._chosen = loudest
            if not self._said:
                self._said = True
                _log.warning(
                    "%sthe channels cancel each other out (they are out of phase). Channel %d, the louder one, is "
                    "used in place of their mix.",
                    self._name,
                    loudest,
                )
        self._filled = 0
        decay = 0.5 ** (1 / _HALF_LIFE_WINDOWS)
        self._mixed *= decay
        self._energies *= decay


def _mean(values: Samples) -> Samples:
    """Average the channels, column by column: the same however rows are cut, and faster than numpy's mean."""
    mono = values[:, 0].copy()
    for index in range(1, values.shape[1]):
        mono += values[:, index]
    mono /= values.shape[1]
    return mono


def _energies(values: Samples, edges: list[int], offset: int) -> npt.NDArray[np.float64]:
    """The energy of each channel between edges, from every `_STRIDE`th sample. [shape=(edges - 1, channels)]."""
    sums = np.zeros((len(values) + 1, values.shape[1]))
    np.cumsum(np.square(values), axis=0, dtype=np.float64, out=sums[1:])
    return np.diff(sums[[max(0, -((offset - edge) // _STRIDE)) for edge in edges]], axis=0)
