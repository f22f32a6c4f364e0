"""Two trained networks become one, for which both speak.

Trained apart, two networks are wrong in different places, so that the mean of what they say is surer than either
(Hansen and Salamon, "Neural network ensembles", 1990). On one front end, and with what the decisions are read from
side by side, that mean is a matter of weights: it costs no more than the two.
"""

from __future__ import annotations

from dataclasses import fields
from typing import cast

import numpy as np

from vad.errors import ConfigError
from vad.segment_options import require
from vad.training.backend import keras
from vad.training.networks import LogMelCnn, LogMelPair, NetworkConfig, build_network

__all__ = ["pair"]

_IN_COMMON = ("frame_ms", "delay_frames", "n_mels", "dilations")
_READERS = (
    "speech",
    "late_join",
    "late_speech",
)  # of what both have found; other layers are the one's or the other's


def pair(
    first: keras.Model,
    first_config: NetworkConfig,
    second: keras.Model,
    second_config: NetworkConfig,
    share: float,
) -> tuple[keras.Model, LogMelPair]:
    """Puts a second network beside the first; every decision is the mean of theirs, in logits.

    A late decision of the first one takes in what the second said promptly about the same frame.

    Args:
        first: Of logmel-cnn.
        first_config: What it was built from.
        second: Likewise; of the same frames, delay, bands, dilations and normalisation.
        second_config: What it was built from.
        share: What the second counts, 0 to 1.

    Returns:
        The pair, and what it is built from.

    Raises:
        ConfigError: The two do not fit together, or the share is out of its range.
    """
    require(0 <= share <= 1, "second_share must be between 0 and 1", second_share=share)
    config = _config(first_config, second_config)
    _require_same_normalization(first, second)
    model = build_network(config)
    for layer in model.layers:
        if layer.weights and layer.name not in _READERS:
            name = layer.name.removeprefix("second_")
            layer.set_weights((first if name == layer.name else second).get_layer(name).get_weights())
    model.get_layer("normalization").finalize_state()
    _read_both(model, first, second, share)
    return model, config


def _config(first: NetworkConfig, second: NetworkConfig) -> LogMelPair:
    for one in (first, second):
        require(
            one.architecture == LogMelCnn.architecture and (one is first or not one.late_frames),
            "a pair must be of two logmel-cnn, of which the second has no late decision",
            architecture=one.architecture,
            late_frames=one.late_frames,
        )
    for name in _IN_COMMON:
        ours, theirs = getattr(first, name), getattr(second, name)
        require(ours == theirs, f"a pair must have {name}={ours} in common", **{name: theirs})
    small = cast(LogMelCnn, second)
    return LogMelPair(
        **{one.name: getattr(first, one.name) for one in fields(first) if one.init},
        second_conv_channels=small.conv_channels,
        second_channels=small.channels,
    )


def _require_same_normalization(first: keras.Model, second: keras.Model) -> None:
    ours, theirs = (one.get_layer("normalization").get_weights() for one in (first, second))
    if not all(map(np.array_equal, ours, theirs)):
        raise ConfigError(
            "a pair must hear the same, with one normalisation. Received: two that differ. "
            "Train the second with warm_start=FIRST."
        )


def _read_both(model: keras.Model, first: keras.Model, second: keras.Model, share: float) -> None:
    """What was read from the first's features is now read from these, then the second's, then the late ones."""
    kernel, bias = second.get_layer("speech").get_weights()
    width = first.get_layer("speech").kernel.shape[0]
    for reader in model.layers:
        if reader.name == "late_join":
            (own,) = first.get_layer(reader.name).get_weights()
            reader.set_weights([np.pad(own, ((0, 0), (0, len(kernel)), (0, 0)))])
        elif reader.name in _READERS:
            own, own_bias = first.get_layer(reader.name).get_weights()
            both = [(1 - share) * own[:width], share * kernel, (1 - share) * own[width:]]
            reader.set_weights([np.concatenate(both), (1 - share) * own_bias + share * bias])
