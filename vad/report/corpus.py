"""The page of a corpus: its figures, findings, distributions, and every recording with its labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vad.detection.segments import Segment
from vad.report.page import TIMELINE_SCRIPTS, fill_page, printable, shown_levels, shown_segments

__all__ = ["Corpus", "Distribution", "LabelledRecording", "corpus_page"]

_MOST_RECORDINGS = 200
_LEVEL_RANGE_DB = (-90, 0)  # dBFS


@dataclass(frozen=True)
class Distribution:
    """A figure of every recording.

    Attributes:
        title: What it is.
        unit: Of the values.
        values: One a recording; those that are not finite do not count.
    """

    title: str
    unit: str
    values: Sequence[float]


@dataclass(frozen=True)
class LabelledRecording:
    """A recording of a corpus.

    Attributes:
        name: What the page calls it.
        about: A line on it.
        link: Where its audio lies, as a URL relative to the page.
        duration: Seconds.
        levels_db: Level of each cell, dBFS [shape=(cells,)].
        cell_duration: Seconds.
        speech: Where anybody speaks by its labels, in order.
    """

    name: str
    about: str
    link: str
    duration: float
    levels_db: NDArray[np.float32]
    cell_duration: float
    speech: Sequence[Segment]


@dataclass(frozen=True)
class Corpus:
    """What the page shows.

    Attributes:
        title: Of the page.
        summary: A table: its heads and its rows.
        problems: What keeps data out.
        notes: What deserves a look.
        distributions: Drawn as histograms.
        recordings: All of them; the page shows an even choice of very many.
    """

    title: str
    summary: tuple[Sequence[str], Sequence[Sequence[str]]]
    problems: Sequence[str]
    notes: Sequence[str]
    distributions: Sequence[Distribution]
    recordings: Sequence[LabelledRecording]


def corpus_page(corpus: Corpus) -> str:
    """Show a corpus.

    Returns:
        HTML that needs no other file but the recordings, which it plays from where they lie.
    """
    heads, rows = corpus.summary
    total = len(corpus.recordings)
    shown = np.unique(np.linspace(0, total - 1, min(_MOST_RECORDINGS, total)).astype(int))
    data = {
        "title": printable(corpus.title),
        "summary": {"heads": heads, "rows": rows},
        "findings": [
            {"text": printable(text), "isProblem": is_problem}
            for is_problem, texts in ((True, corpus.problems), (False, corpus.notes))
            for text in texts
        ],
        "charts": [chart for one in corpus.distributions for chart in _histogram(one)],
        "total": total,
        "recordings": [_shown_recording(corpus.recordings[place]) for place in shown.tolist()],
    }
    return fill_page(corpus.title, [*TIMELINE_SCRIPTS, "charts.js", "corpus.js"], data)


def _shown_recording(recording: LabelledRecording) -> dict[str, Any]:
    view = {
        "start": 0.0,
        "duration": max(recording.duration, 1e-3),
        "level": shown_levels(recording.levels_db, recording.cell_duration, *_LEVEL_RANGE_DB),
        "lanes": [{"name": "labels", "marks": {"reference": shown_segments(recording.speech)}}],
        "shaded": [0],
        "sound": None,
        "link": recording.link,
    }
    return {"name": printable(recording.name), "about": printable(recording.about), "view": view}


def _histogram(distribution: Distribution) -> list[dict[str, Any]]:
    """How often values come, as a chart; none where there are no values."""
    values = [value for value in distribution.values if math.isfinite(value)]
    if not values:
        return []
    counts, edges = np.histogram(values, bins=min(20, max(5, len(values) // 3)))
    most = int(counts.max())
    places = ((edges - edges[0]) / (edges[-1] - edges[0])).tolist()
    return [
        {
            "title": distribution.title,
            "caption": f"{len(values)} recordings",
            "x": {"label": distribution.unit, "ticks": _ticks(float(edges[0]), float(edges[-1]))},
            "y": {"label": "recordings", "ticks": _ticks(0.0, float(most), least_step=1)},
            "bars": [
                [low, high, count / most]
                for low, high, count in zip(places[:-1], places[1:], counts.tolist(), strict=True)
                if count
            ],
        }
    ]


def _ticks(low: float, high: float, least_step: float = 0.0) -> list[list[Any]]:
    """Round numbers of a range, by steps of 1, 2 or 5: each with its place between 0 and 1."""
    power = 10 ** math.floor(math.log10((high - low) / 4))
    step = max(least_step, power * max(one for one in (1, 2, 5) if one * power <= (high - low) / 4))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [
        [(number * step - low) / (high - low), f"{number * step:.3g}"] for number in range(first, last + 1)
    ]
