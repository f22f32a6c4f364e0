"""The evaluation of segments from other programs: the metrics of a detector, without those of probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vad.audio.reading import open_audio
from vad.corpus.manifest import CorpusItem
from vad.detection.segments import Segment
from vad.errors import ConfigError, LabelError, shown
from vad.evaluation.scoring import Scored, score_segments
from vad.labels.formats import SUFFIXES
from vad.labels.owners import LabelOwners, own_label_file, segments_of_speech
from vad.labels.reading import require_within

__all__ = ["Hypothesis", "read_hypotheses", "score_hypothesis"]

Hypothesis = Sequence[Segment] | LabelError
"""The detected segments of a recording, or why they cannot be used."""


def read_hypotheses(place: Path, items: Sequence[CorpusItem]) -> dict[str, Hypothesis]:
    """Read the detected segments of every recording; `vad.labels.owners` has the rules.

    Args:
        place: A folder of label files, or one file, in any format of `vad.labels`. In a folder, a recording's own file
            has the recording's path below the folder, or the end of that path.
        items: The recordings.

    Returns:
        The segments by the keys of the items, without the recordings that have no labels.

    Raises:
        ConfigError: There is no such place, its labels fit two recordings, or it names none of them.
        LabelError: The one file cannot be read, or breaks a rule of its format.
    """
    owners = LabelOwners(item.path for item in items)
    if place.is_file():
        owners.read(place)
    elif place.is_dir():
        owners.read_own(_own_files(place, items))
    else:
        raise ConfigError(
            f"hypothesis must be a folder of label files, or one file that names its recordings. Received: {place}."
        )
    if ambiguous := next((one for one in owners.findings if one.is_ambiguous), None):
        raise ConfigError(str(ambiguous))
    if place.is_file() and not owners.labels:
        if broken := [str(one) for one in owners.problems if not one.where]:
            raise LabelError(*broken)
        raise ConfigError(
            f"{place} names none of the {len(items)} recordings. Write the ends of their paths."
        )
    hypotheses: dict[str, Hypothesis] = {}
    for item in items:
        if item.path in owners.rejected:
            hypotheses[item.key] = LabelError(str(owners.rejected[item.path]))
        elif item.path in owners.labels:
            hypotheses[item.key] = segments_of_speech(owners.labels[item.path][1])
    return hypotheses


def score_hypothesis(hypothesis: Hypothesis | None, item: CorpusItem) -> Scored:
    """Compare the detected segments of a recording with its reference.

    Args:
        hypothesis: The segments; None where there are none.
        item: The recording and its reference.

    Raises:
        LabelError: The segments are missing or cannot be used, or those of either lie far past the recording's end.
        AudioError: The recording cannot be read. Its duration is needed.
        MissingDependencyError: A container needs the `media` extra.
    """
    if hypothesis is None:
        raise LabelError(f"{item.key}: the hypothesis has no label file for this recording.")
    if isinstance(hypothesis, LabelError):
        raise hypothesis
    duration = _duration(item)
    require_within(item.segments, duration, item.key)
    require_within(hypothesis, duration, f"the hypothesis of {item.key}")
    return score_segments(item.segments, hypothesis, duration)


def _own_files(folder: Path, items: Sequence[CorpusItem]) -> dict[Path, Path | None]:
    """Each recording's own label file."""
    files = {item.path: own_label_file(folder, Path(item.key)) for item in items}
    others = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if others and not any(files.values()):
        raise ConfigError(
            f"no label file in {folder} has the name of a recording: {shown(others)}. "
            "Rename them, or give one about many itself."
        )
    return files


def _duration(item: CorpusItem) -> float:
    with open_audio(item.path) as audio:
        if audio.duration is None:
            for _ in audio:
                pass
        return audio.duration or 0.0
