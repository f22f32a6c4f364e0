"""What samples may be: the one validator, the choice of a channel, and the change of rate."""

from numbers import Integral, Real
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import soxr

from vad.errors import AudioError, ConfigError, shown

__all__ = [
    "MAX_SAMPLE_RATE",
    "MIN_SAMPLE_RATE",
    "Channel",
    "Resampler",
    "as_array",
    "as_float32",
    "check_channel",
    "sample_rate_problem",
    "validate_samples",
]

Channel: TypeAlias = int | Literal["mix"]
Samples: TypeAlias = npt.NDArray[np.float32]

MIN_SAMPLE_RATE = 4_000
MAX_SAMPLE_RATE = 384_000

# Float audio may pass full scale by some decibels; integers that nobody scaled pass it by far more.
_MAX_FLOAT_PEAK = 10.0
_MAX_CHANNELS = 1024
_INTEGER_PEAKS = {"int16": 2.0**15, "int32": 2.0**31}


def validate_samples(
    samples: npt.ArrayLike, sample_rate: float, *, channel: Channel = "mix", start: float = 0.0
) -> Samples:
    """Check samples and make them mono float32 in [-1, 1].

    Args:
        samples: float32 or float64 in [-1, 1] (up to 20 dB over is let pass), or int16, int32 or uint8, which
            are scaled. [shape=(samples,) or (samples, channels)]
        sample_rate: Their rate, 4000 to 384000 Hz.
        channel: "mix" for the mean of all channels, or the index of one, counted from 0.
        start: Where in the recording they begin, in seconds; for messages.

    Returns:
        Mono samples, not a view of a caller's buffer where anything had to change. [shape=(samples,)]

    Raises:
        AudioError: The type, the shape, a value (NaN, infinite, unscaled) or the sample rate is no audio's,
            or there is no such channel.
        ConfigError: `channel` is neither "mix" nor an index.
    """
    problem = sample_rate_problem(sample_rate)
    if problem is not None:
        raise AudioError(problem)
    check_channel(channel)
    values = as_float32(samples)
    _check_values(values, sample_rate, start)
    if values.ndim == 1:
        values = values[:, np.newaxis]
    channels = values.shape[1]
    if channel == "mix":
        return values[:, 0] if channels == 1 else _mix(values)
    if channel >= channels:
        raise AudioError(
            "channel must be one that the recording has, counted from 0. "
            f"Received: channel={channel} of {channels} channels."
        )
    return np.ascontiguousarray(values[:, channel])


def as_array(samples: Any) -> npt.NDArray[Any]:
    """Give what an array, a list or a tensor holds, wherever the tensor lies and whatever it is recorded for.

    Raises:
        AudioError: It makes no array.
    """
    try:
        for step in (
            "detach",
            "cpu",
            "numpy",
        ):  # what a tensor that requires grad, or lies on a GPU, asks for
            if hasattr(samples, step):
                samples = getattr(samples, step)()
        return np.asarray(samples)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise AudioError(
            f"samples must be an array of numbers. Received: {type(samples).__name__} ({reason})."
        ) from error


def as_float32(samples: npt.ArrayLike) -> Samples:
    """Scale samples of any known type to float32 in [-1, 1], of the same shape.

    Raises:
        AudioError: The type or the shape is no audio's.
    """
    values = as_array(samples)
    kind = values.dtype.name
    if kind in _INTEGER_PEAKS:
        scaled: npt.NDArray[Any] = values / np.float32(_INTEGER_PEAKS[kind])
    elif kind == "uint8":
        scaled = (values - np.float32(128)) / np.float32(128)
    elif kind in ("float32", "float64"):
        scaled = values
    else:
        raise AudioError(
            f"samples must be float32, float64, int16, int32 or uint8. Received: {kind}. Convert them, and "
            "scale floats to [-1, 1]."
        )
    if values.ndim not in (1, 2) or (values.ndim == 2 and not 1 <= values.shape[1] <= _MAX_CHANNELS):
        raise AudioError(
            f"samples must have the shape (samples,) or (samples, channels). Received: {values.shape}. "
            "Transpose what has its channels first."
        )
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, and is refused as that
        return scaled.astype(np.float32, copy=False)


def sample_rate_problem(sample_rate: float) -> str | None:
    """Say what is wrong with a sample rate at which nobody records; None where nothing is."""
    if isinstance(sample_rate, Real) and MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        return None
    return (
        f"sample_rate must be between {MIN_SAMPLE_RATE} and {MAX_SAMPLE_RATE} Hz. "
        f"Received: sample_rate={shown(sample_rate)}."
    )


def check_channel(channel: Channel) -> None:
    """Refuse what is no choice of a channel.

    Raises:
        ConfigError: It is neither "mix" nor an index, counted from 0.
    """
    if isinstance(channel, str) and channel == "mix":
        return
    if isinstance(channel, bool) or not isinstance(channel, Integral) or channel < 0:
        raise ConfigError(
            f'channel must be "mix" or an index, counted from 0. Received: channel={shown(channel)}.'
        )


class Resampler:
    """A stream of mono samples brought to another rate; the same samples come out however they are cut.

    soxr at its high quality, which is what librosa resamples with. n samples become n * to_rate / from_rate,
    rounded, and never none where there was one.
    """

    def __init__(self, from_rate: float, to_rate: float):
        same = from_rate == to_rate
        self._stream = None if same else soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32")
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
        if self._stream is None:
            return np.zeros(0, np.float32)
        rest: Samples = self._stream.resample_chunk(np.zeros(0, np.float32), last=True)
        if self._any_in and not self._any_out and not len(rest):
            return np.zeros(1, np.float32)
        return rest


def _check_values(values: Samples, sample_rate: float, start: float) -> None:
    peak = float(np.abs(values).max(initial=0.0))
    if peak <= _MAX_FLOAT_PEAK:
        return
    if np.isfinite(peak):
        raise AudioError(
            f"float samples must lie in [-1, 1]. Received: a peak of {peak:g}. Divide them by the full scale "
            "of the integers they came from."
        )
    first = tuple(np.argwhere(~np.isfinite(values))[0])
    time = start + first[0] / sample_rate
    raise AudioError(f"samples must be finite numbers. Received: {values[first]} at {time:.3f} s.")


def _mix(values: Samples) -> Samples:
    """Average the channels, column by column: the same however rows are cut, and faster than numpy's mean."""
    mono = values[:, 0].copy()
    for index in range(1, values.shape[1]):
        mono += values[:, index]
    mono /= values.shape[1]
    return mono
