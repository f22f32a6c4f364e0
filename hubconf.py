"""torch.hub.load(FOLDER OF THIS FILE, "silero_vad", source="local"), as of silero-vad's repository."""

from pathlib import Path
from typing import Any

import vad

dependencies = ["numpy", "soundfile", "soxr"]

# In a clone that is not installed, the package vad.models lies beside vad, not in it.
vad.__path__.append(str(Path(__file__).parent))


def silero_vad(onnx: bool = False, force_onnx_cpu: bool = False, opset_version: int = 16) -> tuple[Any, Any]:
    """The default model, and the functions that silero-vad gives with it. The arguments do nothing here."""
    from vad import compat

    functions = (
        compat.get_speech_timestamps,
        compat.save_audio,
        compat.read_audio,
        compat.VADIterator,
        compat.collect_chunks,
    )
    return compat.load_silero_vad(), functions
