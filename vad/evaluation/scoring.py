"""A detector over labelled recordings: frame, segment and boundary metrics, for each and for all together.

Frames are measured on a grid of 10 ms, finer than any model's, so that models of different frame lengths compare;
the detector has already taken the model's delay out. Pooled, recordings count as one long one: every frame weighs
the same, and one threshold holds for all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vad.corpus.manifest import CorpusItem
from vad.detection.detector import Detection, Detector
from vad.detection.segments import Segment
from vad.evaluation.calibration import reliability
from vad.evaluation.frame_metrics import RocCurve, resample_frames, roc_curve
from vad.evaluation.segment_metrics import (
    BoundaryErrors,
    DetectionErrors,
    PauseRecall,
    boundary_errors,
    detection_errors,
    pause_recall,
)
from vad.labels.cells import CELL_DURATION, labels_to_frames

__all__ = [
    "ALLOWED_MISS",
    "Metrics",
    "Scored",
    "on_grid",
    "pool",
    "score",
    "score_item",
    "score_segments",
]

ALLOWED_MISS = 0.05
_PAUSES = ((0.1, 0.2), (0.2, 0.5), (0.5, math.inf))  # seconds: those from the first on, up to the second
_OVER_THRESHOLDS = (
    "auc",
    "average_precision",
    "best_balanced_error",
    "best_threshold",
    "miss_at_best",
    "false_alarm_at_best",
    "false_alarm_at_5_miss",
    "calibration_error",
)


@dataclass(frozen=True)
class Metrics:
    """The figures of a recording or of many. Rates are 0 to 1; what does not exist (no speech) is nan.

    Attributes:
        duration: Seconds of audio.
        speech: Share of the frames that are speech by the reference.
        auc: Area under the ROC curve.
        average_precision: Precision averaged over recall.
        best_balanced_error: The least mean of miss and false alarm over all thresholds.
        best_threshold: Where it is reached.
        miss_at_best: Of the frames, there.
        false_alarm_at_best: Of the frames, there.
        false_alarm_at_5_miss: The least false alarm of a threshold that misses 5 % of the speech frames at most.
        miss: Of the frames, at the detector's threshold.
        false_alarm: Of the frames, at the detector's threshold.
        calibration_error: Expected distance of the probabilities from what came true.
        detection_error_rate: Of the segments: seconds missed and falsely found by seconds of speech, 0 or more.
        missed_seconds: Of the segments.
        false_alarm_seconds: Of the segments.
        onset_median: Seconds that segments start after the reference; negative is early.
        onset_p90: 90th percentile of that distance, either way.
        offset_median: Seconds that segments end after the reference.
        offset_p90: 90th percentile of that distance, either way.
        unmatched_onsets: Reference onsets without a segment's start within 0.5 s.
        unmatched_offsets: Reference offsets without a segment's end within 0.5 s.
        pauses: In the reference, of 0.2 s or more between two turns.
        pause_recall: Share of them that the segments leave open.
        pauses_found_100_ms: The same share of the pauses of 0.1 to 0.2 s.
        pauses_found_200_ms: Of 0.2 to 0.5 s.
        pauses_found_500_ms: Of 0.5 s and more.
    """

    duration: float
    speech: float
    auc: float
    average_precision: float
    best_balanced_error: float
    best_threshold: float
    miss_at_best: float
    false_alarm_at_best: float
    false_alarm_at_5_miss: float
    miss: float
    false_alarm: float
    calibration_error: float
    detection_error_rate: float
    missed_seconds: float
    false_alarm_seconds: float
    onset_median: float
    onset_p90: float
    offset_median: float
    offset_p90: float
    unmatched_onsets: int
    unmatched_offsets: int
    pauses: int
    pause_recall: float
    pauses_found_100_ms: float
    pauses_found_200_ms: float
    pauses_found_500_ms: float


@dataclass(frozen=True)
class Scored:
    """What a detector said, beside the reference.

    Attributes:
        duration: Seconds of audio.
        labels: True where the reference has speech, every 10 ms [shape=(cells,)].
        found: True where the segments have speech, every 10 ms [shape=(cells,)].
        probabilities: What the model says of each cell, 0 to 1 [shape=(cells,)]. None where there are only segments.
        detection: Seconds that the detector's segments miss and falsely hold.
        boundaries: How far the segments' boundaries stand from the reference's.
        pauses: How many of the reference's pauses the segments leave open: of 0.1 to 0.2 s, to 0.5 s, and longer.
    """

    duration: float
    labels: NDArray[np.bool_]
    found: NDArray[np.bool_]
    probabilities: NDArray[np.float32] | None
    detection: DetectionErrors
    boundaries: BoundaryErrors
    pauses: tuple[PauseRecall, ...]

    @property
    def scores(self) -> NDArray[np.float32]:
        """The probabilities; of segments alone, 1 where they have speech and else 0 [shape=(cells,)]."""
        return self.found.astype(np.float32) if self.probabilities is None else self.probabilities

    @property
    def curve(self) -> RocCurve:
        """What every threshold takes for speech."""
        return roc_curve(self.labels, self.scores)

    def metrics(self, threshold: float) -> Metrics:
        """Sum it up; the frames' miss and false alarm are those at this threshold, or else of the segments."""
        curve = self.curve
        frames = curve.at(1.0 if self.probabilities is None else threshold)
        shortest, short, long = self.pauses
        return Metrics(
            duration=self.duration,
            speech=float(np.mean(self.labels)) if self.labels.size else math.nan,
            **self._over_thresholds(curve),
            miss=frames.miss,
            false_alarm=frames.false_alarm,
            detection_error_rate=self.detection.rate,
            missed_seconds=self.detection.miss,
            false_alarm_seconds=self.detection.false_alarm,
            **self.boundaries.summary(),
            unmatched_onsets=self.boundaries.unmatched_onsets,
            unmatched_offsets=self.boundaries.unmatched_offsets,
            pauses=(short + long).pauses,
            pause_recall=(short + long).rate,
            pauses_found_100_ms=shortest.rate,
            pauses_found_200_ms=short.rate,
            pauses_found_500_ms=long.rate,
        )

    def _over_thresholds(self, curve: RocCurve) -> dict[str, float]:
        if self.probabilities is None:
            return dict.fromkeys(_OVER_THRESHOLDS, math.nan)
        best = curve.best()
        figures = (
            curve.auc,
            curve.average_precision,
            best.balanced_error,
            best.threshold,
            best.miss,
            best.false_alarm,
            curve.at_miss(ALLOWED_MISS).false_alarm,
            reliability(self.labels, self.probabilities).expected_error,
        )
        return dict(zip(_OVER_THRESHOLDS, figures, strict=True))


