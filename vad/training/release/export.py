"""From weights to a released model: a .tflite with two signatures and its card, compared with Keras first."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from vad.detection.card import CARD_FORMAT_VERSION
from vad.detection.model import Model
from vad.errors import ConfigError, ModelError, require
from vad.files import writing
from vad.training.backend import keras
from vad.training.networks import NetworkConfig, describe
from vad.training.networks.streaming import state_shapes
from vad.training.provenance import load_network
from vad.training.release.convert import convert
from vad.training.release.probe_signals import probe_signals

__all__ = [
    "CHUNK_FRAMES",
    "MAX_DIFFERENCE",
    "Converted",
    "card_of",
    "export",
    "largest_difference",
    "verified",
]

# The largest difference of a probability from Keras, by quantization.
MAX_DIFFERENCE = {"none": 1e-4, "int8": 0.08}
CHUNK_FRAMES = 100
# Networks find onsets to a frame: more padding than half a frame would put them early.
OPERATING_POINTS: dict[str, dict[str, float]] = {
    "balanced": {"threshold": 0.5, "speech_pad_ms": 10.0},
    "precise": {"threshold": 0.7, "speech_pad_ms": 10.0, "min_speech_duration_ms": 200.0},
    "eager": {"threshold": 0.3, "min_speech_duration_ms": 60.0},
}


def export(
    trained: Path | keras.Model,
    network: NetworkConfig,
    name: str,
    folder: Path,
    *,
    quantize: str = "none",
    notes: Mapping[str, Any] | None = None,
    chunk_frames: int = CHUNK_FRAMES,
) -> Path:
    """Writes ``<name>.tflite``, its card ``<name>.json`` and its weights ``<name>.keras``, without the optimizer.

    Args:
        trained: The network, or its ``.keras`` file.
        network: Its architecture and sizes.
        name: The model's name.
        folder: Where to write.
        quantize: The ``.tflite``'s weights: "none" for floats, "int8" for 8-bit integers.
        notes: More fields of the card: metrics, training, data_sources, label_origin.
        chunk_frames: Frames of the signature ``chunk``.

    Returns:
        The path of the ``.tflite`` file.

    Raises:
        ModelError: The weights cannot be read, or the converted model differs from Keras by more than its limit in
            `MAX_DIFFERENCE` on any of `vad.training.release.probe_signals.probe_signals`. Nothing is written then.
        ConfigError: There is no such quantization, or a note has the name of a field that export writes.
    """
    require(
        quantize in MAX_DIFFERENCE, f"quantize must be one of {', '.join(MAX_DIFFERENCE)}", quantize=quantize
    )
    model = load_network(trained) if isinstance(trained, Path) else trained
    content = convert(model, network, chunk_frames, int8=quantize == "int8")
    graph = {
        "chunk_frames": chunk_frames,
        "states": {key: list(shape) for key, shape in state_shapes(model).items()},
        "quantization": quantize,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    card = card_of(model, network, name, graph, notes or {})
    # Through JSON, as it will be read.
    converted = Model(content, json.loads(json.dumps(card)), source=name)
    card["verification"] = verified(largest_difference(model, converted), MAX_DIFFERENCE[quantize])
    return _write(model, content, card, folder / f"{name}.tflite")


def verified(differences: Mapping[str, float], limit: float) -> dict[str, Any]:
    """Checks the differences from Keras by probe signal, and gives the card's field ``verification``.

    Raises:
        ModelError: One is larger than the limit, or no number.
    """
    worst = max(differences, key=lambda name: (math.isnan(differences[name]), differences[name]))
    if not differences[worst] <= limit:
        raise ModelError(
            f"a converted model must stay within {limit} of Keras. "
            f"Received: {differences[worst]:.2g} on {worst}. Nothing was written."
        )
    return {"largest_difference_from_keras": differences, "limit": limit}


def _write(model: keras.Model, content: bytes, card: Mapping[str, Any], path: Path) -> Path:
    """Writes all three files, or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        graph, text, weights = (
            stack.enter_context(writing(path.with_suffix(suffix)))
            for suffix in (".tflite", ".json", ".keras")
        )
        graph.write_bytes(content)
        text.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
        model.save(weights)
    return path


class Converted(Protocol):
    """A converted network: a `Model`, or what has the same calls."""

    chunk_frames: int
    frame_length: int

    def initial_state(self) -> Any:
        """The state at the beginning of a recording."""

    def step(self, samples: npt.NDArray[np.float32], state: Any, *, lookahead: bool = False) -> Any:
        """The probability of a frame, and the new state."""

    def chunk(self, samples: npt.NDArray[np.float32], state: Any, *, lookahead: bool = False) -> Any:
        """The probabilities of `chunk_frames` frames, and the new state."""


def largest_difference(model: keras.Model, converted: Converted) -> dict[str, float]:
    """The largest difference of either output between Keras offline and the converted network by ``step`` or ``chunk``.

    Returns:
        One figure per probe signal; NaN where a probability is.
    """
    differences = {}
    for name, samples in probe_signals().items():
        length = converted.chunk_frames * converted.frame_length
        samples = samples[: len(samples) // length * length]
        expected = model.predict_on_batch(samples[np.newaxis])[0]
        outputs = np.reshape(expected, (len(expected), -1)).T
        by_call = [
            np.abs(_by_pieces(call, samples, length, converted, bool(which)) - outputs[which]).max()
            for call, length in ((converted.step, converted.frame_length), (converted.chunk, length))
            for which in range(len(outputs))
        ]
        differences[name] = float(np.max(by_call))  # NaN where one is; Python's max() would pass over it
    return differences


def _by_pieces(
    call: Callable[..., Any],
    samples: npt.NDArray[np.float32],
    length: int,
    converted: Converted,
    lookahead: bool,
) -> npt.NDArray[np.float32]:
    """The probabilities of a recording, piece by piece [shape=(frames,)]."""
    state, found = converted.initial_state(), []
    for block in samples.reshape(-1, length):
        probability, state = call(block, state, lookahead=lookahead)
        found.append(np.atleast_1d(probability))
    return np.concatenate(found)


def card_of(
    model: keras.Model,
    network: NetworkConfig,
    name: str,
    files: Mapping[str, Any],
    notes: Mapping[str, Any],
) -> dict[str, Any]:
    """The model card.

    Args:
        model: The network.
        network: Its architecture and sizes.
        name: The model's name.
        files: Fields about what was written.
        notes: More fields.

    Raises:
        ConfigError: A note has the name of another field.
    """
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
        "late_frames": network.lookahead_frames,
        "receptive_field_s": facts.receptive_field_s,
        "parameters": facts.parameters,
        "macs_per_second": facts.macs_per_second,
        "frontend": {
            key: value for key, value in frontend.items() if key not in ("name", "trainable", "dtype")
        },
        "network": asdict(network),
        **files,
        "segment_options": OPERATING_POINTS,
        "versions": {
            "python": platform.python_version(),
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
        },
    }
    if taken := sorted(card.keys() & notes.keys()):
        raise ConfigError(f"a note must not be a field that export writes. Received: {', '.join(taken)}.")
    return card | dict(notes)
