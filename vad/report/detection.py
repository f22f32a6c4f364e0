"""The page of one recording: what was heard, how probable speech was, and the segments that came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from vad.detection.options import SegmentOptions
from vad.detection.segments import Segment
from vad.report.excerpt import Excerpt
from vad.report.page import (
    TIMELINE_SCRIPTS,
    fill_page,
    packed,
    shown_excerpt,
    shown_probabilities,
    shown_segments,
)

__all__ = ["Detection", "detection_page"]


@dataclass(frozen=True)
class Detection:
    """What was found in a recording.

    Attributes:
        name: What the page calls the recording.
        model: The model's name.
        options: The options in force.
        frame_duration: Seconds a frame.
        probabilities: Of speech, one a frame [shape=(frames,)].
        segments: In order.
    """

    name: str
    model: str
    options: SegmentOptions
    frame_duration: float
    probabilities: NDArray[np.float32]
    segments: Sequence[Segment]


def detection_page(detection: Detection, excerpt: Excerpt, audio_link: str | None = None) -> str:
    """Show a recording.

    Args:
        detection: What was found.
        excerpt: The recording; its sound is held in the page, where it has one.
        audio_link: Where else the audio is, as a URL relative to the page; None where it is nowhere.

    Returns:
        HTML in one file.
    """
    options = detection.options
    view = {
        **shown_excerpt(excerpt),
        "probability": shown_probabilities(detection.probabilities, detection.frame_duration),
        "thresholds": [options.threshold, options.release_threshold],
        "lanes": [{"name": "speech", "marks": {"detected": shown_segments(detection.segments)}}],
        "shaded": [0],
        "sound": packed(np.frombuffer(excerpt.sound, np.uint8)) if excerpt.sound else None,
        "link": None if excerpt.sound else audio_link,
    }
    data = {"name": detection.name, "model": detection.model, "options": asdict(options), "view": view}
    return fill_page(detection.name, [*TIMELINE_SCRIPTS, "detection.js"], data)
