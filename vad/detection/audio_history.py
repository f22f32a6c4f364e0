"""The latest audio of a stream."""

import math

import numpy as np
import numpy.typing as npt

from vad.errors import AudioError, ConfigError, require_number

__all__ = ["AudioHistory"]


class AudioHistory:
    """The latest samples, in a ring of constant size.

    Attributes:
        length: Number of samples so far.

    Raises:
        ConfigError: `seconds` is negative or not finite.
    """

    def __init__(self, sample_rate: float, seconds: float):
        if not 0 <= require_number("keep_audio_s", seconds) < math.inf:
            raise ConfigError(f"keep_audio_s must be finite and 0 or more. Received: keep_audio_s={seconds}.")
        self._sample_rate = sample_rate
        self._seconds = seconds
        self._ring: npt.NDArray[np.float32] = np.zeros(math.ceil(seconds * sample_rate), np.float32)
        self.length = 0

    def feed(self, samples: npt.NDArray[np.float32]) -> None:
        """Keep the next samples. [shape=(samples,)]."""
        self.length += len(samples)
        kept = samples[max(0, len(samples) - len(self._ring)) :]
        self._ring[self._places(self.length - len(kept), self.length)] = kept

    def read(self, start: float, end: float) -> npt.NDArray[np.float32]:
        """Copy the samples between two times in seconds, as far as there are any.

        Raises:
            AudioError: Some of them are no longer kept.
        """
        first = max(0, round(start * self._sample_rate))
        stop = min(self.length, round(end * self._sample_rate))
        if first < stop and first < self.length - len(self._ring):
            raise AudioError(
                f"the stream keeps only the last {self._seconds:g} s. Received: start={start:.3f} "
                f"at {self.length / self._sample_rate:.3f} s. Give the stream more keep_audio_s."
            )
        return self._ring[self._places(first, max(first, stop))]

    def _places(self, first: int, stop: int) -> npt.NDArray[np.intp]:
        """Positions in the ring of the samples from `first` to `stop`."""
        return np.arange(first, stop) % max(1, len(self._ring))
