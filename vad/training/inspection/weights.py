"""Pictures of a network's filters, and their faults in words."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vad.training.inspection.axes import WIDTH
from vad.training.inspection.filter_health import LayerHealth, layer_health
from vad.training.inspection.kernel_pictures import filters_in_time, kernels_2d, sorted_responses
from vad.training.inspection.network import Array, InspectedNetwork, Stage, stages
from vad.training.inspection.pictures import Picture, View
from vad.training.inspection.probe import filter_responses

__all__ = ["first_layer", "inspect", "kernel_parts"]

_STRONGEST = 36
_COLUMNS = 3


def inspect(network: InspectedNetwork) -> View:
    """Shows the weights of a network."""
    layers = stages(network.model)
    health = [layer_health(stage) for stage in layers]
    first = [stage for stage in layers if stage.is_first]
    deeper = [stage for stage in layers if not stage.is_first]
    rate = network.config.SAMPLE_RATE
    pictures = [picture for stage in first for picture in first_layer(stage, rate, what="weight")]
    pictures += [_strongest(stage) for stage in deeper if stage.kernel.ndim == 4]
    pictures += [
        _connections([stage for stage in deeper if stage.kernel.shape[-1] > 1]),
        _statistics(health),
    ]
    lines = _findings(health)
    for stage in first:
        lines.append(_about_shapes(stage) if stage.kernel.ndim == 4 else _about_bands(stage.kernel, rate))
    arrays: dict[str, Array] = {f"{stage.name}/kernel": stage.kernel for stage in layers}
    arrays |= {f"{one.name}/norms": one.norms for one in health}
    arrays |= {f"{one.name}/firing": one.firing for one in health if one.firing is not None}
    arrays["structure"] = np.array([one.structure for one in health])
    return View("weights", f"Weights of {network.name}", lines, pictures, arrays)


def _findings(health: list[LayerHealth]) -> list[str]:
    """The faults of all filters, with their sums first."""
    many = [one for one in health if len(one.norms) > 1]
    total = sum(len(one.norms) for one in many)
    counts = [
        f"{fault}: {sum(len(getattr(one, fault)) for one in many)}"
        for fault in ("dead", "saturated", "noisy")
    ]
    least = min(many, key=lambda one: np.nan_to_num(one.structure, nan=1.0))
    summary = (
        f"Of {total} filters in {len(many)} layers: {', '.join(counts)}. "
        f"The least trained layer is {least.name}: {least.structure:.0%} of its squared weights stand out of noise."
    )
    return [summary, *(line for one in health for line in one.words())]


def _about_bands(kernel: Array, sample_rate: int) -> str:
    """Which frequencies filters on the waveform pass."""
    power, hertz = filter_responses(kernel, sample_rate)
    low, middle, high = np.quantile(hertz[power.argmax(axis=0)], [0.1, 0.5, 0.9])
    return (
        f"Half of the filters on the waveform pass most under {middle:.0f} Hz, four in five between {low:.0f} and "
        f"{high:.0f} Hz; on the mel scale they start with, half lie under 1700 Hz."
    )


def _about_shapes(stage: Stage) -> str:
    """What filters on a spectrogram respond to."""
    counts = np.bincount(np.argmax(kernel_parts(stage.kernel[:, :, 0]), axis=0), minlength=4)
    return (
        f"Of the {stage.kernel.shape[3]} filters on the spectrogram ({stage.name}) {counts[0]} respond most to the "
        f"level, {counts[1]} to its change over time (onsets and ends), {counts[2]} to differences between "
        f"neighbouring bands (harmonics, formants), and {counts[3]} to both at once, such as glides."
    )


def kernel_parts(kernels: Array) -> tuple[Array, Array, Array, Array]:
    """Splits the energy of kernels [shape=(time, frequency, filters)] as an analysis of variance does.

    Returns:
        The energy of the mean, of what depends on time alone, on frequency alone, and of the rest, each
        [shape=(filters,)].
    """
    mean = kernels.mean(axis=(0, 1), keepdims=True)
    in_time = kernels.mean(axis=1, keepdims=True) - mean
    in_frequency = kernels.mean(axis=0, keepdims=True) - mean
    parts = (mean, in_time, in_frequency, kernels - mean - in_time - in_frequency)
    level, time, frequency, rest = (
        np.square(np.broadcast_to(part, kernels.shape)).sum(axis=(0, 1)) for part in parts
    )
    return level, time, frequency, rest


def first_layer(stage: Stage, sample_rate: int, *, what: str) -> list[Picture]:
    """Pictures of the first kernels [shape=(time, frequency, 1, filters) or (taps, 1, filters)], or their gradients.

    ``what`` is "weight" or "gradient".
    """
    if stage.kernel.ndim == 4:
        return [_first_layer_2d(stage, what)]
    in_time = Picture(
        "first-layer-in-time",
        f"First layer on the waveform: {what}s in time",
        filters_in_time(stage.kernel, sample_rate, label=what),
        f"The {what}s of some filters, sorted by the frequency that they pass most. A title has the number and the "
        "frequency.",
        "Healthy: a short smooth wave that swells and fades. Jagged lines are noise. A flat line is unused."
        if what == "weight"
        else "Healthy: waves too. One much higher than the others learns alone.",
    )
    in_frequency = Picture(
        "first-layer-responses",
        f"First layer on the waveform: frequency responses of the {what}s",
        sorted_responses(stage.kernel, sample_rate),
        "Every column is one filter, bright where it passes sound, sorted by the frequency that it passes most.",
        "Healthy: one narrow peak per column, rising without gaps, slowly up to about 4 kHz. A column bright all over "
        "is noise.",
    )
    return [in_time, in_frequency]


def _first_layer_2d(stage: Stage, what: str) -> Picture:
    tiles = np.moveaxis(stage.kernel[:, :, 0], -1, 0)
    return Picture(
        "first-layer",
        f"First layer on the spectrogram: {what}s",
        kernels_2d(tiles, [str(i) for i in range(len(tiles))], label=what),
        f"The {what} of each filter of the first layer: {stage.kernel.shape[0]} columns of 10 ms by "
        f"{stage.kernel.shape[1]} bands. All have one scale. White is zero.",
        "Healthy: they differ. Left against right is an edge in time, top against bottom one in frequency. Pale ones "
        "have little effect."
        if what == "weight"
        else "Healthy: spread over many filters. Colour in one or two: the rest stopped learning. White: no gradient "
        "comes through.",
    )


def _strongest(stage: Stage) -> Picture:
    """The 2-D kernels with the largest norms, of all pairs of an input and a filter."""
    _, _, inputs, filters = stage.kernel.shape
    tiles = np.moveaxis(stage.kernel, (2, 3), (0, 1)).reshape(inputs * filters, *stage.kernel.shape[:2])
    order = np.argsort(-np.linalg.norm(tiles.reshape(len(tiles), -1), axis=1), kind="stable")[:_STRONGEST]
    return Picture(
        f"{stage.name}-strongest",
        f"{stage.name}: its strongest kernels",
        kernels_2d(tiles[order], [f"{i // filters}→{i % filters}" for i in order], label="weight"),
        f"The {len(order)} strongest kernels of {stage.name}. 3→7 is the kernel of filter 7 on filter 3.",
        "Healthy: a shape, such as one side against the other. Salt and pepper in most: the layer learned little.",
    )


def _connections(layers: list[Stage]) -> Picture:
    """The norm of the weights between each input (a row) and each filter (a column)."""
    rows = -(-len(layers) // _COLUMNS)
    figure = Figure((WIDTH, 2.6 * rows), layout="constrained")
    grid = figure.subplots(rows, _COLUMNS, squeeze=False)
    for axes in grid.flat[len(layers) :]:
        axes.set_axis_off()
    for axes, stage in zip(grid.flat, layers, strict=False):
        strength = np.sqrt(np.square(stage.kernel).sum(axis=tuple(range(stage.kernel.ndim - 2))))
        limit = float(np.quantile(strength, 0.995))
        image = axes.imshow(strength, aspect="auto", cmap="viridis", vmin=0, vmax=limit, rasterized=True)
        axes.set_title(stage.name, fontsize="medium")
        axes.set(xlabel="filter", ylabel="input")
        if stage.recurrent:
            axes.axhline(len(strength) - stage.recurrent - 0.5, color="white", lw=1.5)
        scale = figure.colorbar(image, ax=axes, label="norm of the weights", pad=0.02, extend="max")
        scale.ax.yaxis.set_major_locator(MaxNLocator(nbins=3))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    return Picture(
        "connections",
        "Deeper layers: weights between inputs and filters",
        figure,
        "One panel per layer or gate of a GRU: a column per filter, a row per input, bright where weights are large. "
        "Below a white line: the GRU's own outputs.",
        "Healthy: uneven without order. A dark column is a dead filter. A dark row is an input that nothing uses.",
    )


def _statistics(health: list[LayerHealth]) -> Picture:
    names = [one.name for one in health]
    figure = Figure((WIDTH, 0.3 * len(names) + 1.4), layout="constrained")
    structure, firing, norms = figure.subplots(1, 3, sharey=True)
    places = np.arange(len(names))
    structure.barh(places, [one.structure for one in health], color="tab:blue")
    structure.set(xlim=(0, 1), xlabel="squared weights above noise (share)", yticks=places, yticklabels=names)
    structure.invert_yaxis()
    for place, one in zip(places, health, strict=True):
        shares = one.firing if one.firing is not None else np.empty(0)
        firing.plot(shares, np.full(len(shares), place), "|", color="tab:green", ms=9, alpha=0.6)
        norms.plot(one.norms, np.full(len(one.norms), place), "|", color="tab:purple", ms=9, alpha=0.6)
    firing.set(xlim=(-0.02, 1.02), xlabel="how often a filter is active (share of time)")
    norms.set(xlabel="norm of a filter")
    norms.set_xlim(left=0)
    return Picture(
        "statistics",
        "Layer by layer",
        figure,
        "Per layer, or gate of a GRU: the share of weights that is not noise, how often each filter is active, and its "
        "size (a stroke per filter).",
        "Healthy: a quarter or more above noise (a gate: a tenth), active 0.05 to 0.95 of the time, and none far "
        "smaller than the rest.",
    )
