"""The same clips as they would sound elsewhere: in noise, in a room, over the telephone, far too quiet.

What a condition does to a clip hangs on the seed, the clip's name and the condition's draw alone, never on the other
clips. Conditions of one draw differ in nothing but level: noise at 10, 5 and 0 dB is the same noise.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Sequence
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
_FAINTEST_DB = -70.0  # a recording fainter than this holds nothing that could be turned up


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
        """Level of its speech, or of its louder half where nobody speaks, dBFS."""
        return level_db(self.samples[: len(self.samples) // CELL * CELL], self.labels)


@dataclass(frozen=True)
class Condition:
    """A way to change clips without moving their labels.

    Attributes:
        name: What tables call it.
        draw: Conditions of the same draw get the same random numbers.
        change: From random numbers and a clip to other samples of the same length.
    """

    name: str
    draw: str
    change: Callable[[np.random.Generator, LoadedRecording], Samples]

    def apply(self, clip: LoadedRecording, seed: int) -> Samples:
        """The clip under this condition, turned down where it would clip [shape=(samples,)]."""
        names = [zlib.crc32(text.encode()) for text in (clip.name, self.draw)]
        samples = self.change(np.random.default_rng([seed, *names]), clip)
        peak = float(np.abs(samples).max())
        return samples if peak <= 1 else samples * np.float32(_PEAK / peak)


def make_conditions(noises: Sequence[LoadedRecording], music: Sequence[LoadedRecording]) -> list[Condition]:
    """All conditions there are, clean first.

    Args:
        noises: What real noise is made of; without any there is no such condition.
        music: What plays behind; without any there is no such condition.
    """
    made = [Condition(CLEAN, CLEAN, lambda _, clip: clip.samples)]
    made += _behind("pink", _pink, _SNRS_DB)
    for draw, sounds, snrs_db in (("noise", noises, _SNRS_DB), ("music", music, (_MUSIC_SNR_DB,))):
        audible = [sound for sound in sounds if sound.level_db > _FAINTEST_DB]
        if audible:
            made += _behind(draw, functools.partial(_bed, audible), snrs_db)
    made += [
        Condition("room", "room", _in_room),
        Condition("telephone", "telephone", lambda rng, clip: acoustics.telephone(rng, clip.samples)),
    ]
    return made + [_played_at(gain_db) for gain_db in (-26, -40)]


def _behind(
    draw: str, sound: Callable[[np.random.Generator, int], Samples], snrs_db: Sequence[float]
) -> list[Condition]:
    """Something behind the talk, so many dB under it; `sound` makes it at 0 dB."""

    def at(snr_db: float) -> Condition:
        def change(rng: np.random.Generator, clip: LoadedRecording) -> Samples:
            gain = np.float32(decibel_gain(clip.level_db - snr_db))
            return clip.samples + gain * sound(rng, len(clip.samples))

        return Condition(f"{draw} {snr_db:g} dB", draw, change)

    return [at(snr_db) for snr_db in snrs_db]


def _pink(rng: np.random.Generator, n: int) -> Samples:
    """Noise whose power falls with frequency, 3 dB an octave from 20 Hz on, at 0 dB."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(n, 1 / SAMPLE_RATE), 20.0))
    noise = np.fft.irfft(spectrum, n)
    even: Samples = (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)
    return even


def _bed(sounds: Sequence[LoadedRecording], rng: np.random.Generator, n: int) -> Samples:
    """Recordings one after the other, each at 0 dB, any of them as likely; of a long one some part."""
    pieces: list[Samples] = []
    while (missing := n - sum(map(len, pieces))) > 0:
        sound = sounds[int(rng.integers(len(sounds)))]
        first = int(rng.integers(max(1, len(sound.samples) - missing)))
        piece = sound.samples[first : first + missing]
        pieces.append(piece * np.float32(decibel_gain(-sound.level_db)))
    return np.concatenate(pieces)


def _in_room(rng: np.random.Generator, clip: LoadedRecording) -> Samples:
    """A room of 0.3 to 0.8 s with as much direct as reverberant sound, within 6 dB."""
    response = acoustics.room_response(rng, rng.uniform(0.3, 0.8), rng.uniform(-6, 6))
    return acoustics.reverberate(clip.samples, response)


def _played_at(gain_db: float) -> Condition:
    gain = np.float32(decibel_gain(gain_db))
    return Condition(f"{gain_db:g} dB", "level", lambda _, clip: gain * clip.samples)
