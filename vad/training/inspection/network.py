"""What is looked into: a trained network, and a clip for it to hear."""

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
from vad.training.networks import NetworkConfig, prompt_only
from vad.training.networks.kernels import kernels
from vad.training.provenance import load_network, network_of, weights_of

__all__ = ["Array", "Clip", "Stage", "Subject", "load_subject", "stages"]

Array = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Subject:
    """A trained network. What is looked into are its prompt decisions; of a late one it goes without.

    Attributes:
        name: What pictures call it.
        model: From samples to probabilities [shape=(batch, frames)].
        network: What it was built from.
        folder: Where its weights lie; the folder of its run, if it comes from one.
    """

    name: str
    model: keras.Model
    network: NetworkConfig
    folder: Path

    @property
    def frame_s(self) -> float:
        """Seconds a frame."""
        return self.network.frame_ms / 1000

    @property
    def hop_s(self) -> float:
        """Seconds between two columns of the spectrogram."""
        return self.network.HOP_LENGTH / self.network.SAMPLE_RATE


@dataclass(frozen=True)
class Clip:
    """A stretch of a recording.

    Attributes:
        name: What pictures call it.
        samples: Mono, at the model's rate, in [-1, 1]. [shape=(samples,)]
        segments: Where speech is, in seconds of the recording; None where nobody said.
        start: Where the stretch begins in the recording, seconds.
    """

    name: str
    samples: npt.NDArray[np.float32]
    segments: Sequence[Segment] | None = None
    start: float = 0.0

    def whole_frames(self, network: NetworkConfig) -> npt.NDArray[np.float32]:
        """The samples of its whole frames, with as much silence behind as the network is late.

        Raises:
            AudioError: There is not one whole frame.
        """
        length = network.frame_length
        frames = len(self.samples) // length
        if frames == 0:
            raise AudioError(
                f"{self.name}: a clip must hold a frame of {network.frame_ms} ms. Received: {len(self.samples)} "
                f"samples from {self.start:g} s on. Give a longer one, or an earlier --start."
            )
        return np.pad(self.samples[: frames * length], (0, network.delay_frames * length))


@dataclass(frozen=True)
class Stage:
    """A layer with a kernel, or a gate of a GRU, and what follows it.

    Attributes:
        name: The kernel's, as `vad.training.networks.kernels` has it.
        kernel: [shape=(time, [frequency,] inputs, filters)]; a dense layer's has a time of 1.
        norm: Its batch normalisation, or None.
        relu: Its rectifier, or None.
        remembered: How many of its inputs, the last of them, are its own layer's outputs of a step before; 0 in all but
            the gates of a GRU.
    """

    name: str
    kernel: Array
    norm: keras.layers.Layer | None
    relu: keras.layers.Layer | None
    remembered: int = 0

    @property
    def is_first(self) -> bool:
        """Whether it hears the sound itself, its spectrogram or its waveform, and no layer before it."""
        return self.kernel.shape[-2] == 1

    @property
    def matrix(self) -> Array:
        """A column per filter [shape=(weights, filters)]."""
        return self.kernel.reshape(-1, self.kernel.shape[-1])


def stages(model: keras.Model, read: Callable[[Any], Array] = ops.convert_to_numpy) -> list[Stage]:
    """The layers with kernels, in order; what follows them is known by its name (`vad.training.networks.blocks`).

    Args:
        model: The network.
        read: What stands for a kernel, as in `vad.training.networks.kernels`: by default its values.
    """
    by_name = {layer.name: layer for layer in model.layers}
    found = []
    for name, values in kernels(model, read).items():
        kernel = values[np.newaxis] if values.ndim == 2 else values
        norm, relu = (by_name.get(f"{name}_{suffix}") for suffix in ("norm", "relu"))
        remembered = 0 if name in by_name else kernel.shape[-1]  # a gate is a part of a layer
        found.append(Stage(name, kernel, norm, relu, remembered))
    return found


def load_subject(name_or_path: str) -> Subject:
    """Loads a trained network.

    Args:
        name_or_path: As `vad.training.provenance.weights_of` takes it; the weights lie in their run or
            beside their card.

    Raises:
        ModelError: There is none, it cannot be read, or nothing says what it was built from.
    """
    weights = weights_of(name_or_path, "network")
    name = weights.parent.name if Path(name_or_path).is_dir() else weights.stem
    model, network = load_network(weights), network_of(weights)
    return Subject(name, prompt_only(model) if network.late_frames else model, network, weights.parent)
