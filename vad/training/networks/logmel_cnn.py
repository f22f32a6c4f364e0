"""Log-mel spectrogram, 2-D convolutions, then dilated convolutions in time: the `tiny` model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from vad.training.networks.blocks import conv1d, dilated_stack, log_mel, mel_convolutions, require_bands
from vad.training.networks.config import NetworkConfig

__all__ = ["LogMelCnn", "over_mel"]


@dataclass(frozen=True)
class LogMelCnn(NetworkConfig):
    """Sizes of logmel-cnn.

    Attributes:
        n_mels: Mel bands.
        conv_channels: Widths of the 2-D convolutions, each of which halves the bands.
        channels: Width of the dilated stack.
        dilations: One residual block each, in frames; they span ``2 * sum(dilations)`` frames.
    """

    architecture: str = field(default="logmel-cnn", init=False)
    n_mels: int = 64
    conv_channels: tuple[int, ...] = (24, 32, 64, 64)
    channels: int = 128
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32)

    def __post_init__(self) -> None:
        super().__post_init__()
        require_bands(self.n_mels, self.conv_channels)

    def draw(self, samples: Any) -> Any:
        """Maps [shape=(batch, samples)] to [shape=(batch, frames, channels)]."""
        return over_mel(log_mel(samples, self, self.n_mels), self, self.conv_channels, self.channels)


def over_mel(
    mel: Any, config: LogMelCnn, conv_channels: Sequence[int], channels: int, prefix: str = ""
) -> Any:
    """The layers after the spectrogram, from [shape=(batch, hops, n_mels)] to [shape=(batch, frames, channels)]."""
    early, late = config.time_strides
    x = mel_convolutions(mel, conv_channels, early, prefix)
    x = conv1d(x, channels, late, late, name=f"{prefix}join")
    return dilated_stack(x, channels, config.dilations, f"{prefix}dilated")
