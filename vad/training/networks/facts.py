"""The size, speed and receptive field of a network, counted from its layers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vad.training.backend import keras, layers
from vad.training.networks.config import NetworkConfig
from vad.training.networks.frontend import LogMel
from vad.training.networks.streaming import Recurrent

__all__ = ["NetworkFacts", "describe"]


@dataclass(frozen=True)
class NetworkFacts:
    """The size, speed and receptive field of a network.

    Attributes:
        receptive_field: Samples that one probability depends on, apart from the gain, which depends on minutes. None
            is unbounded, as in a recurrent network.
        parameters: All weights.
        macs_per_second: Multiply-adds for one second of audio, front end included.
    """

    receptive_field: int | None
    parameters: int
    macs_per_second: int

    @property
    def receptive_field_s(self) -> float | None:
        """The receptive field in seconds, as a model card has it."""
        return None if self.receptive_field is None else self.receptive_field / NetworkConfig.SAMPLE_RATE

    def __str__(self) -> str:
        field = "unbounded" if self.receptive_field_s is None else f"{self.receptive_field_s:.2f} s"
        return (
            f"receptive field {field}, {self.parameters:,} parameters, "
            f"{self.macs_per_second / 1e6:.1f} M multiply-adds per second"
        )


def describe(model: keras.Model) -> NetworkFacts:
    """Counts the layers from the samples on; where branches meet, the largest receptive field counts."""
    # Samples in view and samples a step, by tensor.
    seen: dict[int, tuple[float, int]] = {id(model.input): (1, 1)}
    macs = 0.0
    for layer in model.layers[1:]:
        inputs = [seen[id(tensor)] for tensor in keras.tree.flatten(layer.input)]
        (length, stride), (field, step) = _window(layer), max(inputs)
        seen[id(layer.output)] = field + (length - 1) * step, step * stride
        macs += _macs_per_step(layer) * NetworkConfig.SAMPLE_RATE / (step * stride)
    field, _ = seen[id(model.output)]
    return NetworkFacts(None if math.isinf(field) else round(field), model.count_params(), round(macs))


def _window(layer: keras.Layer) -> tuple[float, int]:
    """The window and the stride of a layer, in steps of its input."""
    if hasattr(layer, "window"):
        length, stride = layer.window
        return length, stride
    if isinstance(layer, layers.Conv1D | layers.Conv2D):
        return (layer.kernel_size[0] - 1) * layer.dilation_rate[0] + 1, layer.strides[0]
    if isinstance(layer, layers.MaxPooling2D):
        return layer.pool_size[0], layer.strides[0]
    return (math.inf if isinstance(layer, Recurrent) else 1), 1


def _macs_per_step(layer: keras.Layer) -> float:
    """Multiply-adds for one step of a layer's output."""
    if isinstance(layer, LogMel):
        return layer.macs
    if isinstance(layer, Recurrent):
        return float(np.prod(layer.cell.kernel.shape) + np.prod(layer.cell.recurrent_kernel.shape))
    if isinstance(layer, layers.Conv1D | layers.Conv2D):
        return float(np.prod(layer.output.shape[2:-1]) * np.prod(layer.kernel.shape))
    return float(np.prod(layer.kernel.shape)) if isinstance(layer, layers.Dense) else 0.0
