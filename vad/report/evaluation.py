"""The page of an evaluation: figures, curves, tables, and the worst stretches to look at and listen to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from vad.breakdown import Stretch, segments_of
from vad.evaluate import GRID_DURATION, Metrics, Scored
from vad.report.curves import charts
from vad.report.excerpt import Excerpt
from vad.report.page import (
    TIMELINE_SCRIPTS,
    fill_page,
    packed,
    shown_excerpt,
    shown_probabilities,
    shown_segments,
)
from vad.segments import SegmentOptions

__all__ = ["Summary", "evaluation_page", "shown_stretch"]

Table = Sequence[tuple[str, Metrics]]


@dataclass(frozen=True)
class Summary:
    """The figures of an evaluation.

    Attributes:
        name: What was measured: a model's name, or the folder of somebody's label files.
        options: The detector's; None for label files.
        pooled: All recordings as one.
        figures: Their sum.
        files: The figures of each recording by its name, the worst first.
        groups: The figures of some together, by what the manifest tells of them.
    """

    name: str
    options: SegmentOptions | None
    pooled: Scored
    figures: Metrics
    files: Table
    groups: dict[str, Table]


def evaluation_page(summary: Summary, stretches: Iterable[dict[str, Any]]) -> str:
    """Show an evaluation.

    Args:
        summary: The figures.
        stretches: The worst first, each as `shown_stretch` gives it.

    Returns:
        HTML in one file.
    """
    options, pooled = summary.options, summary.pooled
    drawn = []
    if options is not None and pooled.probabilities is not None:
        drawn = charts(pooled.labels, pooled.probabilities, options.threshold)
    data = {
        "name": summary.name,
        "options": None if options is None else asdict(options),
        "figures": asdict(summary.figures),
        "charts": drawn,
        "files": _table(summary.files),
        "groups": {name: _table(table) for name, table in summary.groups.items()},
        "stretches": list(stretches),
    }
    scripts = [*TIMELINE_SCRIPTS, "charts.js", "evaluation.js"]
    return fill_page(f"Evaluation of {summary.name}", scripts, data)


def shown_stretch(
    name: str, stretch: Stretch, scored: Scored, excerpt: Excerpt, options: SegmentOptions | None
) -> dict[str, Any]:
    """Make a stretch ready to be shown.

    Args:
        name: Of its recording.
        stretch: Where it is.
        scored: What was said of the whole recording.
        excerpt: The stretch, with its sound.
        options: The detector's; None for label files.
    """
    cells = slice(round(stretch.start / GRID_DURATION), round(stretch.end / GRID_DURATION))
    labels, found = scored.labels[cells], scored.found[cells]
    lanes = (
        ("reference", "reference", labels),
        ("found", "detected", found),
        ("missed", "missed", labels & ~found),
        ("false", "false", found & ~labels),
    )
    probability = None
    if scored.probabilities is not None:
        probability = shown_probabilities(scored.probabilities[cells], GRID_DURATION)
    view = {
        **shown_excerpt(excerpt),
        "probability": probability,
        "thresholds": [] if options is None else [options.threshold, options.release_threshold],
        "lanes": [
            {"name": lane, "marks": {colour: shown_segments(segments_of(mask, stretch.start))}}
            for lane, colour, mask in lanes
        ],
        "shaded": [2, 3],
        "sound": packed(np.frombuffer(excerpt.sound, np.uint8)),
        "link": None,
    }
    return {"name": name, "wrong": stretch.wrong, "view": view}


def _table(rows: Table) -> list[dict[str, Any]]:
    return [{"name": name, **asdict(metrics)} for name, metrics in rows]
