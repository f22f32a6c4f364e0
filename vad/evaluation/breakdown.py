"""An evaluation of recordings: all together, by groups that the manifest names, and the worst excerpts."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vad.corpus.manifest import CorpusItem
from vad.detection.options import SegmentOptions
from vad.detection.segments import Segment
from vad.evaluation.scoring import Metrics, Scored, pool
from vad.labels.cells import CELL_DURATION

__all__ = ["Evaluation", "Table", "WorstExcerpt", "break_down", "runs_to_segments", "worst_excerpts"]

Table = list[tuple[str, Metrics]]
"""Metrics with the name of their recording or group."""

_SNR_EDGES_DB = (0, 5, 10, 15, 20)
_MOST_OF_ONE = 3


@dataclass(frozen=True)
class Evaluation:
    """The scores of recordings.

    Attributes:
        name: The model's name, or the path of the label files.
        options: The detector's; None for label files.
        scored: The recordings, the worst first.
        pooled: All of them together.
        figures: The metrics of all of them together.
        files: The metrics of each, by its key.
        groups: The metrics of groups, by an attribute in the manifest and its value.
    """

    name: str
    options: SegmentOptions | None
    scored: list[tuple[CorpusItem, Scored]]
    pooled: Scored
    figures: Metrics
    files: Table
    groups: dict[str, Table]

    @classmethod
    def of(
        cls, name: str, options: SegmentOptions | None, scored: Iterable[tuple[CorpusItem, Scored]]
    ) -> Evaluation:
        """Evaluate the scores of recordings, in any order."""

        def metrics(one: Scored) -> Metrics:
            return one.metrics(math.nan if options is None else options.threshold)

        ordered = sorted(scored, key=lambda pair: _error_share(pair[1]), reverse=True)
        pooled = pool([one for _, one in ordered])
        files = [(item.key, metrics(one)) for item, one in ordered]
        groups = {
            attribute: [(value, metrics(one)) for value, one in by_value.items()]
            for attribute, by_value in break_down(ordered).items()
        }
        return cls(name, options, ordered, pooled, metrics(pooled), files, groups)


def _error_share(scored: Scored) -> float:
    errors = scored.detection
    return (errors.miss + errors.false_alarm) / scored.duration if scored.duration > 0 else 0.0


def break_down(scored: Iterable[tuple[CorpusItem, Scored]]) -> dict[str, dict[str, Scored]]:
    """Pool the recordings by speaker, source, language and signal-to-noise ratio.

    Args:
        scored: The recordings and their scores.

    Returns:
        The groups by attribute. An attribute that puts all recordings in one group, or each in its own, is left out;
        so are recordings without the attribute.
    """
    groups: dict[str, dict[str, list[Scored]]] = {name: defaultdict(list) for name in _ATTRIBUTES}
    for item, one in scored:
        for name, value_of in _ATTRIBUTES.items():
            if value := value_of(item):
                groups[name][value].append(one)
    return {
        name: {value: pool(by_value[value]) for value in sorted(by_value, key=_rank)}
        for name, by_value in groups.items()
        if 1 < len(by_value) < sum(map(len, by_value.values()))
    }


@dataclass(frozen=True)
class WorstExcerpt:
    """An excerpt of a recording with many errors.

    Attributes:
        recording: Index of the recording.
        start: Seconds.
        end: Seconds.
        wrong: Seconds in error.
    """

    recording: int
    start: float
    end: float
    wrong: float


def worst_excerpts(scored: Sequence[Scored], count: int, duration: float = 10.0) -> list[WorstExcerpt]:
    """Find the excerpts where segments and reference differ most, without overlap and at most three in a recording.

    Args:
        scored: The scores of recordings.
        count: The largest number of excerpts.
        duration: Seconds of each; a shorter recording is one excerpt.

    Returns:
        The excerpts, the worst first.
    """
    length = round(duration / CELL_DURATION)
    excerpts = [
        excerpt
        for index, one in enumerate(scored)
        for excerpt in _worst_of(index, one.labels != one.detected, length)
    ]
    return sorted(excerpts, key=lambda excerpt: -excerpt.wrong)[:count]


def runs_to_segments(cells: NDArray[np.bool_], start: float = 0.0) -> list[Segment]:
    """Runs of True on the grid as segments, in seconds; the first cell begins at ``start``."""
    padded = np.concatenate([[False], cells, [False]])
    edges = np.flatnonzero(padded[1:] != padded[:-1]) * CELL_DURATION + start
    return [Segment(float(first), float(last)) for first, last in edges.reshape(-1, 2)]


def _worst_of(recording: int, wrong: NDArray[np.bool_], length: int) -> list[WorstExcerpt]:
    left = wrong.copy()
    length = min(length, len(wrong))
    excerpts: list[WorstExcerpt] = []
    while len(excerpts) < _MOST_OF_ONE and left.any():
        sums = np.cumsum(np.concatenate([[0], left]))
        within = sums[length:] - sums[:-length]
        best = np.flatnonzero(within == within.max())
        # Many excerpts hold the same errors: of the first run of them, take the one with the errors in its middle.
        run = best[: 1 + int(np.argmax(np.append(np.diff(best) > 1, True)))]
        first = int(run[len(run) // 2])
        seconds = CELL_DURATION * int(within[first])
        excerpts.append(
            WorstExcerpt(recording, first * CELL_DURATION, (first + length) * CELL_DURATION, seconds)
        )
        left[max(0, first - length + 1) : first + length] = False  # excerpts that would overlap
    return excerpts


def _snr(item: CorpusItem) -> str:
    if item.snr_db is None:
        return ""
    return _SNR_NAMES[int(np.searchsorted(_SNR_EDGES_DB, item.snr_db, side="right"))]


_SNR_NAMES = (
    f"under {_SNR_EDGES_DB[0]} dB",
    *(f"{low} to {high} dB" for low, high in itertools.pairwise(_SNR_EDGES_DB)),
    f"{_SNR_EDGES_DB[-1]} dB and more",
)
_ATTRIBUTES: dict[str, Callable[[CorpusItem], str]] = {
    "speaker": lambda item: item.speaker,
    "source": lambda item: item.source,
    "language": lambda item: item.language,
    "SNR": _snr,
}


def _rank(value: str) -> tuple[int, str]:
    return (_SNR_NAMES.index(value) if value in _SNR_NAMES else 0, value)
