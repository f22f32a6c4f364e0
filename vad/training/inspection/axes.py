"""The parts that pictures are made of: axes with units, one zero-centred scale, a clip above its maps."""

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
    "SIGNED_COLOURS",
    "WIDTH",
    "channels_panel",
    "clip_panels",
    "figure_with_rows",
    "probability_panel",
    "signed_norm",
    "spectrogram_panel",
    "time_extent",
    "time_frequency_panel",
]

WIDTH = 11.0  # inches
_SHOWN_DB = 80.0
_LABELLED_HZ = (8000, 4000, 2000, 1000, 500, 250, 125)
_LABEL_HEIGHT = 0.16  # inches
SIGNED_COLOURS = "RdBu_r"


def figure_with_rows(heights: Sequence[float]) -> tuple[Figure, list[Axes]]:
    """A figure of panels under each other with one time axis; heights in inches."""
    figure = Figure((WIDTH, sum(heights) + 0.4 * len(heights)), layout="constrained")
    grid = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)
    axes = list(grid[:, 0])
    axes[-1].set_xlabel("time in the recording (s)")
    return figure, axes


def signed_norm(values: Array, quantile: float = 1.0) -> TwoSlopeNorm:
    """A colour scale with zero in its middle; beyond a quantile of the magnitudes it is full."""
    limit = float(np.quantile(np.abs(values), quantile)) or float(np.abs(values).max()) or 1.0
    return TwoSlopeNorm(0.0, -limit, limit)


def time_extent(analysis: Analysis) -> tuple[float, float]:
    """From when to when the clip lasts in its recording, seconds."""
    start = analysis.audio.start
    return start, start + len(analysis.probability) * analysis.network.frame_s


def clip_panels(analysis: Analysis, axes: Sequence[Axes]) -> None:
    """The clip itself on the first two panels: its spectrogram, and what the network says of it."""
    spectrogram_panel(analysis, axes[0])
    probability_panel(analysis, axes[1])


def spectrogram_panel(analysis: Analysis, axes: Axes) -> None:
    """The spectrogram of the clip in decibels."""
    values = analysis.decibels
    top = float(values.max())
    image = time_frequency_panel(
        analysis, axes, values, cmap="magma", vmin=max(float(values.min()), top - _SHOWN_DB), vmax=top
    )
    axes.figure.colorbar(image, ax=axes, label="power (dB)", pad=0.01)
    axes.set_title(f"{analysis.audio.name}, at the level {analysis.network.name} hears it", loc="left")


def probability_panel(analysis: Analysis, axes: Axes) -> None:
    """The probability over time, with the reference behind it."""
    start, end = time_extent(analysis)
    edges = np.linspace(start, end, len(analysis.probability) + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    if analysis.reference is not None:
        axes.fill_between(
            middles,
            0,
            1,
            where=analysis.reference,
            step="mid",
            color="tab:green",
            alpha=0.25,
            lw=0,
            label="reference",
        )
    axes.plot(middles, analysis.probability, color="black", lw=1.2, label="probability")
    axes.axhline(0.5, color="grey", lw=0.8, ls=":")
    axes.set(xlim=(start, end), ylim=(-0.02, 1.02), ylabel="speech\nprobability")
    axes.legend(loc="upper right", fontsize="small", ncols=2)


def channels_panel(analysis: Analysis, axes: Axes, values: Array, **options: Any) -> Any:
    """A map of the clip over time with a row per filter, the first at the top. Values [shape=(steps, filters)]."""
    start, end = time_extent(analysis)
    axes.set_yticks([])
    return axes.imshow(
        values.T,
        aspect="auto",
        interpolation="nearest",
        extent=(start, end, values.shape[1], 0),
        rasterized=True,
        **options,
    )


def time_frequency_panel(
    analysis: Analysis, axes: Axes, values: Array, *, column_s: float | None = None, **options: Any
) -> Any:
    """A map of the clip over time and frequency. Values [shape=(columns, rows)], rows by rising frequency.

    Rows are drawn equally high and share the mel scale; the axis tells their frequencies. Columns share the clip
    equally, or are ``column_s`` seconds long and the last is cut.
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
    return image
