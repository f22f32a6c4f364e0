"""Charts as `templates/charts.js` draws them: all coordinates from 0 to 1."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vad.evaluation.calibration import reliability
from vad.evaluation.frame_metrics import RocCurve, roc_curve

__all__ = ["charts", "histogram"]

Values = NDArray[np.floating[Any]]

_MAX_POINTS = 300
# Ticks of the DET axes, which have the scale of the normal distribution
# (Martin et al., "The DET curve in assessment of detection task performance", 1997).
_DET_RATES = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6)
_LINEAR_TICKS = [[rate, f"{rate:.0%}"] for rate in (0, 0.2, 0.4, 0.6, 0.8, 1.0)]


def charts(labels: NDArray[np.bool_], probabilities: Values, threshold: float) -> list[dict[str, Any]]:
    """Draw ROC, precision and recall, DET, and reliability.

    Args:
        labels: True where there is speech [shape=(cells,)].
        probabilities: Of speech [shape=(cells,)].
        threshold: The detector's; a dot marks it.

    Returns:
        The charts; none unless there are both speech and non-speech.
    """
    curve = roc_curve(labels, probabilities)
    if not curve.n_speech or not curve.n_nonspeech:
        return []
    point = curve.at(threshold)
    return [
        _roc(curve, point.miss, point.false_alarm, threshold),
        _precision_recall(curve, point.miss, point.false_alarm, threshold),
        _det(curve, point.miss, point.false_alarm, threshold),
        _reliability(labels, probabilities),
    ]


def _roc(curve: RocCurve, miss: float, false_alarm: float, threshold: float) -> dict[str, Any]:
    return {
        "title": "ROC",
        "caption": "Detected speech against false alarm, over all thresholds. The best corner is the upper left.",
        "x": _axis("false alarm, share of the non-speech frames"),
        "y": _axis("detected, share of the speech frames"),
        "curve": _thinned(curve.false_alarm_rates, 1 - curve.misses),
        "chance": [[0, 0], [1, 1]],
        "dot": _dot(false_alarm, 1 - miss, threshold),
    }


def _precision_recall(curve: RocCurve, miss: float, false_alarm: float, threshold: float) -> dict[str, Any]:
    hits, false_alarms = curve.hits[1:], curve.false_alarms[1:]
    hit, wrong = (1 - miss) * curve.n_speech, false_alarm * curve.n_nonspeech
    share = curve.n_speech / (curve.n_speech + curve.n_nonspeech)
    return {
        "title": "Precision and recall",
        "caption": "Precision: how much of the detected is speech. Recall: how much of the speech is detected. "
        "The best corner is the upper right.",
        "x": _axis("recall, share of the speech frames"),
        "y": _axis("precision, share of the detected frames"),
        "curve": _thinned(1 - curve.misses[1:], hits / (hits + false_alarms)),
        "chance": [[0, share], [1, share]],
        "dot": _dot(1 - miss, hit / (hit + wrong), threshold) if hit + wrong > 0 else None,
    }


def _det(curve: RocCurve, miss: float, false_alarm: float, threshold: float) -> dict[str, Any]:
    place = _det_place()
    ticks = [[place(rate), f"{rate:.1%}" if rate < 0.01 else f"{rate:.0%}"] for rate in _DET_RATES]
    seen = (curve.false_alarm_rates <= _DET_RATES[-1]) & (curve.misses <= _DET_RATES[-1])
    x = np.array([place(rate) for rate in curve.false_alarm_rates[seen]])
    y = np.array([place(rate) for rate in curve.misses[seen]])
    return {
        "title": "DET",
        "caption": "Miss against false alarm; small rates are drawn larger. The best corner is the lower left.",
        "x": {"label": "false alarm, share of the non-speech frames", "ticks": ticks},
        "y": {"label": "miss, share of the speech frames", "ticks": ticks},
        "curve": _thinned(x, y) if seen.any() else [],
        "chance": None,
        "dot": _dot(place(false_alarm), place(miss), threshold),
    }


def _det_place() -> Callable[[float], float]:
    """Give the function that places a rate on the axis; rates beyond its ends are drawn at them."""
    low, high = (NormalDist().inv_cdf(rate) for rate in (_DET_RATES[0], _DET_RATES[-1]))

    def place(rate: float) -> float:
        inside = min(max(rate, _DET_RATES[0]), _DET_RATES[-1])
        return (NormalDist().inv_cdf(inside) - low) / (high - low)

    return place


def _reliability(labels: NDArray[np.bool_], probabilities: Values) -> dict[str, Any]:
    bins = reliability(labels, probabilities)
    filled = np.flatnonzero(bins.frames)
    shares = bins.frames / max(bins.frames.sum(), 1)
    return {
        "title": "Reliability",
        "caption": "How often frames of a probability are speech. On the diagonal, the probability is exact. "
        f"Bars: share of the frames. Expected calibration error: {bins.expected_error:.3f}.",
        "x": _axis("probability"),
        "y": _axis("speech, share of the frames"),
        "curve": [[float(bins.probability[i]), float(bins.speech[i])] for i in filled],
        "chance": [[0, 0], [1, 1]],
        "bars": [
            [i / len(shares), (i + 1) / len(shares), float(share)] for i, share in enumerate(shares) if share
        ],
        "dot": None,
    }


def histogram(title: str, unit: str, values: Sequence[float]) -> list[dict[str, Any]]:
    """Draw how often values occur: a list of one chart, or of none without finite values."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return []
    counts, edges = np.histogram(finite, bins=min(20, max(5, len(finite) // 3)))
    most = int(counts.max())
    places = ((edges - edges[0]) / (edges[-1] - edges[0])).tolist()
    bars = zip(places[:-1], places[1:], counts.tolist(), strict=True)
    return [
        {
            "title": title,
            "caption": f"{len(finite)} recordings",
            "x": {"label": unit, "ticks": _round_ticks(float(edges[0]), float(edges[-1]))},
            "y": {"label": "recordings", "ticks": _round_ticks(0.0, float(most), least_step=1)},
            "bars": [[low, high, count / most] for low, high, count in bars if count],
        }
    ]


def _round_ticks(low: float, high: float, least_step: float = 0.0) -> list[list[Any]]:
    """Give round numbers of a range in steps of 1, 2 or 5, each with its place between 0 and 1."""
    power = 10 ** math.floor(math.log10((high - low) / 4))
    step = max(least_step, power * max(one for one in (1, 2, 5) if one * power <= (high - low) / 4))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [
        [(number * step - low) / (high - low), f"{number * step:.3g}"] for number in range(first, last + 1)
    ]


def _axis(label: str) -> dict[str, Any]:
    return {"label": label, "ticks": _LINEAR_TICKS}


def _dot(x: float, y: float, threshold: float) -> list[Any]:
    return [x, y, f"at {threshold:g}"]


def _thinned(x: Values, y: Values) -> Sequence[list[float]]:
    """Give no more points than the eye can separate, evenly along the curve."""
    walked = np.cumsum(np.hypot(np.diff(x, prepend=x[0]), np.diff(y, prepend=y[0])))
    chosen = np.unique(np.searchsorted(walked, np.linspace(0, walked[-1], _MAX_POINTS)))
    kept = np.minimum(np.append(chosen, len(x) - 1), len(x) - 1)
    return [[round(float(x[i]), 4), round(float(y[i]), 4)] for i in np.unique(kept)]