def on_grid(detection: Detection) -> Detection:
    """Put the probabilities of frames of any length on the grid of 10 ms: each holds for its frame."""
    cells = resample_frames(
        detection.probabilities, detection.frame_duration, _n_cells(detection.duration), CELL_DURATION
    )
    return replace(detection, frame_duration=CELL_DURATION, probabilities=cells.astype(np.float32))


def score(detection: Detection, reference: Sequence[Segment]) -> Scored:
    """Compare a detection with where speech is."""
    scored = score_segments(reference, detection.segments, detection.duration)
    return replace(scored, probabilities=on_grid(detection).probabilities)


def score_item(detector: Detector, item: CorpusItem) -> Scored:
    """Process one recording of a corpus, and compare.

    Args:
        detector: What is measured.
        item: The recording and its reference.

    Raises:
        AudioError: The recording cannot be read, or ends in damage.
        MissingDependencyError: A container needs the `media` extra.
    """
    return score(detector.process(item.path), item.segments)


def score_segments(reference: Sequence[Segment], detected: Sequence[Segment], duration: float) -> Scored:
    """Measure segments alone, whoever found them.

    Args:
        reference: Where speech is.
        detected: Where it was found.
        duration: Seconds of audio.

    Returns:
        What was said, beside the reference.
    """
    n_cells = _n_cells(duration)
    return Scored(
        duration=duration,
        labels=labels_to_frames(reference, n_cells, CELL_DURATION),
        found=labels_to_frames(detected, n_cells, CELL_DURATION),
        probabilities=None,
        detection=detection_errors(reference, detected, duration),
        boundaries=boundary_errors(reference, detected),
        pauses=tuple(pause_recall(reference, detected, *lengths) for lengths in _PAUSES),
    )


def pool(scored: Sequence[Scored]) -> Scored:
    """Take many recordings as one long one.

    Args:
        scored: One a recording; all with probabilities, or none.

    Returns:
        All of them together.
    """
    none: NDArray[np.bool_] = np.zeros(0, np.bool_)
    probabilities = [one.probabilities for one in scored if one.probabilities is not None]
    return Scored(
        duration=math.fsum(one.duration for one in scored),
        labels=np.concatenate([none, *(one.labels for one in scored)]),
        found=np.concatenate([none, *(one.found for one in scored)]),
        probabilities=np.concatenate(probabilities) if probabilities else None,
        detection=sum((one.detection for one in scored), DetectionErrors()),
        boundaries=BoundaryErrors.pooled([one.boundaries for one in scored]),
        pauses=tuple(sum((one.pauses[lot] for one in scored), PauseRecall()) for lot in range(len(_PAUSES))),
    )


def _n_cells(duration: float) -> int:
    """A last cell that is not full is left out; what is full but for rounding (0.29 s are 28.99... cells) is not."""
    return math.floor(duration / CELL_DURATION + 1e-6)
