"""The results as a figure: curves, areas by condition, false alarms by class of sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from vad.evaluation.benchmark.conditions import CLEAN
from vad.evaluation.benchmark.run import Results

__all__ = ["draw"]

_AXIS_RANGE = (0.005, 1.0)  # of a rate, logarithmic
_LEAST_AREA = 0.75  # less would squeeze the good ones


def draw(results: Results, path: Path) -> None:
    """Write the figure as a PNG."""
    figure = Figure(figsize=(15, 5 if results.sounds else 4.5), layout="constrained")
    axes = figure.subplots(1, 3 if results.sounds else 2)
    colours = dict(zip(results.systems, (f"C{n}" for n in range(len(results.systems))), strict=True))
    _curves(axes[0], results, colours)
    _areas(axes[1], results, colours)
    if results.sounds:
        _sounds(axes[2], results, colours)
    figure.savefig(path, dpi=110, format="png")


def _curves(axes: Any, results: Results, colours: dict[str, str]) -> None:
    """Miss by false alarm, both logarithmic, with a cross at the system's own threshold."""
    for name, figures in results.conditions[CLEAN].items():
        points = np.maximum(np.array(figures.curve), _AXIS_RANGE[0] / 2)
        axes.plot(points[:, 0], points[:, 1], color=colours[name], label=name)
        own = np.maximum([figures.metrics.false_alarm, figures.metrics.miss], _AXIS_RANGE[0])
        axes.plot(*own, "x", color=colours[name], clip_on=False)
    axes.set(xscale="log", yscale="log", xlim=_AXIS_RANGE, ylim=_AXIS_RANGE)
    axes.set(xlabel="false alarm", ylabel="miss", title="Clean (x: own threshold)")
    axes.grid(alpha=0.3, which="both")
    axes.legend(loc="lower left")


def _areas(axes: Any, results: Results, colours: dict[str, str]) -> None:
    conditions = list(results.conditions)
    for name in results.systems:
        areas = [results.conditions[condition][name].metrics.auc for condition in conditions]
        axes.plot(np.maximum(areas, _LEAST_AREA), conditions, "o", color=colours[name], label=name)
    axes.invert_yaxis()
    axes.grid(alpha=0.3)
    axes.set(title="Area under the ROC curve", xlabel=f"at the edge: {_LEAST_AREA} or less")


def _sounds(axes: Any, results: Results, colours: dict[str, str]) -> None:
    classes = list(results.sounds)
    height = 0.8 / len(results.systems)
    for number, name in enumerate(results.systems):
        places = np.arange(len(classes)) + (number - (len(results.systems) - 1) / 2) * height
        shares = [results.sounds[one][name].at_5_miss for one in classes]
        axes.barh(places, shares, height, color=colours[name], label=name)
    axes.set_yticks(range(len(classes)), classes)
    axes.invert_yaxis()
    axes.grid(alpha=0.3, axis="x")
    axes.set(title="Non-speech taken for speech, at 5 % miss", xlabel="share of time")
