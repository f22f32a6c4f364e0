"""One HTML page to look a corpus through: figures, findings, and every recording with its labels, to be heard.

It needs no other file but the recordings, which are played from where they lie.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from vad.charts import histogram, strip
from vad.prepare.findings import Finding
from vad.prepare.hearing import Heard
from vad.prepare.manifest import relative_path, speech_of
from vad.prepare.summary import summary_text

__all__ = ["page_text"]

_MOST_STRIPS = 200
_POINTS = 450
_WIDTH = 900  # pixels of a strip
_MOST_STEPS = 12
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
_HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">
<title>{title}</title>
<style>body{{font:14px/1.5 sans-serif;margin:2em auto;max-width:960px;color:#222;background:#fff;padding:0 1em}}
pre{{background:#f5f5f5;padding:1em;overflow-x:auto;font-size:12px}} .problem{{color:#a11}} figure{{margin:0 0 1.2em}}
figcaption{{font-size:12px;color:#555;overflow-wrap:anywhere}} svg{{max-width:100%;vertical-align:top}}
.chart{{overflow-x:auto}} .chart svg{{max-width:none}} .row{{display:flex;gap:5px}} .strip,.axis{{flex:none}}
.scale{{display:flex;flex-direction:column;justify-content:space-between;font-size:10px;line-height:1;color:#555}}
.axis{{position:relative;height:16px;width:{width}px;font-size:10px;color:#555}}
.axis span{{position:absolute;border-left:1px solid #999;padding-left:2px;line-height:1.3;white-space:nowrap}}
.strip{{position:relative;cursor:crosshair}}
.current .strip{{outline:2px solid #1f5fa8}}
.cursor{{position:absolute;top:0;bottom:0;width:2px;background:#d0006f;pointer-events:none}}
kbd{{border:1px solid #bbb;border-radius:3px;padding:0 4px}}</style></head><body>
<h1>{title}</h1>"""
_COLUMNS = (
    "<strong>speech dBFS</strong> is the level of speech in the middle one of the recordings (the median), "
    "<strong>from</strong> and <strong>to</strong> that in the softest and in the loudest, and "
    "<strong>over rest dB</strong> how far speech lies over what is no speech in the same recording, again of the "
    "middle one."
)
_STRIPS = (
    "Blue is loudness from -90 dBFS (below) to 0 dBFS (full scale, above), yellow is speech by the labels. Yellow that "
    "begins or ends away from where the blue rises and falls is a label to listen to: click there. <kbd>space</kbd> "
    "stops and goes on, <kbd>←</kbd> and <kbd>→</kbd> play the label before and after."
)
_SCRIPT = """<script>"use strict";
const figures = [...document.querySelectorAll("figure[data-audio]")];
let current = null;
function select(figure) {
  if (current === figure) return;
  if (current !== null) { current.audio.pause(); current.classList.remove("current"); }
  current = figure;
  figure.classList.add("current");
}
function play(figure, seconds) {
  select(figure);
  figure.audio.currentTime = seconds;
  const state = figure.querySelector(".state");
  figure.audio.play().catch((reason) => { state.textContent = " Not played: " + reason.message; });
}
for (const figure of figures) {
  figure.audio = new Audio();
  figure.audio.preload = "none";
  figure.audio.src = figure.dataset.audio;
  figure.length_s = Number(figure.dataset.duration);
  figure.starts = JSON.parse(figure.dataset.starts);
  const strip = figure.querySelector(".strip"), cursor = figure.querySelector(".cursor");
  strip.addEventListener("click", (event) => {
    const box = strip.getBoundingClientRect();
    play(figure, (event.clientX - box.left) / box.width * figure.length_s);
  });
  figure.audio.addEventListener("timeupdate", () => {
    cursor.style.left = 100 * figure.audio.currentTime / figure.length_s + "%";
    cursor.hidden = false;
  });
}
document.addEventListener("keydown", (event) => {
  if (![" ", "ArrowLeft", "ArrowRight"].includes(event.key) || !figures.length) return;
  event.preventDefault();
  const figure = current ?? figures[0], at = figure.audio.currentTime;
  if (event.key !== " ") {
    const later = figure.starts.find((start) => start > at + 0.05);
    const earlier = figure.starts.findLast((start) => start < at - 0.5);
    play(figure, (event.key === "ArrowRight" ? later : earlier) ?? at);
  } else if (figure.audio.paused) play(figure, at);
  else figure.audio.pause();
});
</script></body></html>"""


