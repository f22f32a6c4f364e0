"""The gradients of an excerpt, and the sizes of the steps in training."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vad.training.history import read_rows
from vad.training.inspection.axes import WIDTH
from vad.training.inspection.network import Array, Stage, stages
from vad.training.inspection.pictures import Picture, View
from vad.training.inspection.probe import Analysis
from vad.training.inspection.tape import weight_gradients
from vad.training.inspection.weights import first_layer

__all__ = ["inspect"]

_VANISHING = 1e-3


def inspect(analysis: Analysis) -> View:
    """Shows what one step of training on the excerpt would change."""
    network = analysis.network
    samples = analysis.audio.whole_frames(network.config)
    wanted = analysis.probability > 0.5 if analysis.reference is None else analysis.reference
    targets = np.pad(wanted.astype(np.float32), (network.config.delay_frames, 0))
    loss, gradients = weight_gradients(network.model, samples[np.newaxis], targets[np.newaxis])
    layers = stages(network.model)
    changes = stages(network.model, lambda kernel: gradients[kernel.path])
    norms = np.array([np.linalg.norm(stage.kernel) for stage in changes])
    relative = norms / [np.linalg.norm(stage.kernel) for stage in layers]
    pictures = [_norms(layers, norms, relative)]
    for stage in changes:
        if stage.is_first:
            pictures += first_layer(stage, network.config.SAMPLE_RATE, what="gradient")
    arrays: dict[str, Array] = {f"{path}/gradient": gradient for path, gradient in gradients.items()}
    labels = (
        "the network's own decisions (no labels)" if analysis.reference is None else "the reference labels"
    )
    lines = [
        f"The binary cross-entropy towards {labels} is {loss:.3f}; guessing one half throughout has 0.693.",
        _about_layers(layers, relative),
    ]
    updates = read_rows(network.folder / "updates.csv")
    if updates:
        pictures.append(_update_picture(updates))
        arrays |= {f"updates/{name}": np.array([row[name] for row in updates]) for name in updates[0]}
    else:
        lines.append("Name the folder of the run instead of the weights to see the steps of training.")
    return View("gradients", f"Gradients of {network.name} on {analysis.audio.name}", lines, pictures, arrays)


def _about_layers(layers: list[Stage], relative: Array) -> str:
    """Which layers the gradient does not reach."""
    # A reset gate only decides how much of the memory the candidate takes: its gradient is small in health too.
    limits = [_VANISHING * (0.1 if stage.recurrent else 1.0) * relative.max() for stage in layers]
    vanished = [
        stage.name for stage, size, limit in zip(layers, relative, limits, strict=True) if size < limit
    ]
    if vanished:
        return (
            f"Gradients vanish in {', '.join(vanished)}: there they are a thousandth of the largest, or less."
        )
    return (
        f"The gradient reaches every layer; against its weights it is largest in {layers[relative.argmax()].name}, "
        f"{relative.max() / relative.min():.0f} times the smallest."
    )


def _norms(layers: list[Stage], norms: Array, relative: Array) -> Picture:
    names = [stage.name for stage in layers]
    figure = Figure((WIDTH, 0.3 * len(names) + 1.3), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, values, label in (
        (left, norms, "norm of the gradient"),
        (right, relative, "norm of the gradient by norm of the weights"),
    ):
        axes.barh(range(len(names)), values, color="tab:blue")
        axes.set(xlabel=label, xscale="log", yticks=range(len(names)), yticklabels=names)
    left.invert_yaxis()
    return Picture(
        "norms",
        "Gradients layer by layer",
        figure,
        "The norm of the excerpt's gradient for each layer, the first at the top: absolute, and against its weights.",
        "Healthy: all within a factor of a hundred. Towards the top, bars that shrink tenfold a layer are vanishing "
        "gradients, and bars that grow so are exploding ones.",
    )


def _update_picture(updates: list[dict[str, float]]) -> Picture:
    figure = Figure((WIDTH, 4.5), layout="constrained")
    axes = figure.subplots()
    epochs = [row["epoch"] for row in updates]
    names = [name for name in updates[0] if name != "epoch"]
    for name, shade in zip(names, np.linspace(0, 0.95, len(names)), strict=True):
        ratios = [row[name] for row in updates]
        axes.plot(epochs, ratios, ".-", color=colormaps["viridis"](shade), label=name)
    axes.axhspan(1e-4, 1e-2, color="tab:green", alpha=0.1, lw=0)
    axes.set(xlabel="epoch", ylabel="norm of a step by norm of the weights", yscale="log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside right upper", fontsize="small", title="layer")
    return Picture(
        "updates",
        "Steps against weights, over the training",
        figure,
        "The size of an epoch's last step against the weights, one line per layer, from the first (dark) to the last.",
        "Healthy: near a thousandth (green) while the learning rate is high. A line far below the rest hardly learns.",
    )
