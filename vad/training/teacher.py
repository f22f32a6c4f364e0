"""A trained network that teaches another, so that new scenes and labels do not undo what it knew."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vad.errors import ConfigError
from vad.training.data.batches import Array
from vad.training.networks import NetworkConfig
from vad.training.provenance import load_network

__all__ = ["Teacher"]

_SHARE = 0.75


class Teacher:
    """Draws the targets of scenes with talk towards the probabilities of a trained network.

    Labels of detectors differ from edition to edition in how faint or how far talk may be. A network that people's
    labels have proven is a better judge of that (Li and Hoiem, "Learning without forgetting", 2016). Scenes without
    talk keep their targets: they are certain, and there the network is to become better than its teacher.

    Args:
        weights: A ``.keras`` file.
        network: That of the student. Its frame must be the teacher's, and so must its delays, which are not checked.

    Raises:
        ConfigError: The teacher has other outputs.
        ModelError: The file cannot be read.
    """

    def __init__(self, weights: Path, network: NetworkConfig):
        self._model = load_network(weights)
        given = self._model.compute_output_shape((1, 100 * network.frame_length))
        wanted = (1, 100, 2) if network.lookahead_frames else (1, 100)
        if tuple(given) != wanted:
            raise ConfigError(
                f"a teacher must have the frames and outputs of the network. Received: {weights}, with {given} for "
                f"100 frames, not {wanted}."
            )

    def __call__(self, samples: Array, targets: Array) -> Array:
        """The targets [shape=(batch, frames[, 2])] of samples [shape=(batch, samples)], nearer to its own."""
        talk = targets.reshape(len(targets), -1).max(axis=1) > 0.5
        if talk.any():
            taught = self._model.predict_on_batch(samples[talk])
            targets = targets.copy()
            targets[talk] += np.float32(_SHARE) * (taught - targets[talk])
        return targets
