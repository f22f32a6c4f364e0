"""The benchmark itself: every system processes every recording under every condition, and all is measured."""

from __future__ import annotations

import math
import time
import timeit
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vad.audio.acoustics import SAMPLE_RATE
from vad.detection.detection import Detection
from vad.evaluation.benchmark.bootstrap import (
    DRAWN_METRICS,
    Interval,
    draws,
    interval,
    metrics_of_draws,
    shares_of_draws,
)
from vad.evaluation.benchmark.conditions import CLEAN, Condition, LoadedRecording
from vad.evaluation.benchmark.store import detect_all
from vad.evaluation.benchmark.systems import System
from vad.evaluation.scoring import ALLOWED_MISS, Metrics, Scored, pool
from vad.files import make_folder
from vad.labels.cells import CELL_DURATION

__all__ = ["SPEED_SECONDS", "FalseAlarms", "Figures", "Results", "benchmark"]

SPEED_SECONDS = 60
_SPEED_PASSES = 3
_CURVE_POINTS = 200
_AFTER_BEEP_S = 10.0


@dataclass(frozen=True)
class Figures:
    """The metrics of one system under one condition.

    Attributes:
        metrics: At the system's own threshold, all recordings pooled.
        intervals: 95 % intervals of `DRAWN_METRICS`.
        differences: 95 % intervals of the same figures minus the first system's; empty for the first.
        curve: False alarm and miss at falling thresholds.
    """

    metrics: Metrics
    intervals: dict[str, Interval]
    differences: dict[str, Interval]
    curve: list[tuple[float, float]]


@dataclass(frozen=True)
class FalseAlarms:
    """The share of the 10 ms cells of a class of non-speech that one system takes for speech.

    Attributes:
        at_5_miss: At the threshold that misses 5 % of the clean recordings' speech.
        at_own: At the system's own threshold.
        difference: 95 % interval of `at_5_miss` minus the first system's; None for the first.
    """

    at_5_miss: float
    at_own: float
    difference: Interval | None


@dataclass(frozen=True)
class Results:
    """All results; the other systems are compared with the first.

    Attributes:
        recordings: Number of labelled recordings.
        seed: Seed of the conditions and the intervals.
        n_draws: Draws of an interval.
        systems: The version of each system.
        thresholds: The own threshold of each system.
        thresholds_at_5_miss: The threshold of each system that misses 5 % of the clean recordings' speech at most.
        delays: Seconds of audio past a frame that each system waits for.
        times_real_time: Seconds of audio per second of processor time.
        conditions: Metrics by condition and system.
        kept_after_beep: Of the speech that each system detects in the first 10 s of the clean recordings, the share
            that it also detects after a beep; empty without that condition.
        sound_seconds: Seconds of each class of non-speech.
        sounds: False alarms by class and system.
    """

    recordings: int
    seed: int
    n_draws: int
    systems: dict[str, str] = field(default_factory=dict)
    thresholds: dict[str, float] = field(default_factory=dict)
    thresholds_at_5_miss: dict[str, float] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)
    times_real_time: dict[str, float] = field(default_factory=dict)
    conditions: dict[str, dict[str, Figures]] = field(default_factory=dict)
    kept_after_beep: dict[str, float] = field(default_factory=dict)
    sound_seconds: dict[str, float] = field(default_factory=dict)
    sounds: dict[str, dict[str, FalseAlarms]] = field(default_factory=dict)


