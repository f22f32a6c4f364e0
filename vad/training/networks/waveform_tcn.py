"""Learned filters on the waveform, then convolutions in time: the `waveform` model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vad.training.networks.blocks import conv1d, convolutions, dilated_stack, filter_energies, require_two
from vad.training.networks.config import NetworkConfig

__all__ = ["WaveformTcn"]


@dataclass(frozen=True)
class WaveformTcn(NetworkConfig):
    """Sizes of waveform-tcn.

    Attributes:
        n_mels: Learned band filters, which begin at mel-spaced frequencies.
        conv_channels: Widths of the convolutions before the dilated stack.
        channels: Width of the dilated stack.
        dilations: One residual block each, in frames; they span ``2 * sum(dilations)`` frames.
    """

    architecture: str = field(default="waveform-tcn", init=False)
    n_mels: int = 64
    conv_channels: tuple[int, ...] = (24, 32, 64, 64)
    channels: int = 128
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32)

    def __post_init__(self) -> None:
        super().__post_init__()
        require_two(conv_channels=self.conv_channels)

    def draw(self, samples: Any) -> Any:
        """Maps [shape=(batch, samples)] to [shape=(batch, frames, channels)]."""
        early, late = self.time_strides
        x = convolutions(filter_energies(samples, self, self.n_mels), self.conv_channels, early)
        x = conv1d(x, self.channels, late, late, name="join")
        return dilated_stack(x, self.channels, self.dilations)
