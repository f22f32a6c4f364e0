"""The operating point that serves a goal best on labelled recordings, and what it is worth on others.

Every operating point of the grid is measured on every recording, so the best is the best of all. What it is fits the
recordings it was chosen on, so it is chosen once more for each fold: without the fold's recordings, and measured on
them alone. That held-out figure is the one to believe.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vad.detector import Detector
from vad.segment_metrics import DetectionErrors, detection_errors
from vad.segment_options import SegmentOptions
from vad.segments import Segmenter, SpeechEnd
from vad.tuning.goal import Goal, Outcome
from vad.tuning.grid import Timeline, levels, spans
from vad.tuning.listened import Listened

__all__ = ["Tuned", "end_latency", "tune"]

_FOLDS = 5


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


def tune(listened: Sequence[Listened], detector: Detector, goal: Goal, progress: Callable[[], None]) -> Tuned:
    """Measures the grid, chooses the operating point, and again for each fold.

    Args:
        listened: What `listen` gave, for each recording.
        detector: The model, and the options to start from.
        goal: What the operating point is for.
        progress: Called after each of the thresholds, as many as `levels` gives.

    Returns:
        The best operating point. Where none keeps the bounds it is the nearest: the least late first, then by how much
        it breaks the others, then the best.
    """
    folds, fold_of = _deal(listened)
    search = _Search(listened, [fold_of[one.group] for one in listened], detector, goal, progress)
    options = search.best(range(folds))
    held_out = Outcome()
    for fold in range(folds if folds > 1 else 0):
        found = search.best([other for other in range(folds) if other != fold])
        held_out += search.outcome(found, [fold])
    curve = sorted((one for (one,) in levels(options, distances=())), key=lambda one: one.threshold)
    return Tuned(
        options,
        search.outcome(options, range(folds)),
        held_out if folds > 1 else None,
        folds,
        search.latency_ms(options),
        [(one.threshold, search.outcome(one, range(folds))) for one in curve],
    )


def _deal(listened: Sequence[Listened]) -> tuple[int, dict[str, int]]:
    """Deals the groups into folds, with speech and without by themselves: each search needs some of both.

    Returns:
        How many folds, and the fold of each group.
    """
    with_speech = {one.group for one in listened if one.reference}
    without = {one.group for one in listened} - with_speech
    folds = max(1, min(_FOLDS, len(with_speech)))
    return folds, {
        group: place % folds
        for groups in (with_speech, without)
        for place, group in enumerate(sorted(groups))
    }


class _Search:
    def __init__(
        self,
        listened: Sequence[Listened],
        fold_of: Sequence[int],
        detector: Detector,
        goal: Goal,
        progress: Callable[[], None],
    ):
        self._listened, self._fold_of, self._goal = listened, fold_of, goal
        self._frame_duration = detector.frame_duration
        self._delay = detector.file_stream().delay
        self._spans = self._soonest(spans(detector.options))
        timeline = Timeline(listened, fold_of, self._frame_duration, self._spans)
        self._speech = timeline.speech
        self._levels: list[SegmentOptions] = []
        measured = []
        for of_one_threshold in levels(detector.options):
            measured += [timeline.measure(level) for level in of_one_threshold]
            self._levels += of_one_threshold
            progress()
        self._missed, self._false = (np.concatenate(kind) for kind in zip(*measured, strict=True))

    def best(self, folds: Sequence[int]) -> SegmentOptions:
        """The best operating point on the recordings of these folds; of equals the nearest to the start."""
        speech = float(self._speech[folds].sum())
        duration = sum(
            one.duration for one, fold in zip(self._listened, self._fold_of, strict=True) if fold in folds
        )
        missed, false = (seconds[:, folds].sum(axis=1).round(9) for seconds in (self._missed, self._false))
        best = min(
            _undominated(missed, false),
            key=lambda i: self._goal.cost(
                Outcome(DetectionErrors(speech, float(missed[i]), float(false[i])), duration)
            ),
        )
        level, span = divmod(int(best), len(self._spans))
        found = self._levels[level]
        return replace(self._spans[span], threshold=found.threshold, neg_threshold=found.neg_threshold)

    def outcome(self, options: SegmentOptions, folds: Sequence[int]) -> Outcome:
        """What comes of an operating point on the recordings of these folds, by the segmenter itself."""
        total = Outcome()
        for one, fold in zip(self._listened, self._fold_of, strict=True):
            if fold in folds:
                segmenter = Segmenter(options, self._frame_duration)
                events = segmenter.feed(one.probabilities)
                events += segmenter.finish(one.duration) if one.probabilities else []
                found = [event.segment for event in events if isinstance(event, SpeechEnd)]
                total += Outcome(detection_errors(one.reference, found, one.duration), one.duration)
        return total

    def latency_ms(self, options: SegmentOptions) -> float:
        """How long after speech has ended its end is known, to the microsecond."""
        return round(1000 * end_latency(options, self._frame_duration, self._delay), 3)

    def _soonest(self, tried: Sequence[SegmentOptions]) -> list[SegmentOptions]:
        """Those that keep the bound of latency; where none does, the least late."""
        latencies = [self.latency_ms(one) for one in tried]
        bound = self._goal.max_latency_ms
        allowed = math.inf if bound is None else max(bound, min(latencies))
        return [one for one, latency in zip(tried, latencies, strict=True) if latency <= allowed]


def _undominated(missed: NDArray[np.float64], false: NDArray[np.float64]) -> NDArray[np.intp]:
    """Indices of what nothing else beats in one kind of error without losing in the other: all that a goal can ask for.

    Of equals the first.
    """
    order = np.lexsort((false, missed))
    least_so_far = np.minimum.accumulate(false[order])
    return order[np.concatenate(([True], false[order][1:] < least_so_far[:-1]))]
