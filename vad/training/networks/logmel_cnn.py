"""Log-mel spectrogram, 2-D convolutions, then dilated convolutions in time: the models `default` and `tiny`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vad.training.networks.blocks import conv1d, dilated_stack, log_mel, mel_convolutions, require_bands
from vad.training.networks.config import NetworkConfig

__all__ = ["LogMelCnn"]


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
        early, late = self.time_strides
        x = mel_convolutions(log_mel(samples, self, self.n_mels), self.conv_channels, early)
        x = conv1d(x, self.channels, late, late, name="join")
        return dilated_stack(x, self.channels, self.dilations)
