"""Where a network would learn from a clip, and how large its steps were in training."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vad.training.backend import keras
from vad.training.inspection.axes import WIDTH
from vad.training.inspection.network import Array, InspectedNetwork, Stage, stages
from vad.training.inspection.pictures import Picture, View
from vad.training.inspection.probe import Analysis
from vad.training.inspection.tape import weight_gradients
from vad.training.inspection.weights import first_layer
from vad.training.update_ratios import read_updates, update_ratios

__all__ = ["inspect"]

_VANISHING = 1e-3


def inspect(analysis: Analysis) -> View:
    """Shows what a clip would change in a network."""
    network = analysis.network
    samples = analysis.audio.whole_frames(network.config)
    late = network.config.delay_frames
    wanted = analysis.probability > 0.5 if analysis.reference is None else analysis.reference
    targets = np.concatenate([np.zeros(late, np.float32), wanted.astype(np.float32)])
    loss, gradients = weight_gradients(network.model, samples[np.newaxis], targets[np.newaxis])
    layers = stages(network.model)
    changes = stages(network.model, lambda kernel: gradients[kernel.path])
    by_layer = [stage.kernel for stage in changes]
    pictures = [_norms(layers, by_layer)]
    for stage in changes:
        if stage.is_first:
            pictures += first_layer(stage, network.config.SAMPLE_RATE, what="gradient")
    arrays: dict[str, Array] = {f"{path}/gradient": gradient for path, gradient in gradients.items()}
    lines = [_about_loss(analysis, loss), *_about_layers(layers, by_layer)]
    updates = _updates(network)
    if updates:
        pictures.append(_update_picture(updates))
        arrays |= {f"updates/{name}": np.array([row[name] for row in updates]) for name in updates[0]}
    else:
        lines.append(
            "How large the steps of training were is not known here. Name the folder of the run instead of the weights."
        )
    return View("gradients", f"Gradients of {network.name} on {analysis.audio.name}", lines, pictures, arrays)


def _updates(network: InspectedNetwork) -> list[dict[str, float]]:
    """The ratios that the run recorded, or else the one that its last checkpoint tells; none without a run."""
    if (network.folder / "updates.csv").is_file():
        return read_updates(network.folder / "updates.csv")
    last = network.folder / "last.keras"
    if not last.is_file():
        return []
    epochs = len((network.folder / "history.csv").read_text().splitlines()) - 1
    return [{"epoch": epochs, **update_ratios(keras.models.load_model(last))}]


def _about_loss(analysis: Analysis, loss: float) -> str:
    towards = (
        "the reference labels"
        if analysis.reference is not None
        else "the network's own decisions (no labels)"
    )
    return (
        f"The binary cross-entropy towards {towards} is {loss:.3f}; guessing one half throughout has 0.693."
    )


def _about_layers(layers: list[Stage], gradients: list[Array]) -> list[str]:
    """Which layers hear nothing of the loss."""
    shares = np.array([_norm(g) / _norm(s.kernel) for s, g in zip(layers, gradients, strict=True)])
    # A reset gate only says how much of the memory the candidate hears: its pull is small in health too.
    limits = [_VANISHING * (0.1 if stage.recurrent else 1.0) * shares.max() for stage in layers]
    silent = [stage.name for stage, share, limit in zip(layers, shares, limits, strict=True) if share < limit]
    if silent:
        return [
            f"Gradients vanish in {', '.join(silent)}: there they are a thousandth of the largest, or less."
        ]
    strongest = layers[int(shares.argmax())].name
    return [
        f"Every layer is reached by the gradient; against its weights it is largest in {strongest}, "
        f"{shares.max() / shares.min():.0f} times the smallest."
    ]


def _norm(values: Array) -> float:
    return float(np.linalg.norm(values))


def _norms(layers: list[Stage], gradients: list[Array]) -> Picture:
    names = [stage.name for stage in layers]
    absolute = [_norm(gradient) for gradient in gradients]
    relative = [size / _norm(stage.kernel) for size, stage in zip(absolute, layers, strict=True)]
    figure = Figure((WIDTH, 0.3 * len(names) + 1.3), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, values, label in (
        (left, absolute, "norm of the gradient"),
        (right, relative, "norm of the gradient by norm of the weights"),
    ):
        axes.barh(range(len(names)), values, color="tab:blue")
        axes.set(xlabel=label, xscale="log", yticks=range(len(names)), yticklabels=names)
    left.invert_yaxis()
    return Picture(
        "norms",
        "Gradients layer by layer",
        figure,
        "How much this clip would pull at each layer's kernel, or at each gate's of a GRU, from the first layer at the "
        "top to the last, absolutely and against the size of the weights, on logarithmic axes.",
        "Healthy bars lie within a factor of a hundred of each other (a reset gate, which only says how much of the "
        "memory counts, may be ten times lower); bars that shrink tenfold from layer to layer "
        "towards the top are vanishing gradients, and bars that grow so are exploding ones.",
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
        "The size of the last optimizer step of each epoch against the weights it changed, one line per layer, "
        "or gate of a GRU, from the first (dark) to the last (bright); a run without updates.csv shows its last step "
        "alone.",
        "Healthy lines stay near a thousandth, in the green band, while the learning rate is high, and sink with it at "
        "the end; a line far below the others is a layer that hardly learns.",
    )
