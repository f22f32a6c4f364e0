"""Automatic gain control: foreground and noise at about the same levels, whatever the recording's gain."""

from __future__ import annotations

import math
from typing import Any

from vad.training.backend import FULL_PRECISION, keras, ops
from vad.training.networks.streaming import memory_of, remember

__all__ = ["GainControl"]

_SILENCE = 1e-13  # power under any microphone's noise: keeps the logarithm of digital silence finite


# The name under which trained networks know it.
@keras.saving.register_keras_serializable("vad", name="LevelFollower")
class GainControl(keras.layers.Layer):
    """Turns quiet recordings up and loud ones down, by their noise and their loudest sounds.

    Crosstalk from the next seat is as loud as a talker in front of a microphone with little gain. The rest of the
    recording separates them: how low the noise is, and how loud the loudest sounds were. So two levels are followed.
    The noise is the lowest recent level; as far as it lies under ``noise_dbfs`` the recording is turned up, at most by
    ``most_db``. The peak is the highest recent level; as far as it would come over ``peak_dbfs`` the recording is
    turned down.

    The peak is taken from the mean power of the last ``span`` hops, the noise from their highest: before a recording
    begins there are none, and a mean would take that for silence. Both meet a new extreme at once and come back
    slowly, as a peak meter (IEC 60268-10) or minimum statistics (Martin, 2001) do. That is a maximum over the past with
    a penalty by age, computed by doubling: over 1, 2, 4, ... hops back.

    A beep or a bang shorter than a word must not set the peak. So the peak can be taken from levels that lasted for
    ``lasting`` hops, gaps of up to ``bridged`` hops between words included. A shorter sound then lowers the gain only
    while it lasts.

    Args:
        sample_rate: Hz.
        hop_length: Samples a level; its gain is reached at the end of the hop, in a straight line.
        span: Hops that make a level: a shorter bang counts less, a gap between words not at all.
        peak_dbfs: The highest peak after gain control, dB re a full-scale square wave.
        peak_fall_db_per_s: How fast the peak falls after a loud sound.
        noise_dbfs: The noise level that needs no more gain.
        noise_rise_db_per_s: How fast the noise level rises after a silence.
        most_db: The largest gain.
        bridged: Hops of a gap that does not end a loud stretch.
        lasting: Hops that a loud stretch must last to set the peak.
    """

    def __init__(
        self,
        sample_rate: int = 16_000,
        hop_length: int = 160,
        span: int = 20,
        peak_dbfs: float = -30.0,
        peak_fall_db_per_s: float = 0.5,
        noise_dbfs: float = -83.0,
        noise_rise_db_per_s: float = 1.5,
        most_db: float = 40.0,
        bridged: int = 1,
        lasting: int = 1,
        **kwargs: Any,
    ):
        super().__init__(**FULL_PRECISION | kwargs)
        self.sample_rate, self.hop_length, self.span = sample_rate, hop_length, span
        self.peak_dbfs, self.peak_fall_db_per_s = peak_dbfs, peak_fall_db_per_s
        self.noise_dbfs, self.noise_rise_db_per_s, self.most_db = noise_dbfs, noise_rise_db_per_s, most_db
        self.bridged, self.lasting = bridged, lasting
        self._levels = bridged + lasting - 2
        # The powers of the hops before, their levels, then peak and noise.
        self.state_shape = (span - 1 + self._levels + 2,)

    def call(self, inputs: Any) -> Any:
        """Maps samples [shape=(batch, hops * hop_length)] to samples."""
        hops = ops.reshape(inputs, (-1, ops.shape(inputs)[1] // self.hop_length, self.hop_length))
        gain, state = self.follow(hops, memory_of(self))
        remember(self, state)
        ramp = ops.arange(1, self.hop_length + 1, dtype="float32") / self.hop_length
        gain = gain[:, :-1] + (gain[:, 1:] - gain[:, :-1]) * ramp
        return ops.reshape(hops * gain, ops.shape(inputs))

    def follow(self, hops: Any, past: Any | None) -> tuple[Any, Any]:
        """The gain before the first hop and after each.

        Args:
            hops: Samples [shape=(batch, hops, hop_length)].
            past: The state before them [shape=(batch, *state_shape)]; None at the beginning.

        Returns:
            The gain as a factor [shape=(batch, 1 + hops, 1)], and the state after the hops.
        """
        power = ops.var(ops.stop_gradient(hops), axis=-1)  # the variance: an offset is no sound
        if past is None:
            past = ops.tile(ops.zeros_like(power[:, :1]), (1, *self.state_shape))
        powers = ops.concatenate([past[:, : self.span - 1], power], axis=1)
        mean, highest = (
            _decibels(_pooled(pool, powers, self.span)) for pool in (ops.average_pool, ops.max_pool)
        )
        level = ops.maximum(mean - (self.peak_dbfs - self.most_db), 0.0)
        levels = ops.concatenate([past[:, self.span - 1 : -2], level], axis=1)
        lasted = -_pooled(ops.max_pool, -_pooled(ops.max_pool, levels, self.bridged), self.lasting)
        loud = self._follow(past[:, -2:-1], lasted, self.peak_fall_db_per_s)
        quiet = self._follow(past[:, -1:], self.noise_dbfs - highest, self.noise_rise_db_per_s)
        state = [powers[:, 1 - self.span :], loud[:, -1:], quiet[:, -1:]]
        if self._levels:
            state.insert(1, levels[:, -self._levels :])
            loud = ops.maximum(loud, levels[:, self._levels - 1 :])
        gain_db = ops.minimum(ops.minimum(quiet, self.most_db), self.most_db - loud)
        return ops.exp((math.log(10) / 20) * gain_db)[..., None], ops.concatenate(state, axis=1)

    def _follow(self, before: Any, above: Any, fall_db_per_s: float) -> Any:
        """The maximum over the past, each value less its fall since, and never below 0.

        Args:
            before: The maximum before the first hop [shape=(batch, 1)].
            above: The level of each hop [shape=(batch, hops)].
            fall_db_per_s: How fast the maximum falls.

        Returns:
            The maximum before, then after each hop [shape=(batch, 1 + hops)].
        """
        fall = fall_db_per_s * self.hop_length / self.sample_rate
        above = ops.concatenate([before, ops.maximum(above, 0.0)], axis=1)
        steps, highest = above.shape[1] or math.inf, 200.0  # dB, above any level over any other
        back = 1
        while back < steps and fall * back < highest:
            earlier = ops.pad(above, [(0, 0), (back, 0)])[:, : ops.shape(above)[1]]
            above = ops.maximum(above, earlier - fall * back)
            back *= 2
        return above

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """That of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments that rebuild the layer."""
        names = (
            *("sample_rate", "hop_length", "span", "peak_dbfs", "peak_fall_db_per_s"),
            *("noise_dbfs", "noise_rise_db_per_s", "most_db"),
            *("bridged", "lasting"),
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _pooled(pool: Any, steps: Any, span: int) -> Any:
    """Over the last ``span`` steps [shape=(batch, span - 1 + steps)] -> [shape=(batch, steps)]."""
    return pool(steps[..., None], span, strides=1, padding="valid")[..., 0]


def _decibels(power: Any) -> Any:
    return (10 / math.log(10)) * ops.log(power + _SILENCE)
