"""Voice activity detection: when somebody speaks, in files, streams and at the microphone.

    import vad

    for segment in vad.detect_file("meeting.wav"):
        print(segment.start, segment.end)

Names are loaded when they are first used, so that `import vad` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vad.audio import read_audio
    from vad.detector import Detector, detect, detect_file
    from vad.errors import (
        AudioError,
        ConfigError,
        DeviceError,
        LabelError,
        MissingDependencyError,
        ModelError,
        VadError,
    )
    from vad.labels import read_labels, write_labels
    from vad.runtime import Model
    from vad.segments import (
        Event,
        Segment,
        Segmenter,
        SegmentOptions,
        SpeechEnd,
        SpeechRejected,
        SpeechStart,
    )
    from vad.stream import Stream

__version__ = "0.2.0"

__all__ = [
    "AudioError",
    "ConfigError",
    "Detector",
    "DeviceError",
    "Event",
    "LabelError",
    "MissingDependencyError",
    "Model",
    "ModelError",
    "Segment",
    "SegmentOptions",
    "Segmenter",
    "SpeechEnd",
    "SpeechRejected",
    "SpeechStart",
    "Stream",
    "VadError",
    "detect",
    "detect_file",
    "read_audio",
    "read_labels",
    "write_labels",
]

_MODULES = {
    "vad.audio": ("read_audio",),
    "vad.detector": ("Detector", "detect", "detect_file"),
    "vad.errors": (
        "AudioError",
        "ConfigError",
        "DeviceError",
        "LabelError",
        "MissingDependencyError",
        "ModelError",
        "VadError",
    ),
    "vad.labels": ("read_labels", "write_labels"),
    "vad.runtime": ("Model",),
    "vad.segments": (
        "Event",
        "Segment",
        "SegmentOptions",
        "Segmenter",
        "SpeechEnd",
        "SpeechRejected",
        "SpeechStart",
    ),
    "vad.stream": ("Stream",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Load the module of a public name when the name is first used."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'vad' has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted({*globals(), *__all__})
