"""lhotse: `VAD(detector)(recording)` gives supervisions."""

from typing import Any

import numpy.typing as npt

from vad.adapters import client, given_or_default
from vad.detection.detector import Detector

with client("lhotse"):
    from lhotse.workflows.activity_detection.base import Activity, ActivityDetector

__all__ = ["VAD"]


class VAD(ActivityDetector):
    """lhotse's activity detector: a recording in, a `SupervisionSegment` for each segment of each channel out.

    Args:
        detector: None is one with the default model.
        device: Does nothing.
    """

    def __init__(self, detector: Detector | None = None, device: str = "cpu"):
        self.detector = given_or_default(detector)
        super().__init__("vad", sampling_rate=self.detector.sample_rate, device=device)

    def forward(self, track: npt.NDArray[Any]) -> list[Activity]:
        """Detect the speech in one channel. [shape=(samples,)]."""
        segments = self.detector.detect(track, self.detector.sample_rate)
        return [Activity(segment.start, segment.duration) for segment in segments]