def page_text(
    title: str,
    all_heard: Sequence[Heard],
    splits: Sequence[str],
    summary: dict[str, dict[str, Any]],
    findings: Sequence[Finding],
    folder: Path,
) -> str:
    """Writes the page; of very many recordings the strips are those of an even choice.

    Args:
        title: Of the page.
        all_heard: The recordings.
        splits: The split of each.
        summary: As `vad.prepare.summary.summarise` gives it.
        findings: What to tell.
        folder: Where the page will lie: recordings are played by their paths relative to it.
    """
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
    strips = "".join(_figure(all_heard[place], splits[place], folder) for place in shown)
    return "\n".join(
        [
            _HEAD.format(title=html.escape(title), width=_WIDTH),
            f"<pre>{html.escape(summary_text(summary))}</pre>",
            f"<p>{_COLUMNS}</p>",
            f"<h2>What was found</h2><ul>{told or '<li>Nothing to mend.</li>'}</ul>",
            f"<h2>Spread</h2>{''.join(charts)}",
            f"<h2>Recordings ({len(shown)} of {len(all_heard)})</h2>",
            f"<p>{_STRIPS}</p>",
            strips,
            _SCRIPT,
        ]
    )


def _figure(heard: Heard, split: str, folder: Path) -> str:
    recording, duration = heard.recording, max(heard.duration, 1e-3)
    spans = [(one.start, one.end) for one in speech_of(heard)]
    words = [split, recording.kind, recording.speaker, f"{heard.duration:.1f} s", f"{heard.sample_rate} Hz"]
    caption = f"{recording.path}: {', '.join(filter(None, words))}"
    sound = html.escape(quote(relative_path(recording.path, folder), errors="surrogateescape"))
    starts = json.dumps([round(start, 3) for start, _ in spans])
    picture = strip(_thinned(heard.levels_db), spans, duration, width=_WIDTH)
    return (
        f'<figure data-audio="{sound}" data-duration="{duration:.3f}" data-starts="{starts}"><div class="chart">'
        f'<div class="row"><div class="strip">{picture}<div class="cursor" hidden></div></div>'
        f'<div class="scale"><span>0 dBFS</span><span>-90</span></div></div>{_axis(duration)}</div>'
        f'<figcaption>{html.escape(caption)}<span class="state"></span></figcaption></figure>'
    )


def _axis(duration: float) -> str:
    """Round seconds below a strip, at most a dozen steps of them, each where its time is."""
    step = next((one for one in _STEPS_S if duration / one <= _MOST_STEPS), duration / _MOST_STEPS)
    # The last one needs room for its words.
    times = [time for time in np.arange(0.0, duration, step).tolist() if time <= 0.96 * duration]
    ticks = (f'<span style="left:{100 * time / duration:.2f}%">{time:.6g} s</span>' for time in times)
    return f'<div class="axis">{"".join(ticks)}</div>'


def _thinned(levels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The loudest of neighbouring cells, so that a few hundred points show every sound.

    Args:
        levels: dBFS every 10 ms [shape=(cells,)].

    Returns:
        At most `_POINTS`, evenly over the recording, as `strip` draws them [shape=(points,)].
    """
    if len(levels) <= _POINTS:
        return levels
    first = np.linspace(0, len(levels), _POINTS + 1).astype(int)[:-1]
    return np.maximum.reduceat(levels, first)
