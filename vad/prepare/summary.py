"""The statistics of a corpus."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from vad.corpus.folders import KINDS, SPLITS
from vad.labels.cells import CELL_DURATION
from vad.prepare.measure import Measured

__all__ = ["distributions", "summarise", "summary_table", "summary_text"]

_COLUMNS = (
    ("recordings", "recordings", "{:d}"),
    ("hours", "hours", "{:.2f}"),
    ("speech", "speech_share", "{:.0%}"),
    ("speakers", "speakers", "{:d}"),
    ("speech dBFS", "speech_db", "{:.0f}"),
    ("from", "speech_db_lowest", "{:.0f}"),
    ("to", "speech_db_highest", "{:.0f}"),
    ("over rest dB", "speech_over_rest_db", "{:.0f}"),
)


def summarise(recordings: Sequence[Measured]) -> dict[str, dict[str, Any]]:
    """Sums up each split and kind.

    Returns:
        By "split kind": recordings, hours, speech_share and speakers; median, lowest and highest level of speech by
        recording, dBFS; and the median of speech over the rest, dB. None where there is none.
    """
    groups: dict[str, list[Measured]] = {f"{split} {kind}": [] for split in SPLITS for kind in KINDS}
    for one in recordings:
        groups[f"{one.recording.split} {one.recording.kind}"].append(one)
    return {name: _figures(group) for name, group in groups.items() if group}


def _figures(group: Sequence[Measured]) -> dict[str, Any]:
    seconds = math.fsum(one.duration for one in group)
    speech = sum(int(one.is_speech.sum()) for one in group) * CELL_DURATION
    levels = np.array([one.speech_db for one in group])
    distances = np.array([one.speech_over_background_db for one in group])
    levels, distances = levels[np.isfinite(levels)], distances[np.isfinite(distances)]
    speakers = {name for one in group for name in one.recording.speakers}
    return {
        "recordings": len(group),
        "hours": round(seconds / 3600, 4),
        "speech_share": round(speech / seconds, 4) if seconds else None,
        "speakers": len(speakers),
        "speech_db": _rounded(np.median(levels)) if len(levels) else None,
        "speech_db_lowest": _rounded(levels.min()) if len(levels) else None,
        "speech_db_highest": _rounded(levels.max()) if len(levels) else None,
        "speech_over_rest_db": _rounded(np.median(distances)) if len(distances) else None,
    }


def summary_table(summary: dict[str, dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """The headings of the columns, and a row of texts for each split and kind."""
    rows = [
        [name, *("-" if figures[key] is None else form.format(figures[key]) for _, key, form in _COLUMNS)]
        for name, figures in summary.items()
    ]
    return ["", *(heading for heading, _, _ in _COLUMNS)], rows


def summary_text(summary: dict[str, dict[str, Any]]) -> str:
    """The statistics as a table of plain text."""
    heads, rows = summary_table(summary)
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    return "\n".join(
        " ".join(
            [
                f"{name:<{widths[0]}}",
                *(f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True)),
            ]
        )
        for name, *cells in [heads, *rows]
    )


def distributions(recordings: Sequence[Measured]) -> list[tuple[str, str, list[float]]]:
    """Titles, units and values of the histograms over recordings; a value may be nan."""
    speech = [one for one in recordings if one.recording.kind == "speech"]
    shares = [float(one.is_speech.mean()) for one in speech if one.levels_db.size]
    return [
        ("Length of recordings", "seconds", [one.duration for one in recordings]),
        ("Share of speech", "share of the time", shares),
        ("Level of speech", "dBFS", [one.speech_db for one in speech]),
        ("Speech over the rest", "dB", [one.speech_over_background_db for one in speech]),
    ]


def _rounded(value: Any) -> float:
    return round(float(value), 1)
