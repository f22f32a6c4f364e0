"""A network cut in two at its spectrogram, and a clip heard by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import Any

import librosa
import numpy as np
import numpy.typing as npt

from vad.errors import ModelError
from vad.metrics import labels_to_frames
from vad.segments import Segment
from vad.training.backend import keras
from vad.training.frontend import LogMel, LogPower, decibels
from vad.training.inspection.subject import Array, Clip, Subject

__all__ = ["Hearing", "band_frequencies", "filter_responses", "hear"]

_QUIET_QUANTILE = 0.1


@dataclass(frozen=True)
class Hearing:
    """What a network made of a clip.

    Attributes:
        subject: The network.
        clip: The clip.
        features: The network's own spectrogram as its layers take it, bands by rising frequency.
            [shape=(hops, bands)]
        frequencies: Centre of each band, Hz, rising. [shape=(bands,)]
        to_decibels: From features to decibels of band power.
        back: The network behind the spectrogram, from features [shape=(batch, hops, bands)] to probabilities.
        probability: Of every frame of the clip. [shape=(frames,)]
        reference: Whether each frame is speech by the labels; None without labels. [shape=(frames,)]
    """

    subject: Subject
    clip: Clip
    features: Array
    frequencies: Array
    to_decibels: Callable[[Array], Array]
    back: keras.Model
    probability: Array
    reference: npt.NDArray[np.bool_] | None

    @property
    def hops(self) -> int:
        """Columns of the spectrogram that lie in the clip; the others are the silence put behind it."""
        network = self.subject.network
        return len(self.probability) * network.frame_length // network.HOP_LENGTH

    @property
    def decibels(self) -> Array:
        """The spectrogram of the clip [shape=(hops, bands)]."""
        return self.to_decibels(self.features)[: self.hops]

    @cached_property
    def background(self) -> Array:
        """The clip without its events: every band at its own quiet level [shape=(hops, bands)].

        What is taken away from a clip must leave something that the network knows. A hole of silence in a noise
        is an event itself; the level that a band falls to in a tenth of the clip is what a pause sounds like.
        """
        quiet = np.quantile(self.features[: self.hops], _QUIET_QUANTILE, axis=0)
        # No level is raised: the silence behind the clip stays silence.
        return np.minimum(self.features, quiet).astype(np.float32)

    def probabilities_of(self, features: Array) -> Array:
        """What the network says of changed spectrograms, from [batch, hops, bands] to [batch, frames]."""
        found: Array = self.back.predict_on_batch(features)
        return found[:, self.subject.network.delay_frames :]


def hear(subject: Subject, clip: Clip) -> Hearing:
    """Lets a network hear a clip.

    Raises:
        AudioError: The clip is shorter than a frame.
        ModelError: The network has no single spectrogram that everything it hears goes through.
    """
    samples = clip.whole_frames(subject.network)
    tap = next(layer for layer in reversed(subject.model.layers) if _is_spectrogram(layer))
    frequencies = band_frequencies(subject.model)
    order = np.argsort(frequencies, kind="stable")
    features = keras.Model(subject.model.input, tap.output).predict_on_batch(samples[np.newaxis])[..., order]
    back = _behind(subject.model, tap, order)
    probability = back.predict_on_batch(features)[0, subject.network.delay_frames :]
    reference = None
    if clip.segments is not None:
        moved = [
            Segment(max(one.start - clip.start, 0.0), one.end - clip.start)
            for one in clip.segments
            if one.end > clip.start
        ]
        reference = labels_to_frames(moved, len(probability), subject.frame_s)
    scale = _scale(tap)
    return Hearing(subject, clip, features[0], frequencies[order], scale, back, probability, reference)


def _behind(model: keras.Model, tap: keras.layers.Layer, order: npt.NDArray[np.intp]) -> keras.Model:
    """The network behind its spectrogram, for bands that come by rising frequency."""
    try:
        behind = keras.Model(tap.output, model.output)
    except ValueError as error:
        raise ModelError(
            "a network must hear through one spectrogram to be looked into with a clip. Received: one that hears in "
            "another way too. Its weights can be looked at."
        ) from error
    features = keras.Input(tap.output.shape[1:])
    return keras.Model(features, behind(keras.ops.take(features, np.argsort(order), axis=-1)))


def _is_spectrogram(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, keras.layers.Normalization | LogPower)


def _scale(tap: keras.layers.Layer) -> Callable[[Array], Array]:
    """From the tapped layer's output to decibels."""
    if isinstance(tap, LogPower):
        return lambda features: features * (10 / log(10))
    invert = decibels(tap)
    return lambda features: np.asarray(keras.ops.convert_to_numpy(invert(features)))


def band_frequencies(model: keras.Model) -> Array:
    """The centre of every band, Hz, in the network's order [shape=(bands,)].

    That of a mel band, or where a learned pair of filters passes most.
    """
    for layer in model.layers:
        if isinstance(layer, LogMel):
            return librosa.mel_frequencies(layer.n_mels + 2, fmin=layer.fmin, fmax=layer.fmax)[1:-1]
    responses, hertz = filter_responses(keras.ops.convert_to_numpy(model.get_layer("filters").kernel))
    return hertz[(responses[:, 0::2] + responses[:, 1::2]).argmax(axis=0)]


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
