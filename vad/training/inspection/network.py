"""What an inspection starts from: a trained network, its layers, and an excerpt of audio."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vad.detection.segments import Segment
from vad.errors import AudioError
from vad.training.backend import keras, ops
from vad.training.networks import NetworkConfig, low_latency_only
from vad.training.networks.kernels import kernels
from vad.training.provenance import load_network, network_of
from vad.training.weights import weights_of

__all__ = [
    "Array",
    "InspectedAudio",
    "InspectedNetwork",
    "Stage",
    "first_indices",
    "load_inspected_network",
    "stages",
]

Array = npt.NDArray[np.floating[Any]]
_NAMED = 12


def first_indices(indices: Sequence[int]) -> str:
    """The first twelve of them, for a sentence."""
    return ", ".join(map(str, indices[:_NAMED])) + (", ..." if len(indices) > _NAMED else "")


@dataclass(frozen=True)
class InspectedNetwork:
    """A trained network, without its lookahead output.

    Attributes:
        name: Its name in pictures.
        model: From samples to probabilities [shape=(batch, frames)].
        config: Its architecture and sizes.
        folder: The folder of its weights: its run, if it comes from one.
    """

    name: str
    model: keras.Model
    config: NetworkConfig
    folder: Path

    @property
    def frame_s(self) -> float:
        """Seconds a frame."""
        return self.config.frame_ms / 1000

    @property
    def hop_s(self) -> float:
        """Seconds between two columns of the spectrogram."""
        return self.config.HOP_LENGTH / self.config.SAMPLE_RATE


@dataclass(frozen=True)
class InspectedAudio:
    """An excerpt of a recording.

    Attributes:
        name: Its name in pictures.
        samples: Mono, at the model's rate, in [-1, 1]. [shape=(samples,)]
        segments: The reference, in seconds of the recording; None where there is none.
        start: Where the excerpt begins in the recording, seconds.
    """

    name: str
    samples: npt.NDArray[np.float32]
    segments: Sequence[Segment] | None = None
    start: float = 0.0

    def whole_frames(self, config: NetworkConfig) -> npt.NDArray[np.float32]:
        """The samples of its whole frames, then as much silence as the network's delay.

        Raises:
            AudioError: It is shorter than a frame.
        """
        length = config.frame_length
        frames = len(self.samples) // length
        if frames == 0:
            raise AudioError(
                f"{self.name}: an excerpt must hold a frame of {config.frame_ms} ms. Received: {len(self.samples)} "
                f"samples from {self.start:g} s on. Give a longer one, or an earlier --start."
            )
        return np.pad(self.samples[: frames * length], (0, config.delay_frames * length))


@dataclass(frozen=True)
class Stage:
    """A layer with a kernel, or a gate of a GRU, and the layers that follow it.

    Attributes:
        name: The kernel's, as `vad.training.networks.kernels` has it.
        kernel: [shape=(time, [frequency,] inputs, filters)]; a dense layer's has a time of 1.
        norm: Its batch normalisation, or None.
        relu: Its rectifier, or None.
        recurrent: How many of its inputs, the last of them, are the layer's previous outputs; 0 in all but gates.
    """

    name: str
    kernel: Array
    norm: keras.layers.Layer | None
    relu: keras.layers.Layer | None
    recurrent: int = 0

    @property
    def is_first(self) -> bool:
        """Whether its input is the spectrogram or the waveform."""
        return self.kernel.shape[-2] == 1

    @property
    def matrix(self) -> Array:
        """A column per filter [shape=(weights, filters)]."""
        return self.kernel.reshape(-1, self.kernel.shape[-1])


def stages(model: keras.Model, read: Callable[[Any], Array] = ops.convert_to_numpy) -> list[Stage]:
    """The layers with kernels, in order; `vad.training.networks.blocks` names the layers that follow them.

    Args:
        model: The network.
        read: From a kernel's variable to an array of its shape, such as its gradient; by default its values.
    """
    by_name = {layer.name: layer for layer in model.layers}
    found = []
    for name, values in kernels(model, read).items():
        kernel = values[np.newaxis] if values.ndim == 2 else values
        norm, relu = (by_name.get(f"{name}_{suffix}") for suffix in ("norm", "relu"))
        recurrent = 0 if name in by_name else kernel.shape[-1]  # a gate is a part of a layer
        found.append(Stage(name, kernel, norm, relu, recurrent))
    return found


def load_inspected_network(name_or_path: str) -> InspectedNetwork:
    """Loads a trained network, named as `vad.training.weights.weights_of` takes it.

    Raises:
        ModelError: There is none, it cannot be read, or nothing says what it was built from.
    """
    weights = weights_of(name_or_path, "network")
    name = weights.parent.name if Path(name_or_path).is_dir() else weights.stem
    model, config = load_network(weights), network_of(weights)
    return InspectedNetwork(
        name, low_latency_only(model) if config.lookahead_frames else model, config, weights.parent
    )
