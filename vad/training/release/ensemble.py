"""Two trained networks joined into one, whose outputs are the means of theirs.

Networks trained apart make different errors, so their mean is better than either (Hansen and Salamon, "Neural network
ensembles", 1990). On one front end, and with their features side by side, that mean is a matter of weights and costs
no more than the two. This is how models/default is made; scripts/release.py alone does it.
"""

from __future__ import annotations

from dataclasses import fields
from typing import cast

import numpy as np

from vad.errors import ConfigError, require
from vad.training.backend import keras
from vad.training.networks import LogMelCnn, LogMelEnsemble, NetworkConfig, build_network

__all__ = ["adjust_lookahead", "join_ensemble"]

_IN_COMMON = ("frame_ms", "delay_frames", "n_mels", "dilations")
# Layers on the features of both networks; all others belong to one of them.
_JOINT_LAYERS = ("speech", "late_join", "late_speech")


def join_ensemble(
    first: keras.Model,
    first_config: NetworkConfig,
    second: keras.Model,
    second_config: NetworkConfig,
    share: float,
) -> tuple[keras.Model, LogMelEnsemble]:
    """Joins two networks; every output is the mean of theirs, in logits.

    The lookahead output of the first one is averaged with the second's low-latency output for the same frame.

    Args:
        first: A logmel-cnn.
        first_config: Its architecture and sizes.
        second: A logmel-cnn of the same frames, delay, bands, dilations and normalisation, without lookahead.
        second_config: Likewise.
        share: The weight of the second, 0 to 1.

    Returns:
        The ensemble, with its architecture and sizes.

    Raises:
        ConfigError: The two do not fit together.
    """
    config = _config(first_config, second_config)
    ours, theirs = (one.get_layer("normalization").get_weights() for one in (first, second))
    if not all(map(np.array_equal, ours, theirs)):
        raise ConfigError(
            "the two networks of an ensemble have different normalisations. Train the second with warm_start=FIRST."
        )
    model = build_network(config)
    for layer in model.layers:
        if layer.weights and layer.name not in _JOINT_LAYERS:
            name = layer.name.removeprefix("second_")
            layer.set_weights((first if name == layer.name else second).get_layer(name).get_weights())
    model.get_layer("normalization").finalize_state()
    _set_joint_layers(model, first, second, share)
    return model, config


def adjust_lookahead(model: keras.Model, low_latency_share: float, offset: float) -> None:
    """Mixes the low-latency output for the same frame into the lookahead output, and shifts it, in logits.

    Trained on other scenes, the two make different errors. The labels of pauses move all probabilities: the offset
    brings the best threshold back to 0.5. Both outputs are linear in features that the lookahead output has, so this
    changes its weights and costs nothing.

    Args:
        model: A network with a lookahead output; its weights change.
        low_latency_share: The weight of the low-latency output, 0 to 1.
        offset: Added to the logit.
    """
    speech, lookahead = model.get_layer("speech"), model.get_layer("late_speech")
    (kernel, bias), (old_kernel, old_bias) = speech.get_weights(), lookahead.get_weights()
    new_kernel = (1 - low_latency_share) * old_kernel
    new_kernel[: len(kernel)] += low_latency_share * kernel
    new_bias = (1 - low_latency_share) * old_bias + low_latency_share * bias + np.float32(offset)
    lookahead.set_weights([new_kernel, new_bias])


def _config(first: NetworkConfig, second: NetworkConfig) -> LogMelEnsemble:
    for one in (first, second):
        require(
            one.architecture == LogMelCnn.architecture and (one is first or not one.lookahead_frames),
            "an ensemble must be of two logmel-cnn, of which the second has no lookahead output",
            architecture=one.architecture,
            lookahead_frames=one.lookahead_frames,
        )
    for name in _IN_COMMON:
        ours, theirs = getattr(first, name), getattr(second, name)
        require(ours == theirs, f"an ensemble must have {name}={ours} in common", **{name: theirs})
    small = cast(LogMelCnn, second)
    return LogMelEnsemble(
        **{one.name: getattr(first, one.name) for one in fields(first) if one.init},
        second_conv_channels=small.conv_channels,
        second_channels=small.channels,
    )


def _set_joint_layers(model: keras.Model, first: keras.Model, second: keras.Model, share: float) -> None:
    """Weights on the features of the first network, then those of the second, then the lookahead ones."""
    kernel, bias = second.get_layer("speech").get_weights()
    width = first.get_layer("speech").kernel.shape[0]
    for layer in model.layers:
        if layer.name == "late_join":
            (old,) = first.get_layer(layer.name).get_weights()
            layer.set_weights([np.pad(old, ((0, 0), (0, len(kernel)), (0, 0)))])
        elif layer.name in _JOINT_LAYERS:
            old, old_bias = first.get_layer(layer.name).get_weights()
            parts = [(1 - share) * old[:width], share * kernel, (1 - share) * old[width:]]
            layer.set_weights([np.concatenate(parts), (1 - share) * old_bias + share * bias])
