"""Pictures of kernels, or of anything in a kernel's shape, on one zero-centred scale."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from vad.training.inspection.axes import WIDTH, signed
from vad.training.inspection.network import Array
from vad.training.inspection.probe import filter_responses

__all__ = ["filters_in_time", "kernels_2d", "sorted_responses"]

_COLUMNS = 12
_COLUMNS_IN_TIME = 6
_DRAWN_FILTERS = 24
_SHOWN_DB = 40.0


def kernels_2d(kernels: Array, names: list[str], *, label: str) -> Figure:
    """One small picture per kernel [shape=(kernels, time, frequency)]: time to the right, frequency upwards."""
    rows = -(-len(kernels) // _COLUMNS)
    figure = Figure((WIDTH, 1.02 * rows + 0.3), layout="constrained")
    grid = figure.subplots(rows, _COLUMNS, squeeze=False)
    scale = signed(kernels)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, kernel, name in zip(grid.flat, kernels, names, strict=False):
        image = axes.imshow(kernel.T, origin="lower", **scale)
        axes.set_axis_on()
        axes.set(xticks=[], yticks=[])
        axes.set_title(name, fontsize="small", pad=2)
    grid[-1, 0].set_xlabel("time →", fontsize="small")
    grid[-1, 0].set_ylabel("frequency →", fontsize="small")
    figure.colorbar(image, ax=grid, label=label, pad=0.01)
    return figure


def filters_in_time(kernel: Array, sample_rate: int, *, label: str) -> Figure:
    """Some of the filters on the waveform [shape=(taps, 1, filters)], from the lowest to the highest, on one scale."""
    power, hertz = filter_responses(kernel, sample_rate)
    peaks = hertz[power.argmax(axis=0)]
    order = np.argsort(peaks, kind="stable")
    drawn = order[np.linspace(0, len(order) - 1, min(_DRAWN_FILTERS, len(order))).round().astype(int)]
    rows = -(-len(drawn) // _COLUMNS_IN_TIME)
    figure = Figure((WIDTH, 1.2 * rows + 0.6), layout="constrained")
    grid = figure.subplots(rows, _COLUMNS_IN_TIME, sharex=True, sharey=True, squeeze=False)
    milliseconds = np.arange(len(kernel)) * 1000 / sample_rate
    for axes in grid.flat[len(drawn) :]:
        axes.set_axis_off()
    for axes, which in zip(grid.flat, drawn, strict=False):
        axes.axhline(0, color="grey", lw=0.5)
        axes.plot(milliseconds, kernel[:, 0, which], lw=0.5)
        axes.set_title(f"{which}: {peaks[which]:.0f} Hz", fontsize="small", pad=2)
    figure.supxlabel("time (ms)", fontsize="medium")
    figure.supylabel(label, fontsize="medium")
    return figure


def sorted_responses(kernel: Array, sample_rate: int) -> Figure:
    """The frequency responses of filters on the waveform [shape=(taps, 1, filters)], sorted by their peaks."""
    power, hertz = filter_responses(kernel, sample_rate)
    decibels = 10 * np.log10(power / np.maximum(power.max(axis=0), 1e-30) + 1e-12)
    order = np.argsort(power.argmax(axis=0), kind="stable")
    figure = Figure((WIDTH, 5.0), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(
        decibels[:, order],
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(0, len(order), 0, hertz[-1]),
        cmap="magma",
        vmin=-_SHOWN_DB,
        vmax=0,
        rasterized=True,
    )
    axes.set(xlabel="filter, sorted by the frequency it passes most", ylabel="frequency (Hz)")
    figure.colorbar(image, ax=axes, label="gain against the filter's highest (dB)", pad=0.01)
    return figure
