"""A network as a function of its state in flat parts, which a file with one state vector needs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import tensorflow as tf

from vad.training.backend import keras
from vad.training.networks.streaming import streaming

__all__ = ["run_from_parts"]


def run_from_parts(
    model: keras.Model,
    shapes: Mapping[str, tuple[int, ...]],
    samples: tf.Tensor,
    parts: Sequence[tf.Tensor],
    replaced: Mapping[str, tf.Tensor] | None = None,
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Runs a network on samples [shape=(streams, samples)].

    Args:
        model: The network.
        shapes: Of its states, of one stream, by name.
        samples: Whole frames.
        parts: Each state, flat [shape=(streams, numbers)], in the order of `shapes`.
        replaced: States to use in place of those of `parts`.

    Returns:
        The network's output, and the new parts.
    """
    past = {
        name: tf.reshape(part, (-1, *shape))
        for (name, shape), part in zip(shapes.items(), parts, strict=True)
    }
    with streaming({**past, **(replaced or {})}) as present:
        output = model(samples, training=False)
    return output, [tf.reshape(present[name], (-1, math.prod(shape))) for name, shape in shapes.items()]
