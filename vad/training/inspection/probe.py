"""A network's output on an excerpt, and on the excerpt with parts of it taken away."""

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
from vad.training.inspection.network import Array, InspectedAudio, InspectedNetwork
from vad.training.inspection.time_frequency import TimeFrequency

__all__ = ["Analysis", "analyse", "filter_responses"]

_QUIET_QUANTILE = 0.1


@dataclass(frozen=True)
class Analysis:
    """A network's output on an excerpt.

    Attributes:
        network: The network.
        audio: The excerpt.
        sound: The excerpt behind the network's gain control, with the silence of its delay after it.
        back: The network, from gains of the sound's cells [shape=(batch, hops, bands)], dB, to probabilities.
        probability: Of every frame. [shape=(frames,)]
        reference: Whether each frame is speech by the labels; None without labels. [shape=(frames,)]
    """

    network: InspectedNetwork
    audio: InspectedAudio
    sound: TimeFrequency
    back: keras.Model
    probability: Array
    reference: npt.NDArray[np.bool_] | None

    @property
    def hops(self) -> int:
        """Columns of the spectrogram that lie in the excerpt, without the silence after it."""
        config = self.network.config
        return len(self.probability) * config.frame_length // config.HOP_LENGTH

    @property
    def frequencies(self) -> Array:
        """Centre of each band, Hz, rising [shape=(bands,)]."""
        return self.sound.frequencies

    @property
    def decibels(self) -> Array:
        """The spectrogram of the excerpt [shape=(hops, bands)]."""
        return self.sound.decibels[: self.hops]

    @cached_property
    def background(self) -> Array:
        """The gains that leave only the background: every band at its own quiet level [shape=(hops, bands)], dB.

        A hole of silence in a noise would be an event itself. The level that a band falls to in a tenth of the
        excerpt is that of a pause.
        """
        quiet = np.quantile(self.decibels, _QUIET_QUANTILE, axis=0)
        # No level is raised: the silence after the excerpt stays silence.
        return np.minimum(quiet - self.sound.decibels, 0).astype(np.float32)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The excerpt and the output on it, for the files of a view."""
        arrays = {"frequencies": self.frequencies, "decibels": self.decibels, "probability": self.probability}
        return arrays if self.reference is None else arrays | {"reference": self.reference}

    def inside(self, tensors: Mapping[str, Any]) -> dict[str, Array]:
        """The values of the network's tensors on the excerpt, by the same names.

        Returns:
            Arrays [shape=(steps, ...)], without the silence after the excerpt. A layer of half the hops has half the
            steps.
        """
        config, model = self.network.config, self.network.model
        samples = self.audio.whole_frames(config)[np.newaxis]
        found = keras.Model(model.input, dict(tensors))(samples, training=False)
        share = len(self.probability) / (len(self.probability) + config.delay_frames)
        arrays = {name: keras.ops.convert_to_numpy(found[name])[0] for name in tensors}
        return {name: values[: round(len(values) * share)] for name, values in arrays.items()}

    def probabilities_of(self, gains_db: Array) -> Array:
        """The probabilities of the excerpt with other gains, from [batch, hops, bands] to [batch, frames]."""
        found: Array = self.back.predict_on_batch(gains_db)
        return found[:, self.network.config.delay_frames :]


def analyse(network: InspectedNetwork, audio: InspectedAudio) -> Analysis:
    """Runs a network on an excerpt.

    Raises:
        AudioError: The excerpt is shorter than a frame.
    """
    config, model = network.config, network.model
    # Parts are taken away behind the gain control, so that it does not make the rest louder.
    levelled = model.get_layer("level").output
    samples = keras.Model(model.input, levelled).predict_on_batch(audio.whole_frames(config)[np.newaxis])[0]
    sound = TimeFrequency(samples, config.SAMPLE_RATE, config.HOP_LENGTH)
    gains_db = keras.Input(sound.decibels.shape)
    back = keras.Model(gains_db, keras.Model(levelled, model.output)(sound.with_gains(gains_db)))
    unchanged = np.zeros_like(sound.decibels[np.newaxis])
    probability = back.predict_on_batch(unchanged)[0, config.delay_frames :]
    reference = None
    if audio.segments is not None:
        moved = [
            Segment(max(one.start - audio.start, 0.0), one.end - audio.start)
            for one in audio.segments
            if one.end > audio.start
        ]
        reference = labels_to_frames(moved, len(probability), network.frame_s)
    return Analysis(network, audio, sound, back, probability, reference)


def filter_responses(kernel: Array, sample_rate: int = 16_000) -> tuple[Any, Any]:
    """The power that each filter on the waveform passes.

    Args:
        kernel: [shape=(taps, 1, filters)]
        sample_rate: Hz.

    Returns:
        Power [shape=(bins, filters)] and the bins' frequencies in Hz [shape=(bins,)].
    """
    points = 1024
    power = np.abs(np.fft.rfft(kernel[:, 0], points, axis=0)) ** 2
    return power, np.fft.rfftfreq(points, 1 / sample_rate)
