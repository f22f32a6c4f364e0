"""What every layer made of a clip, moment by moment."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vad.training.backend import layers, ops
from vad.training.inspection.axes import (
    SIGNED_COLOURS,
    channels_panel,
    clip_panels,
    figure_with_rows,
    probability_panel,
    signed_norm,
    time_frequency_panel,
)
from vad.training.inspection.memory import memory_findings, memory_picture, update_gates
from vad.training.inspection.network import Array
from vad.training.inspection.pictures import Picture, View
from vad.training.inspection.probe import Analysis
from vad.training.networks.frontend import decibels
from vad.training.networks.streaming import Recurrent

__all__ = ["heard_features", "inspect", "layer_activations"]

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


def heard_features(analysis: Analysis) -> tuple[Array, Array] | None:
    """The log-mel spectrogram that the network hears of the clip, as it gets it and in decibels.

    Returns:
        Normalised, and by the inverse of that normalisation in dB, each [shape=(hops, bands)]; None where the network
        learned its own filters.
    """
    for layer in analysis.network.model.layers:
        if isinstance(layer, layers.Normalization):
            normalised = analysis.inside({layer.name: layer.output})[layer.name]
            return normalised, ops.convert_to_numpy(decibels(layer)(normalised))
    return None


def inspect(analysis: Analysis) -> View:
    """Shows what every layer made of a clip."""
    maps, gates, heard = layer_activations(analysis), update_gates(analysis), heard_features(analysis)
    pictures = [] if heard is None else [_heard(analysis, *heard)]
    pictures.append(_overview(analysis, maps))
    pictures += [_channels(analysis, name, values) for name, values in maps.items() if values.ndim == 3]
    pictures += [memory_picture(analysis, name, gate) for name, gate in gates.items()]
    arrays: dict[str, npt.NDArray[Any]] = {
        **maps,
        "probability": analysis.probability,
        "decibels": analysis.decibels,
        **{f"{name}/update_gate": gate for name, gate in gates.items()},
    }
    if heard is not None:
        arrays |= dict(zip(("heard", "heard_decibels"), heard, strict=True))
    if analysis.reference is not None:
        arrays["reference"] = analysis.reference
    title = f"Activations of {analysis.network.name} on {analysis.audio.name}"
    lines = _findings({name: values for name, values in maps.items() if name not in gates})
    for name, gate in gates.items():
        lines += memory_findings(analysis, name, gate)
    return View("activations", title, lines, pictures, arrays)


def _findings(maps: dict[str, Array]) -> list[str]:
    """Which rectifiers are never open in the clip, or always."""
    lines = []
    for name, values in maps.items():
        open_share = (values > 0).reshape(-1, values.shape[-1]).mean(axis=0)
        never, always = (np.flatnonzero(open_share == end).tolist() for end in (0, 1))
        for which, word in ((never, "never"), (always, "always")):
            if which:
                named = ", ".join(map(str, which[:12])) + (", ..." if len(which) > 12 else "")
                lines.append(
                    f"{name}: {len(which)} of {len(open_share)} filters {word} fire in this clip ({named})."
                )
    return lines or ["Every filter of every layer fires somewhere in this clip, and rests somewhere."]


def _heard(analysis: Analysis, normalised: Array, levels_db: Array) -> Picture:
    """The network's own spectrogram, before its normalisation and behind it."""
    figure, axes = figure_with_rows([0.9, 1.9, 1.9])
    probability_panel(analysis, axes[0])
    axes[0].set_title(f"{analysis.audio.name}, as {analysis.network.name} hears it", loc="left")
    top = float(np.quantile(levels_db, 0.998))
    image = time_frequency_panel(
        analysis, axes[1], levels_db, cmap="magma", vmin=float(levels_db.min()), vmax=top
    )
    figure.colorbar(image, ax=axes[1], label="mel power (dB)", pad=0.01)
    axes[1].set_title("before its normalisation, in decibels", loc="left", fontsize="medium")
    scale = signed_norm(normalised, quantile=0.995)
    image = time_frequency_panel(analysis, axes[2], normalised, cmap=SIGNED_COLOURS, norm=scale)
    figure.colorbar(image, ax=axes[2], label="deviations from\nthe training's mean", pad=0.01)
    axes[2].set_title("behind it, as the first layer gets it", loc="left", fontsize="medium")
    return Picture(
        "heard",
        "What the network itself hears",
        figure,
        f"The network's own log-mel spectrogram of {levels_db.shape[1]} bands, at the level it brings recordings to: "
        "above in decibels, got back by the inverse of its normalisation, and below behind it, each band less its mean "
        "over the training data and divided by its standard deviation there (red over the mean, blue under it).",
        "In a healthy picture the voice stands clear of the darkest shade, which is the floor that softer sounds sink "
        "into, and below all bands share one scale, mostly within three deviations; a picture that is deep red or "
        "blue throughout is a sound unlike those of the training.",
    )


