"""How well detected segments agree with a reference: seconds missed and falsely found, boundaries, pauses.

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

from vad.errors import ConfigError
from vad.labels import merge
from vad.segments import Segment

__all__ = [
    "PAUSES_MS",
    "BoundaryErrors",
    "DetectionErrors",
    "PauseCounts",
    "boundary_errors",
    "detection_errors",
    "pauses_found",
]

PAUSES_MS = (100, 200, 500)
"""Pauses are counted in three lots: from each of these on, up to the next."""


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
class PauseCounts:
    """Pauses inside speech, in the lots of `PAUSES_MS`; sums over recordings are made with ``+``.

    Attributes:
        found: Pauses of the reference of which the detected segments leave at least half free.
        total: Pauses of the reference.
    """

    found: tuple[int, ...] = (0, 0, 0)
    total: tuple[int, ...] = (0, 0, 0)

    def __add__(self, other: PauseCounts) -> PauseCounts:
        return PauseCounts(
            tuple(a + b for a, b in zip(self.found, other.found, strict=True)),
            tuple(a + b for a, b in zip(self.total, other.total, strict=True)),
        )

    @property
    def shares(self) -> tuple[float, ...]:
        """Share of the pauses of each lot that was found; nan where there are none."""
        pairs = zip(self.found, self.total, strict=True)
        return tuple(found / total if total else math.nan for found, total in pairs)


def pauses_found(reference: Iterable[Segment], detected: Iterable[Segment]) -> PauseCounts:
    """How many of the pauses between the reference's segments the detected ones show too.

    Args:
        reference: Turns, seconds; a pause is a gap in their union.
        detected: What the detector found, seconds.

    Returns:
        The pauses of each lot, and how many of them are found: half of one at least lies in no segment.
    """
    truth, segments = merge(reference), merge(detected)
    found, total = [0] * len(PAUSES_MS), [0] * len(PAUSES_MS)
    ends, starts = [one.end for one in segments], [one.start for one in segments]
    for before, after in itertools.pairwise(truth):
        pause = Segment(before.end, after.start)
        # A pause of 0.2 s between decimal times may be 0.19999999999999996 long.
        lot = bisect.bisect_right(PAUSES_MS, pause.duration * 1000 + 1e-6) - 1
        if lot < 0:
            continue
        near = segments[bisect.bisect_left(ends, pause.start) : bisect.bisect_right(starts, pause.end)]
        covered = math.fsum(min(one.end, pause.end) - max(one.start, pause.start) for one in near)
        total[lot] += 1
        found[lot] += covered <= pause.duration / 2 + 1e-9
    return PauseCounts(tuple(found), tuple(total))


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
