"""Times in whole milliseconds, as all results have them."""

import math

from vad.detection.segments import Segment

__all__ = ["in_milliseconds", "milliseconds"]


def in_milliseconds(segment: Segment) -> Segment:
    """Round both times down to a millisecond."""
    return Segment(milliseconds(segment.start), milliseconds(segment.end))


def milliseconds(seconds: float) -> float:
    """Round down to a millisecond: the end of a recording, and so of a segment, may lie between two."""
    return math.floor(seconds * 1000 + 1e-6) / 1000
