"""A network behind the inputs and outputs of silero_vad.onnx: windows of 512 samples, and one state.

`WindowedNetwork` runs any network of frames up to 32 ms: the samples that a window has over whole frames wait in the
state. A network whose frames are the windows, such as interchange, needs no such rest.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from vad.errors import ConfigError
from vad.training.backend import keras
from vad.training.networks import NetworkConfig, low_latency_only
from vad.training.networks.streaming import state_shapes
from vad.training.release.flat_state import run_from_parts

__all__ = ["CONTEXT", "WINDOW", "WindowedNetwork", "upsampled"]

CONTEXT = 64
WINDOW = 512
_ROW = 128  # numbers a row of Silero's state, with which clients begin: zeros
_TAPS = 32


class WindowedNetwork:
    """A network as a function of windows and a state of two rows. All zeros is the beginning of a recording.

    Args:
        model: The network; its low-latency output is used.
        network: Its architecture and sizes.

    Attributes:
        row: Numbers in each of the state's two rows.
        windows_are_frames: Whether a window is a frame, so that a sequence of windows can be run at once.

    Raises:
        ConfigError: Its frames are longer than a window.
    """

    def __init__(self, model: keras.Model, network: NetworkConfig):
        if network.frame_length > WINDOW:
            raise ConfigError(
                f"silero-onnx runs in windows of 32 ms. Received: a network with frames of {network.frame_ms} ms. "
                "Train one with shorter frames, such as interchange."
            )
        self.model = low_latency_only(model) if network.lookahead_frames else model
        self._frame = network.frame_length
        self.windows_are_frames = self._frame == WINDOW
        self._shapes = {name: shape[1:] for name, shape in state_shapes(self.model).items()}
        self._block = math.gcd(self._frame, WINDOW)
        self._waiting = self._frame - self._block  # the longest rest
        sizes = [math.prod(shape) for shape in self._shapes.values()]
        self._sizes = sizes if self.windows_are_frames else [*sizes, self._waiting, 1]
        self.row = max(_ROW, math.ceil(sum(self._sizes) / 2))

    def __call__(self, windows: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Runs a window of each stream.

        Args:
            windows: The 64 samples before, and 512 more, at 16 kHz [shape=(streams, 576)]. Some clients leave out the
                former [shape=(streams, 512)]; the state has them too.
            state: Of the call before, or shorter zeros [shape=(2, streams, numbers)].

        Returns:
            The probability of the last frame that is complete [shape=(streams, 1)], and the new state.
        """
        state = tf.pad(state, [(0, 0), (0, 0), (0, self.row - tf.shape(state)[2])])
        parts = self._unpacked(state)
        samples = tf.reshape(windows[:, -WINDOW:], (-1, WINDOW))
        if self.windows_are_frames:
            before = parts[list(self._shapes).index("samples_past")]
            context = tf.concat([before, windows], axis=1)[:, -CONTEXT - WINDOW : -WINDOW]
            probability, after = self._run(samples, parts, context)
        else:
            probability, after = self._whole_frames(samples, parts)
        return probability, self._packed(after)

    def sequence(self, windows: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Runs the windows of one recording.

        Args:
            windows: As in a call, each 512 samples after the one before [shape=(windows, 576)].
            state: As in a call [shape=(2, 1, row)].

        Returns:
            The probabilities [shape=(windows,)], and the new state.
        """
        samples = tf.reshape(windows[:, CONTEXT:], (1, -1))
        probability, after = self._run(samples, self._unpacked(state), windows[:1, :CONTEXT])
        return tf.reshape(probability, (-1,)), self._packed(after)

    def _unpacked(self, state: tf.Tensor) -> list[tf.Tensor]:
        flat = tf.concat(tf.unstack(state), axis=1)
        return list(tf.split(flat, [*self._sizes, 2 * self.row - sum(self._sizes)], axis=1)[:-1])

    def _packed(self, parts: list[tf.Tensor]) -> tf.Tensor:
        flat = tf.concat(parts, axis=1)
        filled = tf.pad(flat, [(0, 0), (0, 2 * self.row - sum(self._sizes))])
        return tf.stack(tf.split(filled, 2, axis=1))

    def _whole_frames(self, samples: tf.Tensor, parts: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """All frames that end within the window; the state has the rest, and how many blocks that is."""
        *parts, waiting, n_waiting = parts
        waiting_blocks = tf.cast(tf.round(n_waiting), tf.int32)  # [shape=(streams, 1)]
        joined = tf.concat([waiting, samples], axis=1)
        blocks = tf.reshape(joined, (-1, joined.shape[1] // self._block, self._block))
        per_frame, per_window = self._frame // self._block, WINDOW // self._block
        most = (per_window + per_frame - 1) // per_frame
        at = tf.minimum(per_frame - 1 - waiting_blocks + tf.range(most * per_frame), blocks.shape[1] - 1)
        frames = tf.reshape(tf.gather(blocks, at, batch_dims=1), (-1, most, self._frame))
        complete = (waiting_blocks + per_window) // per_frame
        probability, parts = self._run(frames[:, 0], parts)
        for number in range(1, most):
            later, parts_later = self._run(frames[:, number], parts)
            here = complete > number
            probability = tf.where(here, later, probability)
            parts = [tf.where(here, new, old) for new, old in zip(parts_later, parts, strict=True)]
        left = waiting_blocks + per_window - complete * per_frame
        return probability, [*parts, joined[:, -self._waiting :], tf.cast(left, tf.float32)]

    def _run(
        self, samples: tf.Tensor, parts: list[tf.Tensor], context: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        other = {} if context is None else {"samples_past": context}
        return run_from_parts(self.model, self._shapes, samples, parts, other)


def upsampled(samples: tf.Tensor) -> tf.Tensor:
    """Twice the sample rate, by a windowed sinc; the ends are mirrored.

    From [shape=(streams, samples)] to [shape=(streams, 2 * samples)].
    """
    half = _TAPS // 2
    padded = tf.pad(samples, [(0, 0), (half - 1, half)], "REFLECT")
    between = tf.nn.conv1d(padded[..., None], _half_sample_filter()[:, None, None], 1, "VALID")[..., 0]
    return tf.reshape(tf.stack([samples, between], axis=-1), (tf.shape(samples)[0], -1))


def _half_sample_filter() -> npt.NDArray[np.float32]:
    """Interpolates half way between the middle two of its taps."""
    distance = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = np.sinc(distance) * np.kaiser(_TAPS + 2, 6.0)[1:-1]
    return (taps / taps.sum()).astype(np.float32)
