"""A trained network that teaches another, so that new scenes and labels do not undo what it knew."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vad.errors import ConfigError
from vad.training.data.batches import Array
from vad.training.networks import NetworkConfig
from vad.training.provenance import load_network, network_of

__all__ = ["Teacher"]


class Teacher:
    """Puts the probabilities of a trained network in the place of the targets of scenes with talk.

    Labels of detectors differ from edition to edition in how faint or how far talk may be. A network that people's
    labels have proven is a better judge of that (Li and Hoiem, "Learning without forgetting", 2016). Scenes without
    talk keep their targets: they are certain, and there the network is to become better than its teacher.

    The two may differ in their frames and delays. Each output of the student learns the teacher's output of the same
    kind; a student without lookahead output learns the last output of its teacher, the most certain one. Where the
    delays differ, the teacher has no probability for the first targets or for the last ones: these keep their values.

    Args:
        weights: A ``.keras`` file in its run or beside its card.
        student: The network to teach.

    Raises:
        ConfigError: The teacher has fewer outputs.
        ModelError: The file or its card cannot be read.
    """

    def __init__(self, weights: Path, student: NetworkConfig):
        self._model, network = load_network(weights), network_of(weights)
        self._frame_length = network.frame_length
        if len(network.delays) < len(student.delays):
            raise ConfigError(
                "a network with a lookahead output needs a teacher with one. "
                f"Received: {weights}, with one output of {network.delay_frames} frames of delay."
            )
        # Of each output: the first target and the first probability are at these places, in the teacher's frames.
        self._pace = student.frame_length / network.frame_length
        delays = zip(student.delays, network.delays[-len(student.delays) :], strict=True)
        self._firsts = [
            (0.5 - of_student) * self._pace - 0.5 + of_teacher for of_student, of_teacher in delays
        ]

    def __call__(self, samples: Array, targets: Array) -> Array:
        """The targets [shape=(batch, frames[, 2])] of samples [shape=(batch, samples)], its own in scenes with talk."""
        talk = np.flatnonzero(targets.reshape(len(targets), -1).max(axis=1) > 0.5)
        if not len(talk):
            return targets
        whole = samples.shape[1] // self._frame_length * self._frame_length
        taught = self._model.predict_on_batch(samples[talk, :whole])
        taught = taught.reshape(*taught.shape[:2], -1)[..., -len(self._firsts) :]
        targets = targets.copy()
        outputs = targets.reshape(*targets.shape[:2], -1)  # a view
        for output, first in enumerate(self._firsts):
            places = first + self._pace * np.arange(targets.shape[1])
            known = (places > -0.5) & (places < taught.shape[1] - 0.5)
            for scene, probability in zip(talk, taught[..., output], strict=True):
                outputs[scene, known, output] = np.interp(
                    places[known], np.arange(len(probability)), probability
                )
        return targets
