"""The architectures: waveform in, one speech probability a frame out.

Every network is causal. What a stage needs of the past comes from a layer that remembers it (`History`, `Recurrent`),
so a network streams as it is. Its output t speaks of frame ``t - delay_frames``: training shifts the target, the graph
knows nothing of it. With ``late_frames`` there is a second probability beside it, of an earlier frame, which knows
better. An architecture is a dataclass of its sizes with the method that draws it, in a module of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vad.errors import ConfigError
from vad.training.backend import keras, layers
from vad.training.networks.config import NetworkConfig
from vad.training.networks.facts import NetworkFacts, describe
from vad.training.networks.gain_control import GainControl
from vad.training.networks.late import lookahead_features, low_latency_only
from vad.training.networks.logmel_cnn import LogMelCnn
from vad.training.networks.logmel_crnn import LogMelCrnn
from vad.training.networks.logmel_pair import LogMelEnsemble
from vad.training.networks.patch_cnn import PatchCnn
from vad.training.networks.two_branch import TwoBranch
from vad.training.networks.waveform_tcn import WaveformTcn
from vad.training.options import option_types, typed

__all__ = [
    "ARCHITECTURES",
    "LogMelCnn",
    "LogMelCrnn",
    "LogMelEnsemble",
    "NetworkConfig",
    "NetworkFacts",
    "PatchCnn",
    "TwoBranch",
    "WaveformTcn",
    "build_network",
    "describe",
    "low_latency_only",
    "network_from_dict",
]

ARCHITECTURES: dict[str, type[NetworkConfig]] = {
    kind.architecture: kind
    for kind in (LogMelCnn, WaveformTcn, LogMelCrnn, TwoBranch, PatchCnn, LogMelEnsemble)
}


def network_from_dict(values: Mapping[str, Any]) -> NetworkConfig:
    """Reads what a ``[network]`` table, a stored run or a model card holds.

    Args:
        values: Options by name; without ``architecture``, those of logmel-cnn.

    Raises:
        ConfigError: There is no such architecture, an option is none of its own, or a value is of the wrong type or
            out of its range.
    """
    name = typed(values.get("architecture", LogMelCnn.architecture), str, "network.architecture")
    if name not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise ConfigError(f"architecture must be one of {known}. Received: architecture={name!r}.")
    types = option_types(ARCHITECTURES[name])
    given = {option: value for option, value in values.items() if option != "architecture"}
    for option, value in given.items():
        if option not in types:
            raise ConfigError(
                f"an option of {name} must be one of {', '.join(types)}. "
                f"Received: network.{option}={value!r}. Leave it out, or choose another architecture."
            )
    return ARCHITECTURES[name](
        **{option: typed(value, types[option], f"network.{option}") for option, value in given.items()}
    )


def build_network(config: NetworkConfig) -> keras.Model:
    """Builds an untrained network.

    Args:
        config: Its architecture and sizes.

    Returns:
        A model from samples [shape=(batch, frames * frame_length)] to probabilities: prompt ones
        [shape=(batch, frames)], or prompt and late ones [shape=(batch, frames, 2)].
    """
    samples = keras.Input((None,), name="samples")
    features = config.draw(GainControl(name="level")(samples))
    probability = layers.Dense(1, activation="sigmoid", name="speech")(features)
    if config.late_frames:
        late = layers.Dense(1, activation="sigmoid", name="late_speech")(lookahead_features(features, config))
        probability = layers.Concatenate(name="probability")([probability, late])
    else:
        probability = layers.Reshape((-1,), name="probability")(probability)
    return keras.Model(samples, probability, name=config.architecture.replace("-", "_"))
