"""Two trained networks become one, for which both speak.

Trained apart, two networks are wrong in different places, so that the mean of what they say is surer than either
(Hansen and Salamon, "Neural network ensembles", 1990). On one front end, and with what the decisions are read from
side by side, that mean is a matter of weights: it costs no more than the two.

All of this changes weights that are trained. It is how models/default is made; scripts/release.py alone does it.
"""

from __future__ import annotations

import math
from dataclasses import fields
from typing import cast

import numpy as np

from vad.errors import ConfigError, require
from vad.training.backend import keras
from vad.training.networks import LogMelCnn, LogMelEnsemble, NetworkConfig, build_network

__all__ = ["mix_in_low_latency", "pair", "shift_lookahead"]

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
) -> tuple[keras.Model, LogMelEnsemble]:
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


def mix_in_low_latency(model: keras.Model, share: float) -> None:
    """Has the late decision take over a share of what the prompt one of its frame said, in logits.

    Learned from other scenes, the two are wrong in different places, so a little of both is better than either. Both
    are linear in features that the late one has: it is done in its weights, and costs nothing.

    Args:
        model: With a late decision; its weights change.
        share: Of the prompt decision, 0 to 1.

    Raises:
        ConfigError: The share is out of its range, or the network has no late decision.
    """
    require(0 <= share <= 1, "prompt_share must be between 0 and 1", prompt_share=share)
    _require_late(model)
    speech, late = (model.get_layer(name) for name in ("speech", "late_speech"))
    (kernel, bias), (late_kernel, late_bias) = speech.get_weights(), late.get_weights()
    leaning = (1 - share) * late_kernel
    leaning[: len(kernel)] += share * kernel
    late.set_weights([leaning, (1 - share) * late_bias + share * bias])


def shift_lookahead(model: keras.Model, logits: float) -> None:
    """Adds to the late decision's logit, so that a threshold of 0.5 lies where it serves best.

    What labels say of pauses moves all probabilities with it: a network that learned to leave pauses in doubt says more
    of what lies beside speech than one that learned to shut in them.

    Args:
        model: With a late decision; its weights change.
        logits: What is added; less than 0 makes it say less.

    Raises:
        ConfigError: It is not finite, or the network has no late decision.
    """
    require(math.isfinite(logits), "late_offset must be finite", late_offset=logits)
    _require_late(model)
    late = model.get_layer("late_speech")
    kernel, bias = late.get_weights()
    late.set_weights([kernel, bias + np.float32(logits)])


def _require_late(model: keras.Model) -> None:
    if not any(layer.name == "late_speech" for layer in model.layers):
        raise ConfigError(f"{model.name} has no late decision to change.")


def _config(first: NetworkConfig, second: NetworkConfig) -> LogMelEnsemble:
    for one in (first, second):
        require(
            one.architecture == LogMelCnn.architecture and (one is first or not one.lookahead_frames),
            "a pair must be of two logmel-cnn, of which the second has no late decision",
            architecture=one.architecture,
            lookahead_frames=one.lookahead_frames,
        )
    for name in _IN_COMMON:
        ours, theirs = getattr(first, name), getattr(second, name)
        require(ours == theirs, f"a pair must have {name}={ours} in common", **{name: theirs})
    small = cast(LogMelCnn, second)
    return LogMelEnsemble(
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
