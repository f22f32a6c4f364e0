"""The architectures: waveform in, one speech probability a frame out.

Every network is causal and a chain of stages, each a `History` and a valid convolution, so it streams as it is. Its
output t speaks of frame ``t - delay_frames``: training shifts the target, the graph knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from vad.errors import ConfigError
from vad.training.backend import keras, layers
from vad.training.frontend import GaborFilters, LogMel, LogPower
from vad.training.streaming import History

__all__ = ["ARCHITECTURES", "NetworkConfig", "NetworkFacts", "build_network", "describe", "network_from_dict"]


@dataclass(frozen=True)
class NetworkConfig:
    """What a network is built from.

    Attributes:
        architecture: A name in `ARCHITECTURES`.
        frame_ms: How much sound one probability speaks of: 20 to 100, a multiple of 10.
        delay_frames: Frames heard past the one spoken of; together at most 500 ms.
        n_mels: Mel bands, or learned band filters in `waveform-tcn`.
        conv_channels: Widths of the stages before the dilated stack.
        channels: Width of the dilated stack.
        dilations: One residual block each, in frames; with kernels of 3 they span ``2 * sum(dilations)`` frames.
    """

    SAMPLE_RATE: ClassVar[int] = 16_000
    WIN_LENGTH: ClassVar[int] = 400
    HOP_LENGTH: ClassVar[int] = 160

    architecture: str = "logmel-cnn"
    frame_ms: int = 20
    delay_frames: int = 3
    n_mels: int = 64
    conv_channels: tuple[int, ...] = (24, 32, 64, 64)
    channels: int = 128
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32)

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            known = ", ".join(ARCHITECTURES)
            raise ConfigError(
                f"architecture is one of {known}. Received: architecture={self.architecture!r}."
            )
        if not 20 <= self.frame_ms <= 100 or self.frame_ms % 10:
            raise ConfigError(
                f"frame_ms is a multiple of 10 from 20 to 100. Received: frame_ms={self.frame_ms}."
            )
        if not 0 <= self.delay_frames * self.frame_ms <= 500:
            raise ConfigError(
                f"delay_frames spans 0 to 500 ms. Received: delay_frames={self.delay_frames} of {self.frame_ms} ms."
            )
        if len(self.conv_channels) < 2 or not self.dilations:
            raise ConfigError(
                "A network needs two conv_channels or more and a dilation. "
                f"Received: conv_channels={self.conv_channels}, dilations={self.dilations}."
            )

    @property
    def frame_length(self) -> int:
        """Samples a frame."""
        return self.SAMPLE_RATE * self.frame_ms // 1000

    @property
    def time_strides(self) -> tuple[int, int]:
        """How frames come out of hops: the stride early in the network, then the one before the stack.

        Halving the rate early makes everything behind it cheaper; what remains is done late, where it costs little.
        """
        hops = self.frame_length // self.HOP_LENGTH
        early = 2 if hops % 2 == 0 else 1
        return early, hops // early


def network_from_dict(values: Mapping[str, Any]) -> NetworkConfig:
    """Reads what a model card or a stored run holds; JSON has lists for tuples.

    Raises:
        ConfigError: A value out of its range.
    """
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return NetworkConfig(**fields)


def build_network(config: NetworkConfig) -> keras.Model:
    """Builds an untrained network.

    Args:
        config: Its architecture and sizes.

    Returns:
        A model from samples [shape=(batch, frames * frame_length)] to probabilities [shape=(batch, frames)].
    """
    samples = keras.Input((None,), name="samples")
    features = ARCHITECTURES[config.architecture](samples, config)
    x = _conv1d(features, config.channels, config.time_strides[1], config.time_strides[1], name="join")
    for dilation in config.dilations:
        x = layers.Add(name=f"dilated{dilation}_add")(
            [x, _conv1d(x, config.channels, 3, dilation=dilation, name=f"dilated{dilation}")]
        )
    x = layers.Dense(1, activation="sigmoid", name="speech")(x)
    probability = layers.Reshape((-1,), name="probability")(x)
    return keras.Model(samples, probability, name=config.architecture.replace("-", "_"))


def _logmel_cnn(samples: Any, config: NetworkConfig) -> Any:
    """Log-mel spectrogram, then 2-D convolutions that halve the frequency axis each time."""
    x = History(config.WIN_LENGTH - config.HOP_LENGTH, name="samples_past")(samples)
    x = LogMel(config.SAMPLE_RATE, config.WIN_LENGTH, config.HOP_LENGTH, config.n_mels, name="logmel")(x)
    x = layers.Normalization(name="normalization")(
        x
    )  # does nothing until `adapt` has seen the training split
    x = layers.Reshape((-1, config.n_mels, 1), name="picture")(x)
    for i, channels in enumerate(config.conv_channels):
        time_stride = config.time_strides[0] if i == 1 else 1
        x = _conv2d(x, channels, (time_stride, 2), name=f"conv{i + 1}")
    return layers.Reshape((-1, x.shape[2] * x.shape[3]), name="flatten")(x)


def _waveform_tcn(samples: Any, config: NetworkConfig) -> Any:
    """Learned filters on the waveform, their energy, then 1-D convolutions."""
    x = History(config.WIN_LENGTH - config.HOP_LENGTH, name="samples_past")(samples)
    x = layers.Reshape((-1, 1), name="channel")(x)
    x = layers.Conv1D(
        2 * config.n_mels,
        config.WIN_LENGTH,
        strides=config.HOP_LENGTH,
        use_bias=False,
        kernel_initializer=GaborFilters(config.SAMPLE_RATE),
        name="filters",
    )(x)
    x = LogPower(name="logpower")(x)
    x = layers.BatchNormalization(name="logpower_norm")(x)
    for i, channels in enumerate(config.conv_channels):
        x = _conv1d(x, channels, 3, config.time_strides[0] if i == 1 else 1, name=f"conv{i + 1}")
    return x


ARCHITECTURES: dict[str, Callable[[Any, NetworkConfig], Any]] = {
    "logmel-cnn": _logmel_cnn,
    "waveform-tcn": _waveform_tcn,
}


def _conv1d(x: Any, channels: int, kernel: int, stride: int = 1, *, dilation: int = 1, name: str) -> Any:
    x = _past(x, (kernel - 1) * dilation + 1 - stride, name)
    x = layers.Conv1D(channels, kernel, stride, dilation_rate=dilation, use_bias=False, name=name)(x)
    return _norm_relu(x, name)


def _conv2d(x: Any, channels: int, strides: tuple[int, int], *, name: str) -> Any:
    x = _past(x, 3 - strides[0], name)
    x = layers.Conv2D(channels, 3, strides, use_bias=False, name=name)(x)
    return _norm_relu(x, name)


def _past(x: Any, length: int, name: str) -> Any:
    return History(length, name=f"{name}_past")(x) if length else x


def _norm_relu(x: Any, name: str) -> Any:
    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(name=f"{name}_norm")(x))


@dataclass(frozen=True)
class NetworkFacts:
    """What a network costs and sees.

    Attributes:
        receptive_field: Samples one probability depends on.
        parameters: All weights.
        macs_per_second: Multiply-adds for one second of audio, front end included.
    """

    receptive_field: int
    parameters: int
    macs_per_second: int

    def __str__(self) -> str:
        return (
            f"receptive field {self.receptive_field / NetworkConfig.SAMPLE_RATE:.2f} s, "
            f"{self.parameters:,} parameters, {self.macs_per_second / 1e6:.1f} M multiply-adds per second"
        )


def describe(model: keras.Model) -> NetworkFacts:
    """Counts along the chain of stages; residual shortcuts see less than the blocks they pass by."""
    field, step, macs = 1, 1, 0.0
    for layer in model.layers:
        if isinstance(layer, LogMel):
            field, step = layer.win_length, layer.hop_length
            macs += layer.macs * NetworkConfig.SAMPLE_RATE / step
        elif isinstance(layer, layers.Conv1D | layers.Conv2D):
            field += (layer.kernel_size[0] - 1) * layer.dilation_rate[0] * step
            step *= layer.strides[0]
            positions = int(np.prod(layer.output.shape[2:-1]))
            macs += positions * np.prod(layer.kernel.shape) * NetworkConfig.SAMPLE_RATE / step
        elif isinstance(layer, layers.Dense):
            macs += np.prod(layer.kernel.shape) * NetworkConfig.SAMPLE_RATE / step
    return NetworkFacts(field, model.count_params(), round(macs))
