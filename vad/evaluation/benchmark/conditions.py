"""The conditions of a benchmark: recordings in noise, in a room, over the telephone, far too quiet, and after a beep.

A condition's random numbers depend only on the seed, the recording's name and the condition's draw. Conditions of one
draw differ only in level: noise at 10, 5 and 0 dB is the same noise.
"""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vad.audio import acoustics
from vad.audio.acoustics import CELL, SAMPLE_RATE, Samples, decibel_gain, level_db
from vad.corpus.sound_classes import MUSIC_CLASSES
from vad.detection.detection import Detection
from vad.detection.segments import Segment
from vad.evaluation.scoring import Scored, score
from vad.labels.cells import CELL_DURATION, labels_to_frames

__all__ = ["CLEAN", "GAINS_DB", "NOISY", "Condition", "LoadedRecording", "make_conditions", "turned_down"]

CLEAN = "clean"
_PEAK = 0.98
_SNRS_DB = (10, 5, 0)
_MUSIC_SNR_DB = 10
NOISY = ("pink 10 dB", "noise 10 dB")
GAINS_DB = (-26, -40)
_TURNED_DOWN_DB = (-26, -30, -40)
_BEEP_S, _BEEP_HZ, _BEEP_DB = 0.5, 1_000, 40
_FIRST_S = 2.0
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
        change: Makes the changed samples of a recording, with random numbers: as many, or with ``lead_s`` in front, or
            those of ``first_s`` alone.
        lead_s: Seconds in front of the recording, which do not count.
        first_s: Seconds of the recording that are left.
    """

    name: str
    draw: str
    change: Callable[[np.random.Generator, LoadedRecording], Samples]
    lead_s: float = 0.0
    first_s: float = math.inf

    def apply(self, recording: LoadedRecording, seed: int) -> Samples:
        """The changed samples, turned down where they would clip [shape=(samples,)]."""
        names = [zlib.crc32(text.encode()) for text in (recording.name, self.draw)]
        samples = self.change(np.random.default_rng([seed, *names]), recording)
        peak = float(np.abs(samples).max())
        return samples if peak <= 1 else samples * np.float32(_PEAK / peak)

    def score(self, detection: Detection, recording: LoadedRecording) -> Scored:
        """Compares the detection in the changed samples with the recording's reference, as far as they count."""
        if self.lead_s:
            detection = replace(
                detection,
                duration=detection.duration - self.lead_s,
                probabilities=detection.probabilities[round(self.lead_s / CELL_DURATION) :],
                segments=list(_within(detection.segments, self.lead_s, math.inf)),
            )
        return score(detection, _within(recording.reference, 0.0, self.first_s))


def make_conditions(sounds: Mapping[str, Sequence[LoadedRecording]]) -> list[Condition]:
    """All conditions, clean first.

    Args:
        sounds: Recordings without speech, by class. Music is played behind the speech, the others are its noise;
            without any there is no such condition.
    """
    audible = {
        name: [one for one in recordings if one.level_db > _FAINTEST_DB]
        for name, recordings in sounds.items()
    }
    is_music = {name: name == "music" or name in MUSIC_CLASSES for name in audible}
    music, noises = (
        [one for name, recordings in audible.items() if is_music[name] == wanted for one in recordings]
        for wanted in (True, False)
    )
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
    made += [_played_at(gain_db) for gain_db in GAINS_DB]
    made += [_turned_down(one, gain_db) for one in made if one.name in NOISY for gain_db in _TURNED_DOWN_DB]
    first = round(_FIRST_S * SAMPLE_RATE)
    return [
        *made,
        Condition("after a beep", "beep", _after_a_beep, lead_s=_BEEP_S),
        Condition("first 2 s", CLEAN, lambda _, recording: recording.samples[:first], first_s=_FIRST_S),
    ]


def turned_down(name: str, gain_db: float) -> str:
    """The name of a condition played softer."""
    return f"{gain_db:g} dB" if name == CLEAN else f"{name}, then {gain_db:g} dB"


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
    return Condition(turned_down(CLEAN, gain_db), "level", lambda _, recording: gain * recording.samples)


def _turned_down(one: Condition, gain_db: float) -> Condition:
    """Another condition, played softer, noise and all."""
    gain = np.float32(decibel_gain(gain_db))
    return Condition(
        turned_down(one.name, gain_db), one.draw, lambda rng, recording: gain * one.change(rng, recording)
    )


def _after_a_beep(_: np.random.Generator, recording: LoadedRecording) -> Samples:
    """A tone far louder than the speech, right before the recording."""
    time = np.arange(round(_BEEP_S * SAMPLE_RATE)) / SAMPLE_RATE
    amplitude = math.sqrt(2) * decibel_gain(recording.level_db + _BEEP_DB)
    beep = amplitude * np.sin(2 * np.pi * _BEEP_HZ * time)
    return np.concatenate([beep.astype(np.float32), recording.samples])


def _within(segments: Iterable[Segment], start: float, end: float) -> tuple[Segment, ...]:
    """The parts of segments between two times, counted from the first."""
    parts = ((max(one.start, start) - start, min(one.end, end) - start) for one in segments)
    return tuple(Segment(*part) for part in parts if part[0] < part[1])
