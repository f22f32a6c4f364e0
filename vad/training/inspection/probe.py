"""A clip heard by a network, and heard again with parts of it taken away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from vad.detection.segments import Segment
from vad.labels.cells import labels_to_frames
from vad.training.backend import keras
from vad.training.inspection.network import Array, Clip, Subject
from vad.training.inspection.time_frequency import TimeFrequency

__all__ = ["Hearing", "filter_responses", "hear"]

_QUIET_QUANTILE = 0.1


@dataclass(frozen=True)
class Hearing:
    """What a network made of a clip.

    Attributes:
        subject: The network.
        clip: The clip.
        sound: The clip at the level that the network hears it at, with the silence put behind it.
        back: The network, from gains of the sound's cells [shape=(batch, hops, bands)], dB, to probabilities.
        probability: Of every frame of the clip. [shape=(frames,)]
        reference: Whether each frame is speech by the labels; None without labels. [shape=(frames,)]
    """

    subject: Subject
    clip: Clip
    sound: TimeFrequency
    back: keras.Model
    probability: Array
    reference: npt.NDArray[np.bool_] | None

    @property
    def hops(self) -> int:
        """Columns of the spectrogram that lie in the clip; the others are the silence put behind it."""
        network = self.subject.network
        return len(self.probability) * network.frame_length // network.HOP_LENGTH

    @property
    def frequencies(self) -> Array:
        """Centre of each band, Hz, rising [shape=(bands,)]."""
        return self.sound.frequencies

    @property
    def decibels(self) -> Array:
        """The spectrogram of the clip [shape=(hops, bands)]."""
        return self.sound.decibels[: self.hops]

    @cached_property
    def background(self) -> Array:
        """The gains that leave of the clip no events: every band at its own quiet level [shape=(hops, bands)], dB.

        What is taken away from a clip must leave something that the network knows. A hole of silence in a noise
        is an event itself; the level that a band falls to in a tenth of the clip is what a pause sounds like.
        """
        quiet = np.quantile(self.decibels, _QUIET_QUANTILE, axis=0)
        # No level is raised: the silence behind the clip stays silence.
        return np.minimum(quiet - self.sound.decibels, 0).astype(np.float32)

    def inside(self, tensors: Mapping[str, Any]) -> dict[str, Array]:
        """What tensors of the network hold of the clip, by the same names.

        Returns:
            Arrays [shape=(steps, ...)], without the silence put behind the clip. A layer of half the hops has half the
            steps.
        """
        network, model = self.subject.network, self.subject.model
        samples = self.clip.whole_frames(network)[np.newaxis]
        found = keras.Model(model.input, dict(tensors))(samples, training=False)
        share = len(self.probability) / (len(self.probability) + network.delay_frames)
        arrays = {name: keras.ops.convert_to_numpy(found[name])[0] for name in tensors}
        return {name: values[: round(len(values) * share)] for name, values in arrays.items()}

    def probabilities_of(self, gains_db: Array) -> Array:
        """What the network says of the clip with other gains, from [batch, hops, bands] to [batch, frames]."""
        found: Array = self.back.predict_on_batch(gains_db)
        return found[:, self.subject.network.delay_frames :]


def hear(subject: Subject, clip: Clip) -> Hearing:
    """Lets a network hear a clip.

    Raises:
        AudioError: The clip is shorter than a frame.
    """
    network, model = subject.network, subject.model
    # Behind the level that the recording is brought to: a part that is taken away doesn't make the rest louder.
    levelled = model.get_layer("level").output
    samples = keras.Model(model.input, levelled).predict_on_batch(clip.whole_frames(network)[np.newaxis])[0]
    sound = TimeFrequency(samples, network.SAMPLE_RATE, network.HOP_LENGTH)
    gains_db = keras.Input(sound.decibels.shape)
    back = keras.Model(gains_db, keras.Model(levelled, model.output)(sound.with_gains(gains_db)))
    as_it_is = np.zeros_like(sound.decibels[np.newaxis])
    probability = back.predict_on_batch(as_it_is)[0, network.delay_frames :]
    reference = None
    if clip.segments is not None:
        moved = [
            Segment(max(one.start - clip.start, 0.0), one.end - clip.start)
            for one in clip.segments
            if one.end > clip.start
        ]
        reference = labels_to_frames(moved, len(probability), subject.frame_s)
    return Hearing(subject, clip, sound, back, probability, reference)


def filter_responses(kernel: Array, sample_rate: int = 16_000) -> tuple[Any, Any]:
    """How much power each filter on the waveform passes.

    Args:
        kernel: [shape=(taps, 1, filters)]
        sample_rate: Hz.

    Returns:
        Power [shape=(bins, filters)] and the bins' frequencies in Hz [shape=(bins,)].
    """
    points = 1024
    power = np.abs(np.fft.rfft(kernel[:, 0], points, axis=0)) ** 2
    return power, np.fft.rfftfreq(points, 1 / sample_rate)
