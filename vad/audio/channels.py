"""The mix of several channels: their mean, unless they cancel each other out."""

import itertools
import logging
import operator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Mixer", "Samples"]

Samples: TypeAlias = npt.NDArray[np.float32]

# Channels cancel each other out if the energy of their mean is less than that of the loudest channel, divided by the
# number of channels and by this ratio. It is measured with a half-life of 1 s and checked every 50 ms, so that the
# block lengths do not change the result.
_CANCELLATION_RATIO = 16.0
_WINDOW_S = 0.05
_DECAY = 0.5 ** (1 / 20.0)  # a window
_STRIDE = 32  # the energy of every 32nd sample is accurate enough

_log = logging.getLogger("vad")


class Mixer:
    """The mean of all channels, or the louder one where they cancel each other out.

    Args:
        channels: Number of channels.
        sample_rate: In Hz.
        prefix: The beginning of messages.
    """

    def __init__(self, channels: int, sample_rate: float, prefix: str):
        self.channels = channels
        self._window = round(_WINDOW_S * sample_rate / _STRIDE) * _STRIDE
        self._prefix = prefix
        self._samples_in_window = 0
        # Lists of floats: an operation on a small array takes as long as ten of those.
        self._mix_energy = 0.0
        self._channel_energies = [0.0] * channels
        self._chosen: int | None = None
        self._warned = False

    def feed(self, values: Samples) -> Samples:
        """Mix the next samples.

        Args:
            values: All channels. [shape=(samples, channels)]

        Returns:
            The mix. [shape=(samples,)]
        """
        mono = _mean(values)
        if not len(values):
            return mono
        edges = [0, *range(self._window - self._samples_in_window, len(values), self._window), len(values)]
        offset = -self._samples_in_window % _STRIDE
        energies = _energies(values[offset::_STRIDE], edges, offset)
        mix_energies = _energies(mono[offset::_STRIDE, np.newaxis], edges, offset)
        for (start, stop), (mixed,), by_channel in zip(
            itertools.pairwise(edges), mix_energies, energies, strict=True
        ):
            self._mix_energy += mixed
            self._channel_energies = [*map(operator.add, self._channel_energies, by_channel)]
            if self._chosen is not None:
                mono[start:stop] = values[start:stop, self._chosen]
            self._samples_in_window += stop - start
            if self._samples_in_window == self._window:
                self._update_choice()
        return mono

    def _update_choice(self) -> None:
        highest = max(self._channel_energies)
        if self._mix_energy * self.channels * _CANCELLATION_RATIO >= highest:
            self._chosen = None
        elif self._chosen is None:
            self._chosen = loudest = self._channel_energies.index(highest)
            if not self._warned:
                self._warned = True
                _log.warning(
                    "%sthe channels cancel each other out (opposite phase). Channel %d, the louder one, is used "
                    "instead of their mix.",
                    self._prefix,
                    loudest,
                )
        self._samples_in_window = 0
        self._mix_energy *= _DECAY
        self._channel_energies = [energy * _DECAY for energy in self._channel_energies]


def _mean(values: Samples) -> Samples:
    """Average the channels. Unlike numpy's mean, the result does not depend on the block length; and it is faster."""
    mono = values[:, 0] + values[:, 1]
    for index in range(2, values.shape[1]):
        mono += values[:, index]
    mono /= values.shape[1]
    return mono


def _energies(values: Samples, edges: list[int], offset: int) -> list[list[float]]:
    """Return the energy between edges, from every `_STRIDE`th sample. [shape=(edges - 1, channels)]."""
    sums = np.zeros((len(values) + 1, values.shape[1]))
    np.cumsum(np.square(values), axis=0, dtype=np.float64, out=sums[1:])
    energies: list[list[float]] = np.diff(
        sums[[max(0, -((offset - edge) // _STRIDE)) for edge in edges]], axis=0
    ).tolist()
    return energies
