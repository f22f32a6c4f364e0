"""Gradients: the one place of the inspection that needs TensorFlow itself, since Keras has no word for them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from vad.training.backend import keras
from vad.training.inspection.network import Array

__all__ = ["input_gradient", "weight_gradients"]


def input_gradient(model: keras.Model, inputs: Array) -> Array:
    """How the sum of a model's outputs changes with each input; in the shape of the inputs."""
    watched = tf.convert_to_tensor(inputs, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(watched)
        total = tf.reduce_sum(model(watched, training=False))
    return _numpy(tape.gradient(total, watched))


def weight_gradients(model: keras.Model, inputs: Array, targets: Array) -> tuple[float, dict[str, Array]]:
    """How the binary cross-entropy changes with each trainable weight.

    The normalisations keep their stored statistics: those of a single clip would be others.

    Args:
        model: From inputs to probabilities.
        inputs: A batch.
        targets: What the probabilities should be.

    Returns:
        The mean loss, and by a variable's path its gradient.
    """
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras.losses.binary_crossentropy(targets, model(inputs, training=False)))
    gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
    paths = [variable.path for variable in model.trainable_variables]
    return float(loss), {path: _numpy(gradient) for path, gradient in zip(paths, gradients, strict=True)}


def _numpy(tensor: Any) -> Array:
    array: Array = tensor.numpy()
    return array
