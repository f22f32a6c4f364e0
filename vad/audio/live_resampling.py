"""A change of rate for streams that somebody waits for: it waits for few samples, and can be copied.

soxr (`vad.audio.resampling`) is faster and sharper, and right for files; but it holds back 20 to 115 ms
of a stream (measured, qualities LQ to VHQ; QQ holds back nothing, for it does not filter), and its state cannot be
copied.

The filter is a sinc under a Kaiser window, designed by Kaiser's formulas (Oppenheim and Schafer, "Discrete-Time
Signal Processing", 7.6). It is centred on the sample it makes, so nothing is late, only waited for::

    y[n] = sum over k of x[k] * h(n * from_rate / to_rate - k)
    h(t) = sinc(c * t) * kaiser(t / half_width)     c the cutoff, in halves of from_rate; the sum over k is 1
"""

import functools
import math
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["LiveResampler"]

Samples: TypeAlias = npt.NDArray[np.float32]

# In halves of the lower rate: passed up to 0.85, gone from 1.05 on, so that only what is above 0.95 folds.
_CUTOFF = 0.95
_TRANSITION = 0.2
_ATTENUATION_DB = 60.0
# Rates without a simple ratio need more fractions of a sample than these; they take the nearest.
_MOST_PHASES = 1024
_OUTPUTS_AT_ONCE = 2048  # bounds memory, however much is fed at once


class LiveResampler:
    """A stream of mono samples brought to another rate; the same samples come out however they are cut.

    n samples become n * to_rate / from_rate, rounded, and never none where there was one. To 16 kHz it waits
    for 1.2 ms at 44.1 kHz and above, and for 2.4 ms at 8 kHz. `copy.deepcopy` copies all of its state.
    """

    def __init__(self, from_rate: float, to_rate: float):
        ratio = Fraction(from_rate).limit_denominator(1000) / Fraction(to_rate).limit_denominator(1000)
        self._step, self._phases = ratio.numerator, ratio.denominator
        self._half_width = _half_width(self._step, self._phases)
        # A position is a sample of `_kept` and a phase after it, as one number of phases.
        self._kept: Samples = np.zeros(self._half_width - 1, np.float32)
        self._position = (self._half_width - 1) * self._phases
        self._in = 0
        self._out = 0

    def feed(self, samples: Samples) -> Samples:
        """Take samples, give those that are ready."""
        if self._step == self._phases:
            return samples
        self._in += len(samples)
        return self._filter(samples)

    def finish(self) -> Samples:
        """Give what is left at the end of the recording. The resampler has then done its work."""
        if self._in == 0:
            return np.zeros(0, np.float32)
        left = max(1, round(self._in * self._phases / self._step)) - self._out
        beyond = self._half_width + math.ceil(self._step / self._phases)
        return self._filter(np.zeros(beyond, np.float32))[:left]

    def _filter(self, samples: Samples) -> Samples:
        """Make every sample whose window has been fed, and keep what the next windows need."""
        kept = np.concatenate([self._kept, samples])
        reach = (len(kept) - self._half_width) * self._phases
        count = max(0, -((self._position - reach) // self._step))
        made = [
            self._apply(kept, self._position + first * self._step, min(_OUTPUTS_AT_ONCE, count - first))
            for first in range(0, count, _OUTPUTS_AT_ONCE)
        ]
        self._position += count * self._step
        self._out += count
        passed = self._position // self._phases - (self._half_width - 1)
        self._kept = kept[passed:].copy()
        self._position -= passed * self._phases
        return np.concatenate([*made, np.zeros(0, np.float32)])

    def _apply(self, kept: Samples, position: int, count: int) -> Samples:
        """Make `count` samples, the first of them at a position: [shape=(count,)]."""
        centres, phases = np.divmod(position + np.arange(count) * self._step, self._phases)
        filters = _filters(self._step, self._phases)
        width = 2 * self._half_width
        # As numpy's sliding_window_view, which loses some bytes at every call: much in an hour.
        windows: Samples = np.ndarray(
            (len(kept) - width + 1, width), kept.dtype, kept, strides=kept.strides * 2
        )
        nearest = np.rint(phases * ((len(filters) - 1) / self._phases)).astype(np.intp)
        made: Samples = np.einsum("nk,nk->n", windows[centres - (self._half_width - 1)], filters[nearest])
        return made


def _half_width(step: int, phases: int) -> int:
    """Samples on each side of a made one that its window takes in."""
    transition = _TRANSITION * min(1.0, phases / step) / 2  # in cycles a sample
    return math.ceil((_ATTENUATION_DB - 7.95) / (14.36 * transition) / 2)


@functools.lru_cache(maxsize=16)
def _filters(step: int, phases: int) -> Samples:
    """The filter at each fraction of a sample from 0 to 1, both included: [shape=(fractions + 1, window)]."""
    half_width = _half_width(step, phases)
    fractions = np.linspace(0, 1, min(phases, _MOST_PHASES) + 1)[:, np.newaxis]
    times = fractions - np.arange(1 - half_width, half_width + 1)
    beta = 0.1102 * (_ATTENUATION_DB - 8.7)
    window = np.i0(beta * np.sqrt(np.maximum(0, 1 - (times / half_width) ** 2)))
    filters = np.sinc(_CUTOFF * min(1.0, phases / step) * times) * window
    return np.asarray(filters / filters.sum(axis=1, keepdims=True), np.float32)
