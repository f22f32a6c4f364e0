"""The page of an evaluation: figures, curves, tables, and the worst excerpts to look at and listen to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vad.corpus.manifest import CorpusItem
from vad.detection.options import SegmentOptions
from vad.errors import AudioError
from vad.evaluation.breakdown import Evaluation, Table, WorstExcerpt, runs_to_segments, worst_excerpts
from vad.evaluation.scoring import Scored
from vad.files import write_text
from vad.labels.cells import CELL_DURATION
from vad.report.charts import charts
from vad.report.excerpt import Excerpt, blocks_between, take_excerpt
from vad.report.page import TIMELINE_SCRIPTS, fill_page, packed_excerpt, packed_steps, segment_times

__all__ = ["save_evaluation"]

_EXCERPTS = 12
_SAMPLE_RATE = 16_000


def save_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write the page; one line on stderr for each excerpt that cannot be read.

    Raises:
        ConfigError: It cannot be written.
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
        "files": _rows(evaluation.files),
        "groups": {name: _rows(table) for name, table in evaluation.groups.items()},
        "excerpts": list(_worst_excerpts(evaluation)),
    }
    scripts = [*TIMELINE_SCRIPTS, "charts.js", "evaluation.js"]
    write_text(path, fill_page(f"Evaluation of {evaluation.name}", scripts, data))


def _worst_excerpts(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    for worst in worst_excerpts([scored for _, scored in evaluation.scored], _EXCERPTS):
        item, scored = evaluation.scored[worst.recording]
        try:
            excerpt = take_excerpt(
                blocks_between(item.path, worst.start, worst.end, _SAMPLE_RATE),
                _SAMPLE_RATE,
                worst.end - worst.start,
                start=worst.start,
                with_sound=True,
            )
        except AudioError as error:  # the file may have changed since it was measured
            print(f"vad: {error}", file=sys.stderr)
            continue
        yield _excerpt_data(item, scored, worst, excerpt, evaluation.options)


def _excerpt_data(
    item: CorpusItem, scored: Scored, worst: WorstExcerpt, excerpt: Excerpt, options: SegmentOptions | None
) -> dict[str, Any]:
    cells = slice(round(worst.start / CELL_DURATION), round(worst.end / CELL_DURATION))
    labels, detected = scored.labels[cells], scored.detected[cells]
    lanes = (
        ("reference", "reference", labels),
        ("detected", "detected", detected),
        ("missed", "missed", labels & ~detected),
        ("false", "false", detected & ~labels),
    )
    probability = None
    if scored.probabilities is not None:
        probability = packed_steps(scored.probabilities[cells], CELL_DURATION)
    view = {
        **packed_excerpt(excerpt),
        "probability": probability,
        "thresholds": [] if options is None else [options.threshold, options.release_threshold],
        "lanes": [
            {"name": name, "marks": {color: segment_times(runs_to_segments(mask, worst.start))}}
            for name, color, mask in lanes
        ],
        "shaded": [2, 3],
        "link": None,
    }
    return {"name": item.key, "wrong": worst.wrong, "view": view}


def _rows(table: Table) -> list[dict[str, Any]]:
    return [{"name": name, **asdict(metrics)} for name, metrics in table]
