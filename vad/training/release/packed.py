"""Exports with one state vector: an ONNX file, and a SavedModel. Each is compared with Keras before it is written.

``samples`` [shape=(streams, frames * frame_length)] and ``state`` [shape=(streams, numbers)] give ``probability`` and,
of a network with lookahead output, ``lookahead_probability`` [shape=(streams, frames)], and ``state_out``. Any number
of streams and frames is taken. A state of zeros is the beginning of a recording.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from vad.detection.card import card_path
from vad.detection.model import Model
from vad.errors import ConfigError
from vad.files import make_folder, writing
from vad.training.backend import keras
from vad.training.networks import NetworkConfig
from vad.training.networks.streaming import state_shapes
from vad.training.provenance import load_network
from vad.training.release.export import (
    CHUNK_FRAMES,
    MAX_DIFFERENCE,
    Converted,
    card_of,
    largest_difference,
    verified,
)
from vad.training.release.flat_state import run_from_parts
from vad.training.release.onnx import function_to_onnx

__all__ = ["PackedNetwork", "ServedModel", "export_onnx", "export_saved_model", "onnx_content", "save"]

_OPSET = 17


class PackedNetwork:
    """A network as a function of samples and one state vector.

    Args:
        model: The network.
        network: Its architecture and sizes.

    Attributes:
        numbers: Length of the state of one stream.
        inputs: Names, shapes and types.
        outputs: Names.
    """

    def __init__(self, model: keras.Model, network: NetworkConfig):
        self.model = model
        self._shapes = {name: shape[1:] for name, shape in state_shapes(model).items()}
        self.numbers = sum(map(math.prod, self._shapes.values()))
        self.inputs = [
            tf.TensorSpec((None, None), tf.float32, "samples"),
            tf.TensorSpec((None, self.numbers), tf.float32, "state"),
        ]
        probabilities = ["probability", "lookahead_probability"]
        self.outputs = [*probabilities[: len(network.delays)], "state_out"]

    def __call__(self, samples: tf.Tensor, state: tf.Tensor) -> dict[str, tf.Tensor]:
        """Runs frames of each stream."""
        parts = tf.split(state, [math.prod(shape) for shape in self._shapes.values()], axis=1)
        found, after = run_from_parts(self.model, self._shapes, samples, parts)
        found = tf.reshape(found, (tf.shape(samples)[0], -1, len(self.outputs) - 1))
        return dict(zip(self.outputs, [*tf.unstack(found, axis=-1), tf.concat(after, axis=1)], strict=True))


def export_onnx(
    trained: Path | keras.Model,
    network: NetworkConfig,
    name: str,
    folder: Path,
    *,
    notes: Mapping[str, Any] | None = None,
    chunk_frames: int = CHUNK_FRAMES,
) -> Path:
    """Writes ``<name>.onnx``, which `vad.Model` loads too, and its card ``<name>.onnx.json``.

    Args:
        trained: The network, or its ``.keras`` file.
        network: Its architecture and sizes.
        name: The model's name.
        folder: Where to write.
        notes: More fields of the card, as for `vad.training.release.export.export`.
        chunk_frames: Frames that `vad.Model.chunk` runs at once.

    Returns:
        The path of the ``.onnx`` file.

    Raises:
        ModelError: The weights cannot be read, or the file differs from Keras by more than 1e-4 on any of the probe
            signals. Nothing is written then.
        ConfigError: A note has the name of a field, or a file cannot be written.
    """
    packed = PackedNetwork(load_network(trained) if isinstance(trained, Path) else trained, network)
    content = onnx_content(packed)
    graph = _graph(packed, "onnx", chunk_frames) | {"sha256": hashlib.sha256(content).hexdigest()}
    card = card_of(packed.model, network, name, graph, notes or {})
    card["verification"] = _verified(packed, Model(content, json.loads(json.dumps(card)), source=name))
    path = folder / f"{name}.onnx"
    make_folder(folder)
    with writing(path) as file, writing(card_path(path)) as text:
        file.write_bytes(content)
        text.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return path


def onnx_content(packed: PackedNetwork) -> bytes:
    """The content of the ``.onnx`` file."""
    axes = dict.fromkeys(packed.outputs, ("streams", "frames")) | {
        "samples": ("streams", "samples"),
        "state": ("streams",),
        "state_out": ("streams",),
    }
    return function_to_onnx(
        packed.model, packed.__call__, packed.inputs, packed.outputs, opset=_OPSET, axes=axes
    )


def export_saved_model(
    trained: Path | keras.Model,
    network: NetworkConfig,
    name: str,
    folder: Path,
    *,
    notes: Mapping[str, Any] | None = None,
    chunk_frames: int = CHUNK_FRAMES,
) -> Path:
    """Writes the next version of a SavedModel, ``<name>/<number>/``, with its card ``card.json`` in it.

    TensorFlow Serving takes ``<name>/`` and serves the highest number. The arguments and errors are those of
    `export_onnx`.

    Returns:
        The folder of the version.
    """
    packed = PackedNetwork(load_network(trained) if isinstance(trained, Path) else trained, network)
    card = card_of(packed.model, network, name, _graph(packed, "saved-model", chunk_frames), notes or {})
    with tempfile.TemporaryDirectory() as temporary:
        saved = Path(temporary, "saved")
        save(packed, saved)
        card["verification"] = _verified(packed, ServedModel(saved, card))
        (saved / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
        return _next_version(saved, folder / name)


def _graph(packed: PackedNetwork, format: str, chunk_frames: int) -> dict[str, Any]:
    """The fields of the card about what is written."""
    return {"format": format, "chunk_frames": chunk_frames, "states": {"state": [1, packed.numbers]}}


def _verified(packed: PackedNetwork, converted: Converted) -> dict[str, Any]:
    return verified(largest_difference(packed.model, converted), MAX_DIFFERENCE["none"])


def save(packed: PackedNetwork, folder: Path) -> None:
    """Writes a SavedModel with the signature ``serving_default``."""
    module = tf.Module()
    # Keeps the weights tracked: untracked ones would be written uninitialised.
    module.weights = [variable.value for variable in packed.model.variables]
    module.serve = tf.function(packed, input_signature=packed.inputs, autograph=False)
    signature = module.serve.get_concrete_function()
    tf.saved_model.save(module, str(folder), signatures={"serving_default": signature})


def _next_version(saved: Path, folder: Path) -> Path:
    """Copies a SavedModel beside the versions that are there; it appears at once, because servers look for it."""
    make_folder(folder)
    taken = [int(one.name) for one in folder.iterdir() if one.name.isdecimal()]
    version = folder / str(max(taken, default=0) + 1)
    part = folder / f".part-{version.name}"
    try:
        shutil.copytree(saved, part)
        part.rename(version)
    except OSError as error:
        raise ConfigError(
            f"cannot write {version}: {error.strerror or error}. Write to another place."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return version


class ServedModel:
    """A SavedModel as TensorFlow loads it, with the calls of `vad.Model` that the comparison needs.

    Args:
        folder: The version's.
        card: Its card.
    """

    def __init__(self, folder: Path, card: Mapping[str, Any]):
        self._serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
        self.frame_length: int = card["frame_length"]
        self.chunk_frames: int = card["chunk_frames"]
        self._shape = card["states"]["state"]

    def initial_state(self) -> tf.Tensor:
        """Zeros."""
        return tf.zeros(self._shape)

    def step(
        self, samples: npt.NDArray[np.float32], state: tf.Tensor, *, lookahead: bool = False
    ) -> tuple[npt.NDArray[np.float32], tf.Tensor]:
        """The probabilities of any number of frames, and the new state."""
        found = self._serve(samples=tf.constant(samples[np.newaxis]), state=state)
        return found["lookahead_probability" if lookahead else "probability"][0].numpy(), found["state_out"]

    chunk = step
