"""The package silero_vad: `from silero_vad import ...` becomes `from vad.compat import ...`."""

from vad.compat.silero.audio import collect_chunks, drop_chunks, read_audio, save_audio
from vad.compat.silero.iterator import VADIterator
from vad.compat.silero.model import SileroModel, SileroVADSequence, load_silero_vad
from vad.compat.silero.timestamps import (
    get_speech_timestamps,
    get_speech_timestamps_from_probs,
    get_speech_timestamps_sequence,
)

__all__ = [
    "SileroModel",
    "SileroVADSequence",
    "VADIterator",
    "collect_chunks",
    "drop_chunks",
    "get_speech_timestamps",
    "get_speech_timestamps_from_probs",
    "get_speech_timestamps_sequence",
    "load_silero_vad",
    "read_audio",
    "save_audio",
]

__version__ = "6.2.3"  # the one whose names these are
