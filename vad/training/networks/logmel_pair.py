"""An ensemble of a log-mel CNN and a smaller one on the same spectrogram: the `default` model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vad.training.backend import layers
from vad.training.networks.blocks import log_mel, require_bands
from vad.training.networks.logmel_cnn import LogMelCnn, over_mel

__all__ = ["LogMelEnsemble"]


@dataclass(frozen=True)
class LogMelEnsemble(LogMelCnn):
    """Sizes of logmel-pair: those of `LogMelCnn` for the first network, whose bands and dilations both have.

    Attributes:
        second_conv_channels: Widths of the second network's 2-D convolutions.
        second_channels: Width of its dilated stack.
    """

    architecture: str = field(default="logmel-pair", init=False)
    second_conv_channels: tuple[int, ...] = (8, 12, 16, 24)
    second_channels: int = 38

    def __post_init__(self) -> None:
        super().__post_init__()
        require_bands(self.n_mels, self.second_conv_channels)

    def draw(self, samples: Any) -> Any:
        """Maps [shape=(batch, samples)] to [shape=(batch, frames, channels + second_channels)]."""
        mel = log_mel(samples, self, self.n_mels)
        first = over_mel(mel, self, self.conv_channels, self.channels)
        second = over_mel(mel, self, self.second_conv_channels, self.second_channels, prefix="second_")
        return layers.Concatenate(name="pair")([first, second])
