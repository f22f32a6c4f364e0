"""Two ways to change the sample rate: `Resampler` (soxr) for recordings, `LiveResampler` for live streams.

soxr is faster and sharper. But it delays a stream by 20 to 115 ms (measured with its qualities LQ to VHQ; QQ has no
delay and no filter), and its state cannot be copied. `LiveResampler` delays by 3 ms at most.
"""

import functools
import math
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np

from vad.audio.channels import Samples

__all__ = ["LiveResampler", "Resampler", "conform"]

# The cutoff and the width of the transition, as fractions of the lower Nyquist frequency: the passband ends at 0.85,
# the stopband begins at 1.05.
_CUTOFF = 0.95
_TRANSITION = 0.2
_ATTENUATION_DB = 60.0
_MAX_PHASES = 1024  # filters; a rate without a simple ratio takes the nearest one
_MAX_OUTPUTS = 2048  # computed at once, which bounds memory


class Resampler:
    """Resamples a recording block by block with soxr's high quality. The block lengths do not change the output.

    n samples become round(n * to_rate / from_rate) samples, at least 1 if n > 0.

    Args:
        from_rate: Rate of the input, in Hz.
        to_rate: Rate of the output, in Hz.
        channels: Number of channels.
    """

    def __init__(self, from_rate: float, to_rate: float, channels: int = 1):
        self._stream = None
        if from_rate != to_rate:
            import soxr

            self._stream = soxr.ResampleStream(from_rate, to_rate, channels, dtype="float32")
        self._empty: Samples | None = None
        self._any_in = False
        self._any_out = False

    def feed(self, samples: Samples) -> Samples:
        """Return the output that is ready. The first calls return less, because the filter looks ahead.

        Args:
            samples: The next samples. [shape=(samples,) or (samples, channels)]
        """
        self._empty = samples[:0]
        if self._stream is None:
            return samples
        self._any_in |= len(samples) > 0
        ready: Samples = self._stream.resample_chunk(samples)
        self._any_out |= len(ready) > 0
        return ready

    def finish(self) -> Samples:
        """Return the rest of the output. The resampler cannot be used afterwards."""
        if self._empty is None or self._stream is None:
            return np.zeros(0, np.float32) if self._empty is None else self._empty
        rest: Samples = self._stream.resample_chunk(self._empty, last=True)
        if self._any_in and not self._any_out and not len(rest):
            return np.zeros((1, *self._empty.shape[1:]), np.float32)
        return rest


