"""What training wrote into the weights: pictures of the filters, and what is wrong with them in words."""

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
_PANELS_BESIDE = 3


def inspect(network: InspectedNetwork) -> View:
    """Shows the weights of a network."""
    layers = stages(network.model)
    health = [layer_health(stage) for stage in layers]
    first = [stage for stage in layers if stage.is_first]
    deeper = [stage for stage in layers if not stage.is_first]
    rate = network.config.SAMPLE_RATE
    pictures = [picture for stage in first for picture in first_layer(stage, rate, what="weight")]
    pictures += [_strongest(stage) for stage in deeper if stage.kernel.ndim == 4]
    gates = [stage for stage in deeper if stage.recurrent]
    pictures.append(
        _connections([stage for stage in deeper if stage.kernel.shape[-1] > 1 and not stage.recurrent])
    )
    pictures += [_gates(gates)] if gates else []
    pictures += [_statistics(health), _taps(layers)]
    lines = _findings(health)
    for stage in first:
        lines += [*_about_bands(stage.kernel, rate), *_about_shapes(stage)]
    arrays: dict[str, Array] = {f"{stage.name}/kernel": stage.kernel for stage in layers}
    arrays |= {f"{one.name}/norms": one.norms for one in health}
    arrays |= {f"{one.name}/firing": one.firing for one in health if one.firing is not None}
    arrays["structure"] = np.array([one.structure for one in health])
    return View("weights", f"Weights of {network.name}", lines, pictures, arrays)


def _findings(health: list[LayerHealth]) -> list[str]:
    """What is wrong with which filters; or that nothing is."""
    wrong = [line for one in health for line in one.words()]
    many = [one for one in health if len(one.norms) > 1]
    total = sum(len(one.norms) for one in many)
    named = [
        f"{kind}: {sum(len(getattr(one, kind)) for one in many)}" for kind in ("dead", "saturated", "noisy")
    ]
    least = min(many, key=lambda one: np.nan_to_num(one.structure, nan=1.0))
    summary = (
        f"Of {total} filters in {len(many)} layers: {', '.join(named)}. "
        f"The least trained layer is {least.name}: {least.structure:.0%} of its squared weights stand out of noise."
    )
    return [summary, *wrong]


def _about_bands(kernel: Array, sample_rate: int) -> list[str]:
    """Where filters on the waveform listen; nothing of kernels on a spectrogram."""
    if kernel.ndim != 3:
        return []
    power, hertz = filter_responses(kernel, sample_rate)
    peaks = hertz[power.argmax(axis=0)]
    low, middle, high = np.quantile(peaks, [0.1, 0.5, 0.9])
    return [
        f"Half of the filters on the waveform pass most under {middle:.0f} Hz, four in five between {low:.0f} and "
        f"{high:.0f} Hz; on the mel scale they start with, half lie under 1700 Hz."
    ]


def _about_shapes(stage: Stage) -> list[str]:
    """What filters on a spectrogram ask for; nothing of kernels on the waveform."""
    kernel = stage.kernel
    if kernel.ndim != 4:
        return []
    level, in_time, in_frequency, rest = kernel_parts(kernel[:, :, 0])
    counts = np.bincount(np.argmax([level, in_time, in_frequency, rest], axis=0), minlength=4)
    return [
        f"Of the {kernel.shape[3]} filters on the spectrogram ({stage.name}) {counts[0]} ask above all how loud it is, "
        f"{counts[1]} how that changes from one moment to the next (onsets and ends), {counts[2]} how neighbouring "
        f"bands differ (harmonics, formants), and {counts[3]} for both at once, such as what glides."
    ]


