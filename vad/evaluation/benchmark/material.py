"""The recordings of a benchmark, held in memory (an hour takes 230 MB): labelled speech, and non-speech by class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from vad.audio.acoustics import CELL, SAMPLE_RATE
from vad.audio.reading import read_audio
from vad.corpus.manifest import CorpusItem
from vad.corpus.sound_classes import sound_class
from vad.errors import AudioError, ConfigError, MissingDependencyError
from vad.evaluation.benchmark.conditions import LoadedRecording

__all__ = ["few_of_each_class", "load_recordings"]


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


def load_recordings(
    items: Sequence[CorpusItem], failed: Callable[[Exception], None], advance: Callable[[float], None]
) -> tuple[list[LoadedRecording], dict[str, list[LoadedRecording]]]:
    """Read recordings of any kind.

    Args:
        items: The recordings.
        failed: Called with the error of each recording that is left out.
        advance: Called with the seconds of each recording as it is read.

    Returns:
        The labelled speech, and the non-speech by class.

    Raises:
        ConfigError: No speech is left, or it does not hold both speech and non-speech.
    """
    labelled: list[LoadedRecording] = []
    sounds: dict[str, list[LoadedRecording]] = defaultdict(list)
    for item in items:
        try:
            samples = read_audio(item.path, sample_rate=SAMPLE_RATE)
            if len(samples) < CELL:
                raise AudioError(f"{item.path}: the recording is shorter than 10 ms.")
        except (AudioError, MissingDependencyError) as error:
            failed(error)
            advance(0.0)
            continue
        (labelled if item.kind == "speech" else sounds[sound_class(item)]).append(
            LoadedRecording(item.key, samples, item.segments)
        )
        advance(len(samples) / SAMPLE_RATE)
    if {cell for one in labelled for cell in set(one.labels.tolist())} != {False, True}:
        raise ConfigError(
            "labelled recordings must hold both speech and non-speech. "
            f"Received: {len(labelled)} recordings without. Name others."
        )
    return labelled, sounds
