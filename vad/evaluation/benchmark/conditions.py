"""The conditions of a benchmark: recordings in noise, in a room, over the telephone, and far too quiet.

A condition's random numbers depend only on the seed, the recording's name and the condition's draw. Conditions of one
draw differ only in level: noise at 10, 5 and 0 dB is the same noise.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vad.audio import acoustics
from vad.audio.acoustics import CELL, SAMPLE_RATE, Samples, decibel_gain, level_db
from vad.detection.segments import Segment
from vad.labels.cells import CELL_DURATION, labels_to_frames

__all__ = ["CLEAN", "Condition", "LoadedRecording", "make_conditions"]

CLEAN = "clean"
_PEAK = 0.98
_SNRS_DB = (10, 5, 0)
_MUSIC_SNR_DB = 10
_FAINTEST_DB = -70.0  # a fainter recording holds nothing to turn up


@dataclass(frozen=True)
class LoadedRecording:
    """A recording in memory.

    Attributes:
        name: Its path inside the corpus.
        samples: Mono at 16 kHz, at least one cell of 10 ms [shape=(samples,)].
        reference: Where speech is, seconds.
    """

    name: str
    samples: Samples
    reference: tuple[Segment, ...] = ()

    @functools.cached_property
    def labels(self) -> npt.NDArray[np.bool_]:
        """True in the whole cells of 10 ms that are speech [shape=(cells,)]."""
        return labels_to_frames(self.reference, len(self.samples) // CELL, CELL_DURATION)

    @functools.cached_property
    def level_db(self) -> float:
        """Level of its speech, dBFS; without speech, that of its louder half."""
        return level_db(self.samples[: len(self.samples) // CELL * CELL], self.labels)


@dataclass(frozen=True)
class Condition:
    """A change of a recording's sound that does not move its labels.

    Attributes:
        name: Its name in tables.
        draw: Conditions of the same draw get the same random numbers.
        change: Makes the changed samples of a recording, with random numbers.
    """

    name: str
    draw: str
    change: Callable[[np.random.Generator, LoadedRecording], Samples]

    def apply(self, recording: LoadedRecording, seed: int) -> Samples:
        """The changed samples, turned down where they would clip [shape=(samples,)]."""
        names = [zlib.crc32(text.encode()) for text in (recording.name, self.draw)]
        samples = self.change(np.random.default_rng([seed, *names]), recording)
        peak = float(np.abs(samples).max())
        return samples if peak <= 1 else samples * np.float32(_PEAK / peak)


def make_conditions(sounds: Mapping[str, Sequence[LoadedRecording]]) -> list[Condition]:
    """All conditions, clean first.

    Args:
        sounds: Recordings without speech, by class. "music" is played behind the speech, the others are its noise;
            without any there is no such condition.
    """
    audible = {
        name: [one for one in recordings if one.level_db > _FAINTEST_DB]
        for name, recordings in sounds.items()
    }
    music = audible.pop("music", [])
    noises = [one for recordings in audible.values() for one in recordings]
    made = [Condition(CLEAN, CLEAN, lambda _, recording: recording.samples)]
    made += _behind("pink", _pink, _SNRS_DB)
    if noises:
        made += _behind("noise", functools.partial(_bed, noises), _SNRS_DB)
    if music:
        made += _behind("music", functools.partial(_bed, music), (_MUSIC_SNR_DB,))
    made += [
        Condition("room", "room", _in_room),
        Condition(
            "telephone", "telephone", lambda rng, recording: acoustics.telephone(rng, recording.samples)
        ),
    ]
    return made + [_played_at(gain_db) for gain_db in (-26, -40)]


def _behind(
    draw: str, sound: Callable[[np.random.Generator, int], Samples], snrs_db: Sequence[float]
) -> list[Condition]:
    """Sound added so many dB below the speech; ``sound`` makes it at 0 dB."""

    def change(snr_db: float, rng: np.random.Generator, recording: LoadedRecording) -> Samples:
        gain = np.float32(decibel_gain(recording.level_db - snr_db))
        return recording.samples + gain * sound(rng, len(recording.samples))

    return [Condition(f"{draw} {snr_db:g} dB", draw, functools.partial(change, snr_db)) for snr_db in snrs_db]


def _pink(rng: np.random.Generator, n: int) -> Samples:
    """Noise at 0 dB whose power falls by 3 dB an octave from 20 Hz on."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(n, 1 / SAMPLE_RATE), 20.0))
    noise = np.fft.irfft(spectrum, n)
    even: Samples = (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)
    return even


def _bed(sounds: Sequence[LoadedRecording], rng: np.random.Generator, n: int) -> Samples:
    """Recordings one after the other, drawn evenly, each at 0 dB; of a long one an excerpt."""
    pieces: list[Samples] = []
    while (missing := n - sum(map(len, pieces))) > 0:
        sound = sounds[int(rng.integers(len(sounds)))]
        first = int(rng.integers(max(1, len(sound.samples) - missing)))
        piece = sound.samples[first : first + missing]
        pieces.append(piece * np.float32(decibel_gain(-sound.level_db)))
    return np.concatenate(pieces)


def _in_room(rng: np.random.Generator, recording: LoadedRecording) -> Samples:
    """A room of 0.3 to 0.8 s with as much direct as reverberant sound, within 6 dB."""
    response = acoustics.room_response(rng, rng.uniform(0.3, 0.8), rng.uniform(-6, 6))
    return acoustics.reverberate(recording.samples, response)


def _played_at(gain_db: float) -> Condition:
    gain = np.float32(decibel_gain(gain_db))
    return Condition(f"{gain_db:g} dB", "level", lambda _, recording: gain * recording.samples)
