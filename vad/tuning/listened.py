"""Recordings after the model heard them: all that a search needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vad.audio import open_audio
from vad.corpus import CorpusItem
from vad.detector import Detector
from vad.segments import Segment

__all__ = ["Listened", "listen"]


@dataclass(frozen=True)
class Listened:
    """A recording after the model heard it.

    Attributes:
        group: Recordings of one group are in one fold: those that share a speaker.
        probabilities: One a frame.
        duration: Seconds.
        reference: Where speech is.
    """

    group: str
    probabilities: Sequence[float]
    duration: float
    reference: Sequence[Segment]


def listen(detector: Detector, item: CorpusItem, group: str) -> Listened:
    """Lets the model hear a recording, of a group as `Listened` has it.

    Raises:
        AudioError: It cannot be read.
    """
    stream = detector.file_stream()
    probabilities: list[float] = []
    with open_audio(
        item.path, sample_rate=detector.sample_rate, block_duration=detector.block_duration
    ) as blocks:
        for block in blocks:
            stream.feed(block)
            probabilities += stream.probabilities.tolist()
    stream.finish()
    probabilities += stream.probabilities.tolist()
    return Listened(group, probabilities, stream.duration, item.segments)
