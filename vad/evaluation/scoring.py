"""The scores of recordings: frame, segment and boundary metrics, for each recording and for all together.

Frames are measured on a grid of 10 ms, finer than any model's, so models of different frame lengths compare. Pooled
recordings count as one long recording: every frame weighs the same, and one threshold holds for all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vad.audio.reading import OnPosition, watched
from vad.corpus.manifest import CorpusItem
from vad.detection.detection import Detection
from vad.detection.detector import Detector, open_recording
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
from vad.labels.reading import require_within

__all__ = [
    "ALLOWED_MISS",
    "Metrics",
    "Scored",
    "on_grid",
    "pool",
    "process_item",
    "score",
    "score_item",
    "score_segments",
]

ALLOWED_MISS = 0.05
_PAUSES_S = ((0.1, 0.2), (0.2, 0.5), (0.5, math.inf))  # from the first length on, below the second


@dataclass(frozen=True)
class Metrics:
    """The metrics of a recording or of many. Rates are 0 to 1. A metric that does not exist (no speech) is nan.

    Attributes:
        duration: Seconds of audio.
        speech: Share of the frames that are speech in the reference.
        auc: Area under the ROC curve.
        average_precision: Precision averaged over recall.
        best_balanced_error: The least mean of miss and false alarm over all thresholds.
        best_threshold: The threshold with that mean.
        miss_at_best: Miss rate of the frames at that threshold.
        false_alarm_at_best: False alarm rate of the frames at that threshold.
        false_alarm_at_5_miss: The least false alarm rate of a threshold that misses at most 5 % of the speech frames.
        miss: Miss rate of the frames at the detector's threshold.
        false_alarm: False alarm rate of the frames at the detector's threshold.
        calibration_error: Expected calibration error of the probabilities.
        detection_error_rate: Seconds of speech missed and of false alarm in the segments, by seconds of speech.
        missed_seconds: Speech outside the segments.
        false_alarm_seconds: Segments outside speech.
        onset_median: Median delay of the segments' starts after the reference, seconds; negative is early.
        onset_p90: 90th percentile of its magnitude.
        offset_median: Median delay of the segments' ends after the reference, seconds.
        offset_p90: 90th percentile of its magnitude.
        unmatched_onsets: Reference onsets without a segment's start within 0.5 s.
        unmatched_offsets: Reference offsets without a segment's end within 0.5 s.
        pauses: Number of pauses of 0.2 s or more in the reference.
        pause_recall: Share of them that the segments leave open.
        pauses_found_100_ms: Recall of the pauses of 0.1 to 0.2 s.
        pauses_found_200_ms: Recall of the pauses of 0.2 to 0.5 s.
        pauses_found_500_ms: Recall of the pauses of 0.5 s and more.
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
    """A detection compared with the reference.

    Attributes:
        duration: Seconds of audio.
        labels: True where the reference has speech, every 10 ms [shape=(cells,)].
        detected: True where the segments have speech, every 10 ms [shape=(cells,)].
        probabilities: The model's probability of each cell [shape=(cells,)]. None where there are only segments.
        detection: Errors of the segments in seconds.
        boundaries: Distances of the segments' boundaries from the reference's.
        pauses: Recall of the reference's pauses of 0.1 to 0.2 s, 0.2 to 0.5 s, and more.
    """

    duration: float
    labels: NDArray[np.bool_]
    detected: NDArray[np.bool_]
    probabilities: NDArray[np.float32] | None
    detection: DetectionErrors
    boundaries: BoundaryErrors
    pauses: tuple[PauseRecall, ...]

    @property
    def scores(self) -> NDArray[np.float32]:
        """The probabilities; without any, 1 in the segments and 0 elsewhere [shape=(cells,)]."""
        return self.detected.astype(np.float32) if self.probabilities is None else self.probabilities

    @property
    def curve(self) -> RocCurve:
        """The counts at every threshold."""
        return roc_curve(self.labels, self.scores)

    def metrics(self, threshold: float) -> Metrics:
        """Sum it up.

        Args:
            threshold: For the miss and false alarm of frames. Without probabilities, those of the segments count.
        """
        frames = self.curve.at(1.0 if self.probabilities is None else threshold)
        # Segments alone have no metrics over thresholds. Those of no frames are nan.
        curve = roc_curve([], []) if self.probabilities is None else self.curve
        calibration_error = math.nan
        if self.probabilities is not None:
            calibration_error = reliability(self.labels, self.probabilities).expected_error
        best = curve.best()
        shortest, short, long = self.pauses
        return Metrics(
            duration=self.duration,
            speech=float(np.mean(self.labels)) if self.labels.size else math.nan,
            auc=curve.auc,
            average_precision=curve.average_precision,
            best_balanced_error=best.balanced_error,
            best_threshold=best.threshold,
            miss_at_best=best.miss,
            false_alarm_at_best=best.false_alarm,
            false_alarm_at_5_miss=curve.at_miss(ALLOWED_MISS).false_alarm,
            miss=frames.miss,
            false_alarm=frames.false_alarm,
            calibration_error=calibration_error,
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


def on_grid(detection: Detection) -> Detection:
    """Put the probabilities on the grid of 10 ms."""
    cells = resample_frames(
        detection.probabilities, detection.frame_duration, _n_cells(detection.duration), CELL_DURATION
    )
    return replace(detection, frame_duration=CELL_DURATION, probabilities=cells.astype(np.float32))


def score(detection: Detection, reference: Sequence[Segment]) -> Scored:
    """Compare a detection with the reference."""
    scored = score_segments(reference, detection.segments, detection.duration)
    return replace(scored, probabilities=on_grid(detection).probabilities)


def score_item(detector: Detector, item: CorpusItem, on_position: OnPosition | None = None) -> Scored:
    """Process a recording of a corpus, and compare the detection with its labels; see `process_item`."""
    return score(process_item(detector, item, on_position), item.segments)


def process_item(detector: Detector, item: CorpusItem, on_position: OnPosition | None = None) -> Detection:
    """Process a recording of a corpus.

    Args:
        detector: The detector.
        item: The recording.
        on_position: Called with the position.

    Raises:
        AudioError: The recording cannot be read, or ends in damage.
        LabelError: Its labels lie far past its end.
        MissingDependencyError: A container needs the `media` extra.
    """
    with open_recording(detector, item.path) as audio:
        blocks = audio if on_position is None else watched(audio, on_position)
        detection = detector.process(blocks, audio.sample_rate)
    require_within(item.segments, detection.duration, item.key)
    return detection


def score_segments(reference: Sequence[Segment], detected: Sequence[Segment], duration: float) -> Scored:
    """Compare segments, without probabilities, with the reference.

    Args:
        reference: Segments of speech, in seconds.
        detected: Detected segments, in seconds.
        duration: Seconds of audio.
    """
    n_cells = _n_cells(duration)
    return Scored(
        duration=duration,
        labels=labels_to_frames(reference, n_cells, CELL_DURATION),
        detected=labels_to_frames(detected, n_cells, CELL_DURATION),
        probabilities=None,
        detection=detection_errors(reference, detected, duration),
        boundaries=boundary_errors(reference, detected),
        pauses=tuple(pause_recall(reference, detected, *lengths) for lengths in _PAUSES_S),
    )


def pool(scored: Sequence[Scored]) -> Scored:
    """Take many recordings as one long one. All have probabilities, or none has."""
    none: NDArray[np.bool_] = np.zeros(0, np.bool_)
    probabilities = [one.probabilities for one in scored if one.probabilities is not None]
    return Scored(
        duration=math.fsum(one.duration for one in scored),
        labels=np.concatenate([none, *(one.labels for one in scored)]),
        detected=np.concatenate([none, *(one.detected for one in scored)]),
        probabilities=np.concatenate(probabilities) if probabilities else None,
        detection=sum((one.detection for one in scored), DetectionErrors()),
        boundaries=BoundaryErrors.pooled([one.boundaries for one in scored]),
        pauses=tuple(
            sum((one.pauses[length] for one in scored), PauseRecall()) for length in range(len(_PAUSES_S))
        ),
    )


def _n_cells(duration: float) -> int:
    """The number of whole cells; one that is whole but for rounding counts (0.29 s are 28.99... cells)."""
    return math.floor(duration / CELL_DURATION + 1e-6)
