"""The last seconds of a recording that comes in pieces."""

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from vad.errors import AudioError, ConfigError

__all__ = ["AudioHistory"]

Samples: TypeAlias = npt.NDArray[np.float32]


class AudioHistory:
    """A ring of samples: feeding overwrites the oldest, and memory never grows.

    Args:
        sample_rate: Of the samples, in Hz.
        seconds: How much is kept; 0 keeps nothing.

    Raises:
        ConfigError: `seconds` is negative or not finite.
    """

    def __init__(self, sample_rate: float, seconds: float):
        if not 0 <= seconds < math.inf:
            raise ConfigError(f"keep_audio_s must be finite and 0 or more. Received: keep_audio_s={seconds}.")
        self._sample_rate = sample_rate
        self._seconds = seconds
        self._ring: Samples = np.zeros(math.ceil(seconds * sample_rate), np.float32)
        self._heard = 0

    def feed(self, samples: Samples) -> None:
        """Keep the next samples, [shape=(samples,)]."""
        self._heard += len(samples)
        kept = samples[max(0, len(samples) - len(self._ring)) :]
        self._ring[self._places(self._heard - len(kept), self._heard)] = kept

    def read(self, start: float, end: float) -> Samples:
        """Give a copy of what was heard from `start` to `end`, in seconds; what does not exist is left out.

        Raises:
            AudioError: Some of it is no longer kept.
        """
        first = max(0, round(start * self._sample_rate))
        stop = min(self._heard, round(end * self._sample_rate))
        if first < stop and first < self._heard - len(self._ring):
            raise AudioError(
                f"audio must be of the last {self._seconds:g} s, which the stream keeps. Received: "
                f"start={start:.3f} at {self._heard / self._sample_rate:.3f} s. Give the stream more keep_audio_s."
            )
        return self._ring[self._places(first, max(first, stop))]

    def _places(self, first: int, stop: int) -> npt.NDArray[np.intp]:
        """Where in the ring the samples from `first` to `stop` lie."""
        return np.arange(first, stop) % max(1, len(self._ring))
