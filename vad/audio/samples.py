"""Validation of samples, and their conversion to mono float32."""

from numbers import Integral, Real
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from vad.audio.channels import Mixer, Samples
from vad.errors import AudioError, ConfigError, shown

__all__ = [
    "MAX_SAMPLE_RATE",
    "MIN_SAMPLE_RATE",
    "Channel",
    "MonoInput",
    "Samples",
    "as_array",
    "as_float32",
    "check_channel",
    "sample_rate_problem",
    "samples_before_fault",
    "validate_samples",
]

Channel: TypeAlias = int | Literal["mix"]

MIN_SAMPLE_RATE = 4_000
MAX_SAMPLE_RATE = 384_000

# Float audio may exceed full scale by some decibels. Unscaled integers exceed it by far more.
_MAX_FLOAT_PEAK = 10.0
_MAX_CHANNELS = 64
_INTEGER_PEAKS = {"int16": 2.0**15, "int32": 2.0**31}

# int16 samples in an int32 array would be nearly silent. So int32 samples must exceed the range of int16, apart from
# multiples of 256 (24-bit devices), near silence and the first half second.
_MIN_INT32_PEAK, _MAX_INT16 = 1024, 32768
_INT32_CHECK_AFTER_S = 0.5


def validate_samples(samples: npt.ArrayLike, sample_rate: float, *, channel: Channel = "mix") -> Samples:
    """Check samples and convert them to mono float32 in [-1, 1].

    Args:
        samples: float16, float32 or float64 in [-1, 1] (peaks up to 20 dB above are accepted), or int16, int32 or
            uint8, which are scaled. [shape=(samples,), (samples, channels) or (1, samples)]
        sample_rate: In Hz, 4000 to 384000.
        channel: "mix" for the mean of all channels, or the index of one, from 0. If the channels cancel each other
            out, "mix" is the louder one, and a warning is logged.

    Returns:
        Mono samples. A view of `samples` if no conversion was needed. [shape=(samples,)]

    Raises:
        AudioError: The type, the shape, a value (NaN, infinite, unscaled) or the sample rate is invalid, or there is
            no such channel.
        ConfigError: `channel` is neither "mix" nor an index.
    """
    return MonoInput(sample_rate, channel).feed(samples)


class MonoInput:
    """Converts a recording to mono float32 block by block; see `validate_samples`.

    It remembers what a single block does not show: the number of channels, whether they cancel each other out, and
    the peak of integers.

    Args:
        sample_rate: In Hz, 4000 to 384000.
        channel: "mix" or an index.
        channels: Number of channels, if known. Then the shape and the range of integers are not checked.
        name: The recording's name in messages.

    Raises:
        AudioError: The sample rate is out of range.
        ConfigError: `channel` is neither "mix" nor an index.
    """

    def __init__(
        self,
        sample_rate: float,
        channel: Channel = "mix",
        *,
        channels: int | None = None,
        name: str | None = None,
    ):
        problem = sample_rate_problem(sample_rate)
        if problem is not None:
            raise AudioError(problem)
        check_channel(channel)
        self._sample_rate = sample_rate
        self._channel = channel
        self._trusted = channels is not None
        self._channels = channels
        self._name = "" if name is None else f"{name}: "
        self._samples = 0
        self._int32_peak = 0
        self._mixer: Mixer | None = None

    def feed(self, samples: npt.ArrayLike) -> Samples:
        """Convert the next samples. If they are invalid, none of them counts.

        Raises:
            AudioError: They are invalid, or there is no such channel.
        """
        array = as_array(samples)
        values = as_float32(array)
        if values.ndim != 2 or not self._trusted:
            values = self._columns(values)
        _check_values(values, self._sample_rate, self._samples / self._sample_rate)
        self._check_int32(array)
        channels = values.shape[1]
        if self._channel != "mix" and self._channel >= channels:
            raise AudioError(
                f"channel must be less than the number of channels, {channels}. Received: channel={self._channel}."
            )
        self._samples += len(values)
        if len(values) > 1:
            self._channels = channels
        if channels == 1:
            return values[:, 0]
        if self._channel != "mix":
            return np.ascontiguousarray(values[:, self._channel])
        if self._mixer is None or self._mixer.channels != channels:
            self._mixer = Mixer(channels, self._sample_rate, self._name)
        return self._mixer.feed(values)

    def _columns(self, values: Samples) -> Samples:
        """Reshape to one column per channel."""
        if values.ndim == 1:
            return values[:, np.newaxis]
        if values.ndim == 2 and len(values) == 1 and self._channels != values.shape[1]:
            return values.T  # one channel, as PyAV, aiortc and torchaudio give it
        fits = values.ndim == 2 and 1 <= values.shape[1] <= _MAX_CHANNELS
        if not fits or 1 < len(values) < values.shape[1]:
            raise AudioError(
                f"samples must have the shape (samples,) or (samples, channels), with at most {_MAX_CHANNELS} "
                f"channels and no more channels than samples. Received: {values.shape}. Transpose (channels, samples)."
            )
        return values

    def _check_int32(self, array: npt.NDArray[Any]) -> None:
        if array.dtype != np.int32 or self._trusted or self._int32_peak > _MAX_INT16 or not array.size:
            return
        peak = max(int(array.max()), -int(array.min()))
        self._int32_peak = max(self._int32_peak, _MAX_INT16 + 1 if not np.any(array & 255) and peak else peak)
        seconds = (self._samples + array.shape[0 if array.shape[0] > 1 else -1]) / self._sample_rate
        if seconds >= _INT32_CHECK_AFTER_S and _MIN_INT32_PEAK < self._int32_peak <= _MAX_INT16:
            raise AudioError(
                f"int32 samples must use the range of 32 bits. Received: a peak of {self._int32_peak}, as of 16 bits. "
                "Convert them: samples.astype('int16')."
            )


