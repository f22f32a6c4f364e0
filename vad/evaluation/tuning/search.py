"""The operating point that serves a goal best on labelled recordings, and what it is worth on others.

The search is by coordinates: every threshold, then the values of each other option with the threshold that suits each,
always the best, until nothing improves the goal; at last with finer thresholds. The segmenter that will run measures
every operating point on the way.

An operating point fits the recordings it was chosen on, so it is searched once more for each fold: without the fold's
recordings, and measured on them alone. Expect these cross-validated figures.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from vad.detection.detector import Detection, Detector
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
# What is changed at a time.
_STEPS: tuple[dict[str, tuple[float, ...]], ...] = (
    {"distance": (0.0, 0.05, 0.1, 0.15, 0.25, 0.4)},
    {"min_silence_duration_ms": (0, 60, 100, 150, 250, 400, 600, 800)},
    {"min_speech_duration_ms": (0, 60, 100, 150, 250, 400)},
    {"speech_pad_ms": (0, 30, 60, 100, 150, 250)},
)
# Where nothing by itself is better: these may pay only together.
_PAIRS = ({"min_silence_duration_ms": (0, 100, 250, 600), "min_speech_duration_ms": (0, 100, 250, 400)},)


@dataclass(frozen=True)
class Labelled:
    """A recording that the model has processed.

    Attributes:
        group: Recordings of one group are in one fold: those that share a speaker.
        detection: What the model gave.
        reference: Where speech is.
    """

    group: str
    detection: Detection
    reference: Sequence[Segment]


@dataclass(frozen=True)
class Tuned:
    """What the search found.

    Attributes:
        options: The operating point.
        fitted: On the recordings it was searched on.
        held_out: On each recording by a search that had not seen it; None where fewer than two groups hold speech.
        folds: How many searches that were; 1 where nothing was held out.
        latency_ms: How long after speech has ended its end is known.
        curve: By threshold, the other options kept: what comes of it.
    """

    options: SegmentOptions
    fitted: Outcome
    held_out: Outcome | None
    folds: int
    latency_ms: float
    curve: Sequence[tuple[float, Outcome]]


def end_latency(options: SegmentOptions, frame_duration: float, delay: float) -> float:
    """How long after speech has ended its end is known, in seconds: what one clear-cut piece of speech takes.

    Args:
        options: The operating point.
        frame_duration: Seconds a frame.
        delay: Seconds that the model hears past a frame.
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
        recordings: What is tuned on.
        detector: The model, and the options to start from.
        goal: What the operating point is for.
        progress: Called after each operating point that was measured.

    Returns:
        The best operating point. Where none keeps the bounds it is the nearest: the least late first, then by how much
        it breaks the others, then the best.
    """
    folds, fold_of = _deal(recordings)
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


def _deal(recordings: Sequence[Labelled]) -> tuple[int, dict[str, int]]:
    """Deal the groups into folds, with speech and without by themselves: each search needs some of both.

    Returns:
        How many folds, and the fold of each group.
    """
    with_speech = {one.group for one in recordings if one.reference}
    without = {one.group for one in recordings} - with_speech
    folds = max(1, min(_FOLDS, len(with_speech)))
    return folds, {
        group: place % folds
        for groups in (with_speech, without)
        for place, group in enumerate(sorted(groups))
    }


class _Point(NamedTuple):
    """An operating point as it is searched: ``neg_threshold`` keeps its distance where the threshold moves."""

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
        neg_threshold = max(_LOWEST_NEG_THRESHOLD, self.threshold - self.distance)
        return replace(
            start,
            threshold=self.threshold,
            neg_threshold=round(min(self.threshold, neg_threshold), 4),
            min_silence_duration_ms=self.min_silence_duration_ms,
            min_speech_duration_ms=self.min_speech_duration_ms,
            speech_pad_ms=self.speech_pad_ms,
        )


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
        self._measured: dict[SegmentOptions, list[Outcome]] = {}
        self._latencies_ms: dict[SegmentOptions, float] = {}
        self._start = _Point.of(detector.options)
        # Where no latency keeps the bound, the least of all is allowed.
        soonest = self._start._replace(min_silence_duration_ms=0, min_speech_duration_ms=0, speech_pad_ms=0)
        bound = goal.max_latency_ms
        self._allowed_ms = (
            math.inf if bound is None else max(bound, self.latency_ms(soonest.options(self._options)))
        )

    def best(self, folds: Sequence[int]) -> SegmentOptions:
        """The best operating point found on the recordings of these folds; of equals the nearest to the start."""

        def cost_of(goal: Goal) -> _Cost:
            return lambda point: self._cost(point, folds, goal)

        # Goals have slopes on which a search gets stuck: another one starts from what is balanced without bounds.
        cost = cost_of(self._goal)
        balanced = replace(self._goal, max_miss=None, max_false_alarm=None, best="balanced")
        starts = (self._start, _descend(self._start, cost_of(balanced), _THRESHOLDS))
        coarse = (_descend(start, cost, _THRESHOLDS, _PAIRS) for start in starts)
        return min((_descend(one, cost, _FINE_THRESHOLDS) for one in coarse), key=cost).options(self._options)

    def curve(self, options: SegmentOptions) -> list[SegmentOptions]:
        """The options with every threshold, ``neg_threshold`` as far below it, in order."""
        point = _Point.of(options)
        moved = [point._replace(threshold=one) for one in _THRESHOLDS if one != options.threshold]
        return sorted((options, *(one.options(options) for one in moved)), key=lambda one: one.threshold)

    def outcome(self, options: SegmentOptions, folds: Sequence[int]) -> Outcome:
        """What comes of an operating point on the recordings of these folds."""
        if options not in self._measured:
            self._measured[options] = self._measure(options)
            self._progress()
        measured = self._measured[options]
        return sum((measured[fold] for fold in folds), Outcome())

    def latency_ms(self, options: SegmentOptions) -> float:
        """How long after speech has ended its end is known, to the microsecond."""
        if options not in self._latencies_ms:
            latency = end_latency(options, self._frame_duration, self._delay)
            self._latencies_ms[options] = round(1000 * latency, 3)
        return self._latencies_ms[options]

    def _cost(self, point: _Point, folds: Sequence[int], goal: Goal) -> tuple[float, ...]:
        """What is made least: lateness beyond what is allowed, then the goal's own."""
        options = point.options(self._options)
        late_ms = (
            0.0 if math.isinf(self._allowed_ms) else max(0.0, self.latency_ms(options) - self._allowed_ms)
        )
        return late_ms, *goal.cost(self.outcome(options, folds))

    def _measure(self, options: SegmentOptions) -> list[Outcome]:
        """Outcomes, fold by fold."""
        outcomes = [Outcome()] * (max(self._fold_of) + 1)
        for one, fold in zip(self._recordings, self._fold_of, strict=True):
            probabilities, duration = one.detection.probabilities, one.detection.duration
            found = segments_from_probabilities(probabilities, self._frame_duration, options, duration)
            outcomes[fold] += Outcome(detection_errors(one.reference, found, duration), duration)
        return outcomes


def _descend(
    start: _Point,
    cost: _Cost,
    thresholds: Sequence[float],
    pairs: Sequence[Mapping[str, Sequence[float]]] = (),
) -> _Point:
    """The best point that is reached from a start: option by option, until nothing gets better.

    Every change of another option takes the threshold along to where it is then best. Of equals the first, which is the
    nearest.
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
    """The point with every combination of other values, the nearest first."""
    values = (_nearest_first(tried, getattr(point, name)) for name, tried in steps.items())
    for combination in itertools.product(*values):
        yield point._replace(**dict(zip(steps, combination, strict=True)))


def _along_threshold(point: _Point, cost: _Cost, thresholds: Sequence[float]) -> _Point:
    """The best of a point and those with a lower or a higher threshold, as far as each is better than the last."""
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
