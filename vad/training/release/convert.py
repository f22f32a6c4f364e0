"""From a Keras network to a .tflite file of two or three signatures, with float or 8-bit weights."""

from __future__ import annotations

import tempfile
from typing import Any

import tensorflow as tf
from tensorflow.lite.tools import flatbuffer_utils

from vad.training.backend import keras, require_tensorflow
from vad.training.networks import NetworkConfig
from vad.training.networks.gain_control import GainControl
from vad.training.networks.streaming import state_shapes, streaming

__all__ = ["convert"]

_FRONT_ENDS = (b"/logmel", b"/filters")


def convert(model: keras.Model, network: NetworkConfig, chunk_frames: int, *, int8: bool = False) -> bytes:
    """Converts to a .tflite with the signatures ``step`` and ``chunk``, with the states as inputs and outputs.

    A network with gain control also gets ``gain``: the state of gain control after a chunk, and nothing else. With it,
    several threads can analyse parts of one recording.

    With ``int8`` the weights of the network are 8-bit integers, each row with a scale, and LiteRT rounds its inputs
    row by row ("dynamic range" quantization). The front end keeps its floats: under a loud sound the rounding would
    hide faint ones. docs/experiments/quantization.md has the measurements.
    """
    require_tensorflow("an export")
    module = tf.Module()
    # Keeps the weights tracked: untracked ones would be written uninitialised.
    module.weights = [variable.value for variable in model.variables]
    states = {name: tf.TensorSpec(shape, tf.float32, name) for name, shape in state_shapes(model).items()}

    def samples_of(frames: int) -> tf.TensorSpec:
        return tf.TensorSpec((1, frames * network.frame_length), tf.float32, "samples")

    def signature(frames: int) -> Any:
        @tf.function(input_signature=[samples_of(frames), states], autograph=False)
        def run(samples: tf.Tensor, past: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            with streaming(past) as present:
                found = tf.reshape(model(samples, training=False), (1, frames, len(network.delays)))
            outputs = {"probability": found[..., 0]}
            if network.lookahead_frames:
                outputs["late_probability"] = found[..., 1]
            return outputs | present

        return run.get_concrete_function()

    def gain_signature(layer: GainControl) -> Any:
        control = keras.Model(model.input, layer.output)
        state = {layer.name: states[layer.name]}

        @tf.function(input_signature=[samples_of(chunk_frames), state], autograph=False)
        def run(samples: tf.Tensor, past: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            with streaming(past) as present:
                control(samples, training=False)
            return present

        return run.get_concrete_function()

    with tempfile.TemporaryDirectory() as saved:
        signatures = {"step": signature(1), "chunk": signature(chunk_frames)}
        gain_control = next((layer for layer in model.layers if type(layer) is GainControl), None)
        if gain_control is not None:
            signatures["gain"] = gain_signature(gain_control)
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
