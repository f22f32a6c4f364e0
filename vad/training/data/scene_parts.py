"""The parts of training scenes: talk, beds, sudden sounds, tones, a crowd, a touched microphone.

Every part is as long as the scene, has its level against the talk, and draws from its own generator alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vad.audio import acoustics
from vad.audio.acoustics import CELL, SAMPLE_RATE, Samples, decibel_gain, level_db
from vad.training.data.clips import Excerpts, Labels, Sounds, pick, pick_group, shares
from vad.training.data.scene_config import SceneConfig
from vad.training.data.tones import machine_tones
from vad.training.data.tunes import played_tune

__all__ = ["SceneParts"]


class SceneParts:
    """Renders the parts of scenes.

    Args:
        excerpts: The recordings.
        config: The levels.
        length: Samples of a scene, whole cells.
    """

    def __init__(self, excerpts: Excerpts, config: SceneConfig, length: int):
        self._excerpts, self._config, self._n = excerpts, config, length

    def foreground(self, rng: np.random.Generator) -> tuple[Samples, Labels]:
        """Up to eight talkers taking turns, with their labels; talk has a level of 0 dB."""
        config, speakers = self._config, self._excerpts.speakers
        count = int(rng.choice([1, 2, 4, 8], p=[0.15, 0.25, 0.3, 0.3]))
        present = rng.choice(len(speakers), count, replace=len(speakers) < count, p=shares(speakers))
        offsets = np.clip(rng.normal(0, 4, count), -12, 8)
        tracks = np.zeros((count, self._n), np.float32)
        silence = np.ones(self._n // CELL, np.float32)
        pause_s = float(np.exp(rng.uniform(np.log(0.1), np.log(4.0))))
        overlap = 0.25 if rng.random() < 0.4 else 0.0
        at, who = int(rng.exponential(pause_s) * SAMPLE_RATE), int(rng.integers(count))
        until = dict.fromkeys(present.tolist(), 0)  # no talker overlaps with himself
        while at < self._n:
            first = at // CELL
            samples, cells = self._excerpts.cut(
                rng, pick(rng, speakers[present[who]]), self._n - first * CELL
            )
            gain = decibel_gain(offsets[who] + rng.normal(0, 2))
            tracks[who, first * CELL : first * CELL + len(samples)] += samples * gain
            silence[first : first + len(cells)] *= 1 - cells
            until[int(present[who])] = end = at + len(samples)
            who = int(rng.integers(count))
            gap = -rng.uniform(0.2, 1.5) if rng.random() < overlap else rng.exponential(pause_s)
            at = max(at + CELL, end + int(gap * SAMPLE_RATE), until[int(present[who])])
        in_room = rng.random() < config.room
        rt60 = rng.uniform(*config.rt60_s)
        if in_room:
            for who in range(count):
                response = acoustics.room_response(rng, rt60, rng.uniform(*config.drr_db))
                tracks[who] = acoustics.reverberate(tracks[who], response)
        talk, labels = tracks.sum(axis=0), 1 - silence
        return talk * decibel_gain(-level_db(talk, labels)), labels

    def as_recorded(self, rng: np.random.Generator) -> tuple[Samples, Labels]:
        """An excerpt of a recording with its labels, or of several short ones; their talk has a level of 0 dB."""
        recordings = [one for speaker in self._excerpts.speakers for one in speaker]
        lengths = np.array([one.length for one in recordings], np.float64)
        samples, labels = np.zeros(self._n, np.float32), np.zeros(self._n // CELL, np.float32)
        at = 0
        while at < len(labels):
            recording = recordings[int(rng.choice(len(recordings), p=lengths / lengths.sum()))]
            piece, cells = self._excerpts.cut(rng, recording, self._n - at * CELL)
            samples[at * CELL : at * CELL + len(piece)] = piece
            labels[at : at + len(cells)] = cells
            at += max(1, len(cells))
        return samples, labels

    def noise_bed(self, rng: np.random.Generator) -> Samples:
        """One noise throughout, recorded or synthetic."""
        level = decibel_gain(-rng.uniform(*self._config.snr_db))
        if rng.random() < 0.4 or not self._excerpts.noises:
            return acoustics.coloured_noise(rng, self._n) * level
        return self._excerpts.looped(rng, pick(rng, self._excerpts.noises.group(rng)), self._n) * level

    def music_bed(self, rng: np.random.Generator) -> Samples:
        """One piece of music throughout."""
        if not self._excerpts.music:
            return np.zeros(self._n, np.float32)
        bed = self._excerpts.looped(rng, pick(rng, self._excerpts.music.group(rng)), self._n)
        return bed * decibel_gain(-rng.uniform(*self._config.music_snr_db))

    def events(self, rng: np.random.Generator) -> Samples:
        """Coughs, cries, doors, keys: short sounds at random places."""
        return self._sudden(rng, self._excerpts.noises, self._config.event_db)

    def bangs(self, rng: np.random.Generator) -> Samples:
        """One to three beeps and bangs, each shorter than a word."""
        track = np.zeros(self._n, np.float32)
        for _ in range(int(rng.integers(1, 4))):
            n = int(np.exp(rng.uniform(np.log(0.05), np.log(0.6))) * SAMPLE_RATE) // CELL * CELL
            at = int(rng.integers(self._n - n))
            kind = rng.random()
            if kind < 0.4:
                sound = machine_tones(rng, n)
            elif kind < 0.7 or not self._excerpts.noises:
                sound = acoustics.thump(rng)[:n]
            else:
                sound = self._excerpts.cut(rng, pick(rng, self._excerpts.noises.group(rng)), n)[0]
            track[at : at + len(sound)] += sound * decibel_gain(rng.uniform(*self._config.bangs_db))
        return track

    def bars(self, rng: np.random.Generator) -> Samples:
        """Bars of music at random places."""
        return self._sudden(rng, self._excerpts.music, self._config.bars_db)

    def background_talk(self, rng: np.random.Generator) -> Samples:
        """One to three talkers far behind, not much above the noise of a quiet place."""
        return self._behind(rng, self._config.background_snr_db)

    def crosstalk(self, rng: np.random.Generator) -> Samples:
        """Such talkers well above the noise, as at the microphone of a person who listens."""
        return self._behind(rng, self._config.crosstalk_snr_db)

    def babble(self, rng: np.random.Generator) -> Samples:
        """A crowd in which no talker stands out."""
        crowd = self._crowd(rng, int(rng.integers(6, 12)), 0.1, acoustics.far_room)
        return crowd * decibel_gain(-rng.uniform(*self._config.babble_snr_db))

    def hiss(self, rng: np.random.Generator) -> Samples:
        """Microphone noise."""
        return acoustics.coloured_noise(rng, self._n) * decibel_gain(-rng.uniform(*self._config.hiss_db))

    def tones(self, rng: np.random.Generator) -> Samples:
        """A machine that dials, rings, beeps or wails for some of the time."""
        return self._for_a_while(rng, machine_tones) * decibel_gain(-rng.uniform(*self._config.tones_db))

    def tunes(self, rng: np.random.Generator) -> Samples:
        """Instruments for some of the time, half of them in a room."""
        tune = self._for_a_while(rng, played_tune)
        if rng.random() < 0.5:
            tune = _in_room(rng, tune, 0.2, 1.5)
        return tune * decibel_gain(-rng.uniform(*self._config.tunes_db))

    def handling(self, rng: np.random.Generator) -> Samples:
        """Thumps and breaths, few or many, around one level."""
        track = np.zeros(self._n + 2 * SAMPLE_RATE, np.float32)
        level = -rng.uniform(*self._config.handling_db)
        for _ in range(int(np.exp(rng.uniform(np.log(2), np.log(60))))):
            sound = acoustics.breath(rng) if rng.random() < 0.2 else acoustics.thump(rng)
            at = int(rng.integers(self._n))
            track[at : at + len(sound)] += sound * decibel_gain(level + rng.normal(0, 5))
        return track[: self._n]

    def _for_a_while(
        self, rng: np.random.Generator, sound: Callable[[np.random.Generator, int], Samples]
    ) -> Samples:
        """Silence with a sound somewhere within it, or all through it."""
        track = np.zeros(self._n, np.float32)
        length = int(rng.uniform(0.1, 1.0) * self._n)
        at = int(rng.integers(self._n - length + 1))
        track[at : at + length] = sound(rng, length)
        return track

    def _sudden(self, rng: np.random.Generator, sources: Sounds, range_db: tuple[float, float]) -> Samples:
        """One to seven pieces of up to 4 s, some in the talkers' room."""
        track = np.zeros(self._n, np.float32)
        for _ in range(int(rng.integers(1, 8)) if sources else 0):
            recording = pick(rng, sources.group(rng))
            at = int(rng.integers(self._n - CELL))
            samples, _ = self._excerpts.cut(rng, recording, min(self._n - at, 4 * SAMPLE_RATE) // CELL * CELL)
            track[at : at + len(samples)] += samples * decibel_gain(rng.uniform(*range_db))
        return _in_room(rng, track, 0.15, 0.8) if rng.random() < 0.5 else track

    def _behind(self, rng: np.random.Generator, snr_db: tuple[float, float]) -> Samples:
        level = -rng.uniform(*self._config.background_db)
        floor = level - rng.uniform(*snr_db)
        crowd = self._crowd(rng, int(rng.integers(1, 4)), rng.uniform(0.2, 2.0), acoustics.next_room)
        return crowd * decibel_gain(level) + acoustics.coloured_noise(rng, self._n) * decibel_gain(floor)

    def _crowd(
        self,
        rng: np.random.Generator,
        count: int,
        pause_s: float,
        room: Callable[[np.random.Generator], Samples],
    ) -> Samples:
        """Talkers, each in another room, at about 0 dB together."""
        crowd = np.zeros(self._n, np.float32)
        for _ in range(count):
            talker, at = pick_group(rng, self._excerpts.speakers), 0
            track = np.zeros(self._n, np.float32)
            while at <= self._n - CELL:
                samples, _ = self._excerpts.cut(rng, pick(rng, talker), (self._n - at) // CELL * CELL)
                track[at : at + len(samples)] += samples
                at += len(samples) + CELL + int(rng.exponential(pause_s) * SAMPLE_RATE)
            crowd += acoustics.reverberate(track, room(rng))
        return crowd * decibel_gain(-level_db(crowd, None))


def _in_room(
    rng: np.random.Generator, sound: Samples, shortest_rt60_s: float, longest_rt60_s: float
) -> Samples:
    response = acoustics.room_response(rng, rng.uniform(shortest_rt60_s, longest_rt60_s), rng.uniform(-6, 15))
    return acoustics.reverberate(sound, response)
