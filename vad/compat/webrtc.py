"""webrtcvad's class: `import webrtcvad` becomes `from vad import compat as webrtcvad`."""

import numpy as np

from vad.compat.silero import SileroModel
from vad.detection.detector import Detector
from vad.errors import AudioError, ConfigError

__all__ = ["Error", "Vad", "valid_rate_and_frame_length"]

_RATES_HZ = (8000, 16000, 32000, 48000)
_FRAMES_MS = (10, 20, 30)


class Error(AudioError):
    """A frame that webrtcvad could not have heard."""


class Vad:
    """webrtcvad's detector: frame by frame, speech or not.

    Args:
        mode: 0 to 3, as `set_mode` takes it; None is 0.
    """

    def __init__(self, mode: int | None = None):
        self._model = SileroModel(Detector())
        self.set_mode(0 if mode is None else mode)

    def set_mode(self, mode: int) -> None:
        """Choose how much it takes to be speech.

        The thresholds are the model card's: 0 is the operating point eager, 1 balanced, 3 precise, and 2 lies between
        the last two.

        Raises:
            ConfigError: `mode` is not 0, 1, 2 or 3.
        """
        if mode not in (0, 1, 2, 3):
            raise ConfigError(f"mode must be 0, 1, 2 or 3. Received: mode={mode!r}.")
        points = self._model.detector.model.card["segment_options"]
        eager, balanced, precise = (points[name]["threshold"] for name in ("eager", "balanced", "precise"))
        self._threshold = (eager, balanced, (balanced + precise) / 2, precise)[mode]

    def is_speech(self, buf: bytes, sample_rate: int, length: int | None = None) -> bool:
        """Hear the next frame.

        Args:
            buf: 16-bit samples, mono.
            sample_rate: 8000, 16000, 32000 or 48000 Hz.
            length: How many of the samples to hear; None is all. They must last 10, 20 or 30 ms.

        Raises:
            IndexError: `length` is more than there is.
            Error: A frame of another length or rate.
        """
        whole = len(buf) // 2
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
    """Tell whether `Vad.is_speech` takes frames of so many samples at such a rate."""
    return rate in _RATES_HZ and frame_length in [rate * ms // 1000 for ms in _FRAMES_MS]
