"""Intervals of metrics, by the paired bootstrap over recordings (Efron, "Bootstrap methods", 1979).

Recordings are drawn with replacement, the same ones for every system, and the metrics computed from each draw. Whole
recordings are drawn because their frames depend on each other. As all systems process the same draws, the difference of
two systems varies far less than either.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vad.evaluation.frame_metrics import RocCurve
from vad.evaluation.scoring import ALLOWED_MISS, Scored

__all__ = ["DRAWN_METRICS", "Interval", "draws", "interval", "metrics_of_draws", "shares_of_draws"]

DRAWN_METRICS = ("auc", "average_precision", "best_balanced_error", "balanced_error", "false_alarm_at_5_miss")

_MOST_THRESHOLDS = 1_000  # more of them change no digit that is printed
_TAIL = 0.025

Interval = tuple[float, float]
Values = npt.NDArray[np.float64]


def draws(n_recordings: int, n_draws: int, seed: int) -> Values:
    """The number of times each recording is in each draw [shape=(draws, recordings)]."""
    rng = np.random.default_rng(seed)
    even = np.full(n_recordings, 1 / n_recordings)
    return rng.multinomial(n_recordings, even, size=n_draws).astype(np.float64)


def metrics_of_draws(scored: Sequence[Scored], threshold: float, drawn: Values) -> Values:
    """The metrics of every draw.

    Args:
        scored: The scores of the recordings.
        threshold: The system's own, for its balanced error.
        drawn: From `draws` [shape=(draws, recordings)].

    Returns:
        `DRAWN_METRICS` in order [shape=(figures, draws)]; nan where a draw has one class alone.
    """
    cells = np.concatenate([one.scores for one in scored])
    even = np.quantile(cells, np.linspace(0, 1, _MOST_THRESHOLDS), method="nearest").astype(np.float64)
    thresholds = np.unique(np.append(even, threshold))
    speech, other = (
        np.stack([_above(one.scores[one.labels == label], thresholds) for one in scored])
        for label in (True, False)
    )
    falling = np.append(np.inf, thresholds[::-1])
    drawn_metrics = []
    for hits, false_alarms in zip(drawn @ speech, drawn @ other, strict=True):
        curve = RocCurve(falling, hits.astype(np.int64), false_alarms.astype(np.int64))
        best, own, at_miss = curve.best(), curve.at(threshold), curve.at_miss(ALLOWED_MISS)
        errors = (best.balanced_error, own.balanced_error, at_miss.false_alarm)
        drawn_metrics.append((curve.auc, curve.average_precision, *errors))
    return np.array(drawn_metrics).T


def shares_of_draws(parts: Sequence[int], wholes: Sequence[int], drawn: Values) -> Values:
    """A share, pooled over recordings, of every draw [shape=(draws,)]."""
    return np.asarray((drawn @ np.asarray(parts)) / (drawn @ np.asarray(wholes)))


def interval(values: Values) -> Interval:
    """The range of the middle 95 % of the values; nan where there is none."""
    known = values[np.isfinite(values)]
    if not known.size:
        return (np.nan, np.nan)
    low, high = np.quantile(known, [_TAIL, 1 - _TAIL])
    return float(low), float(high)


def _above(scores: npt.NDArray[np.float32], thresholds: Values) -> npt.NDArray[np.int64]:
    """0, then the number of scores that reach each threshold, from the highest down [shape=(thresholds + 1,)]."""
    below = np.searchsorted(np.sort(scores.astype(np.float64)), thresholds, side="left")
    return np.append(0, (scores.size - below)[::-1])
