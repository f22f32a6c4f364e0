"""The operating point that serves a goal best on labelled recordings, and what it is worth on others.

The model hears every recording once; after that only the segmenter runs, over probabilities. The search goes through
one option at a time, each with the thresholds around the one reached, until nothing gets better. What it finds fits
the recordings it saw, so the same search runs once more for each fold: without the fold's recordings, and measured on
them alone. That held-out figure is the one to believe.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from vad.audio import open_audio
from vad.corpus import Item
from vad.detector import Detector
from vad.segment_metrics import DetectionErrors, detection_errors
from vad.segment_options import SegmentOptions, require
from vad.segments import Segment, Segmenter, SpeechEnd

__all__ = ["AIMS", "Goal", "Listened", "Outcome", "Tuned", "end_latency", "listen", "tune"]

_THRESHOLDS = (0.01, 0.02, 0.03, 0.05, 0.07, *(i / 20 for i in range(2, 19)), 0.93, 0.95, 0.97, 0.98, 0.99)
_DISTANCES = (0.0, 0.05, 0.1, 0.15, 0.25, 0.4)  # of neg_threshold below the threshold
_DURATIONS_MS: dict[str, tuple[float, ...]] = {
    "min_silence_duration_ms": (0, 60, 100, 150, 250, 400, 600, 800),
    "min_speech_duration_ms": (0, 60, 100, 150, 250, 400),
    "speech_pad_ms": (0, 30, 60, 100, 150, 250),
}
_LOWEST_NEG_THRESHOLD = 0.005  # at 0 speech would never end
_NEARBY = 2  # thresholds tried on either side of the one reached
_ROUNDS = 4
_FOLDS = 5


@dataclass(frozen=True)
class Outcome:
    """What segments get right and wrong, in seconds; recordings are added with ``+``.

    Attributes:
        errors: Speech, speech missed, and what is falsely found.
        duration: Seconds of audio.
    """

    errors: DetectionErrors = field(default_factory=DetectionErrors)
    duration: float = 0.0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.errors + other.errors, self.duration + other.duration)

    @property
    def miss(self) -> float:
        """Share of the speech that is missed; 0 where there is none."""
        return self.errors.miss / self.errors.speech if self.errors.speech else 0.0

    @property
    def false_alarm(self) -> float:
        """Share of what is no speech that is taken for speech; 0 where all is speech."""
        silence = self.duration - self.errors.speech
        return self.errors.false_alarm / silence if silence > 0 else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, of the time."""
        found = self.errors.speech - self.errors.miss
        wrong = self.errors.miss + self.errors.false_alarm
        return 2 * found / (2 * found + wrong) if found + wrong else 1.0


AIMS: dict[str, Callable[[Outcome], float]] = {
    "f1": lambda outcome: 1 - outcome.f1,
    "balanced": lambda outcome: (outcome.miss + outcome.false_alarm) / 2,
    "der": lambda outcome: outcome.errors.rate,
    "miss": lambda outcome: outcome.miss,
    "false_alarm": lambda outcome: outcome.false_alarm,
}
"""What can be made least, by name."""


@dataclass(frozen=True)
class Goal:
    """What an operating point is for. Within its bounds, ``best`` is made least (f1: most).

    Attributes:
        max_miss: The largest share of the speech that may be missed, 0 to 1; None is any.
        max_false_alarm: The largest share of the rest that may be taken for speech, 0 to 1; None is any.
        max_latency_ms: How long after speech has ended its end may become known at the latest; None is any.
        best: A key of `AIMS`. "" takes the other side of a single bound, balanced for two, else f1.

    Raises:
        ConfigError: A value out of its range.
    """

    max_miss: float | None = None
    max_false_alarm: float | None = None
    max_latency_ms: float | None = None
    best: str = ""

    def __post_init__(self) -> None:
        for name in ("max_miss", "max_false_alarm"):
            value = getattr(self, name)
            require(value is None or 0 <= value <= 1, f"{name} must be between 0 and 1", **{name: value})
        latency = self.max_latency_ms
        require(latency is None or latency > 0, "max_latency_ms must be above 0", max_latency_ms=latency)
        require(self.best in ("", *AIMS), f"best must be one of {', '.join(AIMS)}", best=self.best)

    @property
    def aim(self) -> str:
        """What is made least."""
        if self.best:
            return self.best
        if self.max_miss is not None:
            return "false_alarm" if self.max_false_alarm is None else "balanced"
        return "f1" if self.max_false_alarm is None else "miss"

    def excess(self, outcome: Outcome) -> float:
        """By how much an outcome breaks the bounds of miss and false alarm; 0 where it keeps them."""
        bounds = ((outcome.miss, self.max_miss), (outcome.false_alarm, self.max_false_alarm))
        return sum(max(0.0, rate - bound) for rate, bound in bounds if bound is not None)

    def cost(self, outcome: Outcome) -> tuple[float, float]:
        """What the search makes least: bounds first."""
        return self.excess(outcome), AIMS[self.aim](outcome)


@dataclass(frozen=True)
class Listened:
    """A recording after the model heard it.

    Attributes:
        group: Recordings of one group are in one fold: those of a speaker.
        probabilities: One a frame.
        duration: Seconds.
        reference: Where speech is.
    """

    group: str
    probabilities: Sequence[float]
    duration: float
    reference: Sequence[Segment]


