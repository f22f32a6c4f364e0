"""The union of segments."""

from collections.abc import Iterable

from vad.detection.segments import Segment

__all__ = ["merge"]


def merge(segments: Iterable[Segment], *, join_touching: bool = True) -> list[Segment]:
    """Join segments that overlap.

    Args:
        segments: in any order.
        join_touching: also join where one ends exactly where the next one starts.

    Returns:
        The union, in order of time.
    """
    union: list[Segment] = []
    for segment in sorted(segments):
        if union and (segment.start < union[-1].end or (join_touching and segment.start == union[-1].end)):
            union[-1] = Segment(union[-1].start, max(union[-1].end, segment.end))
        else:
            union.append(segment)
    return union
