"""Excerpts of a bank, picked at random, brought to 0 dB and cut to measure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from vad.audio.acoustics import CELL, Samples, decibel_gain
from vad.training.data.decoded import DecodedCorpus, DecodedRecording

__all__ = ["Excerpts", "Labels", "pick", "pick_group", "steady_level_db"]

Labels = npt.NDArray[np.float32]

_FADE = 80  # samples: 5 ms, so a clip's own background neither clicks on nor off
_MIN_LEVEL_DB = -70.0  # a clip quieter than this holds nothing that could be scaled up


class Excerpts:
    """The clips of a bank that can be heard.

    Args:
        bank: The recordings.
        speed: The range of a speech clip's playing speed.
        sound_speed: That of noise and music.

    Attributes:
        speakers: Speech clips, a list a speaker.
        noises: Noise clips, a list a source.
        music: Music clips, a list a source.
    """

    def __init__(self, bank: DecodedCorpus, speed: tuple[float, float], sound_speed: tuple[float, float]):
        self._bank, self._speed, self._sound_speed = bank, speed, sound_speed
        usable = [clip for clip in bank.clips if clip.level_db > _MIN_LEVEL_DB and clip.length >= CELL]
        self.speakers = _group((c for c in usable if c.kind == "speech"), "speaker")
        self.noises = _group((c for c in usable if c.kind == "noise"), "source")
        self.music = _group((c for c in usable if c.kind == "music"), "source")

    def cut(self, rng: np.random.Generator, clip: DecodedRecording, room: int) -> tuple[Samples, Labels]:
        """A clip at 0 dB with its labels, from its start or somewhere within if it is longer than ``room``.

        Args:
            rng: Source of randomness.
            clip: What to cut.
            room: Samples there is space for, at least one cell.

        Returns:
            Samples [shape=(cells * CELL,)] and speech probabilities [shape=(cells,)], at most ``room`` long.
        """
        samples, cells = self._bank.samples(clip), self._bank.labels(clip)
        speed = _drawn(rng, self._speed if clip.kind == "speech" else self._sound_speed)
        wanted = max(1, int(room // CELL * speed))
        first = int(rng.integers(0, max(1, len(cells) - wanted)))
        cells = cells[first : first + wanted]
        samples = _fade(samples[first * CELL : (first + len(cells)) * CELL])
        n = max(1, int(len(cells) / speed))
        heard = np.interp((np.arange(n) + 0.5) * speed - 0.5, np.arange(len(cells)), cells)
        samples = _at_speed(speed, samples, n * CELL) * decibel_gain(-clip.level_db)
        return samples, heard.astype(np.float32)

    def looped(self, rng: np.random.Generator, clip: DecodedRecording, length: int) -> Samples:
        """A clip at 0 dB from anywhere within, repeated to a length [shape=(length,)]."""
        samples = _fade(self._bank.samples(clip)) * decibel_gain(-clip.level_db)
        speed = _drawn(rng, self._sound_speed)
        first = int(rng.integers(len(samples)))
        samples = np.take(samples, np.arange(first, first + math.ceil(length * speed)), mode="wrap")
        return _at_speed(speed, samples, length)


def pick(rng: np.random.Generator, clips: list[DecodedRecording]) -> DecodedRecording:
    """Any of them."""
    return clips[int(rng.integers(len(clips)))]


def pick_group(rng: np.random.Generator, groups: list[list[DecodedRecording]]) -> list[DecodedRecording]:
    """A speaker or a source; twice the files make it 1.4 times as likely, lest a few large ones be all there is."""
    weights = np.sqrt([len(group) for group in groups])
    return groups[int(rng.choice(len(groups), p=weights / weights.sum()))]


def steady_level_db(samples: Samples) -> float:
    """Level of what goes on all the time: of the cell in the middle from soft to loud, dB."""
    return float(
        10 * np.log10(np.median(np.square(samples.reshape(-1, CELL), dtype=np.float64).mean(axis=1)) + 1e-12)
    )


def _group(clips: Iterable[DecodedRecording], key: str) -> list[list[DecodedRecording]]:
    groups: dict[str, list[DecodedRecording]] = defaultdict(list)
    for clip in clips:
        groups[getattr(clip, key)].append(clip)
    return list(groups.values())


def _drawn(rng: np.random.Generator, between: tuple[float, float]) -> float:
    """A speed; where there is but one nothing is drawn, so that scenes stay what they were before there were more."""
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
