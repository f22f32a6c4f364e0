"""Somebody else's segments over a corpus: the same figures as a detector's, but those that need probabilities."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from vad.audio import open_audio
from vad.corpus import Item
from vad.errors import ConfigError, LabelError
from vad.evaluate import Scored, score_segments
from vad.labels import SUFFIXES, files_of, read_all
from vad.labels.columns import one_word
from vad.labels.entry import shown
from vad.labels.own import read_own_labels
from vad.segments import Segment

__all__ = ["Hypothesis", "find_hypotheses", "score_hypothesis"]

Hypothesis = Path | Sequence[Segment]
"""A recording's own label file, or its segments out of a file about many."""


def find_hypotheses(place: Path, items: Sequence[Item]) -> dict[str, Hypothesis]:
    """Find what is said of every recording.

    In a folder that is the label file of the recording's path below the folder, or of the end of that path. In one
    file about many it is the lines that name the recording, or the end of its path.

    Args:
        place: A folder of label files, or one file, in any format of `vad.labels`.
        items: The recordings.

    Returns:
        By the keys of the items. Recordings that have no label file, or that a file about many does not name, are
        left out.

    Raises:
        ConfigError: The place is none, what it says would be of two recordings, or a file names none of them.
        LabelError: A file about many cannot be read, or breaks a rule of its format.
    """
    if place.is_file():
        return dict(_segments_by_name(place, items))
    if not place.is_dir():
        raise ConfigError(
            f"hypothesis must be a folder of label files, or one file that names its recordings. Received: {place}."
        )
    return dict(_files_by_path(place, items))


def score_hypothesis(found: Hypothesis | None, item: Item) -> Scored:
    """Measure what is said of a recording.

    Args:
        found: Its label file or segments; None where there is no label file.
        item: The recording and its reference.

    Raises:
        LabelError: There is no label file, or it breaks a rule of its format.
        AudioError: The recording, whose length counts, cannot be read.
        MissingDependencyError: A container needs the `media` extra.
    """
    if found is None:
        raise LabelError(f"{item.key}: a recording must have a label file in the hypothesis. Received: none.")
    segments = read_own_labels(found, item.path) if isinstance(found, Path) else found
    return score_segments(item.segments, segments, _duration(item))


def _files_by_path(folder: Path, items: Sequence[Item]) -> dict[str, Path]:
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
    others = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if others and not owners:
        raise ConfigError(
            f"label files must be called like the recordings. Received: {folder}, with {shown(others)}, like none. "
            "Rename them, or give one about many itself."
        )
    return {key: path for path, key in owners.items()}


def _find(folder: Path, key: Path) -> Path | None:
    # What leads upwards, or to the root, would lead out of the folder: to the reference itself, perhaps.
    parts = [part for part in key.parts if part not in ("..", key.anchor)]
    for depth in range(len(parts)):
        place = folder.joinpath(*parts[depth:])
        for stem in (place.with_suffix(""), place):
            if path := next(files_of(stem), None):
                return path
    return None


def _segments_by_name(file: Path, items: Sequence[Item]) -> dict[str, list[Segment]]:
    candidates = defaultdict(list)  # by the name alone, with its extension and without
    for item in items:
        *folders, name = _parts(os.path.abspath(item.path))
        for last in {name, one_word(item.path.stem)}:
            candidates[last].append((folders, item.key))
    found: dict[str, list[Segment]] = {}
    owners: dict[str, list[str]] = {}
    entries, problems = read_all(file)
    if problems:
        raise LabelError(*problems)
    for entry in entries:
        name = entry.uri or file.stem
        if name not in owners:
            *folders, last = _parts(name) or [""]
            ends = ((whole[len(whole) - len(folders) :], key) for whole, key in candidates[last])
            owners[name] = [key for end, key in ends if end == folders]
        if len(owners[name]) > 1:
            raise ConfigError(
                f"labels must be of one recording. Received: {name!r} in {file}, for "
                f"{' and '.join(owners[name][:2])}. Write more of the path."
            )
        for key in owners[name]:
            found.setdefault(key, []).extend([Segment(entry.start, entry.end)] if entry.is_speech else [])
    if not found:
        raise ConfigError(
            f"a hypothesis must name the recordings. Received: {file}, which names none of {len(items)}. "
            "Write the ends of their paths."
        )
    return found


def _parts(name: str) -> list[str]:
    """The folders and the name in a path, each in one word as in RTTM; what leads upwards says nothing."""
    parts = name.replace("\\", "/").split("/")
    return [one_word(part) for part in parts if part not in ("", ".", "..")]


def _duration(item: Item) -> float:
    with open_audio(item.path) as audio:
        if audio.duration is None:
            for _ in audio:
                pass
        return audio.duration or 0.0
