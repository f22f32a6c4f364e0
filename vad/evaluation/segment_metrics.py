"""Segment metrics: detection errors in seconds, distances of boundaries, and recall of pauses.

Segments may overlap where speakers do; their union is measured. A rate without a denominator is nan.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vad.detection.segments import Segment
from vad.errors import require
from vad.labels import merge

__all__ = [
    "BoundaryErrors",
    "DetectionErrors",
    "PauseRecall",
    "boundary_errors",
    "detection_errors",
    "pause_recall",
]

# Times are decimal seconds held in binary: 1.2 - 1.0 is a little under 0.2.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class DetectionErrors:
    """Seconds of each kind of error; ``+`` adds those of recordings.

    Attributes:
        speech: Reference speech.
        miss: Reference speech that was not detected.
        false_alarm: Detected speech that is not in the reference.
    """

    speech: float = 0.0
    miss: float = 0.0
    false_alarm: float = 0.0

    def __add__(self, other: DetectionErrors) -> DetectionErrors:
        return DetectionErrors(
            self.speech + other.speech, self.miss + other.miss, self.false_alarm + other.false_alarm
        )

    @property
    def rate(self) -> float:
        """Detection error rate: (miss + false alarm) / speech, 0 or more; nan where there is no speech."""
        return (self.miss + self.false_alarm) / self.speech if self.speech > 0.0 else math.nan


def detection_errors(
    reference: Iterable[Segment], detected: Iterable[Segment], duration: float
) -> DetectionErrors:
    """The components of the detection error rate, exact in time and without a collar.

    Args:
        reference: Segments of speech, in seconds.
        detected: Detected segments, in seconds.
        duration: Seconds of audio; segments are cut there.
    """
    truth, claimed = _clip(reference, duration), _clip(detected, duration)
    speech, detected_speech = _total(truth), _total(claimed)
    # |A or B| = |A| + |B| - |A and B|: merging both gives the union.
    both = speech + detected_speech - _total(merge([*truth, *claimed]))
    return DetectionErrors(speech, max(speech - both, 0.0), max(detected_speech - both, 0.0))


@dataclass(frozen=True)
class BoundaryErrors:
    """Distances of boundaries, detected minus reference: positive is late.

    Attributes:
        onsets: Seconds [shape=(matched onsets,)].
        offsets: Seconds [shape=(matched offsets,)].
        unmatched_onsets: Number of reference onsets without a match.
        unmatched_offsets: Number of reference offsets without a match.
    """

    onsets: NDArray[np.float64]
    offsets: NDArray[np.float64]
    unmatched_onsets: int
    unmatched_offsets: int

    def summary(self) -> dict[str, float]:
        """Median (signed: the lag) and 90th percentile (absolute), seconds; nan without a match."""
        return {
            "onset_median": _quantile(self.onsets, 0.5),
            "onset_p90": _quantile(np.abs(self.onsets), 0.9),
            "offset_median": _quantile(self.offsets, 0.5),
            "offset_p90": _quantile(np.abs(self.offsets), 0.9),
        }

    @classmethod
    def pooled(cls, errors: Sequence[BoundaryErrors]) -> BoundaryErrors:
        """The errors of many recordings as those of one."""
        none: NDArray[np.float64] = np.zeros(0)
        return cls(
            np.concatenate([none, *(one.onsets for one in errors)]),
            np.concatenate([none, *(one.offsets for one in errors)]),
            sum(one.unmatched_onsets for one in errors),
            sum(one.unmatched_offsets for one in errors),
        )


def boundary_errors(
    reference: Iterable[Segment], detected: Iterable[Segment], max_distance: float = 0.5
) -> BoundaryErrors:
    """Distances of detected onsets and offsets from those of the reference.

    Onsets are matched with onsets and offsets with offsets, one to one, the nearest pair first.

    Args:
        reference: Segments of speech, in seconds.
        detected: Detected segments, in seconds.
        max_distance: Boundaries further apart than this, in seconds, are not matched.

    Raises:
        ConfigError: ``max_distance`` is not positive.
    """
    require(max_distance > 0.0, "max_distance must be more than 0 seconds", max_distance=max_distance)
    truth, found = merge(reference), merge(detected)
    onsets = _match([one.start for one in truth], [one.start for one in found], max_distance)
    offsets = _match([one.end for one in truth], [one.end for one in found], max_distance)
    return BoundaryErrors(onsets, offsets, len(truth) - onsets.size, len(truth) - offsets.size)


@dataclass(frozen=True)
class PauseRecall:
    """Pauses between speech; ``+`` adds those of recordings.

    Attributes:
        pauses: Number of pauses in the reference.
        found: Number of these that the detector left open.
    """

    pauses: int = 0
    found: int = 0

    def __add__(self, other: PauseRecall) -> PauseRecall:
        return PauseRecall(self.pauses + other.pauses, self.found + other.found)

    @property
    def rate(self) -> float:
        """Share found, 0 to 1; nan where there is no pause."""
        return self.found / self.pauses if self.pauses else math.nan


def pause_recall(
    reference: Iterable[Segment],
    detected: Iterable[Segment],
    min_duration: float = 0.2,
    max_duration: float = math.inf,
) -> PauseRecall:
    """Count the pauses that a detector leaves open.

    A pause is a silence between two segments of the reference. It is found where at least half of it lies in one
    silence of the detector.

    Args:
        reference: Segments of speech, in seconds.
        detected: Detected segments, in seconds.
        min_duration: Seconds; shorter silences do not count.
        max_duration: Seconds; silences of this length and longer do not count.

    Raises:
        ConfigError: ``min_duration`` is not positive, or ``max_duration`` not above it.
    """
    require(min_duration > 0.0, "min_duration must be more than 0 seconds", min_duration=min_duration)
    rule = f"max_duration must be more than {min_duration} seconds"
    require(max_duration > min_duration, rule, max_duration=max_duration)
    truth, found = merge(reference), merge(detected)
    pauses = [
        (before.end, after.start)
        for before, after in itertools.pairwise(truth)
        if min_duration - _ROUNDING <= after.start - before.end < max_duration - _ROUNDING
    ]
    starts = [-math.inf, *(one.end for one in found)]
    silences = list(zip(starts, [*(one.start for one in found), math.inf], strict=True))
    count = 0
    for start, end in pauses:
        near = silences[max(0, bisect.bisect_right(starts, start) - 1) : bisect.bisect_left(starts, end)]
        longest = max(min(end, last) - max(start, first) for first, last in near)
        count += longest >= (end - start) / 2 - _ROUNDING
    return PauseRecall(len(pauses), count)


def _match(reference: Sequence[float], detected: Sequence[float], max_distance: float) -> NDArray[np.float64]:
    """Greedy one-to-one matching. Both lists rise, so only boundaries within reach are compared."""
    times = np.asarray(detected, dtype=np.float64)
    pairs: list[tuple[float, int, int]] = []
    for row, time in enumerate(reference):
        low = np.searchsorted(times, time - max_distance, side="left")
        high = np.searchsorted(times, time + max_distance, side="right")
        pairs.extend((abs(times[column] - time), row, column) for column in range(low, high))
    errors: dict[int, float] = {}
    taken: set[int] = set()
    for _, row, column in sorted(pairs):
        if row not in errors and column not in taken:
            errors[row] = float(times[column]) - reference[row]
            taken.add(column)
    return np.array([errors[row] for row in sorted(errors)], dtype=np.float64)


def _clip(segments: Iterable[Segment], duration: float) -> list[Segment]:
    inside = (Segment(one.start, min(one.end, duration)) for one in segments if one.start < duration)
    return merge(inside)


def _total(segments: Sequence[Segment]) -> float:
    return math.fsum(one.end - one.start for one in segments)


def _quantile(values: NDArray[np.float64], share: float) -> float:
    return float(np.quantile(values, share)) if values.size else math.nan
