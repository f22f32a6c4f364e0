"""The search for the operating point that serves a goal best on labelled recordings.

The search goes coordinate by coordinate: all thresholds, then each other option with the best threshold for each value,
until nothing improves; at last with finer thresholds. Every point is measured with the segmenter that will run.

An operating point fits the recordings it was tuned on, so the search runs again for each fold: without the fold's
recordings, and measured on them alone. Expect these cross-validated figures on other recordings.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from vad.detection.detection import Detection
from vad.detection.detector import Detector
from vad.detection.options import SegmentOptions
from vad.detection.segmenter import Segmenter, segments_from_probabilities
from vad.detection.segments import Segment, SpeechEnd
from vad.evaluation.segment_metrics import detection_errors
from vad.evaluation.tuning.goal import Goal, Outcome

__all__ = ["Labelled", "Tuned", "end_latency", "tune"]

_FOLDS = 5
_MOST_ROUNDS = 20  # four are usual
_THRESHOLDS = (0.01, 0.02, 0.03, 0.05, 0.07, *(i / 20 for i in range(2, 19)), 0.93, 0.95, 0.97, 0.98, 0.99)
_FINE_THRESHOLDS = (0.005, *(i / 100 for i in range(1, 100)), 0.995)
_LOWEST_NEG_THRESHOLD = 0.005  # at 0 speech would never end
# One option at a time.
_STEPS: tuple[dict[str, tuple[float, ...]], ...] = (
    {"distance": (0.0, 0.05, 0.1, 0.15, 0.25, 0.4)},
    {"min_silence_duration_ms": (0, 60, 100, 150, 250, 400, 600, 800)},
    {"min_speech_duration_ms": (0, 60, 100, 150, 250, 400)},
    {"speech_pad_ms": (0, 30, 60, 100, 150, 250)},
)
# Two options that may improve only together, tried where none does alone.
_PAIRS = ({"min_silence_duration_ms": (0, 100, 250, 600), "min_speech_duration_ms": (0, 100, 250, 400)},)


@dataclass(frozen=True)
class Labelled:
    """A recording with its detection and its labels.

    Attributes:
        group: Recordings that share a speaker have one group, and so one fold.
        detection: The model's detection.
        reference: Segments of speech.
    """

    group: str
    detection: Detection
    reference: Sequence[Segment]


@dataclass(frozen=True)
class Tuned:
    """The result of the search.

    Attributes:
        options: The operating point.
        fitted: Its errors on the recordings it was tuned on.
        held_out: The errors on each recording by a search without it; None where fewer than two groups hold speech.
        folds: The number of these searches; 1 where nothing was held out.
        latency_ms: Time from the end of speech until it is reported.
        curve: The errors at every threshold, with the other options unchanged.
    """

    options: SegmentOptions
    fitted: Outcome
    held_out: Outcome | None
    folds: int
    latency_ms: float
    curve: Sequence[tuple[float, Outcome]]


def end_latency(options: SegmentOptions, frame_duration: float, delay: float) -> float:
    """Seconds from the end of speech until it is reported, measured on one clear segment.

    Args:
        options: The operating point.
        frame_duration: Seconds per frame.
        delay: Seconds of audio after a frame that its probability needs.
    """
    segmenter = Segmenter(options.replace(max_speech_duration_s=math.inf), frame_duration, delay=delay)
    frames = math.ceil(options.min_speech_duration_ms / 1000 / frame_duration) + 1
    segmenter.feed([1.0] * frames)
    longest_ms = options.min_silence_duration_ms + 2 * options.speech_pad_ms
    for _ in range(math.ceil(longest_ms / 1000 / frame_duration) + 2):
        for event in segmenter.feed([0.0]):
            if isinstance(event, SpeechEnd):
                return event.decided_at - frames * frame_duration
    return math.inf


def tune(
    recordings: Sequence[Labelled], detector: Detector, goal: Goal, progress: Callable[[], None]
) -> Tuned:
    """Search for the operating point, and again for each fold.

    Args:
        recordings: The recordings to tune on.
        detector: The model, and the options to start from.
        goal: The goal.
        progress: Called for each operating point that was measured.

    Returns:
        The best operating point. If none keeps the bounds, it is the nearest: by latency first, then by the other
        bounds, then by the aim.
    """
    folds, fold_of = _assign_folds(recordings)
    search = _Search(recordings, [fold_of[one.group] for one in recordings], detector, goal, progress)
    options = search.best(range(folds))
    held_out = Outcome()
    for fold in range(folds if folds > 1 else 0):
        found = search.best([other for other in range(folds) if other != fold])
        held_out += search.outcome(found, [fold])
    return Tuned(
        options,
        search.outcome(options, range(folds)),
        held_out if folds > 1 else None,
        folds,
        search.latency_ms(options),
        [(one.threshold, search.outcome(one, range(folds))) for one in search.curve(options)],
    )


def _assign_folds(recordings: Sequence[Labelled]) -> tuple[int, dict[str, int]]:
    """The number of folds, and the fold of each group. Each fold gets groups with speech and groups without."""
    with_speech = {one.group for one in recordings if one.reference}
    without = {one.group for one in recordings} - with_speech
    folds = max(1, min(_FOLDS, len(with_speech)))
    return folds, {
        group: place % folds
        for groups in (with_speech, without)
        for place, group in enumerate(sorted(groups))
    }


class _Point(NamedTuple):
    """An operating point for the search, in which ``neg_threshold`` moves with the threshold."""

    threshold: float
    distance: float  # of neg_threshold below the threshold
    min_silence_duration_ms: float
    min_speech_duration_ms: float
    speech_pad_ms: float

    @classmethod
    def of(cls, options: SegmentOptions) -> _Point:
        return cls(
            options.threshold,
            round(options.threshold - options.release_threshold, 4),
            options.min_silence_duration_ms,
            options.min_speech_duration_ms,
            options.speech_pad_ms,
        )

    def options(self, start: SegmentOptions) -> SegmentOptions:
        values = self._asdict()
        neg_threshold = max(_LOWEST_NEG_THRESHOLD, self.threshold - values.pop("distance"))
        return replace(start, neg_threshold=round(min(self.threshold, neg_threshold), 4), **values)


_Cost: TypeAlias = Callable[[_Point], tuple[float, ...]]


class _Search:
    def __init__(
        self,
        recordings: Sequence[Labelled],
        fold_of: Sequence[int],
        detector: Detector,
        goal: Goal,
        progress: Callable[[], None],
    ):
        self._recordings, self._fold_of, self._goal, self._progress = recordings, fold_of, goal, progress
        self._frame_duration = detector.frame_duration
        self._delay = detector.stream(lookahead=True).delay
        self._options = detector.options
        self._measured = functools.cache(self._measure)
        self.latency_ms = functools.cache(self._latency_ms)
        self._start = _Point.of(detector.options)
        # If no latency keeps the bound, the least one is allowed.
        soonest = self._start._replace(min_silence_duration_ms=0, min_speech_duration_ms=0, speech_pad_ms=0)
        bound = goal.max_latency_ms
        self._allowed_ms = math.inf
        if bound is not None:
            self._allowed_ms = max(bound, self.latency_ms(soonest.options(self._options)))

    def best(self, folds: Sequence[int]) -> SegmentOptions:
        """The best operating point on the recordings of these folds; of equal ones, the nearest to the start."""

        def cost_of(goal: Goal) -> _Cost:
            return lambda point: self._cost(point, folds, goal)

        # A search may get stuck on a slope of its goal, so a second one starts from the balanced point without bounds.
        cost = cost_of(self._goal)
        balanced = replace(self._goal, max_miss=None, max_false_alarm=None, best="balanced")
        starts = (self._start, _descend(self._start, cost_of(balanced), _THRESHOLDS))
        coarse = min((_descend(start, cost, _THRESHOLDS, _PAIRS) for start in starts), key=cost)
        return _descend(coarse, cost, _FINE_THRESHOLDS).options(self._options)

    def curve(self, options: SegmentOptions) -> list[SegmentOptions]:
        """The options at every threshold, in order, with ``neg_threshold`` at its distance."""
        point = _Point.of(options)
        moved = [point._replace(threshold=one) for one in _THRESHOLDS if one != options.threshold]
        return sorted((options, *(one.options(options) for one in moved)), key=lambda one: one.threshold)

    def outcome(self, options: SegmentOptions, folds: Sequence[int]) -> Outcome:
        """The errors of an operating point on the recordings of these folds."""
        measured = self._measured(options)
        return sum((measured[fold] for fold in folds), Outcome())

    def _latency_ms(self, options: SegmentOptions) -> float:
        """Time from the end of speech until it is reported, rounded to the microsecond."""
        return round(1000 * end_latency(options, self._frame_duration, self._delay), 3)

    def _cost(self, point: _Point, folds: Sequence[int], goal: Goal) -> tuple[float, ...]:
        """Latency above the allowed one, then the goal's cost."""
        options = point.options(self._options)
        late_ms = 0.0
        if self._allowed_ms < math.inf:
            late_ms = max(0.0, self.latency_ms(options) - self._allowed_ms)
        return late_ms, *goal.cost(self.outcome(options, folds))

    def _measure(self, options: SegmentOptions) -> list[Outcome]:
        """The errors of an operating point in each fold."""
        outcomes = [Outcome()] * (max(self._fold_of) + 1)
        for one, fold in zip(self._recordings, self._fold_of, strict=True):
            probabilities, duration = one.detection.probabilities, one.detection.duration
            segments = segments_from_probabilities(probabilities, self._frame_duration, options, duration)
            outcomes[fold] += Outcome(detection_errors(one.reference, segments, duration), duration)
        self._progress()
        return outcomes


