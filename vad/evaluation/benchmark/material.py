"""What the systems will hear, read once and held in memory: labelled clips, and non-speech by class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from vad.audio.acoustics import CELL, SAMPLE_RATE
from vad.audio.reading import read_audio
from vad.corpus.manifest import CorpusItem
from vad.errors import AudioError, ConfigError, MissingDependencyError
from vad.evaluation.benchmark.conditions import LoadedRecording
from vad.evaluation.benchmark.sound_classes import sound_class

__all__ = ["Material", "few_of_each_class", "gather"]


@dataclass
class Material:
    """Recordings in memory; an hour takes 230 MB.

    Attributes:
        clips: With labels.
        noises: Of kind noise.
        music: Of kind music.
        sounds: Noise and music by class.
    """

    clips: list[LoadedRecording] = field(default_factory=list)
    noises: list[LoadedRecording] = field(default_factory=list)
    music: list[LoadedRecording] = field(default_factory=list)
    sounds: dict[str, list[LoadedRecording]] = field(default_factory=lambda: defaultdict(list))


def few_of_each_class(items: Iterable[CorpusItem], most: int | None, seed: int) -> list[CorpusItem]:
    """Non-speech, at most so many recordings of each class, drawn by the seed; None is no limit."""
    by_class: dict[str, list[CorpusItem]] = defaultdict(list)
    for item in items:
        if item.kind != "speech":
            by_class[sound_class(item)].append(item)
    rng = np.random.default_rng(seed)
    shuffled = (
        [by_class[name][row] for row in rng.permutation(len(by_class[name]))] for name in sorted(by_class)
    )
    return [item for one_class in shuffled for item in one_class[:most]]


def gather(
    items: Sequence[CorpusItem], failed: Callable[[Exception], None], advance: Callable[[float], None]
) -> Material:
    """Read recordings.

    Args:
        items: Of any kind; speech becomes the labelled clips.
        failed: Told why a recording is left out.
        advance: Told the seconds of each as it is read.

    Returns:
        What could be read.

    Raises:
        ConfigError: No labelled recording is left, or they do not hold both speech and non-speech.
    """
    material = Material()
    for item in items:
        try:
            samples = read_audio(item.path, sample_rate=SAMPLE_RATE)
            if len(samples) < CELL:
                raise AudioError(f"{item.path}: a recording must last 10 ms to be measured. Received: less.")
        except (AudioError, MissingDependencyError) as error:
            failed(error)
            advance(0.0)
            continue
        _keep(item, LoadedRecording(item.key, samples, item.segments), material)
        advance(len(samples) / SAMPLE_RATE)
    cells = [cell for clip in material.clips for cell in set(clip.labels.tolist())]
    if set(cells) != {False, True}:
        raise ConfigError(
            "labelled recordings must hold both speech and non-speech. "
            f"Received: {len(material.clips)} recordings without. Name others."
        )
    return material


def _keep(item: CorpusItem, clip: LoadedRecording, material: Material) -> None:
    if item.kind == "speech":
        material.clips.append(clip)
        return
    (material.music if item.kind == "music" else material.noises).append(clip)
    material.sounds[sound_class(item)].append(clip)
