"""Labels on a grid of frames, by one rule for training, evaluation and preparation."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from vad.detection.segments import Segment
from vad.errors import require

__all__ = ["CELL_DURATION", "labels_to_frames", "require_seconds"]

CELL_DURATION = 0.01
"""Seconds in a cell, the unit of the finest grid."""

# Times are decimal seconds held in binary: 0.07 s / 20 ms is 3.5000000000000004 frames, yet a middle.
_ROUNDING = 1e-6


def labels_to_frames(segments: Iterable[Segment], n_frames: int, frame_duration: float) -> NDArray[np.bool_]:
    """Lays segments on a grid: a frame is speech where its middle lies in a segment.

    Args:
        segments: In seconds, in any order; they may overlap.
        n_frames: Frames in the grid. Speech beyond it is ignored.
        frame_duration: Seconds per frame; frame i covers [i, i + 1) * frame_duration.

    Returns:
        True where there is speech [shape=(n_frames,)].

    Raises:
        ConfigError: ``n_frames`` is negative or ``frame_duration`` is not positive.
    """
    require(n_frames >= 0, "n_frames must be 0 or more", n_frames=n_frames)
    require_seconds("frame_duration", frame_duration)

    def first_middle_after(time: float) -> int:
        return max(math.ceil(time / frame_duration - 0.5 - _ROUNDING), 0)

    frames = np.zeros(n_frames, dtype=np.bool_)
    for segment in segments:
        frames[first_middle_after(segment.start) : first_middle_after(segment.end)] = True
    return frames


def require_seconds(name: str, duration: float) -> None:
    """Refuse a duration that is not positive and finite.

    Raises:
        ConfigError: It is not.
    """
    require(0.0 < duration < math.inf, f"{name} must be a positive number of seconds", **{name: duration})
