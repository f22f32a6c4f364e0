"""The functions and classes of silero-vad and webrtcvad, over our models: change only the import of a program.

    from silero_vad import load_silero_vad, get_speech_timestamps     ─►  from vad.compat import ...
    import webrtcvad                                                  ─►  from vad import compat as webrtcvad

Names, defaults, units and results are those of silero-vad 6.2 and webrtcvad 2.0. The probabilities, and the rules that
make segments of them, are ours (see `vad.detection.segmenter`). Audio may be a NumPy array, a list of floats or a torch
tensor, at any sample rate. torch is never imported.

The times of `get_speech_timestamps` and `VADIterator` are right. The probability of a model call and the result of
`Vad.is_speech` are `Model.delay_frames` late. `get_speech_timestamps` uses the lookahead output of a model that has
one; all others use the low-latency output.
"""

from vad.compat.silero import (
    SileroModel,
    VADIterator,
    collect_chunks,
    drop_chunks,
    get_speech_timestamps,
    load_silero_vad,
    read_audio,
)
from vad.compat.webrtc import Error, Vad, valid_rate_and_frame_length

__all__ = [
    "Error",
    "SileroModel",
    "VADIterator",
    "Vad",
    "collect_chunks",
    "drop_chunks",
    "get_speech_timestamps",
    "load_silero_vad",
    "read_audio",
    "valid_rate_and_frame_length",
]
