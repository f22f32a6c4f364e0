"""What a detector finds in a recording."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from vad.detection.segments import Segment
from vad.errors import shown

__all__ = ["Detection", "Probabilities"]

Probabilities: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Detection:
    """The result of `Detector.process`.

    Attributes:
        duration: Seconds of audio.
        frame_duration: Seconds of audio per probability.
        probabilities: Of speech, 0 to 1, one per frame. Frame t begins at t * frame_duration seconds, and the last one
            may be partial. Empty for a recording without samples. [shape=(frames,)]
        segments: The speech, in order.
    """

    duration: float
    frame_duration: float
    probabilities: Probabilities
    segments: list[Segment]

    def __repr__(self) -> str:
        return (
            f"Detection(duration={round(self.duration, 6)}, frame_duration={self.frame_duration}, "
            f"probabilities=<{len(self.probabilities)} frames>, segments={shown(self.segments)})"
        )
