"""Log-mel spectrogram and learned filters on the waveform, each with convolutions, then joined in time.

The mel bands are fixed, and wide where a talker's harmonics are close; the learned filters can become narrow there.
Hand-made features (energy, flatness) would add nothing that a network cannot compute from the bands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vad.training.backend import layers
from vad.training.networks.blocks import (
    conv1d,
    convolutions,
    dilated_stack,
    filter_energies,
    log_mel,
    mel_convolutions,
    require_bands,
    require_two,
)
from vad.training.networks.config import NetworkConfig

__all__ = ["TwoBranch"]


@dataclass(frozen=True)
class TwoBranch(NetworkConfig):
    """Sizes of two-branch.

    Attributes:
        n_mels: Mel bands of the one branch, and learned band filters of the other.
        conv_channels: Widths of the 2-D convolutions over the mel bands, each of which halves the bands.
        filter_channels: Widths of the convolutions over the filters.
        channels: Width of the dilated stack.
        dilations: One residual block each, in frames; they span ``2 * sum(dilations)`` frames.
    """

    architecture: str = field(default="two-branch", init=False)
    n_mels: int = 64
    conv_channels: tuple[int, ...] = (24, 32, 64, 64)
    filter_channels: tuple[int, ...] = (64, 64)
    channels: int = 128
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32)

    def __post_init__(self) -> None:
        super().__post_init__()
        require_bands(self.n_mels, self.conv_channels)
        require_two(filter_channels=self.filter_channels)

    def draw(self, samples: Any) -> Any:
        """Maps [shape=(batch, samples)] to [shape=(batch, frames, channels)]."""
        early, late = self.time_strides
        bands = mel_convolutions(log_mel(samples, self, self.n_mels), self.conv_channels, early)
        filters = convolutions(
            filter_energies(samples, self, self.n_mels), self.filter_channels, early, name="wave_conv"
        )
        x = layers.Concatenate(name="branches")([bands, filters])
        x = conv1d(x, self.channels, late, late, name="join")
        return dilated_stack(x, self.channels, self.dilations)
