"""How well detected segments agree with a reference: seconds missed and falsely found, boundaries, and pauses.

Segments overlap where speakers do; what is measured is their union. A rate whose denominator is empty is nan.
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
from vad.errors import ConfigError
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
    """Seconds of each kind of error; sums over recordings are made with ``+``.

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
    """The components of the detection error rate, exact in time and without a collar around boundaries.

    Args:
        reference: Turns, seconds; their union is speech.
        detected: What the detector found, seconds.
        duration: Seconds of audio; what either holds beyond it is not counted.

    Returns:
        The seconds of speech, of miss and of false alarm.
    """
    truth, found = _clip(reference, duration), _clip(detected, duration)
    speech, detected_speech = _total(truth), _total(found)
    # |A or B| = |A| + |B| - |A and B|: the union is what merging both gives.
    both = speech + detected_speech - _total(merge([*truth, *found]))
    return DetectionErrors(speech, max(speech - both, 0.0), max(detected_speech - both, 0.0))


@dataclass(frozen=True)
class BoundaryErrors:
    """Signed distances, detected minus reference: positive is late.

    Attributes:
        onsets: Seconds [shape=(matched onsets,)].
        offsets: Seconds [shape=(matched offsets,)].
        unmatched_onsets: Reference onsets that no detected one stands near.
        unmatched_offsets: Reference offsets that no detected one stands near.
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
    """How far detected onsets and offsets stand from the reference's.

    Onsets are matched with onsets and offsets with offsets, one to one, the nearest pair first.

    Args:
        reference: Turns, seconds; the boundaries are those of their union.
        detected: What the detector found, seconds.
        max_distance: Seconds beyond which two boundaries are not the same one.

    Returns:
        The distances of the matched boundaries and the number of reference boundaries left over.

    Raises:
        ConfigError: ``max_distance`` is not positive.
    """
    if not max_distance > 0.0:
        raise ConfigError(f"max_distance must be more than 0 seconds. Received: max_distance={max_distance}.")
    truth, found = merge(reference), merge(detected)
    onsets = _match([one.start for one in truth], [one.start for one in found], max_distance)
    offsets = _match([one.end for one in truth], [one.end for one in found], max_distance)
    return BoundaryErrors(onsets, offsets, len(truth) - onsets.size, len(truth) - offsets.size)


@dataclass(frozen=True)
class PauseRecall:
    """Pauses between speech; sums over recordings are made with ``+``.

    Attributes:
        pauses: In the reference.
        found: Of those, how many the detector has found.
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

    A pause is a silence between two turns, so neither the one before the first turn nor that after the last. It is
    found where at least half of it is in one silence of the detector's.

    Args:
        reference: Turns, seconds; pauses are those of their union.
        detected: What the detector found, seconds.
        min_duration: Seconds; shorter silences are no pauses.
        max_duration: Seconds; silences of this length and longer are not counted.

    Raises:
        ConfigError: ``min_duration`` is not positive, or ``max_duration`` not above it.
    """
    if not min_duration > 0.0:
        raise ConfigError(f"min_duration must be more than 0 seconds. Received: min_duration={min_duration}.")
    if not max_duration > min_duration:
        raise ConfigError(
            f"max_duration must be more than {min_duration} seconds. Received: {max_duration=}."
        )
    truth, found = merge(reference), merge(detected)
    pauses = [
        (before.end, after.start)
        for before, after in itertools.pairwise(truth)
        if min_duration - _ROUNDING <= after.start - before.end < max_duration - _ROUNDING
    ]
    silences = _silences(found)
    starts = [start for start, _ in silences]
    count = 0
    for start, end in pauses:
        near = silences[max(0, bisect.bisect_right(starts, start) - 1) : bisect.bisect_left(starts, end)]
        longest = max(min(end, last) - max(start, first) for first, last in near)
        count += longest >= (end - start) / 2 - _ROUNDING
    return PauseRecall(len(pauses), count)


def _silences(segments: Sequence[Segment]) -> list[tuple[float, float]]:
    starts = [-math.inf, *(one.end for one in segments)]
    ends = [*(one.start for one in segments), math.inf]
    return list(zip(starts, ends, strict=True))


def _match(reference: Sequence[float], detected: Sequence[float], max_distance: float) -> NDArray[np.float64]:
    """Greedy one-to-one matching; both lists rise, so only the boundaries within reach are looked at."""
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
