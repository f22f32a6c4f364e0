"""Voice activity detection: detect speech in files, in streams and at the microphone.

    import vad

    for segment in vad.detect_file("meeting.wav"):
        print(segment.start, segment.end)

Names are loaded when they are first used, so `import vad` is fast.
"""

import importlib
import sys
from types import ModuleType

TYPE_CHECKING = False  # type checkers take it as true, and typing takes milliseconds to load
if TYPE_CHECKING:
    from vad.audio.microphone import Microphone, list_devices
    from vad.audio.raw_format import RawFormat
    from vad.audio.reading import read_audio
    from vad.detection.chunks import Chunk, chunks_from_probabilities
    from vad.detection.default import detect, detect_file
    from vad.detection.detection import Detection
    from vad.detection.detector import Detector
    from vad.detection.model import Model
    from vad.detection.model_files import model_names
    from vad.detection.options import SegmentOptions
    from vad.detection.segmenter import Segmenter, segments_from_probabilities
    from vad.detection.segments import Event, Segment, SpeechEnd, SpeechRejected, SpeechStart
    from vad.detection.stream import Stream
    from vad.detection.trimming import trim_file
    from vad.errors import (
        AudioError,
        ConfigError,
        DeviceError,
        LabelError,
        MissingDependencyError,
        ModelError,
        VadError,
    )
    from vad.labels import read_entries, read_labels, write_labels

__version__ = "0.2.0"

__all__ = [
    "AudioError",
    "Chunk",
    "ConfigError",
    "Detection",
    "Detector",
    "DeviceError",
    "Event",
    "LabelError",
    "Microphone",
    "MissingDependencyError",
    "Model",
    "ModelError",
    "RawFormat",
    "Segment",
    "SegmentOptions",
    "Segmenter",
    "SpeechEnd",
    "SpeechRejected",
    "SpeechStart",
    "Stream",
    "VadError",
    "chunks_from_probabilities",
    "detect",
    "detect_file",
    "list_devices",
    "model_names",
    "read_audio",
    "read_entries",
    "read_labels",
    "segments_from_probabilities",
    "trim_file",
    "write_labels",
]

_MODULES = {
    "vad.audio.raw_format": ("RawFormat",),
    "vad.audio.reading": ("read_audio",),
    "vad.detection.chunks": ("Chunk", "chunks_from_probabilities"),
    "vad.detection.default": ("detect", "detect_file"),
    "vad.detection.detection": ("Detection",),
    "vad.detection.detector": ("Detector",),
    "vad.errors": (
        "AudioError",
        "ConfigError",
        "DeviceError",
        "LabelError",
        "MissingDependencyError",
        "ModelError",
        "VadError",
    ),
    "vad.labels": ("read_entries", "read_labels", "write_labels"),
    "vad.audio.microphone": ("Microphone", "list_devices"),
    "vad.detection.model": ("Model",),
    "vad.detection.model_files": ("model_names",),
    "vad.detection.options": ("SegmentOptions",),
    "vad.detection.segmenter": ("Segmenter", "segments_from_probabilities"),
    "vad.detection.segments": ("Event", "Segment", "SpeechEnd", "SpeechRejected", "SpeechStart"),
    "vad.detection.stream": ("Stream",),
    "vad.detection.trimming": ("trim_file",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'vad' has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted({*globals(), *__all__})


class _OldModule(ModuleType):
    """A module under its name in 0.1.0. Each use gives a DeprecationWarning. It goes with the next release."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        import warnings

        new = _OLD_MODULES[self.__name__]
        warnings.warn(
            f"{self.__name__} is now {new}. Import public names from vad.", DeprecationWarning, stacklevel=2
        )
        return getattr(importlib.import_module(new), name)


# Those that the documentation of 0.1.0 named.
_OLD_MODULES = {
    "vad.metrics": "vad.evaluation.frame_metrics",
    "vad.microphone": "vad.audio.microphone",
    "vad.runtime": "vad.detection.model",
}
for _old in _OLD_MODULES:
    sys.modules[_old] = globals()[_old.removeprefix("vad.")] = _OldModule(_old)
