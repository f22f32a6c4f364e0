"""One page shell for all reports: the template with its style, its scripts, and their data as one JSON document."""

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
    "packed_excerpt",
    "packed_levels",
    "packed_steps",
    "printable",
    "segment_times",
]

TIMELINE_SCRIPTS = ("signals.js", "lanes.js", "player.js", "timeline.js")
_STEPS = 255
_MAX_LEVELS = 2_000  # more than a screen has pixels across


def fill_page(title: str, scripts: Sequence[str], data: dict[str, Any]) -> str:
    """Give a page as HTML in one file.

    Args:
        title: Plain text.
        scripts: Names in `templates`, in the order in which they run; `page.js` runs before them.
        data: The JSON document that the scripts show. nan and infinity become null.
    """
    document = json_text(data, separators=(",", ":"), ensure_ascii=True)
    return Template(_template("page.html")).substitute(
        title=html.escape(printable(title)),
        style=_template("style.css"),
        script="\n".join(map(_template, ["page.js", *scripts])),
        # Without `<`, a JSON text has no markup.
        data=document.replace("<", "\\u003c"),
    )


def printable(text: str) -> str:
    """Escape the bytes of a file name that are not UTF-8, as JSON does."""
    return text.encode(errors="backslashreplace").decode()


def link_to(path: Path, folder: Path) -> str:
    """Give the URL of a file, relative to a page in a folder."""
    target = os.path.join(os.path.realpath(path.parent), path.name)
    try:
        below = os.path.relpath(target, os.path.realpath(folder))
    except ValueError:  # another drive
        return Path(target).as_uri()
    return quote(Path(below).as_posix(), errors="surrogateescape")


def packed_excerpt(excerpt: Excerpt) -> dict[str, Any]:
    """Pack an excerpt for the scripts."""
    waveform, logmel = excerpt.waveform, excerpt.logmel
    peak = float(max(np.abs(waveform.low).max(initial=0), np.abs(waveform.high).max(initial=0)))
    scale = 127 / peak if peak > 0 else 0.0
    darkest, lightest = logmel.visible_range()
    steps = (logmel.decibels - darkest) * (_STEPS / (lightest - darkest))
    return {
        "start": excerpt.start,
        "duration": excerpt.duration,
        "waveform": {
            "binDuration": waveform.bin_duration,
            "peak": peak,
            "low": _packed(np.rint(waveform.low * scale).astype(np.int8)),
            "high": _packed(np.rint(waveform.high * scale).astype(np.int8)),
        },
        "logmel": {
            "columnDuration": logmel.column_duration,
            "centres": [round(float(hertz), 1) for hertz in logmel.centres],
            "range": [round(darkest, 1), round(lightest, 1)],
            "levels": _packed(np.clip(np.rint(steps), 0, _STEPS).astype(np.uint8)),
        },
        "sound": _packed(np.frombuffer(excerpt.sound, np.uint8)) if excerpt.sound else None,
    }


def packed_steps(values: NDArray[np.floating[Any]], frame_duration: float) -> dict[str, Any]:
    """Pack values from 0 to 1 in steps of 1/255 for the scripts; frames of `frame_duration` seconds."""
    return {"frameDuration": frame_duration, "steps": _packed(np.rint(values * _STEPS).astype(np.uint8))}


def packed_levels(
    levels_db: NDArray[np.floating[Any]], cell_duration: float, lowest_db: float, highest_db: float
) -> dict[str, Any]:
    """Pack levels for the scripts; where there are very many, the loudest of each few neighbours."""
    neighbours = -(-len(levels_db) // _MAX_LEVELS) or 1
    loudest = np.maximum.reduceat(levels_db, np.arange(0, len(levels_db), neighbours))
    steps = np.clip((loudest - lowest_db) / (highest_db - lowest_db), 0, 1)
    return {"range": [lowest_db, highest_db], **packed_steps(steps, neighbours * cell_duration)}


def segment_times(segments: Sequence[Segment]) -> list[list[float]]:
    """Give starts and ends in seconds, for the scripts."""
    return [[round(one.start, 4), round(one.end, 4)] for one in segments]


def _packed(values: NDArray[Any]) -> str:
    """Give the bytes of an array as the scripts' `unpack` reads them."""
    return base64.b64encode(values.tobytes()).decode("ascii")


def _template(name: str) -> str:
    return (resources.files("vad.report") / "templates" / name).read_text(encoding="utf-8")