def as_array(samples: npt.ArrayLike) -> npt.NDArray[Any]:
    """Convert an array-like object, or a tensor, to an array.

    Raises:
        AudioError: It is not an array of numbers.
    """
    if isinstance(samples, bytes | bytearray) or (isinstance(samples, memoryview) and samples.format == "B"):
        raise AudioError(
            "samples must be numbers. Received: bytes. State their type: numpy.frombuffer(samples, 'int16')."
        )
    values: Any = samples
    try:
        for step in ("detach", "cpu", "numpy"):  # a tensor that requires a gradient, or lies on a GPU
            values = getattr(values, step)() if hasattr(values, step) else values
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise AudioError(
            f"samples must be an array of numbers. Received: {type(samples).__name__} ({reason})."
        ) from error


def as_float32(values: npt.NDArray[Any]) -> Samples:
    """Scale samples of any supported type to float32 in [-1, 1], of the same shape.

    Raises:
        AudioError: The type is not supported.
    """
    kind = values.dtype.name
    if kind in _INTEGER_PEAKS:
        scaled: npt.NDArray[Any] = values / np.float32(_INTEGER_PEAKS[kind])
    elif kind == "uint8":
        scaled = (values - np.float32(128)) / np.float32(128)
    elif kind in ("float16", "float32", "float64"):
        scaled = values
    else:
        raise AudioError(
            f"samples must be float32, float64, float16, int16, int32 or uint8. Received: {kind}. Convert them: "
            "numpy.asarray(samples, 'int16') for whole numbers of 16 bits; scale floats to [-1, 1]."
        )
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, which is refused
        return scaled.astype(np.float32, copy=False)


def sample_rate_problem(sample_rate: float) -> str | None:
    """Describe what is wrong with a sample rate. None if it is valid."""
    if isinstance(sample_rate, Real) and MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        return None
    return (
        f"sample_rate must be between {MIN_SAMPLE_RATE} and {MAX_SAMPLE_RATE} Hz. "
        f"Received: sample_rate={shown(sample_rate)}."
    )


def check_channel(channel: Channel) -> None:
    """Check the choice of a channel.

    Raises:
        ConfigError: It is neither "mix" nor an index.
    """
    if isinstance(channel, str) and channel == "mix":
        return
    if isinstance(channel, bool) or not isinstance(channel, Integral) or channel < 0:
        raise ConfigError(f'channel must be "mix" or an index, from 0. Received: channel={shown(channel)}.')


def samples_before_fault(values: Samples) -> int:
    """Return how many samples come before the first invalid one.

    Args:
        values: All channels. [shape=(samples, channels)]
    """
    valid = np.abs(values).max(axis=1, initial=0.0) <= _MAX_FLOAT_PEAK
    return len(values) if valid.all() else int(valid.argmin())


def _check_values(values: Samples, sample_rate: float, start: float) -> None:
    peak = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
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
