"""faster-whisper: `install(detector)`, then `WhisperModel.transcribe(..., vad_filter=True)`."""

from typing import Any

import numpy as np
import numpy.typing as npt

from vad.adapters import client
from vad.compat.silero import SileroModel
from vad.detection.detector import Detector

with client("faster-whisper"):
    from faster_whisper import vad as _theirs

__all__ = ["VADModel", "install"]

_RATE = 16000


class VADModel:
    """What faster-whisper calls for the probabilities of a recording. `vad_parameters` stay its own."""

    def __init__(self, detector: Detector | None = None):
        self._model = SileroModel(detector)

    def __call__(self, audio: npt.NDArray[Any], *_: object, **__: object) -> npt.NDArray[np.float32]:
        """One probability for each 512 samples at 16 kHz. [shape=(windows,)]."""
        return self._model.window_probabilities(audio, _RATE)


def install(detector: Detector | None = None) -> None:
    """Let the voice filter of faster-whisper use a detector from now on; None is one with the default model."""
    model = VADModel(detector)
    _theirs.get_vad_model = lambda: model
