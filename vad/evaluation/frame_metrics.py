"""How well frame scores tell speech from non-speech, over every threshold and at one.

Scores and labels are laid on one grid first (`vad.labels.cells`, `resample_frames`), so that detectors of any frame
length compare. A rate whose denominator is empty (a recording without speech has no miss rate) is nan.
Segments and boundaries are measured in `vad.evaluation.segment_metrics`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vad.errors import ConfigError

__all__ = [
    "OperatingPoint",
    "RocCurve",
    "resample_frames",
    "roc_auc",
    "roc_curve",
]


def resample_frames(
    values: ArrayLike, frame_duration: float, n_frames: int, new_frame_duration: float
) -> NDArray[np.float64]:
    """Puts frame values on another grid: a new frame takes the value of the old one that its middle lies in.

    Args:
        values: One value per frame [shape=(frames,)]; the last one is held where the new grid is longer.
        frame_duration: Seconds per frame of ``values``.
        n_frames: Frames of the new grid.
        new_frame_duration: Seconds per frame of the new grid.

    Returns:
        The values on the new grid [shape=(n_frames,)].

    Raises:
        ConfigError: A duration is not positive, or there are no values to take from.
    """
    _require_positive("frame_duration", frame_duration)
    _require_positive("new_frame_duration", new_frame_duration)
    old = np.asarray(values, dtype=np.float64)
    if old.size == 0 and n_frames > 0:
        raise ConfigError(f"values must hold at least one frame. Received: none, for {n_frames} new frames.")
    middles = (np.arange(n_frames) + 0.5) * new_frame_duration
    indices = np.floor(middles / frame_duration).astype(np.int64)
    taken: NDArray[np.float64] = old[np.minimum(indices, old.size - 1)]
    return taken


@dataclass(frozen=True)
class OperatingPoint:
    """Errors at one threshold.

    Attributes:
        threshold: A frame is taken for speech where its score is at least this.
        miss: Share of the speech frames taken for non-speech; nan where there is no speech.
        false_alarm: Share of the non-speech frames taken for speech; nan where all is speech.
    """

    threshold: float
    miss: float
    false_alarm: float

    @property
    def balanced_error(self) -> float:
        """Mean of the two rates: what it would be if half of the frames were speech."""
        return (self.miss + self.false_alarm) / 2


@dataclass(frozen=True)
class RocCurve:
    """Counts at every threshold, falling; the first point takes nothing for speech.

    `roc_curve` makes one with every distinct score as a threshold. Where counts stand for more than one recording
    or for drawn ones, make it from them: every figure follows from the counts alone.

    Attributes:
        thresholds: A frame is taken for speech where its score is at least this [shape=(points,)].
        hits: Speech frames taken for speech [shape=(points,)].
        false_alarms: Non-speech frames taken for speech [shape=(points,)].
    """

    thresholds: NDArray[np.float64]
    hits: NDArray[np.int64]
    false_alarms: NDArray[np.int64]

    @property
    def n_speech(self) -> int:
        """Frames of speech."""
        return int(self.hits[-1])

    @property
    def n_nonspeech(self) -> int:
        """Frames of non-speech."""
        return int(self.false_alarms[-1])

    @property
    def misses(self) -> NDArray[np.float64]:
        """Share of the speech frames taken for non-speech [shape=(points,)]."""
        return (self.n_speech - self.hits) / self.n_speech

    @property
    def false_alarm_rates(self) -> NDArray[np.float64]:
        """Share of the non-speech frames taken for speech [shape=(points,)]."""
        return self.false_alarms / self.n_nonspeech

    @property
    def auc(self) -> float:
        """Area under the curve, 0 to 1; nan without frames of both classes."""
        # Integers up to the division, so that it alone rounds; they stay below 2**63 for 400 hours at 10 ms.
        twice_area = np.sum(np.diff(self.false_alarms) * (self.hits[1:] + self.hits[:-1]))
        return _ratio(float(twice_area), 2.0 * self.n_speech * self.n_nonspeech)

    @property
    def average_precision(self) -> float:
        """Precision averaged over recall, 0 to 1; nan without speech."""
        hits = self.hits[1:]
        precision = hits / np.maximum(hits + self.false_alarms[1:], 1)
        return _ratio(float(np.sum(np.diff(self.hits) * precision)), self.n_speech)

    def best(self) -> OperatingPoint:
        """Where miss and false alarm have the smallest mean; the highest such threshold.

        Returns:
            The operating point; infinite is its threshold where taking nothing for speech is best. All nan without
            frames of both classes.
        """
        if self.n_speech == 0 or self.n_nonspeech == 0:
            return OperatingPoint(math.nan, math.nan, math.nan)
        return self.point(int(np.argmin(self.misses + self.false_alarm_rates)))

    def at_miss(self, miss: float) -> OperatingPoint:
        """Where false alarms are fewest among the thresholds that miss no more than asked, without interpolation.

        Args:
            miss: The largest miss rate allowed, 0 to 1.

        Returns:
            The operating point; all nan without frames of both classes.

        Raises:
            ConfigError: ``miss`` is out of range.
        """
        if not 0.0 <= miss <= 1.0:
            raise ConfigError(f"miss must be between 0 and 1. Received: miss={miss}.")
        if self.n_speech == 0 or self.n_nonspeech == 0:
            return OperatingPoint(math.nan, math.nan, math.nan)
        return self.point(int(np.argmax(self.misses <= miss)))

    def at(self, threshold: float) -> OperatingPoint:
        """The errors at a threshold: a frame is taken for speech where its score is at least this."""
        index = int(np.searchsorted(-self.thresholds, -threshold, side="right")) - 1
        hits, false_alarms = int(self.hits[index]), int(self.false_alarms[index])
        return OperatingPoint(
            threshold,
            _ratio(self.n_speech - hits, self.n_speech),
            _ratio(false_alarms, self.n_nonspeech),
        )

    def point(self, index: int) -> OperatingPoint:
        """The errors at one threshold."""
        return OperatingPoint(
            float(self.thresholds[index]), float(self.misses[index]), float(self.false_alarm_rates[index])
        )


def roc_curve(labels: ArrayLike, scores: ArrayLike) -> RocCurve:
    """Count what every threshold takes for speech.

    Args:
        labels: True or 1 where there is speech [shape=(frames,)].
        scores: Higher is more likely speech [shape=(frames,)].

    Returns:
        The curve, from which every figure of this module follows.

    Raises:
        ConfigError: The shapes differ, or a score is not finite.
    """
    speech, values = _checked(labels, scores)
    order = np.argsort(-values, kind="stable")
    speech, values = speech[order], values[order]
    last_of_tie = (
        np.append(np.flatnonzero(np.diff(values)), values.size - 1) if values.size else np.zeros(0, np.int64)
    )
    hits = np.cumsum(speech, dtype=np.int64)[last_of_tie]
    return RocCurve(
        thresholds=np.concatenate([[np.inf], values[last_of_tie]]),
        hits=np.concatenate([[0], hits]),
        false_alarms=np.concatenate([[0], last_of_tie + 1 - hits]),
    )


def roc_auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC curve: how often a speech frame scores above a non-speech frame, ties by half.

    Args:
        labels: True or 1 where there is speech [shape=(frames,)].
        scores: Higher is more likely speech [shape=(frames,)].

    Returns:
        0 to 1, 0.5 being chance; nan where the labels hold one class alone.

    Raises:
        ConfigError: The shapes differ, or a score is not finite.
    """
    return roc_curve(labels, scores).auc


def _checked(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    speech, values = np.asarray(labels, dtype=np.bool_), np.asarray(scores, dtype=np.float64)
    if speech.ndim != 1 or speech.shape != values.shape:
        raise ConfigError(
            "labels and scores must be 1-D and of one length. "
            f"Received: shapes {speech.shape} and {values.shape}."
        )
    if not np.all(np.isfinite(values)):
        raise ConfigError(
            f"scores must be finite. Received: {np.count_nonzero(~np.isfinite(values))} that are not."
        )
    return speech, values


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan


def _require_positive(name: str, value: float) -> None:
    if not value > 0.0 or not math.isfinite(value):
        raise ConfigError(f"{name} must be a positive number of seconds. Received: {name}={value}.")