def _descend(
    start: _Point,
    cost: _Cost,
    thresholds: Sequence[float],
    pairs: Sequence[Mapping[str, Sequence[float]]] = (),
) -> _Point:
    """The best point reached from a start, option by option, until nothing improves.

    After every change of another option, the threshold moves to its best value. Of equal points the nearest is taken.
    """

    def better(best: _Point, steps: Sequence[Mapping[str, Sequence[float]]]) -> _Point:
        for step in steps:
            changed = (_along_threshold(one, cost, thresholds) for one in _changed(best, step))
            best = min((best, *changed), key=cost)
        return best

    scanned = (
        start._replace(threshold=threshold) for threshold in _nearest_first(thresholds, start.threshold)
    )
    best = min((start, *scanned), key=cost)
    for _ in range(_MOST_ROUNDS):
        before = best
        best = better(best, _STEPS)
        if best == before:
            best = better(best, pairs)
        if best == before:
            break
    return best


def _changed(point: _Point, steps: Mapping[str, Sequence[float]]) -> Iterator[_Point]:
    """The point with every combination of values, the nearest first."""
    values = (_nearest_first(tried, getattr(point, name)) for name, tried in steps.items())
    for combination in itertools.product(*values):
        yield point._replace(**dict(zip(steps, combination, strict=True)))


def _along_threshold(point: _Point, cost: _Cost, thresholds: Sequence[float]) -> _Point:
    """The best of a point and its neighbours in threshold, each way as long as they improve."""
    best = point
    lower = [one for one in reversed(thresholds) if one < point.threshold]
    higher = [one for one in thresholds if one > point.threshold]
    for way in (lower, higher):
        for threshold in way:
            moved = point._replace(threshold=threshold)
            if cost(moved) >= cost(best):
                break
            best = moved
    return best


def _nearest_first(tried: Sequence[float], own: float) -> list[float]:
    return sorted({own, *map(float, tried)}, key=lambda value: (abs(value - own), value))
