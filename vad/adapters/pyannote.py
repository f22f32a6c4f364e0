"""pyannote: detections as its `SlidingWindowFeature` and `Annotation`, and a pipeline."""

from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from vad.adapters import client, given_or_default
from vad.audio.samples import Channel
from vad.detection.detection import Detection
from vad.detection.detector import Detector

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

    def __call__(self, file: Any, hook: Callable[..., object] | None = None) -> Annotation:
        """Detect the speech in a path, a binary stream, or a mapping with `audio` or `waveform` and `sample_rate`.

        Args:
            file: A mapping may have a `channel`, counted from 0, and a `uri`. That of a path is its stem.
            hook: Called with "segmentation", the `scores` and the mapping, as pyannote.audio's hooks are.
        """
        mapping = file if isinstance(file, Mapping) else {"audio": file}
        uri = mapping.get("uri")
        channel: Channel = "mix" if mapping.get("channel") is None else mapping["channel"]
        if "waveform" in mapping:  # channels first
            samples = np.asarray(mapping["waveform"]).T
            detection = self.detector.process(samples, mapping["sample_rate"], channel=channel)
        else:
            audio = mapping["audio"]
            detection = self.detector.process(audio, channel=channel)
            if uri is None and isinstance(audio, str | PathLike):
                uri = Path(audio).stem
        if hook is not None:
            hook("segmentation", scores(detection), file=mapping)
        return annotation(detection, uri)