def _overview(analysis: Analysis, maps: dict[str, Array]) -> Picture:
    """Every layer under the clip, on one time axis."""
    figure, axes = figure_with_rows([1.8, 0.9, *([1.0] * len(maps))])
    clip_panels(analysis, axes)
    for panel, (name, values) in zip(axes[2:], maps.items(), strict=True):
        if values.ndim == 3:
            drawn = values.mean(axis=2)
            time_frequency_panel(analysis, panel, drawn, cmap="viridis", vmin=0, vmax=_full(drawn))
            panel.set_title(f"{name}, mean of {values.shape[2]} filters", loc="left", fontsize="medium")
            continue
        drawn = values[:, _by_probability(analysis, values)]
        if drawn.min() < 0:
            channels_panel(
                analysis, panel, drawn, cmap=SIGNED_COLOURS, norm=signed_norm(drawn, quantile=0.995)
            )
        else:
            channels_panel(analysis, panel, drawn, cmap="viridis", vmin=0, vmax=_full(drawn))
        panel.set_ylabel("filter")
        panel.set_title(f"{name}, {values.shape[1]} filters", loc="left", fontsize="medium")
    return Picture(
        "layers",
        "All layers on the clip",
        figure,
        "Below the clip and the probability one panel per layer, dark for silent and bright for active (each panel "
        "on its own scale); where a panel has no frequency axis its rows are filters, those that fire with the "
        "probability at the top and those that fire against it at the bottom (a GRU's fire both ways, red above zero "
        "and blue below).",
        "From layer to layer a healthy picture has less of the sound and more of the decision: near the end the "
        "upper rows light up in speech and the lower ones outside of it; rows that never change are wasted (the first "
        "seconds differ, since the memory is still empty).",
    )


def _full(values: Array) -> float:
    """Where the colour scale ends: single peaks don't make the rest dark."""
    return float(np.quantile(values, 0.995)) or 1.0


def _by_probability(analysis: Analysis, values: Array) -> npt.NDArray[np.intp]:
    """The filters' order: from the one that goes with the probability most to the one that goes against it."""
    places = np.linspace(0, len(analysis.probability) - 1, len(values))
    wanted = np.interp(places, np.arange(len(analysis.probability)), analysis.probability)
    centred = values - values.mean(axis=0)
    scale = np.maximum(np.linalg.norm(centred, axis=0), 1e-12)
    return np.argsort(-((wanted - wanted.mean()) @ centred) / scale, kind="stable")


def _channels(analysis: Analysis, name: str, values: Array) -> Picture:
    """The liveliest filters of a 2-D layer, each over time and frequency."""
    order = np.argsort(-values.reshape(-1, values.shape[2]).std(axis=0), kind="stable")[:_CHANNELS]
    figure, axes = figure_with_rows([0.9, *([1.1] * len(order))])
    probability_panel(analysis, axes[0])
    axes[0].set_title(f"{analysis.audio.name}: the filters of {name}", loc="left")
    for panel, which in zip(axes[1:], order, strict=True):
        drawn = values[:, :, which]
        time_frequency_panel(analysis, panel, drawn, cmap="viridis", vmin=0, vmax=_full(drawn))
        panel.set_title(f"filter {which}", loc="left", fontsize="medium")
    return Picture(
        f"{name}-filters",
        f"{name}: its liveliest filters",
        figure,
        f"The {len(order)} filters of {name} that vary most, over time and frequency, bright where they fire.",
        "Healthy filters differ: some draw the edges of words, some harmonics or broad bands, some the noise between; "
        "copies of one another are wasted, and a panel without any structure is noise.",
    )
