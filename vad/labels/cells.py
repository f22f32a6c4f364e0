"""Labels on a grid: which frames or cells are speech, by one rule for training, evaluation and preparation."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from vad.detection.segments import Segment
from vad.errors import ConfigError

__all__ = ["CELL_DURATION", "labels_to_frames"]

CELL_DURATION = 0.01
"""Seconds of a cell, the finest grid that labels are laid on."""

# Times are decimal seconds held in binary: 0.07 s / 20 ms is 3.5000000000000004 frames, yet a middle.
_ROUNDING = 1e-6


def labels_to_frames(segments: Iterable[Segment], n_frames: int, frame_duration: float) -> NDArray[np.bool_]:
    """Lays segments on a grid of frames: a frame is speech where its middle lies in a segment.

    Args:
        segments: Reference turns, seconds, in any order; where they overlap, their union is speech.
        n_frames: Frames in the grid; what segments hold beyond it is left out.
        frame_duration: Seconds per frame; frame i covers [i, i + 1) * frame_duration.

    Returns:
        True where there is speech [shape=(n_frames,)].

    Raises:
        ConfigError: ``n_frames`` is negative or ``frame_duration`` is not positive.
    """
    if n_frames < 0:
        raise ConfigError(f"n_frames must be 0 or more. Received: n_frames={n_frames}.")
    if not 0.0 < frame_duration < math.inf:
        raise ConfigError(
            f"frame_duration must be a positive number of seconds. Received: frame_duration={frame_duration}."
        )

    def first_middle_after(time: float) -> int:
        return max(math.ceil(time / frame_duration - 0.5 - _ROUNDING), 0)

    frames = np.zeros(n_frames, dtype=np.bool_)
    for segment in segments:
        frames[first_middle_after(segment.start) : first_middle_after(segment.end)] = True
    return frames
