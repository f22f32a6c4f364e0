"""Parts of networks: front ends, causal convolutions, and the dilated stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vad.errors import require
from vad.training.backend import FULL_PRECISION, layers
from vad.training.networks.config import NetworkConfig
from vad.training.networks.frontend import GaborFilters, LogMel, LogPower
from vad.training.networks.streaming import History

__all__ = [
    "conv1d",
    "conv2d",
    "convolutions",
    "dilated_stack",
    "filter_energies",
    "log_mel",
    "mel_convolutions",
    "require_bands",
    "require_two",
    "with_history",
]


def with_history(x: Any, length: int, name: str, **options: Any) -> Any:
    """Puts the ``length`` steps before x in front of it, where any are needed."""
    return History(length, name=f"{name}_past", **options)(x) if length else x


def log_mel(samples: Any, config: NetworkConfig, n_mels: int) -> Any:
    """The normalised log-mel spectrogram.

    From [shape=(batch, hops * HOP_LENGTH)] to [shape=(batch, hops, n_mels)].
    """
    x = with_history(samples, config.WIN_LENGTH - config.HOP_LENGTH, "samples", **FULL_PRECISION)
    x = LogMel(config.SAMPLE_RATE, config.WIN_LENGTH, config.HOP_LENGTH, n_mels, name="logmel")(x)
    # The identity until `adapt` has seen the training split.
    return layers.Normalization(name="normalization", **FULL_PRECISION)(x)


def filter_energies(samples: Any, config: NetworkConfig, n_filters: int) -> Any:
    """The normalised log energies of learned pairs of band filters.

    From [shape=(batch, hops * HOP_LENGTH)] to [shape=(batch, hops, n_filters)].
    """
    x = with_history(samples, config.WIN_LENGTH - config.HOP_LENGTH, "filters", **FULL_PRECISION)
    x = layers.Reshape((-1, 1), name="channel", **FULL_PRECISION)(x)
    x = layers.Conv1D(
        2 * n_filters,
        config.WIN_LENGTH,
        strides=config.HOP_LENGTH,
        use_bias=False,
        kernel_initializer=GaborFilters(config.SAMPLE_RATE),
        name="filters",
        **FULL_PRECISION,
    )(x)
    return layers.BatchNormalization(name="logpower_norm")(LogPower(name="logpower")(x))


def mel_convolutions(features: Any, channels: Sequence[int], time_stride: int) -> Any:
    """2-D convolutions over time and mel bands that halve the bands each time; the second strides in time.

    From [shape=(batch, hops, n_mels)] to [shape=(batch, hops / time_stride, remaining bands * channels[-1])].
    """
    x = layers.Reshape((-1, features.shape[2], 1), name="picture")(features)
    for i, width in enumerate(channels):
        x = conv2d(x, width, (time_stride if i == 1 else 1, 2), name=f"conv{i + 1}")
    return layers.Reshape((-1, x.shape[2] * x.shape[3]), name="flatten")(x)


def convolutions(features: Any, channels: Sequence[int], time_stride: int, name: str = "conv") -> Any:
    """1-D convolutions over time, of which the second strides.

    From [shape=(batch, hops, features)] to [shape=(batch, hops / time_stride, channels[-1])].
    """
    for i, width in enumerate(channels):
        features = conv1d(features, width, 3, time_stride if i == 1 else 1, name=f"{name}{i + 1}")
    return features


def require_two(**widths: Sequence[int]) -> None:
    """Checks that there is a second convolution, which is the one that strides.

    Raises:
        ConfigError: There is none.
    """
    for name, values in widths.items():
        require(len(values) >= 2, f"{name} must be two or more", **{name: values})


def require_bands(n_mels: int, conv_channels: Sequence[int]) -> None:
    """Checks that `mel_convolutions` have a second one, and bands left.

    Raises:
        ConfigError: They have not.
    """
    require_two(conv_channels=conv_channels)
    least = 2 ** (len(conv_channels) + 1) - 1
    message = f"n_mels must be {least} or more for {len(conv_channels)} conv_channels"
    require(n_mels >= least, message, n_mels=n_mels)


def dilated_stack(x: Any, channels: int, dilations: Sequence[int], name: str = "dilated") -> Any:
    """Residual blocks of one dilated convolution each; with kernels of 3 they span ``2 * sum(dilations)`` steps."""
    for dilation in dilations:
        block = conv1d(x, channels, 3, dilation=dilation, name=f"{name}{dilation}")
        x = layers.Add(name=f"{name}{dilation}_add")([x, block])
    return x


def conv1d(x: Any, channels: int, kernel: int, stride: int = 1, *, dilation: int = 1, name: str) -> Any:
    """A causal convolution in time, batch normalisation and ReLU."""
    x = with_history(x, (kernel - 1) * dilation + 1 - stride, name)
    x = layers.Conv1D(channels, kernel, stride, dilation_rate=dilation, use_bias=False, name=name)(x)
    return _norm_relu(x, name)


def conv2d(
    x: Any,
    channels: int,
    strides: tuple[int, int] = (1, 1),
    *,
    kernel: tuple[int, int] = (3, 3),
    dilation: int = 1,
    name: str,
) -> Any:
    """A convolution, causal in time and valid in frequency, batch normalisation and ReLU."""
    x = with_history(x, (kernel[0] - 1) * dilation + 1 - strides[0], name)
    x = layers.Conv2D(channels, kernel, strides, dilation_rate=(dilation, 1), use_bias=False, name=name)(x)
    return _norm_relu(x, name)


def _norm_relu(x: Any, name: str) -> Any:
    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(name=f"{name}_norm")(x))
