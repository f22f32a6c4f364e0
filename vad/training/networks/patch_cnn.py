"""An image network on a picture of 31 mel bands by 31 hops of 10 ms for every frame.

    conv 3x3, conv 3x3, conv 3x3, pool 2x2, conv 3x3, conv 3x3, conv 3x3, pool 2x2, dense 96, dense 32, dense 1

All convolutions are valid, so 31 x 31 become 25 x 25, 12 x 12, 6 x 6 and 3 x 3; pooling an odd number leaves out the
oldest hop and the highest band. Neighbouring pictures overlap, so the layers run over time as a stream, each step
once. Where pooling cannot stride in time, since every frame has its own picture, the layers after it are dilated
instead, and dense 96 is a convolution over the last three steps of a picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vad.errors import require
from vad.training.backend import layers
from vad.training.networks.blocks import conv1d, conv2d, log_mel, with_history
from vad.training.networks.config import NetworkConfig

__all__ = ["PatchCnn"]

_FEWEST_BANDS = 22  # leaves one to the dense layers


@dataclass(frozen=True)
class PatchCnn(NetworkConfig):
    """Sizes of patch-cnn.

    Attributes:
        n_mels: Mel bands, 22 or more.
        conv_channels: Width of the convolutions before the first pooling, and of those after it.
        dense_units: Widths of the two dense layers before the probability.
    """

    architecture: str = field(default="patch-cnn", init=False)
    n_mels: int = 31
    conv_channels: tuple[int, int] = (32, 64)
    dense_units: tuple[int, int] = (96, 32)

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.n_mels >= _FEWEST_BANDS, f"n_mels must be {_FEWEST_BANDS} or more", n_mels=self.n_mels)

    def draw(self, samples: Any) -> Any:
        """Maps [shape=(batch, samples)] to [shape=(batch, frames, dense_units[-1])]."""
        early, late = self.time_strides
        x = layers.Reshape((-1, self.n_mels, 1), name="picture")(log_mel(samples, self, self.n_mels))
        x = _three_convolutions(x, self.conv_channels[0], 1, name="first")
        x = _pool(x, 1, early, name="first")
        dilation = 2 // early
        x = _three_convolutions(x, self.conv_channels[1], dilation, name="second")
        x = _pool(x, dilation, 1, name="second")
        x = layers.Reshape((-1, x.shape[2] * x.shape[3]), name="flatten")(x)
        x = conv1d(x, self.dense_units[0], 3, dilation=2 * dilation, name="dense1")
        # A frame of many hops has several pictures: the second dense layer joins them.
        return conv1d(x, self.dense_units[1], late, late, name="dense2")


def _three_convolutions(x: Any, channels: int, dilation: int, name: str) -> Any:
    for i in (1, 2, 3):
        x = conv2d(x, channels, dilation=dilation, name=f"{name}_conv{i}")
    return x


def _pool(x: Any, distance: int, time_stride: int, name: str) -> Any:
    """The largest of two bands and of the steps from ``distance`` before to now."""
    x = with_history(x, distance + 1 - time_stride, f"{name}_pool")
    return layers.MaxPooling2D((distance + 1, 2), (time_stride, 2), name=f"{name}_pool")(x)
