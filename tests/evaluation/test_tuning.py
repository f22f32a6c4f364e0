"""`vad tune`: the operating point that serves a goal, believed only on what the search had not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from vad.detection.detection import Detection
from vad.detection.detector import Detector
from vad.detection.options import SegmentOptions
from vad.detection.segments import Segment
from vad.errors import ConfigError
from vad.evaluation.segment_metrics import DetectionErrors
from vad.evaluation.tuning.goal import Goal, Outcome
from vad.evaluation.tuning.search import Labelled, Tuned, end_latency, tune

FRAME = 0.02
TURNS = (Segment(1.0, 3.0), Segment(5.0, 8.0))
SECONDS = 10


def labelled(probabilities: Sequence[float], group: str = "a", turns: Sequence[Segment] = TURNS) -> Labelled:
    values = np.asarray(probabilities, np.float32)
    return Labelled(group, Detection(len(values) * FRAME, FRAME, values, []), turns)


def two_levels(speech: float, rest: float, group: str = "a", spikes: Sequence[int] = ()) -> Labelled:
    """Probabilities that are one value in speech and another elsewhere; at spikes that of speech for 100 ms."""
    probabilities = np.full(round(SECONDS / FRAME), rest)
    for turn in TURNS:
        probabilities[round(turn.start / FRAME) : round(turn.end / FRAME)] = speech
    for spike in spikes:
        probabilities[spike : spike + 5] = speech
    return labelled(probabilities, group)


def tuned(detector: Detector, goal: Goal, *recordings: Labelled) -> Tuned:
    return tune(recordings, detector, goal, lambda: None)


@pytest.mark.parametrize(("speech", "rest"), [(0.12, 0.06), (0.95, 0.85), (0.6, 0.01)])
def test_finds_the_threshold_between(speech: float, rest: float, detector: Detector) -> None:
    found = tuned(detector, Goal(), two_levels(speech, rest))
    assert found.fitted.f1 == 1.0
    assert rest < found.options.threshold <= speech
    assert found.options.speech_pad_ms == 0
    assert found.held_out is None


def test_finds_durations_as_well(detector: Detector) -> None:
    found = tuned(detector, Goal(), two_levels(0.9, 0.1, spikes=(10, 430, 460)))
    assert found.fitted.f1 == 1.0
    assert found.options.min_speech_duration_ms > 100


def test_bounds_go_before_what_is_best(detector: Detector) -> None:
    """Speech of 0.5 for one turn and 0.9 for another; noise of 0.6 for a second."""
    one = two_levels(0.9, 0.1)
    probabilities = np.array(one.detection.probabilities)
    probabilities[250:400] = 0.5
    probabilities[:50] = 0.6
    both = labelled(probabilities)
    few_misses = tuned(detector, Goal(max_miss=0.02), both)
    few_alarms = tuned(detector, Goal(max_false_alarm=0.02), both)
    assert few_misses.fitted.miss <= 0.02
    assert few_misses.fitted.false_alarm >= 1 / 5
    assert few_alarms.fitted.false_alarm <= 0.02
    assert few_alarms.fitted.miss == pytest.approx(3 / 5, abs=0.02)
    neither = Goal(max_miss=0.02, max_false_alarm=0.02)
    assert neither.excess(tuned(detector, neither, both).fitted) > 0.1


def test_held_out_figures_are_of_searches_that_saw_nothing_of_them(detector: Detector) -> None:
    """Two speakers for whom other thresholds are right: fitted to one, the other is all wrong."""
    loud, soft = two_levels(0.9, 0.5, "loud"), two_levels(0.3, 0.1, "soft")
    found = tuned(detector, Goal(best="f1"), loud, soft)
    of_loud, of_soft = (tuned(detector, Goal(best="f1"), one) for one in (loud, soft))
    assert of_loud.fitted.f1 == of_soft.fitted.f1 == 1.0
    assert found.folds == 2
    assert found.held_out is not None
    # The threshold of one misses all of the other's speech, the other's takes all for speech.
    assert found.held_out.errors.miss == pytest.approx(5.0)
    assert found.held_out.errors.false_alarm == pytest.approx(5.0)
    assert found.fitted.f1 > found.held_out.f1
    same = tuned(detector, Goal(), two_levels(0.9, 0.5, "one"), two_levels(0.3, 0.1, "one"))
    assert same.held_out is None


def noise_alone(level: float, group: str) -> Labelled:
    """Ten seconds without speech, all of one probability."""
    return labelled([level] * round(SECONDS / FRAME), group, ())


def test_one_speaker_beside_noise_is_held_out_from_nobody(detector: Detector) -> None:
    """A search without speech chooses an operating point that detects none."""
    found = tuned(detector, Goal(), two_levels(0.9, 0.1), *(noise_alone(0.2, f"noise{i}") for i in range(4)))
    assert found.fitted.f1 == 1.0
    assert (found.held_out, found.folds) == (None, 1)


@pytest.mark.parametrize(("speech", "noise"), [(0.45, 0.3), (0.9, 0.55)])
def test_each_search_has_speech_and_noise(speech: float, noise: float, detector: Detector) -> None:
    """The start of 0.5 misses the soft speech and takes the loud noise for speech: a search needs both."""
    names = "abcd"
    of_speech = [two_levels(speech, 0.01, name) for name in names[::2]]
    of_noise = [noise_alone(noise, name) for name in names[1::2]]
    found = tuned(detector, Goal(), *of_speech, *of_noise)
    assert found.folds == 2
    assert found.held_out is not None
    assert found.held_out.f1 == 1.0


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        (SegmentOptions(min_silence_duration_ms=200, speech_pad_ms=0), 0.2 + 0.06),
        (SegmentOptions(min_silence_duration_ms=40, speech_pad_ms=100), 0.2 + 0.06),
        (SegmentOptions(min_silence_duration_ms=0, speech_pad_ms=0, min_speech_duration_ms=500), 0.02 + 0.06),
    ],
)
def test_latency_is_when_the_end_is_known(options: SegmentOptions, seconds: float) -> None:
    assert end_latency(options, FRAME, delay=0.06) == pytest.approx(seconds, abs=1e-6)


def test_a_bound_of_latency_is_kept(detector: Detector) -> None:
    """Pauses of 300 ms inside the turns, which only a long min_silence_duration_ms fills."""
    one = two_levels(0.9, 0.1)
    probabilities = np.array(one.detection.probabilities)
    probabilities[100:115] = probabilities[300:315] = 0.1
    paused = labelled(probabilities)
    assert tuned(detector, Goal(), paused).fitted.f1 == 1.0
    quick = tuned(detector, Goal(max_latency_ms=150), paused)
    assert quick.latency_ms <= 150
    assert 0.9 < quick.fitted.f1 < 1.0


def test_what_is_too_late_everywhere_is_still_as_good_as_can_be(detector: Detector) -> None:
    one = two_levels(0.9, 0.1, spikes=(10, 430, 460))
    nearest = tuned(detector, Goal(max_latency_ms=5), one)
    assert nearest.latency_ms == min(
        tuned(detector, Goal(max_latency_ms=bound), one).latency_ms for bound in (1, 40, 60, 80, 100)
    )
    assert nearest.fitted.f1 == 1.0


@pytest.mark.parametrize("pause_frames", [3, 7])
def test_a_bound_of_latency_is_exact(pause_frames: int, detector: Detector) -> None:
    """Pauses that a silence just longer fills: in binary, some of the latencies come out a little above."""
    one = two_levels(0.9, 0.1)
    probabilities = np.array(one.detection.probabilities)
    probabilities[100 : 100 + pause_frames] = probabilities[300 : 300 + pause_frames] = 0.1
    paused = labelled(probabilities)
    needed = tuned(detector, Goal(), paused)
    assert needed.fitted.f1 == 1.0
    again = tuned(detector, Goal(max_latency_ms=round(needed.latency_ms)), paused)
    assert again.fitted.f1 == 1.0


def test_a_bound_out_of_reach_is_not_neared_at_any_price() -> None:
    goal = Goal(max_miss=0.01)
    dear, sensible, farther = (
        Outcome(DetectionErrors(100.0, miss, false_alarm), 200.0)
        for miss, false_alarm in ((3.21, 100.0), (3.24, 10.0), (4.0, 0.0))
    )
    assert min((dear, farther, sensible), key=goal.cost) == sensible


@pytest.mark.parametrize("seed", range(3))
def test_finds_what_pays_only_together(seed: int, detector: Detector) -> None:
    """Speech in spikes; longer silences filled find it, and noise too until shorter speech is dropped as well."""
    rng = np.random.default_rng(seed)
    spoken = np.tile([1] * 3 + [0] * 10, 8)
    noise = np.tile([1] * 3 + [0] * 10 + [1] * 3 + [0] * 15, 15)
    pause = np.zeros(50)
    high = np.concatenate([pause, np.ones(150), pause, spoken, [1] * 3, pause, noise, pause]) > 0
    probabilities = np.where(high, rng.uniform(0.75, 1.0, high.size), rng.uniform(0.0, 0.3, high.size))
    turns = (Segment(1.0, 4.0), Segment(5.0, 5.0 + 107 * FRAME))
    one = labelled(probabilities, turns=turns)
    assert tuned(detector, Goal(), one).fitted.f1 == pytest.approx(1.0)


@pytest.mark.parametrize(
    "wrong", [{"max_miss": 1.5}, {"max_false_alarm": -0.1}, {"max_latency_ms": 0}, {"best": "f2"}]
)
def test_goals_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Goal(**wrong)
