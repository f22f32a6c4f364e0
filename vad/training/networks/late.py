"""The late decision: what the same features tell once somebody has heard on for a while."""

from __future__ import annotations

from typing import Any

import numpy as np

from vad.training.backend import keras, layers
from vad.training.networks.blocks import conv1d, dilated_stack
from vad.training.networks.config import NetworkConfig
from vad.training.streaming import History

__all__ = ["late_features", "lean_on_prompt", "move_late", "prompt_only"]


def late_features(features: Any, config: NetworkConfig) -> Any:
    """What the prompt decision about the same frame was read from, and what has been heard since.

    Whether a silence is a pause within somebody's turn, or a shout the beginning of one, is known only afterwards. So
    convolutions look back over the features, half as far again as the late decision is late.

    Args:
        features: What prompt decisions are read from [shape=(batch, frames, features)].
        config: Tells how late, and the width.

    Returns:
        What the late probability is read from. [shape=(batch, frames, features + late_channels)]
    """
    later = config.late_frames - config.delay_frames
    then = layers.Cropping1D((0, later), name="late_then")(History(later, name="late_then_past")(features))
    dilations = [1]
    while 2 * sum(dilations) < 1.5 * config.late_frames:
        dilations.append(2 * dilations[-1])
    x = conv1d(features, config.late_channels, 1, name="late_join")
    x = dilated_stack(x, config.late_channels, dilations, name="late_dilated")
    return layers.Concatenate(name="late_features")([then, x])


def lean_on_prompt(model: keras.Model, share: float) -> None:
    """Has the late decision take over a share of what the prompt one of its frame said, in logits.

    Learned from other scenes, the two are wrong in different places, so a little of both is better than either. Both
    are linear in features that the late one has: it is done in its weights, and costs nothing.

    Args:
        model: With a late decision; its weights change.
        share: Of the prompt decision, 0 to 1.
    """
    speech, late = (model.get_layer(name) for name in ("speech", "late_speech"))
    (kernel, bias), (late_kernel, late_bias) = speech.get_weights(), late.get_weights()
    leaning = (1 - share) * late_kernel
    leaning[: len(kernel)] += share * kernel
    late.set_weights([leaning, (1 - share) * late_bias + share * bias])


def move_late(model: keras.Model, logits: float) -> None:
    """Adds to the late decision's logit, so that a threshold of 0.5 lies where it serves best.

    What labels say of pauses moves all probabilities with it: a network that learned to leave pauses in doubt says more
    of what lies beside speech than one that learned to shut in them.

    Args:
        model: With a late decision; its weights change.
        logits: What is added; less than 0 makes it say less.
    """
    late = model.get_layer("late_speech")
    kernel, bias = late.get_weights()
    late.set_weights([kernel, bias + np.float32(logits)])


def prompt_only(model: keras.Model) -> keras.Model:
    """The same network without its late decision, from samples to probabilities [shape=(batch, frames)]."""
    probability = layers.Reshape((-1,), name="probability")(model.get_layer("speech").output)
    return keras.Model(model.input, probability, name=model.name)
