"""Panels shared by pictures: the excerpt, the probability, and maps on one time axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from vad.training.inspection.network import Array
from vad.training.inspection.probe import Analysis

__all__ = [
    "WIDTH",
    "channels_panel",
    "excerpt_panels",
    "figure_with_rows",
    "probability_panel",
    "signed",
    "time_extent",
    "time_frequency_panel",
]

WIDTH = 11.0  # inches
_SHOWN_DB = 80.0
_LABELLED_HZ = (8000, 4000, 2000, 1000, 500, 250, 125)
_LABEL_HEIGHT = 0.16  # inches


def figure_with_rows(heights: Sequence[float]) -> tuple[Figure, list[Axes]]:
    """A figure of panels under each other with one time axis; heights in inches."""
    figure = Figure((WIDTH, sum(heights) + 0.4 * len(heights)), layout="constrained")
    grid = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)
    axes = list(grid[:, 0])
    axes[-1].set_xlabel("time in the recording (s)")
    return figure, axes


def signed(values: Array, quantile: float = 1.0) -> dict[str, Any]:
    """Colours with zero in the middle; beyond a quantile of the magnitudes they are full."""
    limit = float(np.quantile(np.abs(values), quantile)) or float(np.abs(values).max()) or 1.0
    return {"cmap": "RdBu_r", "norm": TwoSlopeNorm(0.0, -limit, limit)}


def time_extent(analysis: Analysis) -> tuple[float, float]:
    """Start and end of the excerpt in its recording, seconds."""
    start = analysis.audio.start
    return start, start + len(analysis.probability) * analysis.network.frame_s


def excerpt_panels(analysis: Analysis, axes: Sequence[Axes]) -> None:
    """The spectrogram of the excerpt on the first panel, the probability on the second."""
    values = analysis.decibels
    top = float(values.max())
    time_frequency_panel(
        analysis,
        axes[0],
        values,
        title=f"{analysis.audio.name}, behind the gain control of {analysis.network.name}",
        unit="power (dB)",
        cmap="magma",
        vmin=max(float(values.min()), top - _SHOWN_DB),
        vmax=top,
    )
    probability_panel(analysis, axes[1])


def probability_panel(analysis: Analysis, axes: Axes, title: str = "") -> None:
    """The probability over time, with the reference behind it."""
    start, end = time_extent(analysis)
    edges = np.linspace(start, end, len(analysis.probability) + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    if analysis.reference is not None:
        shade: dict[str, Any] = {
            "step": "mid",
            "color": "tab:green",
            "alpha": 0.25,
            "lw": 0,
            "label": "reference",
        }
        axes.fill_between(middles, 0, 1, where=analysis.reference, **shade)
    axes.plot(middles, analysis.probability, color="black", lw=1.2, label="probability")
    axes.axhline(0.5, color="grey", lw=0.8, ls=":")
    axes.set(xlim=(start, end), ylim=(-0.02, 1.02), ylabel="speech\nprobability")
    axes.legend(loc="upper right", fontsize="small", ncols=2)
    axes.set_title(title, loc="left")


def channels_panel(analysis: Analysis, axes: Axes, values: Array, *, title: str, **options: Any) -> None:
    """A map over time with a row per filter, the first at the top. Values [shape=(steps, filters)]."""
    start, end = time_extent(analysis)
    axes.set_yticks([])
    axes.set_ylabel("filter")
    axes.set_title(title, loc="left", fontsize="medium")
    extent = (start, end, values.shape[1], 0)
    axes.imshow(values.T, aspect="auto", interpolation="nearest", extent=extent, rasterized=True, **options)


def time_frequency_panel(
    analysis: Analysis,
    axes: Axes,
    values: Array,
    *,
    title: str,
    unit: str = "",
    column_s: float | None = None,
    **options: Any,
) -> None:
    """A map over time and frequency, with a colour bar where a unit is given.

    Values [shape=(columns, rows)] by rising frequency; rows are equally high on the mel scale. Columns share the
    excerpt equally, or are ``column_s`` seconds long and the last is cut.
    """
    start, end = time_extent(analysis)
    rows = values.shape[1]
    image = axes.imshow(
        values.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(start, end if column_s is None else start + len(values) * column_s, 0, rows),
        rasterized=True,
        **options,
    )
    if unit:
        axes.figure.colorbar(image, ax=axes, label=unit, pad=0.01)
    axes.set_title(title, loc="left", fontsize="medium")
    axes.set_xlim(start, end)
    bands = len(analysis.frequencies)
    hertz = [f for f in _LABELLED_HZ if analysis.frequencies[0] <= f <= analysis.frequencies[-1]]
    places = np.interp(hertz, analysis.frequencies, (np.arange(bands) + 0.5) / bands * rows)
    room = _LABEL_HEIGHT * rows / (axes.get_window_extent().height / axes.figure.dpi)
    ticks: dict[str, float] = {}
    for frequency, place in zip(hertz, places, strict=True):
        if not ticks or min(ticks.values()) - place >= room:
            ticks[f"{frequency:g}"] = place
    axes.set_yticks(list(ticks.values()), list(ticks), fontsize="small")
    axes.set_ylabel("frequency (Hz)")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