class LiveResampler:
    """Resamples a mono live stream block by block. The block lengths do not change the output.

    n samples become round(n * to_rate / from_rate) samples, at least 1 if n > 0. The delay to 16 kHz is 1.2 ms from
    44.1 kHz or more, and 2.4 ms from 8 kHz. `copy.deepcopy` copies the whole state.

    The filter is a sinc with a Kaiser window (Oppenheim and Schafer, "Discrete-Time Signal Processing", 7.6)::

        y[n] = sum over k of x[k] * h(n * from_rate / to_rate - k)
        h(t) = sinc(c * t) * kaiser(t / half_width)     c is the cutoff / (from_rate / 2); the sum over k is 1
    """

    def __init__(self, from_rate: float, to_rate: float):
        exact_from, exact_to = (
            Fraction(float(rate)) for rate in (from_rate, to_rate)
        )  # they may be of numpy
        ratio = exact_from.limit_denominator(1000) / exact_to.limit_denominator(1000)
        self._step, self._phases = ratio.numerator, ratio.denominator
        self._half_width = _half_width(self._step, self._phases)
        self._input: Samples = np.zeros(self._half_width - 1, np.float32)
        # Of the next output, in phases from the start of `_input`.
        self._position = (self._half_width - 1) * self._phases
        self._samples_in = 0
        self._samples_out = 0

    def feed(self, samples: Samples) -> Samples:
        """Return the output that is ready.

        Args:
            samples: The next samples. [shape=(samples,)]
        """
        if self._step == self._phases:
            return samples
        self._samples_in += len(samples)
        return self._filter(samples)

    def finish(self) -> Samples:
        """Return the rest of the output. The resampler cannot be used afterwards."""
        if self._samples_in == 0:
            return np.zeros(0, np.float32)
        missing = max(1, round(self._samples_in * self._phases / self._step)) - self._samples_out
        padding = self._half_width + math.ceil(self._step / self._phases)
        return self._filter(np.zeros(padding, np.float32))[:missing]

    def _filter(self, samples: Samples) -> Samples:
        """Compute each output whose window is complete, and keep the input of later windows."""
        available = np.concatenate([self._input, samples])
        end = (len(available) - self._half_width) * self._phases
        count = max(0, -((self._position - end) // self._step))
        outputs = [
            self._apply(available, self._position + first * self._step, min(_MAX_OUTPUTS, count - first))
            for first in range(0, count, _MAX_OUTPUTS)
        ]
        self._position += count * self._step
        self._samples_out += count
        used = self._position // self._phases - (self._half_width - 1)
        self._input = available[used:].copy()
        self._position -= used * self._phases
        return np.concatenate([*outputs, np.zeros(0, np.float32)])

    def _apply(self, available: Samples, position: int, count: int) -> Samples:
        """Compute `count` outputs from a position on. [shape=(count,)]."""
        centres, phases = np.divmod(position + np.arange(count) * self._step, self._phases)
        filters = _filters(self._step, self._phases)
        width = 2 * self._half_width
        # numpy's sliding_window_view leaks some bytes at each call.
        windows: Samples = np.ndarray(
            (len(available) - width + 1, width), available.dtype, available, strides=available.strides * 2
        )
        nearest = np.rint(phases * ((len(filters) - 1) / self._phases)).astype(np.intp)
        outputs: Samples = np.einsum("nk,nk->n", windows[centres - (self._half_width - 1)], filters[nearest])
        return outputs


def conform(blocks: Iterable[tuple[int, Samples]], sample_rate: int, channels: int) -> Iterator[Samples]:
    """Give a recording one sample rate and one number of channels, where those change inside it.

    Args:
        blocks: The rate in Hz of each block, and the block. [shape=(samples, channels)]
        sample_rate: Rate of the first block, in Hz.
        channels: Channels of the first block.

    Yields:
        Blocks. [shape=(samples, channels)]
    """
    resampler, from_rate = Resampler(sample_rate, sample_rate, channels), sample_rate
    for rate, block in blocks:
        if rate != from_rate:
            yield resampler.finish()
            resampler, from_rate = Resampler(rate, sample_rate, channels), rate
        if block.shape[1] != channels:
            block = np.repeat(block.mean(axis=1, keepdims=True), channels, axis=1)
        yield resampler.feed(block)
    yield resampler.finish()


def _half_width(step: int, phases: int) -> int:
    """Return the input samples on each side of an output that its window covers."""
    transition = _TRANSITION * min(1.0, phases / step) / 2  # in cycles a sample
    return math.ceil((_ATTENUATION_DB - 7.95) / (14.36 * transition) / 2)


@functools.lru_cache(maxsize=16)
def _filters(step: int, phases: int) -> Samples:
    """Return a filter for each fraction of a sample from 0 to 1, both included. [shape=(fractions + 1, window)]."""
    half_width = _half_width(step, phases)
    fractions = np.linspace(0, 1, min(phases, _MAX_PHASES) + 1)[:, np.newaxis]
    times = fractions - np.arange(1 - half_width, half_width + 1)
    beta = 0.1102 * (_ATTENUATION_DB - 8.7)
    window = np.i0(beta * np.sqrt(np.maximum(0, 1 - (times / half_width) ** 2)))
    filters = np.sinc(_CUTOFF * min(1.0, phases / step) * times) * window
    return np.asarray(filters / filters.sum(axis=1, keepdims=True), np.float32)
