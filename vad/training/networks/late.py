"""The late decision: what the same features tell once somebody has heard on for a while."""

from __future__ import annotations

from typing import Any

from vad.training.backend import keras, layers
from vad.training.networks.blocks import conv1d, dilated_stack
from vad.training.networks.config import NetworkConfig
from vad.training.networks.streaming import History

__all__ = ["lookahead_features", "low_latency_only"]


def lookahead_features(features: Any, config: NetworkConfig) -> Any:
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


def low_latency_only(model: keras.Model) -> keras.Model:
    """The same network without its late decision, from samples to probabilities [shape=(batch, frames)]."""
    probability = layers.Reshape((-1,), name="probability")(model.get_layer("speech").output)
    return keras.Model(model.input, probability, name=model.name)
