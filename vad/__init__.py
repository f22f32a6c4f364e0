"""Voice activity detection: when somebody speaks, in files, streams and at the microphone.

    import vad

    for segment in vad.detect_file("meeting.wav"):
        print(segment.start, segment.end)

Names are loaded when they are first used, so that `import vad` costs nothing.
"""

import importlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from vad.audio.microphone import Microphone, list_devices
    from vad.audio.reading import RawFormat, read_audio
    from vad.detection.detector import Detection, Detector, detect, detect_file
    from vad.detection.model import Model, model_names
    from vad.detection.options import SegmentOptions
    from vad.detection.segmenter import Segmenter, segments_from_probabilities
    from vad.detection.segments import Event, Segment, SpeechEnd, SpeechRejected, SpeechStart
    from vad.detection.stream import Stream
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
    "detect",
    "detect_file",
    "list_devices",
    "model_names",
    "read_audio",
    "read_entries",
    "read_labels",
    "segments_from_probabilities",
    "write_labels",
]

_MODULES = {
    "vad.audio.reading": ("RawFormat", "read_audio"),
    "vad.detection.detector": ("Detection", "Detector", "detect", "detect_file"),
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
    "vad.detection.model": ("Model", "model_names"),
    "vad.detection.options": ("SegmentOptions",),
    "vad.detection.segmenter": ("Segmenter", "segments_from_probabilities"),
    "vad.detection.segments": ("Event", "Segment", "SpeechEnd", "SpeechRejected", "SpeechStart"),
    "vad.detection.stream": ("Stream",),
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


# Modules that the documentation of 0.1.0 named, and what they are now.
_OLD_MODULES = {
    "vad.metrics": "vad.evaluation.frame_metrics",
    "vad.microphone": "vad.audio.microphone",
    "vad.runtime": "vad.detection.model",
}


class _OldModules:
    """Import a module under its old name, with a DeprecationWarning. It goes with the next release."""

    @classmethod
    def find_spec(cls, name: str, _path: object = None, _target: object = None) -> "ModuleSpec | None":
        """Answer for the old names alone, after all other finders."""
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, cls) if name in _OLD_MODULES else None  # type: ignore[arg-type]

    @staticmethod
    def create_module(_spec: "ModuleSpec") -> None:
        """Take Python's default module; `exec_module` replaces it."""

    @staticmethod
    def exec_module(module: "ModuleType") -> None:
        """Put the new module in place of the old one."""
        import warnings

        old, new = module.__name__, _OLD_MODULES[module.__name__]
        warnings.warn(f"{old} is now {new}. Import public names from vad.", DeprecationWarning, stacklevel=2)
        sys.modules[old] = importlib.import_module(new)


sys.meta_path.append(_OldModules)
