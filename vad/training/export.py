"""From weights to a released model: a .tflite with two signatures and its card, proven against Keras first."""

from __future__ import annotations

import hashlib
import json
import platform
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from vad.card import CARD_FORMAT_VERSION
from vad.errors import ConfigError, ModelError
from vad.runtime import Model
from vad.training.backend import keras
from vad.training.networks import NetworkConfig, describe
from vad.training.provenance import load_network
from vad.training.signals import probe_signals
from vad.training.streaming import state_shapes, streaming

__all__ = ["MAX_DIFFERENCE", "convert", "export", "largest_difference"]

MAX_DIFFERENCE = 1e-4
CHUNK_FRAMES = 100
OPERATING_POINTS: dict[str, dict[str, float]] = {
    "balanced": {"threshold": 0.5},
    "precise": {"threshold": 0.7, "min_speech_duration_ms": 200.0},
    "eager": {"threshold": 0.3, "min_speech_duration_ms": 60.0},
}


def export(
    weights: Path,
    network: NetworkConfig,
    name: str,
    folder: Path,
    *,
    notes: Mapping[str, Any] | None = None,
    operating_points: Mapping[str, Mapping[str, float]] = OPERATING_POINTS,
    chunk_frames: int = CHUNK_FRAMES,
) -> Path:
    """Writes ``<name>.tflite``, its card ``<name>.json`` and its weights ``<name>.keras``, without the optimizer.

    Args:
        weights: The trained ``.keras`` file.
        network: What it was built from.
        name: The model's name.
        folder: Where to write.
        notes: More fields of the card: metrics, training, data_sources, label_origin.
        operating_points: Segment options by name; "balanced" is the default one.
        chunk_frames: Frames of the signature ``chunk``.

    Returns:
        The path of the ``.tflite`` file.

    Raises:
        ModelError: The weights cannot be read, or the converted model differs from Keras by more than 1e-4 on
            any of `vad.training.signals.probe_signals`. Nothing is written then.
        ConfigError: A note has the name of a field that export writes.
    """
    model = load_network(weights)
    content = convert(model, network, chunk_frames)
    card = _card(model, network, name, chunk_frames, operating_points, notes or {})
    card["sha256"] = hashlib.sha256(content).hexdigest()
    # Through JSON, so that what is proven is what will be read.
    text = json.dumps(card, indent=1)
    difference = largest_difference(model, Model(content, json.loads(text), source=name))
    worst = max(difference, key=difference.__getitem__)
    if not difference[worst] <= MAX_DIFFERENCE:
        raise ModelError(
            f"A converted model stays within {MAX_DIFFERENCE} of Keras. "
            f"Received: {difference[worst]:.2g} on {worst}. Nothing was written."
        )
    card["verification"] = {"largest_difference_from_keras": difference, "limit": MAX_DIFFERENCE}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.tflite"
    model.save(path.with_suffix(".keras"))
    path.write_bytes(content)
    path.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return path


def convert(model: keras.Model, network: NetworkConfig, chunk_frames: int = CHUNK_FRAMES) -> bytes:
    """Converts to a .tflite with the signatures ``step`` and ``chunk``, with the states as inputs and outputs."""
    module = tf.Module()
    # Keeps the weights tracked: untracked ones would be written uninitialised.
    module.weights = [variable.value for variable in model.variables]
    states = {name: tf.TensorSpec(shape, tf.float32, name) for name, shape in state_shapes(model).items()}

    def signature(frames: int) -> Any:
        samples = tf.TensorSpec((1, frames * network.frame_length), tf.float32, "samples")

        @tf.function(input_signature=[samples, states], autograph=False)
        def run(samples: tf.Tensor, past: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            with streaming(past) as present:
                probability = model(samples, training=False)
            return {"probability": tf.reshape(probability, (1, frames)), **present}

        return run.get_concrete_function()

    with tempfile.TemporaryDirectory() as saved:
        signatures = {"step": signature(1), "chunk": signature(chunk_frames)}
        tf.saved_model.save(module, saved, signatures=signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved, signature_keys=list(signatures))
        converted: bytes = converter.convert()
    return converted


def largest_difference(model: keras.Model, converted: Model) -> dict[str, float]:
    """The largest difference in probability between Keras offline and LiteRT by ``step`` and by ``chunk``.

    Returns:
        One figure per probe signal.
    """
    differences = {}
    for name, samples in probe_signals().items():
        length = converted.chunk_frames * converted.frame_length
        samples = samples[: len(samples) // length * length]
        expected = keras.ops.convert_to_numpy(model(samples[np.newaxis], training=False))[0]
        by_step, by_chunk = [], []
        state = converted.initial_state()
        for block in samples.reshape(-1, converted.frame_length):
            probability, state = converted.step(block, state)
            by_step.append(probability)
        state = converted.initial_state()
        for block in samples.reshape(-1, length):
            probabilities, state = converted.chunk(block, state)
            by_chunk.append(probabilities)
        found = np.stack([np.array(by_step), np.concatenate(by_chunk)])
        differences[name] = float(np.abs(found - expected).max())
    return differences


def _card(
    model: keras.Model,
    network: NetworkConfig,
    name: str,
    chunk_frames: int,
    operating_points: Mapping[str, Mapping[str, float]],
    notes: Mapping[str, Any],
) -> dict[str, Any]:
    facts = describe(model)
    frontend: dict[str, Any] = next(
        (layer.get_config() for layer in model.layers if layer.name in ("logmel", "logpower")), {}
    )
    card = {
        "format_version": CARD_FORMAT_VERSION,
        "name": name,
        "architecture": network.architecture,
        "license": "MIT",
        "sample_rate": network.SAMPLE_RATE,
        "frame_length": network.frame_length,
        "delay_frames": network.delay_frames,
        "chunk_frames": chunk_frames,
        "receptive_field_s": facts.receptive_field / network.SAMPLE_RATE,
        "parameters": facts.parameters,
        "macs_per_second": facts.macs_per_second,
        "frontend": {
            key: value for key, value in frontend.items() if key not in ("name", "trainable", "dtype")
        },
        "network": asdict(network),
        "states": {key: list(shape) for key, shape in state_shapes(model).items()},
        "segment_options": {key: dict(options) for key, options in operating_points.items()},
        "versions": {
            "python": platform.python_version(),
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
        },
    }
    if taken := sorted(card.keys() & notes.keys()):
        raise ConfigError(f"a note must not be a field that export writes. Received: {', '.join(taken)}.")
    return card | dict(notes)
