"""The output of every layer over an excerpt."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vad.training.backend import layers, ops
from vad.training.inspection.axes import (
    channels_panel,
    excerpt_panels,
    figure_with_rows,
    probability_panel,
    signed,
    time_frequency_panel,
)
from vad.training.inspection.network import Array, first_indices
from vad.training.inspection.pictures import Picture, View
from vad.training.inspection.probe import Analysis
from vad.training.networks.frontend import decibels
from vad.training.networks.streaming import Recurrent

__all__ = ["inspect", "layer_activations"]

_CHANNELS = 8


def layer_activations(analysis: Analysis) -> dict[str, Array]:
    """The output of every rectifier and every GRU, by the name of the kernel's layer or of the GRU.

    Returns:
        Arrays [shape=(steps, [bands,] filters)]; a rectifier's are 0 or more, a GRU's in [-1, 1].
    """
    return analysis.inside(
        {
            layer.name.removesuffix("_relu"): layer.output
            for layer in analysis.network.model.layers
            if isinstance(layer, (layers.ReLU, Recurrent))
        }
    )


def inspect(analysis: Analysis) -> View:
    """Shows the output of every layer."""
    maps = layer_activations(analysis)
    pictures, arrays = [], {**maps, **analysis.arrays()}
    for layer in analysis.network.model.layers:
        if isinstance(layer, layers.Normalization):
            arrays["logmel"] = analysis.inside({"logmel": layer.output})["logmel"]
            arrays["logmel_decibels"] = ops.convert_to_numpy(decibels(layer)(arrays["logmel"]))
            pictures.append(_log_mel(analysis, arrays["logmel"], arrays["logmel_decibels"]))
    pictures.append(_overview(analysis, maps))
    pictures += [_filters(analysis, name, values) for name, values in maps.items() if values.ndim == 3]
    title = f"Activations of {analysis.network.name} on {analysis.audio.name}"
    return View("activations", title, _findings(maps), pictures, arrays)


def _findings(maps: dict[str, Array]) -> list[str]:
    """Which rectifiers are never open in the excerpt, or always."""
    lines = []
    for name, values in maps.items():
        open_share = (values > 0).reshape(-1, values.shape[-1]).mean(axis=0)
        for share, word in ((0, "never"), (1, "always")) if values.min() >= 0 else ():
            which = np.flatnonzero(open_share == share).tolist()
            if which:
                lines.append(
                    f"{name}: {len(which)} of {len(open_share)} filters are {word} active in this excerpt "
                    f"({first_indices(which)})."
                )
    return lines or [
        "Every filter of every layer is active for some of the excerpt and inactive for some of it."
    ]


def _log_mel(analysis: Analysis, normalised: Array, levels_db: Array) -> Picture:
    """The network's own spectrogram, before and after its normalisation."""
    figure, axes = figure_with_rows([0.9, 1.9, 1.9])
    probability_panel(
        analysis, axes[0], f"{analysis.audio.name}: the log-mel layer of {analysis.network.name}"
    )
    top = float(np.quantile(levels_db, 0.998))
    scale: dict[str, Any] = {"cmap": "magma", "vmin": float(levels_db.min()), "vmax": top}
    time_frequency_panel(
        analysis, axes[1], levels_db, title="before normalisation", unit="mel power (dB)", **scale
    )
    unit = "deviations from\nthe training's mean"
    scale = signed(normalised, quantile=0.995)
    time_frequency_panel(analysis, axes[2], normalised, title="after normalisation", unit=unit, **scale)
    return Picture(
        "logmel",
        "The input of the first layer",
        figure,
        f"The log-mel spectrogram of {levels_db.shape[1]} bands, behind the gain control. Above: decibels. Below: "
        "standard deviations from the mean of the training data, red above it.",
        "Healthy: the voice stands out, and most values lie within three deviations. One deep colour throughout: a "
        "sound unlike those of the training.",
    )


def _overview(analysis: Analysis, maps: dict[str, Array]) -> Picture:
    """Every layer under the excerpt, on one time axis."""
    figure, axes = figure_with_rows([1.8, 0.9, *([1.0] * len(maps))])
    excerpt_panels(analysis, axes)
    for panel, (name, values) in zip(axes[2:], maps.items(), strict=True):
        title = f"{name}, {values.shape[-1]} filters"
        if values.ndim == 3:
            mean = values.mean(axis=2)
            time_frequency_panel(analysis, panel, mean, title=f"{title}, their mean", **_unsigned(mean))
        else:
            drawn = values[:, _by_probability(analysis, values)]
            scale = signed(drawn, quantile=0.995) if drawn.min() < 0 else _unsigned(drawn)
            channels_panel(analysis, panel, drawn, title=title, **scale)
    return Picture(
        "layers",
        "All layers",
        figure,
        "One panel per layer, bright where it is active. Rows without a frequency are filters. Those that follow the "
        "probability are at the top. A GRU is red above zero, blue below.",
        "Healthy: near the end, upper rows light up in speech and lower rows outside it. Rows that never change are "
        "wasted.",
    )


def _unsigned(values: Array) -> dict[str, Any]:
    """Colours from 0 to a limit that single peaks do not set."""
    return {"cmap": "viridis", "vmin": 0, "vmax": float(np.quantile(values, 0.995)) or 1.0}


def _by_probability(analysis: Analysis, values: Array) -> npt.NDArray[np.intp]:
    """The filters by their correlation with the probability, the highest first."""
    places = np.linspace(0, len(analysis.probability) - 1, len(values))
    wanted = np.interp(places, np.arange(len(analysis.probability)), analysis.probability)
    centred = values - values.mean(axis=0)
    scale = np.maximum(np.linalg.norm(centred, axis=0), 1e-12)
    return np.argsort(-((wanted - wanted.mean()) @ centred) / scale, kind="stable")


def _filters(analysis: Analysis, name: str, values: Array) -> Picture:
    """The most active filters of a 2-D layer, each over time and frequency."""
    order = np.argsort(-values.reshape(-1, values.shape[2]).std(axis=0), kind="stable")[:_CHANNELS]
    figure, axes = figure_with_rows([0.9, *([1.1] * len(order))])
    probability_panel(analysis, axes[0], f"{analysis.audio.name}: the filters of {name}")
    for panel, which in zip(axes[1:], order, strict=True):
        drawn = values[:, :, which]
        time_frequency_panel(analysis, panel, drawn, title=f"filter {which}", **_unsigned(drawn))
    return Picture(
        f"{name}-filters",
        f"{name}: its most active filters",
        figure,
        f"The {len(order)} filters of {name} that vary most, bright where they are active.",
        "Healthy: they differ. Some follow the edges of words, some harmonics. Copies are wasted. A panel without "
        "structure is noise.",
    )
