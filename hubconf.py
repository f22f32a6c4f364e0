"""torch.hub.load(FOLDER OF THIS FILE, "silero_vad", source="local"), as of silero-vad's repository."""

from typing import Any

from vad.compat import (
    VADIterator,
    collect_chunks,
    get_speech_timestamps,
    load_silero_vad,
    read_audio,
    save_audio,
)

dependencies = ["vad"]


def silero_vad(onnx: bool = False, force_onnx_cpu: bool = False, opset_version: int = 16) -> tuple[Any, Any]:
    """The default model, and the functions that silero-vad gives with it. The arguments do nothing here."""
    functions = (get_speech_timestamps, save_audio, read_audio, VADIterator, collect_chunks)
    return load_silero_vad(), functions
