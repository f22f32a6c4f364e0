"""webrtcvad's class: `import webrtcvad` becomes `from vad import compat as webrtcvad`."""

import functools
from typing import Any

import numpy as np

from vad.compat.silero.model import SileroModel
from vad.detection.default import default_model
from vad.detection.detector import Detector
from vad.errors import AudioError, require, shown

__all__ = ["Error", "Vad", "valid_rate_and_frame_length"]

__version__ = "2.0.14"  # the one whose names these are

_RATES_HZ = (8000, 16000, 32000, 48000)
_FRAMES_MS = (10, 20, 30)


class Error(AudioError):
    """A frame has a length or sample rate that webrtcvad does not take."""


class _WrongTypeError(Error, TypeError):
    """An argument has a type that webrtcvad does not take."""


class Vad:
    """webrtcvad's detector: speech or not, frame by frame. All share one network.

    Args:
        mode: As for `set_mode`; None is 0.
    """

    def __init__(self, mode: int | None = None):
        self._model = SileroModel(_detector())
        self.set_mode(0 if mode is None else mode)

    def set_mode(self, mode: int) -> None:
        """Choose the threshold: 0 that of the operating point eager, 1 balanced, 3 precise, and 2 between 1 and 3.

        Raises:
            ConfigError: `mode` is not 0, 1, 2 or 3.
            TypeError: `mode` is not a whole number.
        """
        if not isinstance(mode, int):
            raise _WrongTypeError(f"mode must be a whole number. Received: mode={shown(mode)}.")
        require(mode in (0, 1, 2, 3), "mode must be 0, 1, 2 or 3", mode=mode)
        points = self._model.detector.model.card["segment_options"]
        eager, balanced, precise = (points[name]["threshold"] for name in ("eager", "balanced", "precise"))
        self._threshold = (eager, balanced, (balanced + precise) / 2, precise)[mode]

    def is_speech(self, buf: Any, sample_rate: int, length: int | None = None) -> bool:
        """Process the next frame.

        Args:
            buf: 16-bit samples, mono: bytes, or what else has a buffer of them.
            sample_rate: 8000, 16000, 32000 or 48000 Hz.
            length: Number of samples to use; None is all. They must last 10, 20 or 30 ms.

        Raises:
            IndexError: `length` is more than the samples in `buf`.
            Error: The frame has another length or rate.
            TypeError: `buf` is not bytes.
        """
        try:
            whole = len(memoryview(buf).cast("B")) // 2
        except TypeError as error:
            raise _WrongTypeError(f"a frame must be bytes. Received: {shown(buf)}.") from error
        length = length or whole
        if length > whole:
            raise IndexError(f"buffer has {whole} frames, but length argument was {length}")
        if not valid_rate_and_frame_length(sample_rate, length):
            raise Error(
                "a frame must last 10, 20 or 30 ms at 8000, 16000, 32000 or 48000 Hz. "
                f"Received: {length} samples at {sample_rate} Hz."
            )
        probability = self._model(np.frombuffer(buf, "<i2", length), sample_rate)
        return bool(probability >= self._threshold)


def valid_rate_and_frame_length(rate: int, frame_length: int) -> bool:
    """Whether `Vad.is_speech` takes frames of this many samples at this rate.

    Raises:
        ConfigError: A number does not fit 32 bits.
    """
    fits = max(rate, frame_length) < 2**31
    require(fits, "rate and frame_length must fit 32 bits", rate=rate, frame_length=frame_length)
    return rate in _RATES_HZ and frame_length in [rate * ms // 1000 for ms in _FRAMES_MS]


@functools.cache
def _detector() -> Detector:
    return Detector(default_model())
