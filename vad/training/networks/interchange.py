"""A network with the windows and the state of silero_vad.onnx, so that programs that load that file can load it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from vad.errors import require
from vad.training.backend import FULL_PRECISION, keras, layers, ops
from vad.training.networks.blocks import conv1d, conv2d, require_bands, with_history
from vad.training.networks.config import NetworkConfig
from vad.training.networks.frontend import LogMel, overlapping
from vad.training.networks.gain_control import GainControl
from vad.training.networks.streaming import Recurrent, memory_of, remember

__all__ = ["Interchange", "WindowGain", "WindowLogMel", "Windows"]

# The gain control is that of the other networks. Its hops are windows: shorter ones would not fit the state.
_LEVEL_HOP = 512  # samples
_LEVEL_SPAN = 6  # hops: 192 ms
_BRIDGED = 10  # 0.3 s
_LASTING = 32  # 1 s


@dataclass(frozen=True)
class Interchange(NetworkConfig):
    """Sizes of interchange: every 512 samples, a window of these and the 64 before them.

    All memory but those 64 samples is two rows of 128 numbers at most: the GRU's, and the levels'. A window is
    transformed by itself, after one gain for all of it. So the same weights run on windows that a program has cut. A
    frame is a window; other programs load no network of longer frames.

    Attributes:
        n_mels: Mel bands.
        conv_channels: Widths of the convolutions over the bands, each of which halves them; the short-time spectra of
            one window are their input channels.
        channels: Width of the GRU and of what goes into it, at most 128.
    """

    CONTEXT: ClassVar[int] = 64
    WINDOW: ClassVar[int] = 512
    STATE: ClassVar[int] = 128
    FRAME_STEP_MS: ClassVar[int] = 32
    architecture: str = field(default="interchange", init=False)
    frame_ms: int = 32
    delay_frames: int = 0
    n_mels: int = 48
    conv_channels: tuple[int, ...] = (24, 32, 64)
    channels: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        require_bands(self.n_mels, self.conv_channels)
        require(self.channels <= self.STATE, f"channels must be at most {self.STATE}", channels=self.channels)

    def control_gain(self, samples: Any) -> Any:
        """The samples themselves: the gain of this network is one of windows."""
        return samples

    def draw(self, samples: Any) -> Any:
        """Maps [shape=(batch, samples)] to [shape=(batch, frames, channels)]."""
        x = with_history(samples, self.CONTEXT, "samples", **FULL_PRECISION)
        x = Windows(self.CONTEXT + self.WINDOW, self.WINDOW, name="windows")(x)
        x = WindowGain(
            self.SAMPLE_RATE, _LEVEL_HOP, _LEVEL_SPAN, bridged=_BRIDGED, lasting=_LASTING, name="level"
        )(x)
        x = WindowLogMel(self.SAMPLE_RATE, 288, 96, self.n_mels, name="logmel")(x)
        x = layers.Normalization(name="normalization", **FULL_PRECISION)(x)
        x = layers.Permute((1, 3, 2), name="bands")(x)
        for i, width in enumerate(self.conv_channels):
            x = conv2d(x, width, (1, 2), kernel=(1, 3), name=f"conv{i + 1}")
        x = layers.Reshape((-1, x.shape[2] * x.shape[3]), name="flatten")(x)
        per_frame = self.frame_length // self.WINDOW
        x = conv1d(x, self.channels, per_frame, per_frame, name="join")
        return Recurrent(self.channels, name="recurrent")(x)


@keras.saving.register_keras_serializable("vad")
class Windows(keras.layers.Layer):
    """Overlapping windows.

    Args:
        length: Samples of a window.
        step: Samples between the beginnings of two.
    """

    def __init__(self, length: int, step: int, **kwargs: Any):
        super().__init__(**FULL_PRECISION | kwargs)
        self.length, self.step = length, step
        self.window = (length, step)

    def call(self, inputs: Any) -> Any:
        """Maps [shape=(batch, length + (windows - 1) * step)] to [shape=(batch, windows, length)]."""
        return overlapping(inputs, self.length, self.step)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """One window a step."""
        n = input_shape[1]
        return input_shape[0], None if n is None else (n - self.length) // self.step + 1, self.length

    def get_config(self) -> dict[str, Any]:
        """The arguments that rebuild the layer."""
        return {**super().get_config(), "length": self.length, "step": self.step}


@keras.saving.register_keras_serializable("vad")
class WindowGain(GainControl):
    """`GainControl` with one gain for a window: the one at its end.

    Samples of a window before its last whole hops have counted in the window before.
    """

    def call(self, inputs: Any) -> Any:
        """Maps windows [shape=(batch, windows, length)] to windows."""
        length = inputs.shape[-1]
        per_window = length // self.hop_length
        new = inputs[..., length - per_window * self.hop_length :]
        hops = ops.reshape(new, (-1, ops.shape(inputs)[1] * per_window, self.hop_length))
        gain, state = self.follow(hops, memory_of(self))
        remember(self, state)
        return inputs * gain[:, per_window::per_window]


@keras.saving.register_keras_serializable("vad")
class WindowLogMel(LogMel):
    """`LogMel` of windows, each by itself."""

    @property
    def window(self) -> tuple[float, int]:
        """One window, which `Windows` has counted."""
        return 1, 1

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Counts the spectra of a window."""
        self._spectra = (int(input_shape[-1] or 0) - self.win_length) // self.hop_length + 1
        self.built = True

    @property
    def macs(self) -> int:
        """Multiply-adds a window."""
        return self._spectra * super().macs

    def call(self, inputs: Any) -> Any:
        """Maps [shape=(batch, windows, length)] to [shape=(batch, windows, spectra, n_mels)]."""
        length = inputs.shape[-1]
        spectra = super().call(ops.reshape(inputs, (-1, length)))
        return ops.reshape(spectra, (-1, ops.shape(inputs)[1], self._spectra, self.n_mels))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The spectra of each window."""
        spectra = (int(input_shape[-1] or 0) - self.win_length) // self.hop_length + 1
        return (*input_shape[:-1], spectra, self.n_mels)
