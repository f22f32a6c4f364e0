"""Makes the recordings of data/examples and their labels: espeak-ng speaks, numpy makes the rest.

    python scripts/make_examples.py [--output data/examples]

A label is where the script put a phrase, for as long as espeak-ng speaks. Phrases have no pauses, which would be a
matter of judgement. Needs the program espeak-ng (Debian: `apt-get install espeak-ng`); the same version of it makes the
same recordings again.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from vad.detection.segments import Segment
from vad.labels import write_labels

Samples = NDArray[np.float64]
Background = Callable[[np.random.Generator, int, int], Samples]

ESPEAK_NG_VERSION = "1.51"
FOLDER = Path(__file__).parent.parent / "data" / "examples"
# Level below the peak at which espeak-ng's voice begins and ends.
_VOICE_FLOOR_DB = -50.0
_FADE_SECONDS = 0.005


@dataclass(frozen=True)
class Phrase:
    """A sentence, its voice and its place.

    Attributes:
        start: Seconds into the recording.
        voice: Its name in espeak-ng, such as "en-us+f3".
        level_db: Root mean square of the phrase, dBFS.
        channel: Its channel; None is all of them.
    """

    start: float
    voice: str
    text: str
    level_db: float = -23.0
    channel: int | None = None


@dataclass(frozen=True)
class Example:
    """One recording of data/examples."""

    file_name: str
    sample_rate: int
    duration: float
    background: Background
    phrases: tuple[Phrase, ...] = ()
    channels: int = 1
    subtype: str = "PCM_16"


def coloured_noise(
    rng: np.random.Generator, n_samples: int, sample_rate: int, slope: float, level_db: float
) -> Samples:
    """Noise whose amplitude falls as 1 / frequency**slope above 50 Hz: 0.5 is pink, 1 brown.

    Args:
        rng: Source of randomness.
        n_samples: Length.
        sample_rate: Hertz.
        slope: 0 (white) or more.
        level_db: Root mean square, dBFS.

    Returns:
        The noise [shape=(n_samples,)].
    """
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    frequencies = np.fft.rfftfreq(n_samples, 1 / sample_rate)
    return _at_level(np.fft.irfft(spectrum / np.maximum(frequencies, 50.0) ** slope, n_samples), level_db)


def room(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """A quiet room."""
    return coloured_noise(rng, n_samples, sample_rate, slope=0.5, level_db=-58.0)


def workshop(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """A fan that turns: pink noise that swells, over mains hum."""
    time = np.arange(n_samples) / sample_rate
    wind = coloured_noise(rng, n_samples, sample_rate, slope=0.5, level_db=-31.0)
    hum = sum(np.sin(2 * np.pi * 50 * harmonic * time) / harmonic for harmonic in (1, 2, 3, 5))
    return wind * (1 + 0.4 * np.sin(2 * np.pi * 0.7 * time)) + _at_level(np.asarray(hum), -40.0)


def line(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """The hiss of a telephone line."""
    return coloured_noise(rng, n_samples, sample_rate, slope=0.0, level_db=-52.0)


def sounds(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """Loud sounds without speech: knocks, a dial tone, a sweep, gusts of noise, beeps."""
    mix = coloured_noise(rng, n_samples, sample_rate, slope=0.5, level_db=-55.0)
    time = np.arange(2 * sample_rate) / sample_rate
    knock = rng.standard_normal(time.size) * np.exp(-time * 60)
    tone = (np.sin(2 * np.pi * 350 * time) + np.sin(2 * np.pi * 440 * time)) * (time < 1.2)
    sweep = np.sin(2 * np.pi * (300 * time + 600 * time**2)) * (time < 1.0)
    gust = (
        coloured_noise(rng, time.size, sample_rate, 1.0, 0.0)
        * np.sin(np.pi * np.minimum(time / 1.5, 1.0)) ** 2
    )
    beep = np.sin(2 * np.pi * 1000 * time) * (time % 0.4 < 0.1) * (time < 1.2)
    events = [
        (0.5, knock),
        (0.9, knock),
        (1.1, knock),
        (1.8, tone),
        (3.3, sweep),
        (4.5, gust),
        (6.2, beep),
        (7.6, knock),
    ]
    for start, sound in events:
        first = round(start * sample_rate)
        mix[first : first + sound.size] += 0.2 * (sound / np.abs(sound).max())[: n_samples - first]
    return mix


EXAMPLES = (
    Example(
        "clip.wav",
        16_000,
        10.0,
        room,
        (
            Phrase(1.2, "en-us+f3", "The train to the coast leaves from platform nine."),
            Phrase(5.4, "en-gb+m3", "Then we still have time for a cup of coffee."),
        ),
    ),
    Example(
        "noisy.flac",
        16_000,
        9.0,
        workshop,
        (
            Phrase(0.8, "de+m7", "Wo hast du den kleinen Hammer hingelegt?", level_db=-24.0),
            Phrase(3.9, "es+f2", "Creo que lo puse encima de la mesa.", level_db=-26.0),
            Phrase(7.1, "de+m7", "Ach ja danke schön.", level_db=-22.0),
        ),
    ),
    Example("no-speech.flac", 16_000, 8.5, sounds),
    Example(
        "stereo.flac",
        44_100,
        6.0,
        room,
        (
            Phrase(0.7, "fr+f4", "Bonjour comment allez-vous?", channel=0),
            Phrase(3.2, "fr+m4", "Tout va bien merci beaucoup.", channel=1),
        ),
        channels=2,
    ),
    Example(
        "telephone.wav",
        8_000,
        7.0,
        line,
        (
            Phrase(1.0, "en-us+m2", "You have reached the weather service."),
            Phrase(4.2, "en-us+m2", "Please hold the line."),
        ),
        subtype="ULAW",
    ),
)


def render(example: Example) -> tuple[Samples, list[Segment]]:
    """Mixes a example's phrases into its background.

    Args:
        example: The recording.

    Returns:
        The samples [shape=(frames, channels)], and where speech is in them, seconds.
    """
    # Seeded by the name, so that a change in one example leaves the others the same.
    rng = np.random.default_rng(zlib.crc32(example.file_name.encode()))
    n_samples = round(example.duration * example.sample_rate)
    mix = np.stack(
        [example.background(rng, n_samples, example.sample_rate) for _ in range(example.channels)], axis=1
    )
    segments = []
    for phrase in example.phrases:
        voice = _at_level(speak(phrase, example.sample_rate), phrase.level_db)
        first = round(phrase.start * example.sample_rate)
        channels = slice(None) if phrase.channel is None else slice(phrase.channel, phrase.channel + 1)
        mix[first : first + voice.size, channels] += voice[:, np.newaxis]
        segments.append(Segment(phrase.start, phrase.start + voice.size / example.sample_rate))
    return mix, segments


def speak(phrase: Phrase, sample_rate: int) -> Samples:
    """Speaks a phrase with espeak-ng and cuts the silence around it.

    Args:
        phrase: The phrase.
        sample_rate: Hertz, of the result.

    Returns:
        The voice alone [shape=(frames,)].
    """
    command = ["espeak-ng", "-v", phrase.voice, "--stdout", phrase.text]
    spoken = subprocess.run(command, check=True, capture_output=True).stdout
    samples, spoken_rate = soundfile.read(io.BytesIO(spoken), dtype="float64")
    voice: Samples = soxr.resample(samples, spoken_rate, sample_rate, quality="VHQ")
    loud = np.flatnonzero(np.abs(voice) > np.abs(voice).max() * 10 ** (_VOICE_FLOOR_DB / 20))
    voice = voice[loud[0] : loud[-1] + 1].copy()
    fade = np.linspace(0.0, 1.0, round(_FADE_SECONDS * sample_rate))
    voice[: fade.size] *= fade
    voice[-fade.size :] *= fade[::-1]
    return voice


def _at_level(samples: Samples, level_db: float) -> Samples:
    return samples * (10 ** (level_db / 20) / np.sqrt(np.mean(samples**2)))


def main() -> None:
    """Writes every example and its label file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder (default: %(default)s)")
    folder: Path = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    for example in EXAMPLES:
        samples, segments = render(example)
        path = folder / example.file_name
        soundfile.write(path, samples, example.sample_rate, subtype=example.subtype)
        write_labels(path.with_suffix(".rttm"), segments)


if __name__ == "__main__":
    main()
