"""How long a GRU remembers: its update gate over a clip."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from vad.training.backend import keras
from vad.training.inspection.axes import channels_panel, figure_with_rows, probability_panel
from vad.training.inspection.network import Array
from vad.training.inspection.pictures import Picture
from vad.training.inspection.probe import Analysis
from vad.training.networks.streaming import Recurrent

__all__ = ["memory_findings", "memory_picture", "time_constants", "update_gates"]

_STUCK = 0.01


def update_gates(analysis: Analysis) -> dict[str, Array]:
    """How much each unit of each GRU keeps of what it held a step before: ``h = z * h_before + (1 - z) * candidate``.

    Returns:
        z by the GRU's name, 0 to 1. [shape=(steps, units)]
    """
    found = {}
    for layer in analysis.network.model.layers:
        if isinstance(layer, Recurrent):
            here = analysis.inside({"inputs": layer.input, "outputs": layer.output})
            found[layer.name] = _update_gate(layer, here["inputs"], here["outputs"])
    return found


def _update_gate(layer: Recurrent, inputs: Array, outputs: Array) -> Array:
    kernel, recurrent_kernel, bias = (keras.ops.convert_to_numpy(one) for one in layer.weights)
    units = slice(0, layer.units)  # the update gate is the first of the three
    before = np.concatenate([np.zeros_like(outputs[:1]), outputs[:-1]])
    gate: Array = expit(
        inputs @ kernel[:, units] + before @ recurrent_kernel[:, units] + bias[:, units].sum(axis=0)
    )
    return gate


def time_constants(gate: Array, step_s: float) -> Array:
    """In how many seconds each unit forgets all but 1 / e of what it held [shape=(units,)].

    Args:
        gate: Share of the past that is kept at each step. [shape=(steps, units)]
        step_s: Seconds a step.
    """
    seconds: Array = -step_s / np.log(np.clip(gate, 1e-12, 1 - 1e-7)).mean(axis=0)
    return seconds


def memory_findings(analysis: Analysis, name: str, gate: Array) -> list[str]:
    """How long the units of a GRU remember, and which never renew themselves or never keep anything."""
    seconds = time_constants(gate, _step_s(analysis, gate))
    middle, slow = np.quantile(seconds, [0.5, 0.9])
    lines = [
        f"{name}: half of its {len(seconds)} units have forgotten most of what they held after {1000 * middle:.0f} ms, "
        f"the slowest tenth remembers for {1000 * slow:.0f} ms or more, the slowest unit for "
        f"{seconds.max():.1f} s."
    ]
    for which, word in (
        ((gate > 1 - _STUCK).all(axis=0), "never take in anything new"),
        ((gate < _STUCK).all(axis=0), "never keep anything"),
    ):
        if which.any():
            named = ", ".join(map(str, np.flatnonzero(which)[:12])) + (", ..." if which.sum() > 12 else "")
            lines.append(f"{name}: {which.sum()} of {len(seconds)} units {word} in this clip ({named}).")
    return lines


def memory_picture(analysis: Analysis, name: str, gate: Array) -> Picture:
    """The update gate over time, and how long that lets each unit remember."""
    order = np.argsort(-gate.mean(axis=0), kind="stable")
    figure, axes = figure_with_rows([0.9, 3.0])
    probability_panel(analysis, axes[0])
    axes[0].set_title(f"{analysis.audio.name}: the memory of {name}", loc="left")
    image = channels_panel(analysis, axes[1], gate[:, order], cmap="viridis", vmin=0, vmax=1)
    axes[1].set_ylabel("unit")
    axes[1].set_title("update gate, units with the longest memory at the top", loc="left", fontsize="medium")
    figure.colorbar(image, ax=axes[1], label="share of the past kept", pad=0.01)
    return Picture(
        f"{name}-memory",
        f"{name}: what it keeps, and when it forgets",
        figure,
        "Below the probability one row per unit of the GRU, bright while the unit keeps what it holds and dark when it "
        "takes in something new.",
        "A healthy memory is graded, from units that hold on for long at the top to units that follow every frame "
        "at the bottom, with dark strokes where words begin; rows that are bright or dark throughout are "
        "stuck, and one shade everywhere says that the gate was not learned.",
    )


def _step_s(analysis: Analysis, values: Array) -> float:
    return len(analysis.probability) * analysis.network.frame_s / len(values)
