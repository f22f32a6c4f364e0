"""Pictures of kernels, or of anything in a kernel's shape, on one zero-centred scale."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from vad.training.inspection.axes import SIGNED_COLOURS, WIDTH, signed_norm
from vad.training.inspection.network import Array
from vad.training.inspection.probe import filter_responses

__all__ = ["filters_in_time", "kernels_2d", "sorted_responses"]

_COLUMNS = 12
_DRAWN_FILTERS = 24
_SHOWN_DB = 40.0


def kernels_2d(kernels: Array, names: list[str], *, label: str) -> Figure:
    """A picture per kernel: time to the right, frequency upwards.

    Args:
        kernels: [shape=(kernels, time, frequency)]
        names: One per kernel.
        label: What a colour means.
    """
    rows = -(-len(kernels) // _COLUMNS)
    figure = Figure((WIDTH, 1.02 * rows + 0.3), layout="constrained")
    grid = figure.subplots(rows, _COLUMNS, squeeze=False)
    norm = signed_norm(kernels)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, kernel, name in zip(grid.flat, kernels, names, strict=False):
        image = axes.imshow(kernel.T, origin="lower", cmap=SIGNED_COLOURS, norm=norm)
        axes.set_axis_on()
        axes.set(xticks=[], yticks=[])
        axes.set_title(name, fontsize="small", pad=2)
    grid[-1, 0].set_xlabel("time →", fontsize="small")
    grid[-1, 0].set_ylabel("frequency →", fontsize="small")
    figure.colorbar(image, ax=grid, label=label, pad=0.01)
    return figure


def filters_in_time(kernel: Array, sample_rate: int, *, label: str) -> Figure:
    """Some of the filters on the waveform, from the lowest to the highest, on one scale.

    Args:
        kernel: [shape=(taps, 1, filters)]
        sample_rate: Hz.
        label: What the height means.
    """
    power, hertz = filter_responses(kernel, sample_rate)
    peaks = hertz[power.argmax(axis=0)]
    order = np.argsort(peaks, kind="stable")
    drawn = order[np.linspace(0, len(order) - 1, min(_DRAWN_FILTERS, len(order))).round().astype(int)]
    rows = -(-len(drawn) // 6)
    figure = Figure((WIDTH, 1.2 * rows + 0.6), layout="constrained")
    grid = figure.subplots(rows, 6, sharex=True, sharey=True, squeeze=False)
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
    """What every filter on the waveform passes, sorted by the frequency that it passes most.

    Args:
        kernel: [shape=(taps, 1, filters)]
        sample_rate: Hz.
    """
    power, hertz = filter_responses(kernel, sample_rate)
    loudest = power.max(axis=0)
    decibels = 10 * np.log10(power / np.maximum(loudest, 1e-30) + 1e-12)
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
