"""Frame metrics: how well scores separate speech from non-speech, over all thresholds and at one.

Scores and labels are on one grid (`resample_frames`, `vad.labels.cells`), so detectors of any frame length compare. A
rate is nan where it has no frames: a recording without speech has no miss rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vad.errors import require
from vad.labels.cells import require_seconds

__all__ = ["RocCurve", "ThresholdErrors", "frame_arrays", "resample_frames", "roc_auc", "roc_curve"]


def resample_frames(
    values: ArrayLike, frame_duration: float, n_frames: int, new_frame_duration: float
) -> NDArray[np.float64]:
    """Puts frame values on another grid: a new frame takes the value of the old frame that its middle lies in.

    Args:
        values: One value per frame [shape=(frames,)]. The last one is repeated where the new grid is longer.
        frame_duration: Seconds per frame of ``values``.
        n_frames: Frames of the new grid.
        new_frame_duration: Seconds per frame of the new grid.

    Returns:
        The values on the new grid [shape=(n_frames,)].

    Raises:
        ConfigError: A duration is not positive, or there are no values.
    """
    require_seconds("frame_duration", frame_duration)
    require_seconds("new_frame_duration", new_frame_duration)
    old = np.asarray(values, dtype=np.float64)
    require(old.size > 0 or n_frames <= 0, "values must hold at least one frame", values=values)
    middles = (np.arange(n_frames) + 0.5) * new_frame_duration
    indices = np.floor(middles / frame_duration).astype(np.int64)
    taken: NDArray[np.float64] = old[np.minimum(indices, old.size - 1)]
    return taken


@dataclass(frozen=True)
class ThresholdErrors:
    """The errors at one threshold.

    Attributes:
        threshold: Frames with this score or more count as speech.
        miss: Share of the speech frames below it; nan without speech.
        false_alarm: Share of the non-speech frames that reach it; nan without non-speech.
    """

    threshold: float
    miss: float
    false_alarm: float

    @property
    def balanced_error(self) -> float:
        """Mean of the two rates: the error if half of the frames were speech."""
        return (self.miss + self.false_alarm) / 2


@dataclass(frozen=True)
class RocCurve:
    """Counts at falling thresholds. At the first one no frame counts as speech, at the last one all do.

    Attributes:
        thresholds: Frames with this score or more count as speech [shape=(points,)].
        hits: Speech frames that reach the threshold [shape=(points,)].
        false_alarms: Non-speech frames that reach it [shape=(points,)].
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
        """Share of the speech frames below each threshold [shape=(points,)]."""
        return (self.n_speech - self.hits) / self.n_speech

    @property
    def false_alarm_rates(self) -> NDArray[np.float64]:
        """Share of the non-speech frames that reach each threshold [shape=(points,)]."""
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

    def best(self) -> ThresholdErrors:
        """The errors at the threshold with the least mean of miss and false alarm; the highest of several.

        The threshold is infinite where it is best to detect nothing. All is nan without frames of both classes.
        """
        if self.n_speech == 0 or self.n_nonspeech == 0:
            return ThresholdErrors(math.nan, math.nan, math.nan)
        return self._point(int(np.argmin(self.misses + self.false_alarm_rates)))

    def at_miss(self, miss: float) -> ThresholdErrors:
        """The errors at the highest threshold that misses no more than allowed, without interpolation.

        Args:
            miss: The largest miss rate allowed, 0 to 1.

        Returns:
            The errors; all nan without frames of both classes.

        Raises:
            ConfigError: ``miss`` is out of range.
        """
        require(0.0 <= miss <= 1.0, "miss must be between 0 and 1", miss=miss)
        if self.n_speech == 0 or self.n_nonspeech == 0:
            return ThresholdErrors(math.nan, math.nan, math.nan)
        return self._point(int(np.argmax(self.misses <= miss)))

    def at(self, threshold: float) -> ThresholdErrors:
        """The errors at a threshold."""
        index = int(np.searchsorted(-self.thresholds, -threshold, side="right")) - 1
        return self._point(index, threshold)

    def _point(self, index: int, threshold: float | None = None) -> ThresholdErrors:
        return ThresholdErrors(
            float(self.thresholds[index]) if threshold is None else threshold,
            _ratio(self.n_speech - int(self.hits[index]), self.n_speech),
            _ratio(int(self.false_alarms[index]), self.n_nonspeech),
        )


def roc_curve(labels: ArrayLike, scores: ArrayLike) -> RocCurve:
    """Count the frames at every distinct score.

    Args:
        labels: True or 1 where there is speech [shape=(frames,)].
        scores: Higher is more likely speech [shape=(frames,)].

    Raises:
        ConfigError: The shapes differ, or a score is not finite.
    """
    speech, values = frame_arrays(labels, scores, "scores")
    require(
        bool(np.all(np.isfinite(values))), "scores must be finite", scores=values[~np.isfinite(values)][:1]
    )
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
    """Area under the ROC curve, 0 to 1, where 0.5 is chance; nan where the labels hold one class alone.

    It is how often a speech frame scores above a non-speech frame, with ties by half. Arguments and errors are those of
    `roc_curve`.
    """
    return roc_curve(labels, scores).auc


def frame_arrays(
    labels: ArrayLike, values: ArrayLike, name: str
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Labels and values as arrays [shape=(frames,)].

    Raises:
        ConfigError: They are not 1-D and of one length.
    """
    speech, numbers = np.asarray(labels, dtype=np.bool_), np.asarray(values, dtype=np.float64)
    fit = speech.ndim == 1 and speech.shape == numbers.shape
    require(fit, f"labels and {name} must be 1-D and of one length", shapes=(speech.shape, numbers.shape))
    return speech, numbers


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan
