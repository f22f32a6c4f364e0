"""How far a figure would move with other recordings of the same kind: the paired bootstrap by recording.

Recordings are drawn with replacement, the same ones for every system, and the figures made again from the draw
(Efron, "Bootstrap methods", 1979). Frames of one recording hang together, so whole recordings are drawn; and as all
systems heard the same ones, the difference of two systems varies far less than either.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vad.evaluation.frame_metrics import RocCurve
from vad.evaluation.scoring import ALLOWED_MISS, Scored

__all__ = ["DRAWN_FIGURES", "Interval", "draws", "figures_of_draws", "interval", "shares_of_draws"]

DRAWN_FIGURES = ("auc", "average_precision", "best_balanced_error", "balanced_error", "false_alarm_at_5_miss")

_MOST_THRESHOLDS = 1_000  # more change no digit that an interval is written with
_TAIL = 0.025

Interval = tuple[float, float]
Figures = npt.NDArray[np.float64]


def draws(n_recordings: int, n_draws: int, seed: int) -> npt.NDArray[np.float64]:
    """How often each recording is in each draw [shape=(draws, recordings)]."""
    rng = np.random.default_rng(seed)
    even = np.full(n_recordings, 1 / n_recordings)
    return rng.multinomial(n_recordings, even, size=n_draws).astype(np.float64)


def figures_of_draws(scored: Sequence[Scored], threshold: float, drawn: npt.NDArray[np.float64]) -> Figures:
    """The figures of every draw.

    Args:
        scored: One a recording.
        threshold: Where the system's own balanced error is taken.
        drawn: From `draws` [shape=(draws, recordings)].

    Returns:
        `DRAWN_FIGURES` in order [shape=(figures, draws)]; nan where a draw has one class alone.
    """
    cells = np.concatenate([one.scores for one in scored])
    even = np.quantile(cells, np.linspace(0, 1, _MOST_THRESHOLDS), method="nearest").astype(np.float64)
    thresholds = np.unique(np.append(even, threshold))
    speech, other = (
        np.stack([_above(one.scores[one.labels == label], thresholds) for one in scored])
        for label in (True, False)
    )
    falling = np.append(np.inf, thresholds[::-1])
    rows = []
    for hits, false_alarms in zip(drawn @ speech, drawn @ other, strict=True):
        curve = RocCurve(falling, hits.astype(np.int64), false_alarms.astype(np.int64))
        rows.append(
            (
                curve.auc,
                curve.average_precision,
                curve.best().balanced_error,
                curve.at(threshold).balanced_error,
                curve.at_miss(ALLOWED_MISS).false_alarm,
            )
        )
    return np.array(rows).T


def shares_of_draws(parts: Sequence[int], wholes: Sequence[int], drawn: npt.NDArray[np.float64]) -> Figures:
    """A share, pooled over recordings, of every draw [shape=(draws,)]."""
    return np.asarray((drawn @ np.asarray(parts)) / (drawn @ np.asarray(wholes)))


def interval(figures: Figures) -> Interval:
    """Where 95 % of the draws lie; nan where there is no figure."""
    known = figures[np.isfinite(figures)]
    if not known.size:
        return (np.nan, np.nan)
    low, high = np.quantile(known, [_TAIL, 1 - _TAIL])
    return float(low), float(high)


def _above(scores: npt.NDArray[np.float32], thresholds: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """How many scores reach each threshold, from the highest down, after none [shape=(thresholds + 1,)]."""
    below = np.searchsorted(np.sort(scores.astype(np.float64)), thresholds, side="left")
    return np.append(0, (scores.size - below)[::-1])
