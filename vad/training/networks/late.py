"""The lookahead output of a network: later than the low-latency one, and more accurate."""

from __future__ import annotations

from typing import Any

from vad.training.backend import keras, layers
from vad.training.networks.blocks import conv1d, dilated_stack
from vad.training.networks.config import NetworkConfig
from vad.training.networks.streaming import History

__all__ = ["lookahead_features", "low_latency_only"]


def lookahead_features(features: Any, config: NetworkConfig) -> Any:
    """The features that the low-latency output for the same frame had, and those of all since.

    Whether a silence is a pause within a turn, or a shout the beginning of one, is known only afterwards. So
    convolutions look back over the features, half as far again as the lookahead.

    From [shape=(batch, frames, features)] to [shape=(batch, frames, features + lookahead_channels)].
    """
    # Layers keep the names under which trained networks have them.
    later = config.lookahead_frames - config.delay_frames
    then = layers.Cropping1D((0, later), name="late_then")(History(later, name="late_then_past")(features))
    dilations = [1]
    while 2 * sum(dilations) < 1.5 * config.lookahead_frames:
        dilations.append(2 * dilations[-1])
    x = conv1d(features, config.lookahead_channels, 1, name="late_join")
    x = dilated_stack(x, config.lookahead_channels, dilations, name="late_dilated")
    return layers.Concatenate(name="late_features")([then, x])


def low_latency_only(model: keras.Model) -> keras.Model:
    """The same network without its lookahead output, from samples to probabilities [shape=(batch, frames)]."""
    probability = layers.Reshape((-1,), name="probability")(model.get_layer("speech").output)
    return keras.Model(model.input, probability, name=model.name)