def benchmark(
    systems: Sequence[System],
    labelled: Sequence[LoadedRecording],
    conditions: Sequence[Condition],
    sounds: Mapping[str, Sequence[LoadedRecording]],
    *,
    seed: int,
    n_draws: int,
    store: Path | None,
    advance: Callable[[float], None],
) -> Results:
    """Measure the systems.

    Args:
        systems: The others are compared with the first.
        labelled: Recordings with labels.
        conditions: The conditions, clean first.
        sounds: Recordings without speech, by class.
        seed: Decides the conditions and the intervals.
        n_draws: Draws of an interval.
        store: The folder of detections, so that a stopped run goes on; None keeps none.
        advance: Called with the seconds of every recording that a system has processed.
    """
    if store is not None:
        make_folder(store)
    first = systems[0].name
    drawn = draws(len(labelled), n_draws, seed)
    results = Results(seed=seed, n_draws=n_draws, recordings=len(labelled))
    for system in systems:
        results.systems[system.name] = system.version
        results.thresholds[system.name] = system.options.threshold
        results.delays[system.name] = system.delay_s
        results.times_real_time[system.name] = _speed(system, labelled)
    for condition in conditions:
        changed = [condition.apply(one, seed) for one in labelled]
        scored = {
            system.name: [
                condition.score(detection, one)
                for detection, one in zip(detect_all(system, changed, store, advance), labelled, strict=True)
            ]
            for system in systems
        }
        results.conditions[condition.name] = _compare(scored, results.thresholds, first, drawn)
        if condition.name == CLEAN:
            clean = scored
            for name, ones in scored.items():
                results.thresholds_at_5_miss[name] = pool(ones).curve.at_miss(ALLOWED_MISS).threshold
        if condition.lead_s:
            for name, ones in scored.items():
                results.kept_after_beep[name] = _kept(clean[name], ones, results.thresholds[name])
    for name, recordings in sounds.items():
        samples = [one.samples for one in recordings]
        detections = {system.name: detect_all(system, samples, store, advance) for system in systems}
        results.sound_seconds[name] = sum(map(len, samples)) / SAMPLE_RATE
        results.sounds[name] = _false_alarms(detections, results, first)
    return results


def _compare(
    scored: Mapping[str, Sequence[Scored]],
    thresholds: Mapping[str, float],
    first: str,
    drawn: npt.NDArray[np.float64],
) -> dict[str, Figures]:
    """The metrics of every system, with intervals, also of the difference from the first system."""
    figures = {}
    of_draws = {name: metrics_of_draws(ones, thresholds[name], drawn) for name, ones in scored.items()}
    for name, ones in scored.items():
        pooled = pool(ones)
        own, others = of_draws[name], of_draws[name] - of_draws[first]
        figures[name] = Figures(
            metrics=pooled.metrics(thresholds[name]),
            intervals=dict(zip(DRAWN_METRICS, map(interval, own), strict=True)),
            differences=dict(zip(DRAWN_METRICS, map(interval, others), strict=True)) if name != first else {},
            curve=_curve(pooled),
        )
    return figures


def _kept(before: Sequence[Scored], after: Sequence[Scored], threshold: float) -> float:
    """The share of the speech detected before that is detected after, in the first seconds; nan without any."""
    detected = kept = 0
    for one, other in zip(before, after, strict=True):
        first = slice(round(_AFTER_BEEP_S / CELL_DURATION))
        hits = one.labels[first] & (one.scores[first] >= threshold)
        detected += int(np.count_nonzero(hits))
        kept += int(np.count_nonzero(hits & (other.scores[first] >= threshold)))
    return kept / detected if detected else math.nan


def _curve(pooled: Scored) -> list[tuple[float, float]]:
    """False alarm and miss, at enough thresholds for a plot."""
    curve = pooled.curve
    last = len(curve.thresholds) - 1
    points = np.unique(np.linspace(0, last, _CURVE_POINTS).round().astype(int))
    return [
        (round(float(curve.false_alarm_rates[point]), 5), round(float(curve.misses[point]), 5))
        for point in points
    ]


def _false_alarms(
    detections: Mapping[str, Sequence[Detection]], results: Results, first: str
) -> dict[str, FalseAlarms]:
    n_recordings = len(detections[first])
    drawn = draws(n_recordings, results.n_draws, results.seed)
    cells = [len(one.probabilities) for one in detections[first]]

    def taken(name: str, threshold: float) -> list[int]:
        return [int(np.count_nonzero(one.probabilities >= threshold)) for one in detections[name]]

    at_5_miss = {name: taken(name, results.thresholds_at_5_miss[name]) for name in detections}
    of_draws = {name: shares_of_draws(parts, cells, drawn) for name, parts in at_5_miss.items()}
    return {
        name: FalseAlarms(
            at_5_miss=sum(parts) / sum(cells),
            at_own=sum(taken(name, results.thresholds[name])) / sum(cells),
            difference=None if name == first else interval(of_draws[name] - of_draws[first]),
        )
        for name, parts in at_5_miss.items()
    }


def _speed(system: System, recordings: Sequence[LoadedRecording]) -> float:
    """Seconds of audio per second of processor time, all threads counted: the best of a few passes."""
    samples = np.concatenate([one.samples for one in recordings])[: SPEED_SECONDS * SAMPLE_RATE]
    spent = timeit.repeat(
        lambda: system.process(samples), timer=time.process_time, number=1, repeat=_SPEED_PASSES
    )
    return len(samples) / SAMPLE_RATE / max(min(spent), 1e-9)
