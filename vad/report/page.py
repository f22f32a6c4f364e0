"""A page of one file: the template, its style and scripts, and what they show as one JSON document."""

from __future__ import annotations

import base64
import html
import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from vad.detection.segments import Segment
from vad.json_text import json_text
from vad.report.excerpt import Excerpt

__all__ = [
    "TIMELINE_SCRIPTS",
    "fill_page",
    "link_to",
    "packed",
    "printable",
    "shown_excerpt",
    "shown_levels",
    "shown_probabilities",
    "shown_segments",
]

TIMELINE_SCRIPTS = ("signals.js", "lanes.js", "player.js", "timeline.js")
_DB_STEPS = 255
_MAX_LEVELS = 2_000  # more than a screen has pixels across


def fill_page(title: str, scripts: Sequence[str], data: dict[str, Any]) -> str:
    """Put a page together.

    Args:
        title: Of the page, as plain text.
        scripts: Names in `templates`, in the order in which they run, after that of all pages.
        data: What the scripts show. JSON has no nan and no infinity: they become null.

    Returns:
        HTML that needs nothing else.
    """
    document = json_text(data, separators=(",", ":"), ensure_ascii=True)
    return Template(_template("page.html")).substitute(
        title=html.escape(printable(title)),
        style=_template("style.css"),
        script="\n".join(map(_template, ["page.js", *scripts])),
        # Nothing in a JSON text is markup once `<` is written so.
        data=document.replace("<", "\\u003c"),
    )


def printable(text: str) -> str:
    """A name as it can be written: a file's need not be UTF-8, and its stray bytes are shown as JSON shows them."""
    return text.encode(errors="backslashreplace").decode()


def packed(values: NDArray[Any]) -> str:
    """Bytes of an array, as the scripts' `unpack` reads them."""
    return base64.b64encode(values.tobytes()).decode("ascii")


def link_to(path: Path, folder: Path) -> str:
    """The URL of a file, relative to a page in a folder."""
    target = os.path.join(os.path.realpath(path.parent), path.name)
    try:
        below = os.path.relpath(target, os.path.realpath(folder))
    except ValueError:  # another drive
        return Path(target).as_uri()
    return quote(Path(below).as_posix(), errors="surrogateescape")


def shown_excerpt(excerpt: Excerpt) -> dict[str, Any]:
    """The part of an excerpt that is drawn, as the scripts take it."""
    waveform, logmel = excerpt.waveform, excerpt.logmel
    peak = float(max(np.abs(waveform.low).max(initial=0), np.abs(waveform.high).max(initial=0)))
    scale = 127 / peak if peak > 0 else 0.0
    darkest, lightest = logmel.visible_range()
    steps = (logmel.decibels - darkest) * (_DB_STEPS / (lightest - darkest))
    return {
        "start": excerpt.start,
        "duration": excerpt.duration,
        "waveform": {
            "binDuration": waveform.bin_duration,
            "peak": peak,
            "low": packed(np.rint(waveform.low * scale).astype(np.int8)),
            "high": packed(np.rint(waveform.high * scale).astype(np.int8)),
        },
        "logmel": {
            "columnDuration": logmel.column_duration,
            "centres": [round(float(hertz), 1) for hertz in logmel.centres],
            "range": [round(darkest, 1), round(lightest, 1)],
            "levels": packed(np.clip(np.rint(steps), 0, _DB_STEPS).astype(np.uint8)),
        },
    }


def shown_probabilities(probabilities: NDArray[np.floating[Any]], frame_duration: float) -> dict[str, Any]:
    """Frame probabilities in steps of 1/255, as the scripts take them."""
    return {"frameDuration": frame_duration, "steps": packed(np.rint(probabilities * 255).astype(np.uint8))}


def shown_levels(
    levels_db: NDArray[np.floating[Any]], cell_duration: float, lowest: float, highest: float
) -> dict[str, Any]:
    """Levels in steps of 1/255 of a range, as the scripts take them; of very many cells the loudest of neighbours."""
    together = -(-len(levels_db) // _MAX_LEVELS) or 1
    loudest = np.maximum.reduceat(levels_db, np.arange(0, len(levels_db), together))
    steps = np.clip((loudest - lowest) / (highest - lowest), 0, 1) * _DB_STEPS
    return {
        "range": [lowest, highest],
        "frameDuration": together * cell_duration,
        "steps": packed(np.rint(steps).astype(np.uint8)),
    }


def shown_segments(segments: Sequence[Segment]) -> list[list[float]]:
    """Starts and ends in seconds, as the scripts take them."""
    return [[round(one.start, 4), round(one.end, 4)] for one in segments]


def _template(name: str) -> str:
    return (resources.files("vad.report") / "templates" / name).read_text(encoding="utf-8")
