"""The architectures: from samples to one speech probability a frame.

Every network is causal. A layer that needs the past keeps it as a state (`History`, `Recurrent`), so every network
streams as it is. Output t is about frame ``t - delay_frames``: training shifts the targets, the graph has no notion of
it. With ``lookahead_frames`` there is a second, more accurate output, about an earlier frame. An architecture is a
dataclass of its sizes with the method that draws it, in a module of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vad.errors import ConfigError
from vad.training.backend import FULL_PRECISION, keras, layers
from vad.training.networks.config import NetworkConfig, current_name
from vad.training.networks.facts import NetworkFacts, describe
from vad.training.networks.interchange import Interchange
from vad.training.networks.late import lookahead_features, low_latency_only
from vad.training.networks.logmel_cnn import LogMelCnn
from vad.training.networks.logmel_crnn import LogMelCrnn
from vad.training.networks.patch_cnn import PatchCnn
from vad.training.networks.two_branch import TwoBranch
from vad.training.networks.waveform_tcn import WaveformTcn
from vad.training.options import option_types, typed

__all__ = [
    "ARCHITECTURES",
    "Interchange",
    "LogMelCnn",
    "LogMelCrnn",
    "NetworkConfig",
    "NetworkFacts",
    "PatchCnn",
    "TwoBranch",
    "WaveformTcn",
    "build_network",
    "current_name",
    "describe",
    "low_latency_only",
    "network_from_dict",
]

ARCHITECTURES: dict[str, type[NetworkConfig]] = {
    kind.architecture: kind for kind in (LogMelCnn, WaveformTcn, LogMelCrnn, TwoBranch, PatchCnn, Interchange)
}


def network_from_dict(values: Mapping[str, Any]) -> NetworkConfig:
    """Reads the options in a ``[network]`` table, a stored run or a model card.

    Args:
        values: Options by name, old names included; without ``architecture``, those of logmel-cnn.

    Raises:
        ConfigError: An unknown architecture or option, or a value of the wrong type or out of its range.
    """
    name = typed(values.get("architecture", LogMelCnn.architecture), str, "network.architecture")
    if name not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise ConfigError(f"architecture must be one of {known}. Received: architecture={name!r}.")
    types = option_types(ARCHITECTURES[name])
    options = {current_name(option): value for option, value in values.items() if option != "architecture"}
    for option, value in options.items():
        if option not in types:
            raise ConfigError(
                f"an option of {name} must be one of {', '.join(types)}. "
                f"Received: network.{option}={value!r}. Leave it out, or choose another architecture."
            )
    return ARCHITECTURES[name](
        **{option: typed(value, types[option], f"network.{option}") for option, value in options.items()}
    )


def build_network(config: NetworkConfig) -> keras.Model:
    """Builds an untrained network.

    Args:
        config: Its architecture and sizes.

    Returns:
        A model from samples [shape=(batch, frames * frame_length)] to probabilities: of the low-latency output
        [shape=(batch, frames)], or of that and the lookahead output [shape=(batch, frames, 2)].
    """
    samples = keras.Input((None,), name="samples")
    features = config.draw(config.control_gain(samples))
    probability = _probability(features, "speech")
    if config.lookahead_frames:
        lookahead = _probability(lookahead_features(features, config), "late_speech")
        probability = layers.Concatenate(name="probability", **FULL_PRECISION)([probability, lookahead])
    else:
        probability = layers.Reshape((-1,), name="probability", **FULL_PRECISION)(probability)
    return keras.Model(samples, probability, name=config.architecture.replace("-", "_"))


def _probability(features: Any, name: str) -> Any:
    return layers.Dense(1, activation="sigmoid", name=name, **FULL_PRECISION)(features)
