"""ONNX files of functions that call a network. tf2onnx looks for a maintainer, so this module alone knows it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

import onnx
import tensorflow as tf
import tf2onnx

from vad.training.backend import keras

__all__ = ["function_to_onnx"]

_IR_VERSION = 8  # that of opset 16: runtimes of 2022 read it


def function_to_onnx(
    model: keras.Model,
    function: Callable[..., dict[str, tf.Tensor]],
    inputs: Sequence[tf.TensorSpec],
    outputs: Sequence[str],
    *,
    opset: int = 16,
    axes: Mapping[str, Sequence[str]] | None = None,
) -> bytes:
    """Converts a function that calls a network.

    Args:
        model: The network.
        function: From tensors to tensors by name.
        inputs: Its named inputs. One without a shape is declared without shape.
        outputs: The names of its outputs, in the order that clients expect.
        opset: The version of the operators.
        axes: Names for the first axes of inputs and outputs.

    Returns:
        The content of the file.
    """
    _freeze_normalization(model)
    tf2onnx.logging.set_level(logging.ERROR)  # it warns of an input without shape
    traced = tf.function(function, input_signature=inputs, autograph=False)
    proto, _ = tf2onnx.convert.from_function(traced, input_signature=inputs, opset=opset)
    proto.ir_version = _IR_VERSION
    proto.graph.output.sort(key=lambda value: outputs.index(value.name))
    onnx.checker.check_model(proto)  # it takes no input without shape
    shapeless = {spec.name for spec in inputs if spec.shape.rank is None}
    for value in (*proto.graph.input, *proto.graph.output):
        if value.name in shapeless:
            value.type.tensor_type.ClearField("shape")
        for dimension, name in zip(
            value.type.tensor_type.shape.dim, (axes or {}).get(value.name, ()), strict=False
        ):
            dimension.dim_param = name
    return bytes(proto.SerializeToString())


def _freeze_normalization(model: keras.Model) -> None:
    """Turns the constants of `Normalization` into arrays: as tensors they would become inputs of the file."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.mean, layer.variance = map(keras.ops.convert_to_numpy, (layer.mean, layer.variance))
