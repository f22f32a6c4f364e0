"""The page of `vad prepare`: summary, findings, histograms, and the recordings with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vad.labels.cells import CELL_DURATION
from vad.labels.findings import Finding
from vad.prepare.manifest import speech_of
from vad.prepare.measure import Measured
from vad.prepare.summary import distributions, summary_table
from vad.report.charts import histogram
from vad.report.page import TIMELINE_SCRIPTS, fill_page, link_to, packed_levels, printable, segment_times

__all__ = ["corpus_page"]

_MOST_RECORDINGS = 200
_LEVEL_RANGE_DB = (-90, 0)  # dBFS


def corpus_page(
    title: str,
    folder: Path,
    recordings: Sequence[Measured],
    summary: dict[str, dict[str, Any]],
    findings: Sequence[Finding],
) -> str:
    """Give the page of a corpus as HTML. It plays the recordings from their own files.

    Args:
        title: Of the page.
        folder: Where the page will be: links are relative to it.
        recordings: All; the page shows at most 200, evenly chosen.
        summary: As `vad.prepare.summary.summarise` gives it.
        findings: Problems and notes.
    """
    heads, rows = summary_table(summary)
    total = len(recordings)
    chosen = np.unique(np.linspace(0, total - 1, min(_MOST_RECORDINGS, total)).astype(int)).tolist()
    data = {
        "title": printable(title),
        "summary": {"heads": heads, "rows": rows},
        "findings": [
            {"text": printable(str(one)), "isProblem": one.is_problem}
            for one in sorted(findings, key=lambda one: not one.is_problem)
        ],
        "charts": [chart for one in distributions(recordings) for chart in histogram(*one)],
        "total": total,
        "recordings": [_recording_data(recordings[place], folder) for place in chosen],
    }
    return fill_page(title, [*TIMELINE_SCRIPTS, "charts.js", "corpus.js"], data)


def _recording_data(measured: Measured, folder: Path) -> dict[str, Any]:
    recording = measured.recording
    facts = (f"{measured.duration:.1f} s", f"{measured.sample_rate} Hz")
    view = {
        "start": 0.0,
        "duration": max(measured.duration, 1e-3),
        "level": packed_levels(measured.levels_db, CELL_DURATION, *_LEVEL_RANGE_DB),
        "lanes": [{"name": "labels", "marks": {"reference": segment_times(speech_of(measured))}}],
        "shaded": [0],
        "sound": None,
        "link": link_to(recording.path, folder),
    }
    return {
        "name": printable(str(recording.path)),
        "about": printable(
            ", ".join(filter(None, [recording.split, recording.kind, recording.speaker, *facts]))
        ),
        "view": view,
    }
