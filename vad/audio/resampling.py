"""Changes of rate in recordings: soxr, which librosa resamples with too."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import soxr

from vad.errors import AudioError

__all__ = ["Resampler", "conform"]

Samples: TypeAlias = npt.NDArray[np.float32]


class Resampler:
    """A stream of samples brought to another rate; the same samples come out however they are cut.

    soxr at its high quality. n samples become n * to_rate / from_rate, rounded, and never none where there was one.

    Args:
        from_rate: The rate of what is fed, in Hz.
        to_rate: The rate of what comes out, in Hz.
        channels: 1 takes [shape=(samples,)], more take [shape=(samples, channels)].
    """

    def __init__(self, from_rate: float, to_rate: float, channels: int = 1):
        same = from_rate == to_rate
        self._stream = None if same else soxr.ResampleStream(from_rate, to_rate, channels, dtype="float32")
        self._shape = () if channels == 1 else (channels,)
        self._any_in = False
        self._any_out = False

    def feed(self, samples: Samples) -> Samples:
        """Take samples, give those that are ready: fewer at first, for the filter looks ahead."""
        if self._stream is None:
            return samples
        self._any_in |= len(samples) > 0
        ready: Samples = self._stream.resample_chunk(samples)
        self._any_out |= len(ready) > 0
        return ready

    def finish(self) -> Samples:
        """Give what is left at the end of the recording. The resampler has then done its work."""
        nothing = np.zeros((0, *self._shape), np.float32)
        if self._stream is None:
            return nothing
        rest: Samples = self._stream.resample_chunk(nothing, last=True)
        if self._any_in and not self._any_out and not len(rest):
            return np.zeros((1, *self._shape), np.float32)
        return rest


def conform(parts: Iterator[tuple[int, Samples]], sample_rate: int, channels: int) -> Iterator[Samples]:
    """Bring a recording whose rate or channels change on the way to those that it began with.

    Args:
        parts: The rate in Hz and the block [shape=(samples, channels)], in order.
        sample_rate: The rate of what comes out, in Hz.
        channels: The channels of what comes out.

    Yields:
        Blocks. [shape=(samples, channels)]

    Raises:
        AudioError: What `parts` raises, after all that came before.
    """
    resampler, from_rate = Resampler(sample_rate, sample_rate, channels), sample_rate
    damage: AudioError | None = None
    try:
        for rate, block in parts:
            if rate != from_rate:
                yield _columns(resampler.finish(), channels)
                resampler, from_rate = Resampler(rate, sample_rate, channels), rate
            if block.shape[1] != channels:
                block = np.repeat(block.mean(axis=1, keepdims=True), channels, axis=1)
            one_column = channels == 1 and rate != sample_rate
            yield _columns(resampler.feed(block[:, 0] if one_column else block), channels)
    except AudioError as error:
        damage = error
    yield _columns(resampler.finish(), channels)
    if damage is not None:
        raise damage


def _columns(samples: Samples, channels: int) -> Samples:
    return samples.reshape(-1, channels)