@dataclass(frozen=True)
class Tuned:
    """What the search found.

    Attributes:
        options: The operating point.
        fitted: On the recordings it was searched on.
        held_out: On each recording by a search that had not seen it; None where there is one speaker alone.
        folds: How many searches that were.
        latency_ms: How long after speech has ended its end is known.
        curve: By threshold, the other options kept: what comes of it.
    """

    options: SegmentOptions
    fitted: Outcome
    held_out: Outcome | None
    folds: int
    latency_ms: float
    curve: Sequence[tuple[float, Outcome]]


def listen(detector: Detector, item: Item) -> Listened:
    """Lets the model hear a recording.

    Raises:
        AudioError: It cannot be read.
    """
    stream = detector.stream()
    probabilities: list[float] = []
    with open_audio(
        item.path, sample_rate=detector.sample_rate, block_duration=detector.block_duration
    ) as blocks:
        for block in blocks:
            stream.feed(block)
            probabilities += stream.probabilities.tolist()
    stream.finish()
    probabilities += stream.probabilities.tolist()
    return Listened(item.speaker or item.key, probabilities, stream.duration, item.segments)


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
    """Searches the operating point, and again for each fold.

    Args:
        listened: What `listen` gave, for each recording.
        detector: The model, and the options to start from.
        goal: What the operating point is for.
        progress: Called after each search, of which there are at most six.

    Returns:
        The best operating point; it may still break a bound that none can keep.
    """
    search = _Search(listened, detector, goal)
    everything = range(len(listened))
    options = search.best(everything)
    progress()
    groups = sorted({one.group for one in listened})
    folds = min(_FOLDS, len(groups))
    held_out = Outcome()
    for fold in range(folds if folds > 1 else 0):
        out = [place for place in everything if groups.index(listened[place].group) % folds == fold]
        found = search.best([place for place in everything if place not in out])
        held_out += search.outcome(found, out)
        progress()
    return Tuned(
        options,
        search.outcome(options, everything),
        held_out if folds > 1 else None,
        folds,
        1000 * search.latency(options),
        [(one.threshold, search.outcome(one, everything)) for one in _with_thresholds(options, _THRESHOLDS)],
    )


class _Search:
    def __init__(self, listened: Sequence[Listened], detector: Detector, goal: Goal):
        self._listened, self._goal = listened, goal
        self._frame_duration = detector.frame_duration
        self._delay = detector.model.delay_frames * detector.frame_duration
        self._start = detector.options
        self._known: dict[tuple[int, SegmentOptions], Outcome] = {}

    def best(self, places: Sequence[int]) -> SegmentOptions:
        """The best operating point on these recordings."""
        best = min(_with_thresholds(self._start, _THRESHOLDS), key=lambda one: self._cost(one, places))
        for _ in range(_ROUNDS):
            before = best
            for name in ("neg_threshold", *_DURATIONS_MS):
                best = min(_neighbours(best, name), key=lambda one: self._cost(one, places))
            if best == before:
                break
        return best

    def outcome(self, options: SegmentOptions, places: Sequence[int]) -> Outcome:
        """What comes of an operating point on these recordings together."""
        return sum((self._of_one(place, options) for place in places), Outcome())

    def latency(self, options: SegmentOptions) -> float:
        return end_latency(options, self._frame_duration, self._delay)

    def _cost(self, options: SegmentOptions, places: Sequence[int]) -> tuple[float, float, float]:
        bound = self._goal.max_latency_ms
        late = 0.0 if bound is None else max(0.0, 1000 * self.latency(options) - bound)
        # What is too late need not be measured: the search goes to what is less late first.
        return (late, 0.0, 0.0) if late > 0 else (0.0, *self._goal.cost(self.outcome(options, places)))

    def _of_one(self, place: int, options: SegmentOptions) -> Outcome:
        key = place, options
        if key not in self._known:
            one = self._listened[place]
            segmenter = Segmenter(options, self._frame_duration)
            events = segmenter.feed(one.probabilities)
            events += segmenter.finish(one.duration) if one.probabilities else []
            found = [event.segment for event in events if isinstance(event, SpeechEnd)]
            self._known[key] = Outcome(detection_errors(one.reference, found, one.duration), one.duration)
        return self._known[key]


def _neighbours(options: SegmentOptions, name: str) -> Iterator[SegmentOptions]:
    """The operating point itself, then with every value of one option, each with the thresholds nearby."""
    yield options
    nearest = min(range(len(_THRESHOLDS)), key=lambda i: abs(_THRESHOLDS[i] - options.threshold))
    nearby = _THRESHOLDS[max(0, nearest - _NEARBY) : nearest + _NEARBY + 1]
    if name == "neg_threshold":
        for distance in _DISTANCES:
            yield from _with_thresholds(_at_distance(options, distance), nearby)
    else:
        for value in _DURATIONS_MS[name]:
            yield from _with_thresholds(replace(options, **{name: float(value)}), nearby)


def _with_thresholds(options: SegmentOptions, thresholds: Sequence[float]) -> Iterator[SegmentOptions]:
    """With each threshold, the neg_threshold as far below it as before."""
    distance = options.threshold - options.release_threshold
    for threshold in thresholds:
        yield _at_distance(replace(options, threshold=threshold, neg_threshold=None), distance)


def _at_distance(options: SegmentOptions, distance: float) -> SegmentOptions:
    neg_threshold = min(options.threshold, max(_LOWEST_NEG_THRESHOLD, options.threshold - distance))
    return replace(options, neg_threshold=round(neg_threshold, 4))
