"""From a Keras network to a .tflite file of two signatures, with float or 8-bit weights."""

from __future__ import annotations

import tempfile
from typing import Any

import tensorflow as tf
from tensorflow.lite.tools import flatbuffer_utils

from vad.training.backend import keras
from vad.training.networks import NetworkConfig
from vad.training.networks.streaming import state_shapes, streaming

__all__ = ["convert"]

_FRONT_ENDS = (b"/logmel", b"/filters")


def convert(model: keras.Model, network: NetworkConfig, chunk_frames: int, *, int8: bool = False) -> bytes:
    """Converts to a .tflite with the signatures ``step`` and ``chunk``, with the states as inputs and outputs.

    With ``int8`` the weights of the network are 8-bit integers, each row with a scale, and LiteRT rounds its inputs
    row by row ("dynamic range" quantization). The front end keeps its floats: under a loud sound the rounding would
    hide faint ones. docs/experiments/quantization.md has the measurements.
    """
    module = tf.Module()
    # Keeps the weights tracked: untracked ones would be written uninitialised.
    module.weights = [variable.value for variable in model.variables]
    states = {name: tf.TensorSpec(shape, tf.float32, name) for name, shape in state_shapes(model).items()}

    def signature(frames: int) -> Any:
        samples = tf.TensorSpec((1, frames * network.frame_length), tf.float32, "samples")

        @tf.function(input_signature=[samples, states], autograph=False)
        def run(samples: tf.Tensor, past: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            with streaming(past) as present:
                found = tf.reshape(model(samples, training=False), (1, frames, len(network.delays)))
            outputs = {"probability": found[..., 0]}
            if network.lookahead_frames:
                outputs["late_probability"] = found[..., 1]
            return outputs | present

        return run.get_concrete_function()

    with tempfile.TemporaryDirectory() as saved:
        signatures = {"step": signature(1), "chunk": signature(chunk_frames)}
        tf.saved_model.save(module, saved, signatures=signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved, signature_keys=list(signatures))
        content: bytes = converter.convert()
        if int8:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            content = _with_exact_front_end(converter.convert(), content)
    return content


def _with_exact_front_end(quantized: bytes, exact: bytes) -> bytes:
    """Restores the front end's float constants, since the converter cannot leave any out."""
    rounded, source = (
        flatbuffer_utils.read_model_from_bytearray(bytearray(content)) for content in (quantized, exact)
    )
    for graph, exact_graph in zip(rounded.subgraphs, source.subgraphs, strict=True):
        originals = {tensor.name: tensor for tensor in exact_graph.tensors}
        for tensor in graph.tensors:
            original = originals.get(tensor.name, tensor)
            if tensor.type != original.type and any(name in tensor.name for name in _FRONT_ENDS):
                tensor.type, tensor.quantization = original.type, original.quantization
                rounded.buffers[tensor.buffer].data = source.buffers[original.buffer].data
    return bytes(flatbuffer_utils.convert_object_to_bytearray(rounded))
