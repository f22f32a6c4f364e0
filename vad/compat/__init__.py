"""The call shapes of silero-vad and webrtcvad, over our networks: a program changes its import and runs.

    from silero_vad import load_silero_vad, get_speech_timestamps     ─►  from vad.compat import ...
    import webrtcvad                                                  ─►  from vad import compat as webrtcvad

Names, defaults, units and results are theirs (silero-vad 6.2, webrtcvad 2.0); the probabilities, and the rules that
make segments of them, are ours (see `vad.detection.segmenter`). Audio may be a NumPy array, a list of floats or a torch
tensor (torch is never imported), at any sample rate.

A network that hears past the frame it speaks of answers late. `get_speech_timestamps` and `VADIterator` give times
that are already corrected; a model that is called, and `Vad.is_speech`, answer for `Model.delay_frames` frames ago.
Of a network that decides twice `get_speech_timestamps` gets the late decisions, all others the prompt ones.
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
