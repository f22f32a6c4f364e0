"""Log-mel spectrogram, 2-D convolutions, then a GRU in time, whose memory has no end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vad.training.networks.blocks import conv1d, log_mel, mel_convolutions, require_bands
from vad.training.networks.config import NetworkConfig
from vad.training.networks.streaming import Recurrent

__all__ = ["LogMelCrnn"]


@dataclass(frozen=True)
class LogMelCrnn(NetworkConfig):
    """Sizes of logmel-crnn.

    Attributes:
        n_mels: Mel bands.
        conv_channels: Widths of the 2-D convolutions, each of which halves the bands.
        channels: Width of the GRU and of what goes into it.
    """

    architecture: str = field(default="logmel-crnn", init=False)
    n_mels: int = 64
    conv_channels: tuple[int, ...] = (24, 32, 64, 64)
    channels: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        require_bands(self.n_mels, self.conv_channels)

    def draw(self, samples: Any) -> Any:
        """Maps [shape=(batch, samples)] to [shape=(batch, frames, channels)]."""
        early, late = self.time_strides
        x = mel_convolutions(log_mel(samples, self, self.n_mels), self.conv_channels, early)
        x = conv1d(x, self.channels, late, late, name="join")
        return Recurrent(self.channels, name="recurrent")(x)