def kernel_parts(kernels: Array) -> tuple[Array, Array, Array, Array]:
    """Parts each kernel as an analysis of variance does.

    Args:
        kernels: [shape=(time, frequency, filters)]

    Returns:
        The energy of its mean, of what depends on time alone, on frequency alone, and of the rest; together that of
        the kernel. Each [shape=(filters,)]
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
    """The first kernels, or their gradients: pictures of 2-D ones; 1-D ones in time and in frequency.

    Args:
        stage: With a kernel [shape=(time, frequency, 1, filters) or (taps, 1, filters)].
        sample_rate: Hz.
        what: "weight" or "gradient".
    """
    kernel = stage.kernel
    second, of_second = (
        ("second-", " of the second network") if stage.name.startswith("second_") else ("", "")
    )
    if kernel.ndim == 4:
        tiles = np.moveaxis(kernel[:, :, 0], -1, 0)
        figure = kernels_2d(tiles, [str(i) for i in range(len(tiles))], label=what)
        seen = (
            f"Every small picture is the {what} of one filter of the first layer{of_second} on {kernel.shape[0]} "
            f"spectrogram columns (10 ms each, later to the right) by {kernel.shape[1]} bands (higher upwards), all on "
            "one scale with white for zero."
        )
        healthy = (
            "In a healthy layer they differ: edges in time (left against right: onsets and ends), edges in frequency "
            "(harmonics) and slopes; pale ones hardly count, and many that look alike are wasted."
            if what == "weight"
            else "Healthy gradients are spread over many filters; all the colour in one or two says that the rest have "
            "stopped learning, and white throughout that nothing comes back to the first layer."
        )
        title = f"First layer{of_second} on the spectrogram: {what}s"
        return [Picture(f"{second}first-layer", title, figure, seen, healthy)]
    in_time = Picture(
        "first-layer-in-time",
        f"First layer on the waveform: {what}s in time",
        filters_in_time(kernel, sample_rate, label=what),
        f"The {what}s of some filters on the waveform, from the one that passes the lowest frequencies to the highest; "
        "a title says which filter it is and what it passes most.",
        "A healthy filter is a short smooth wave that swells and fades, as an ear's does; jagged lines without a "
        "rhythm are noise, and a flat line is a filter that is not used."
        if what == "weight"
        else "Healthy ones are waves too, since sound is; one much higher than the others is learning alone.",
    )
    in_frequency = Picture(
        "first-layer-responses",
        f"First layer on the waveform: frequency responses of the {what}s",
        sorted_responses(kernel, sample_rate),
        "Every column is one filter, bright where it passes sound, sorted by the frequency that it passes most.",
        "In a healthy layer the bright ridge rises without gaps, slowly where speech has most to tell (up to about "
        "4 kHz), each column with one narrow peak; columns that are bright all over are noise.",
    )
    return [in_time, in_frequency]


def _strongest(stage: Stage) -> Picture:
    """The 2-D kernels with the largest norms, of all pairs of an input and a filter."""
    _, _, inputs, filters = stage.kernel.shape
    tiles = np.moveaxis(stage.kernel, (2, 3), (0, 1)).reshape(inputs * filters, *stage.kernel.shape[:2])
    order = np.argsort(-np.linalg.norm(tiles.reshape(len(tiles), -1), axis=1), kind="stable")[:_STRONGEST]
    names = [f"{i // filters}→{i % filters}" for i in order]
    return Picture(
        f"{stage.name}-strongest",
        f"{stage.name}: its strongest kernels",
        kernels_2d(tiles[order], names, label="weight"),
        f"The {len(order)} kernels of {stage.name} with the largest weights; 3→7 is how filter 7 looks at what "
        "filter 3 of the layer before found, later to the right and higher upwards.",
        "Healthy ones have a shape, such as one side against the other or a bright row or column; salt and pepper "
        "in most of them means that the layer learned little.",
    )


def _connections(layers: list[Stage]) -> Picture:
    """How strongly every filter looks at every input."""
    return Picture(
        "connections",
        "Deeper layers: who listens to whom",
        _strengths(layers, height=2.6, column="filter"),
        "One panel per layer, one column per filter, one row per input: bright where the filter looks hard at that "
        "input, by the norm of the weights between them over time and frequency, each panel on its own scale.",
        "A healthy panel is uneven without order: some bright spots, no column dark from top to bottom (a dead "
        "filter) and no row dark from left to right (an input that nobody needs).",
    )


def _gates(gates: list[Stage]) -> Picture:
    """How strongly every unit of a GRU looks at every input, and at what every unit remembers."""
    return Picture(
        "gates",
        "The GRU: who listens to whom",
        _strengths(gates, height=5.6, column="unit"),
        "The layer with a memory, one column per unit: update decides how much of the memory is kept, reset how much "
        "of it counts for what may take its place, and candidate is that; the rows over the white line are what the "
        "layer before says, those under it the memory itself.",
        "In a healthy update gate some columns stand out, units that know when to renew themselves, and both halves "
        "are used; where all above the line is dark it no longer listens, and where all below it is, each moment is "
        "judged by itself.",
    )


def _strengths(layers: list[Stage], *, height: float, column: str) -> Figure:
    """The norm of the weights between each input (a row) and each filter (a column); panels of a height in inches."""
    rows = -(-len(layers) // _PANELS_BESIDE)
    figure = Figure((WIDTH, height * rows), layout="constrained")
    grid = figure.subplots(rows, _PANELS_BESIDE, squeeze=False)
    for axes in grid.flat[len(layers) :]:
        axes.set_axis_off()
    for axes, stage in zip(grid.flat, layers, strict=False):
        taps = tuple(range(stage.kernel.ndim - 2))
        strength = np.sqrt(np.square(stage.kernel).sum(axis=taps))
        image = axes.imshow(
            strength,
            aspect="auto",
            cmap="viridis",
            vmin=0,
            vmax=float(np.quantile(strength, 0.995)),
            rasterized=True,
        )
        axes.set_title(stage.name, fontsize="medium")
        axes.set(xlabel=column, ylabel="input")
        if stage.recurrent:
            axes.axhline(len(strength) - stage.recurrent - 0.5, color="white", lw=1.5)
        scale = figure.colorbar(
            image, ax=axes, label="norm of the weights", pad=0.02, extend="max", aspect=8 * height
        )
        scale.ax.yaxis.set_major_locator(MaxNLocator(nbins=3))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    return figure


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
    firing.set(xlim=(-0.02, 1.02), xlabel="how often a filter fires (share of time)")
    norms.set(xlabel="norm of a filter")
    norms.set_xlim(left=0)
    return Picture(
        "statistics",
        "Layer by layer",
        figure,
        "Per layer, or gate of a GRU: how much of its weights random numbers would not have, how often each filter's "
        "rectifier is open as its normalisation tells (a gate has none), and how large each filter is (a stroke per "
        "filter).",
        "A trained layer has a quarter or more above noise, a gate a tenth, since the random memory it starts with "
        "serves it (an untrained one has none; the last, of one filter, cannot be told), its filters fire between 0.05 "
        "and 0.95 of the time, and none is far smaller than the rest.",
    )


def _taps(layers: list[Stage]) -> Picture:
    """How much of each layer looks how far back."""
    drawn = [stage for stage in layers if 1 < stage.kernel.shape[0] < 16]
    figure = Figure((WIDTH, 0.3 * len(drawn) + 1.2), layout="constrained")
    axes = figure.subplots()
    most = max(stage.kernel.shape[0] for stage in drawn)
    table = np.full((len(drawn), most), np.nan)
    for row, stage in zip(table, drawn, strict=True):
        energy = np.square(stage.kernel).sum(axis=tuple(range(1, stage.kernel.ndim)))
        row[most - len(energy) :] = energy / energy.sum()
    image = axes.imshow(table, aspect="auto", cmap="viridis", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(table):
        if np.isfinite(share):
            axes.text(
                column,
                row,
                f"{share:.2f}",
                ha="center",
                va="center",
                color="white" if share < 0.6 else "black",
            )
    ages = ["now" if age == 0 else f"{age} before" for age in range(most - 1, -1, -1)]
    axes.set_xticks(range(most), ages)
    axes.set_yticks(range(len(drawn)), [stage.name for stage in drawn])
    axes.set_xlabel("step of the layer")
    figure.colorbar(image, ax=axes, label="squared weights (share)", pad=0.01)
    return Picture(
        "taps",
        "How far back each layer looks",
        figure,
        "The share of each layer's squared weights that falls on the present step and on the steps before it (longer "
        "ones in a dilated layer; a GRU has no row, since at every step it decides anew how much of its past to keep).",
        "A healthy layer uses all its steps; one with nearly everything on one step could do without the others, and "
        "long dilations that only use the present have found nothing to remember.",
    )
