"""The kernels of a network by name, those of a GRU gate by gate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from vad.training.backend import keras, ops
from vad.training.networks.streaming import Recurrent

__all__ = ["GATES", "kernels"]

GATES = ("update", "reset", "candidate")  # in the order in which Keras concatenates them


def kernels(
    model: keras.Model, read: Callable[[Any], npt.NDArray[Any]] = ops.convert_to_numpy
) -> dict[str, npt.NDArray[Any]]:
    """The kernels of a network.

    A gated recurrent unit (Cho et al., 2014) counts as three layers: its update gate, its reset gate and its
    candidate. The inputs of each are the layer before and, below that, the unit's own previous output.

    Args:
        model: The network.
        read: From a kernel's variable to an array of its shape: its values, its gradient, its last step.

    Returns:
        By the layer's name, or for a gate ``<layer>_<gate>`` [shape=(inputs + units, units)].
    """
    found: dict[str, npt.NDArray[Any]] = {}
    for layer in model.layers:
        if isinstance(layer, Recurrent):
            both = np.concatenate([read(layer.cell.kernel), read(layer.cell.recurrent_kernel)])
            parts = np.split(both, len(GATES), axis=1)
            found |= {f"{layer.name}_{gate}": part for gate, part in zip(GATES, parts, strict=True)}
        elif hasattr(layer, "kernel"):
            found[layer.name] = read(layer.kernel)
    return found
