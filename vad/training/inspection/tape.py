"""Gradients: the one place of the inspection that needs TensorFlow itself, since Keras has none."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from vad.training.backend import keras
from vad.training.inspection.network import Array

__all__ = ["input_gradient", "weight_gradients"]


def input_gradient(model: keras.Model, inputs: Array) -> Array:
    """The gradient of the sum of a model's outputs, in the shape of the inputs."""
    watched = tf.convert_to_tensor(inputs, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(watched)
        total = tf.reduce_sum(model(watched, training=False))
    return _numpy(tape.gradient(total, watched))


def weight_gradients(model: keras.Model, inputs: Array, targets: Array) -> tuple[float, dict[str, Array]]:
    """The mean binary cross-entropy, and its gradient by the path of each trainable weight.

    The normalisations keep their stored statistics, since those of a single excerpt would differ.
    """
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras.losses.binary_crossentropy(targets, model(inputs, training=False)))
    variables = model.trainable_variables
    gradients = tape.gradient(loss, [variable.value for variable in variables])
    return float(loss), {one.path: _numpy(grad) for one, grad in zip(variables, gradients, strict=True)}


def _numpy(tensor: Any) -> Array:
    array: Array = tensor.numpy()
    return array
