"""pyannote: detections as its `SlidingWindowFeature` and `Annotation`, and a pipeline."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from vad.adapters import client, given_or_default
from vad.detection.detector import Detection, Detector

with client("pyannote.core"):
    from pyannote.core import Annotation, Segment, SlidingWindow, SlidingWindowFeature

__all__ = ["VoiceActivityDetection", "annotation", "scores"]


def scores(detection: Detection) -> SlidingWindowFeature:
    """The probabilities as pyannote's frames. [shape=(frames, 1)]."""
    window = SlidingWindow(start=0.0, duration=detection.frame_duration, step=detection.frame_duration)
    return SlidingWindowFeature(detection.probabilities[:, np.newaxis], window, labels=["SPEECH"])


def annotation(detection: Detection, uri: str | None = None) -> Annotation:
    """The segments with the label SPEECH."""
    result = Annotation(uri=uri, modality="speech")
    for number, segment in enumerate(detection.segments):
        result[Segment(segment.start, segment.end), number] = "SPEECH"
    return result


class VoiceActivityDetection:
    """In place of pyannote.audio's pipeline of this name.

    Args:
        detector: None is one with the default model.
    """

    def __init__(self, detector: Detector | None = None):
        self.detector = given_or_default(detector)

    def __call__(self, file: Any) -> Annotation:
        """Detect the speech in a path, a binary stream, or a mapping with `audio` or `waveform` and `sample_rate`."""
        mapping = file if isinstance(file, Mapping) else {"audio": file}
        if "waveform" in mapping:  # channels first
            detection = self.detector.process(np.asarray(mapping["waveform"]).T, mapping["sample_rate"])
        else:
            detection = self.detector.process(mapping["audio"])
        return annotation(detection, mapping.get("uri"))
