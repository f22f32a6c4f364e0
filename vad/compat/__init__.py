"""The functions and classes of silero-vad and webrtcvad, over our models: change only the import of a program.

    from silero_vad import load_silero_vad, get_speech_timestamps     ─►  from vad.compat import ...
    import webrtcvad                                                  ─►  from vad import compat as webrtcvad

Where the imports cannot be changed, `install` puts the two packages in their place. Names, defaults, units and results
are those of silero-vad 6.2 and webrtcvad 2.0. The probabilities are ours, and so are the rules that make segments of
them (see `vad.detection.segmenter`). Audio may be an array, a list of floats or a torch tensor, at any sample rate.
torch is never imported.

The times of `get_speech_timestamps`, `audio_forward` and `VADIterator` are right. The probability of a model call and
the result of `Vad.is_speech` are `Model.delay_frames` late. Whole recordings are read ahead, as
`vad.Detector(lookahead=True)` does; all others get the low-latency output.
"""

import sys

from vad.compat import silero, webrtc
from vad.compat.silero import (
    SileroModel,
    SileroVADSequence,
    VADIterator,
    __version__,
    collect_chunks,
    drop_chunks,
    get_speech_timestamps,
    get_speech_timestamps_from_probs,
    get_speech_timestamps_sequence,
    load_silero_vad,
    read_audio,
    save_audio,
)
from vad.compat.webrtc import Error, Vad, valid_rate_and_frame_length

__all__ = [
    "Error",
    "SileroModel",
    "SileroVADSequence",
    "VADIterator",
    "Vad",
    "__version__",
    "collect_chunks",
    "drop_chunks",
    "get_speech_timestamps",
    "get_speech_timestamps_from_probs",
    "get_speech_timestamps_sequence",
    "install",
    "load_silero_vad",
    "read_audio",
    "save_audio",
    "valid_rate_and_frame_length",
]


def install() -> None:
    """Let `import silero_vad` and `import webrtcvad` give these functions from now on, in the whole process."""
    sys.modules |= {"webrtcvad": webrtc, "silero_vad": silero, "silero_vad.model": silero.model}
    for name in ("utils_vad", "sequence_vad"):
        sys.modules[f"silero_vad.{name}"] = silero
        setattr(silero, name, silero)  # for `from silero_vad import utils_vad`
