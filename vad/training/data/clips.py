"""Excerpts of decoded recordings, picked at random, scaled to 0 dB and cut to length."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence, Sized

import numpy as np
import numpy.typing as npt

from vad.audio.acoustics import CELL, Samples, decibel_gain
from vad.training.data.decoded import DecodedCorpus, DecodedRecording

__all__ = ["Excerpts", "Labels", "Sounds", "pick", "pick_group", "shares"]

Labels = npt.NDArray[np.float32]

_FADE = 80  # samples: 5 ms, so that an excerpt's background neither clicks on nor off
_MIN_LEVEL_DB = -70.0  # a quieter recording holds nothing that could be scaled up


class Excerpts:
    """Cuts excerpts from the recordings of a corpus that are loud enough.

    Args:
        corpus: The recordings.
        speed: The range of a speech recording's playing speed.
        sound_speed: That of noise and music.

    Attributes:
        speakers: Speech recordings, a list a speaker.
        noises: Noise recordings.
        music: Music recordings.
    """

    def __init__(self, corpus: DecodedCorpus, speed: tuple[float, float], sound_speed: tuple[float, float]):
        self._corpus, self._speed, self._sound_speed = corpus, speed, sound_speed
        usable = [one for one in corpus.recordings if one.level_db > _MIN_LEVEL_DB and one.length >= CELL]
        self.speakers = _groups((one for one in usable if one.kind == "speech"), "speaker")
        self.noises = Sounds(one for one in usable if one.kind == "noise")
        self.music = Sounds(one for one in usable if one.kind == "music")

    def cut(self, rng: np.random.Generator, recording: DecodedRecording, room: int) -> tuple[Samples, Labels]:
        """An excerpt at 0 dB with its labels: the whole recording, or a random part if it is longer than ``room``.

        Args:
            rng: Source of randomness.
            recording: The recording.
            room: The most samples, at least one cell.

        Returns:
            Samples [shape=(cells * CELL,)] and speech probabilities [shape=(cells,)], at most ``room`` long.
        """
        samples, cells = self._corpus.samples(recording), self._corpus.labels(recording)
        speed = _drawn(rng, self._speed if recording.kind == "speech" else self._sound_speed)
        wanted = max(1, int(room // CELL * speed))
        first = int(rng.integers(0, max(1, len(cells) - wanted)))
        cells = cells[first : first + wanted]
        samples = _fade(samples[first * CELL : (first + len(cells)) * CELL])
        n = max(1, int(len(cells) / speed))
        labels = np.interp((np.arange(n) + 0.5) * speed - 0.5, np.arange(len(cells)), cells)
        samples = _at_speed(speed, samples, n * CELL) * decibel_gain(-recording.level_db)
        return samples, labels.astype(np.float32)

    def looped(self, rng: np.random.Generator, recording: DecodedRecording, length: int) -> Samples:
        """A recording at 0 dB from a random sample on, repeated to a length [shape=(length,)]."""
        samples = _fade(self._corpus.samples(recording)) * decibel_gain(-recording.level_db)
        speed = _drawn(rng, self._sound_speed)
        first = int(rng.integers(len(samples)))
        samples = np.take(samples, np.arange(first, first + math.ceil(length * speed)), mode="wrap")
        return _at_speed(speed, samples, length)


class Sounds:
    """Recordings without speech, drawn by class, then by source: not by hours, of which a few sources have most.

    Args:
        recordings: All of one kind.
    """

    def __init__(self, recordings: Iterable[DecodedRecording]):
        by_class = _groups(recordings, "sound_class")
        self._classes = [_groups(one, "source") for one in by_class]
        self._shares = shares(by_class)

    def __len__(self) -> int:
        return len(self._classes)

    def group(self, rng: np.random.Generator) -> list[DecodedRecording]:
        """The recordings of one class and source."""
        return pick_group(rng, self._classes[int(rng.choice(len(self._classes), p=self._shares))])


def pick(rng: np.random.Generator, recordings: list[DecodedRecording]) -> DecodedRecording:
    """Any of them."""
    return recordings[int(rng.integers(len(recordings)))]


def pick_group(rng: np.random.Generator, groups: list[list[DecodedRecording]]) -> list[DecodedRecording]:
    """A speaker or a source, with a probability by the square root of its files, so that large ones do not dominate."""
    return groups[int(rng.choice(len(groups), p=shares(groups)))]


def shares(groups: Sequence[Sized]) -> npt.NDArray[np.float64]:
    """The probability of each group, by the square root of its members."""
    weights = np.sqrt([len(group) for group in groups])
    return weights / weights.sum()


def _groups(recordings: Iterable[DecodedRecording], key: str) -> list[list[DecodedRecording]]:
    groups: dict[str, list[DecodedRecording]] = defaultdict(list)
    for one in recordings:
        groups[getattr(one, key)].append(one)
    return list(groups.values())


def _drawn(rng: np.random.Generator, between: tuple[float, float]) -> float:
    """A speed; a range of one draws nothing, so that the scenes of a seed stay the same."""
    return between[0] if between[0] == between[1] else float(rng.uniform(*between))


def _at_speed(speed: float, samples: Samples, n: int) -> Samples:
    """Plays n samples faster or slower (Ko et al., "Audio augmentation for speech recognition", 2015)."""
    return np.interp(np.arange(n) * speed, np.arange(len(samples)), samples).astype(np.float32)


def _fade(samples: Samples) -> Samples:
    n = min(_FADE, len(samples) // 2)
    ramp = np.linspace(0, 1, n, dtype=np.float32)
    samples[:n] *= ramp
    samples[len(samples) - n :] *= ramp[::-1]
    return samples
