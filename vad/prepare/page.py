"""One self-contained HTML page to look a corpus through: figures, findings, and every recording with its labels."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vad.charts import histogram, strip
from vad.prepare.findings import Finding
from vad.prepare.hearing import Heard
from vad.prepare.manifest import speech_of
from vad.prepare.summary import summary_text

__all__ = ["page_text"]

_MOST_STRIPS = 200
_POINTS = 450
_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:14px/1.5 sans-serif;margin:2em auto;max-width:960px;color:#222}}
pre{{background:#f5f5f5;padding:1em;overflow-x:auto;font-size:12px}} .problem{{color:#a11}} figure{{margin:0 0 1.2em}}
figcaption{{font-size:12px;color:#555;overflow-wrap:anywhere}} svg{{max-width:100%}}</style>
<h1>{title}</h1>"""


def page_text(
    title: str,
    all_heard: Sequence[Heard],
    splits: Sequence[str],
    summary: dict[str, dict[str, Any]],
    findings: Sequence[Finding],
) -> str:
    """Writes the page; of very many recordings the strips are those of an even choice."""
    speech = [one for one in all_heard if one.recording.kind == "speech"]
    charts = [
        histogram([one.duration for one in all_heard], "Length of recordings", "seconds"),
        histogram(
            [float(one.is_speech.mean()) for one in speech if one.levels_db.size],
            "Share of speech",
            "share of the time",
        ),
        histogram([one.speech_db for one in speech], "Level of speech", "dBFS"),
        histogram([one.speech_db - one.background_db for one in speech], "Speech over the rest", "dB"),
    ]
    told = "".join(
        f'<li class="{"problem" if one.is_problem else "note"}">{html.escape(str(one))}</li>'
        for one in findings
    )
    shown = np.unique(
        np.linspace(0, len(all_heard) - 1, min(_MOST_STRIPS, len(all_heard))).astype(int)
    ).tolist()
    strips = "".join(_figure(all_heard[place], splits[place]) for place in shown)
    return "\n".join(
        [
            _HEAD.format(title=html.escape(title)),
            f"<pre>{html.escape(summary_text(summary))}</pre>",
            f"<h2>What was found</h2><ul>{told or '<li>Nothing to mend.</li>'}</ul>",
            f"<h2>Spread</h2>{''.join(charts)}",
            f"<h2>Recordings ({len(shown)} of {len(all_heard)})</h2>",
            "<p>Blue is loudness from -90 to 0 dBFS, yellow is speech by the labels. Yellow that begins or ends away "
            "from where the blue rises and falls is a label to look at.</p>",
            strips,
            "</html>",
        ]
    )


def _figure(heard: Heard, split: str) -> str:
    spans = [(one.start, one.end) for one in speech_of(heard)]
    words = [
        split,
        heard.recording.kind,
        heard.recording.speaker,
        f"{heard.duration:.1f} s",
        f"{heard.sample_rate} Hz",
    ]
    caption = f"{heard.recording.path}: {', '.join(filter(None, words))}"
    picture = strip(_thinned(heard.levels_db), spans, max(heard.duration, 1e-3))
    return f"<figure>{picture}<figcaption>{html.escape(caption)}</figcaption></figure>"


def _thinned(levels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The loudest of neighbouring cells, so that a few hundred points show every sound."""
    if len(levels) <= _POINTS:
        return levels
    return np.array([part.max() for part in np.array_split(levels, _POINTS)], np.float32)
