"""Somebody else's segments over a corpus: the same figures as a detector's, but those that need probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vad.audio import open_audio
from vad.corpus import Item
from vad.errors import ConfigError, LabelError
from vad.evaluate import Scored, score_segments
from vad.labels import EXTENSIONS
from vad.labels.own import read_own_labels

__all__ = ["find_hypotheses", "score_hypothesis"]


def find_hypotheses(folder: Path, items: Sequence[Item]) -> dict[str, Path]:
    """Find the label file of every recording: of the same path below the folder, or of the end of that path.

    Args:
        folder: Where the label files are, in any format of `vad.labels`.
        items: The recordings.

    Returns:
        The label files by the keys of the items; recordings that have none are left out.

    Raises:
        ConfigError: The folder is none, or one file would speak of two recordings.
    """
    if not folder.is_dir():
        raise ConfigError(f"hypothesis must be a folder of label files. Received: {folder}.")
    owners: dict[Path, str] = {}
    for item in items:
        path = _find(folder, Path(item.key))
        if path in owners:
            raise ConfigError(
                f"a label file must be of one recording. Received: {path} for {owners[path]} and {item.key}. "
                "Lay the label files in folders like the recordings'."
            )
        if path is not None:
            owners[path] = item.key
    return {key: path for path, key in owners.items()}


def score_hypothesis(path: Path | None, item: Item) -> Scored:
    """Measure a label file.

    Args:
        path: The label file; None where there is none.
        item: The recording and its reference.

    Raises:
        LabelError: There is no label file, or it breaks a rule of its format.
        AudioError: The recording, whose length counts, cannot be read.
        MissingDependencyError: A container needs the `media` extra.
    """
    if path is None:
        raise LabelError(f"{item.key}: a recording must have a label file in the hypothesis. Received: none.")
    return score_segments(item.segments, read_own_labels(path, item.path), _duration(item))


def _find(folder: Path, key: Path) -> Path | None:
    for depth in range(len(key.parts)):
        place = folder.joinpath(*key.parts[depth:])
        for extension in EXTENSIONS:
            for path in (place.with_suffix(extension), place.with_name(place.name + extension)):
                if path.is_file():
                    return path
    return None


def _duration(item: Item) -> float:
    with open_audio(item.path) as audio:
        if audio.duration is None:
            for _ in audio:
                pass
        return audio.duration or 0.0
