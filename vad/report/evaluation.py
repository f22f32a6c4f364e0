"""The page of an evaluation: figures, curves, tables, and the worst stretches to look at and listen to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from vad.detection.options import SegmentOptions
from vad.evaluation.breakdown import Evaluation, Table, WorstExcerpt, runs_to_segments
from vad.evaluation.scoring import Scored
from vad.labels.cells import CELL_DURATION
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

__all__ = ["evaluation_page", "shown_stretch"]


def evaluation_page(evaluation: Evaluation, stretches: Iterable[dict[str, Any]]) -> str:
    """Show an evaluation.

    Args:
        evaluation: Its figures.
        stretches: The worst first, each as `shown_stretch` gives it.

    Returns:
        HTML in one file.
    """
    options, pooled = evaluation.options, evaluation.pooled
    drawn = []
    if options is not None and pooled.probabilities is not None:
        drawn = charts(pooled.labels, pooled.probabilities, options.threshold)
    data = {
        "name": evaluation.name,
        "options": None if options is None else asdict(options),
        "figures": asdict(evaluation.figures),
        "charts": drawn,
        "files": _table(evaluation.files),
        "groups": {name: _table(table) for name, table in evaluation.group_tables.items()},
        "stretches": list(stretches),
    }
    scripts = [*TIMELINE_SCRIPTS, "charts.js", "evaluation.js"]
    return fill_page(f"Evaluation of {evaluation.name}", scripts, data)


def shown_stretch(
    name: str, stretch: WorstExcerpt, scored: Scored, excerpt: Excerpt, options: SegmentOptions | None
) -> dict[str, Any]:
    """Make a stretch ready to be shown.

    Args:
        name: Of its recording.
        stretch: Where it is.
        scored: What was said of the whole recording.
        excerpt: The stretch, with its sound.
        options: The detector's; None for label files.
    """
    cells = slice(round(stretch.start / CELL_DURATION), round(stretch.end / CELL_DURATION))
    labels, found = scored.labels[cells], scored.detected[cells]
    lanes = (
        ("reference", "reference", labels),
        ("found", "detected", found),
        ("missed", "missed", labels & ~found),
        ("false", "false", found & ~labels),
    )
    probability = None
    if scored.probabilities is not None:
        probability = shown_probabilities(scored.probabilities[cells], CELL_DURATION)
    view = {
        **shown_excerpt(excerpt),
        "probability": probability,
        "thresholds": [] if options is None else [options.threshold, options.release_threshold],
        "lanes": [
            {"name": lane, "marks": {colour: shown_segments(runs_to_segments(mask, stretch.start))}}
            for lane, colour, mask in lanes
        ],
        "shaded": [2, 3],
        "sound": packed(np.frombuffer(excerpt.sound, np.uint8)),
        "link": None,
    }
    return {"name": name, "wrong": stretch.wrong, "view": view}


def _table(rows: Table) -> list[dict[str, Any]]:
    return [{"name": name, **asdict(metrics)} for name, metrics in rows]
