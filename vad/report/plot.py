"""The picture of one recording, drawn by matplotlib."""

from __future__ import annotations

import warnings
from typing import BinaryIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vad.detection.detection import Detection
from vad.detection.options import SegmentOptions
from vad.report.excerpt import Excerpt
from vad.report.page import printable

__all__ = ["plot"]

_MAX_BINS = 3_000  # more than the picture has pixels across
_SPEECH, _WAVE = "#1868c9", "#7d8896"


def plot(
    name: str, options: SegmentOptions, detection: Detection, excerpt: Excerpt, file: BinaryIO, suffix: str
) -> None:
    """Draw waveform, log-mel spectrogram, probability with its thresholds, and segments.

    Args:
        name: What the picture calls the recording.
        options: The detector's.
        detection: The result.
        excerpt: The recording.
        file: Where to write.
        suffix: The format: ".png", ".svg" or ".pdf".
    """
    figure = Figure(figsize=(12, 6.5), dpi=120, layout="constrained")
    waveform, logmel, probability = figure.subplots(3, sharex=True, height_ratios=(1, 1.4, 1.2))
    figure.suptitle(printable(name), fontsize=12, parse_math=False)
    _draw_waveform(waveform, excerpt)
    _draw_logmel(figure, logmel, excerpt)
    _draw_probability(probability, options, detection)
    spans = [(segment.start, segment.duration) for segment in detection.segments]
    for axes in (waveform, probability):
        everywhere = axes.get_xaxis_transform()  # from bottom to top
        axes.broken_barh(spans, (0, 1), transform=everywhere, color=_SPEECH, alpha=0.2, linewidth=0)
    probability.set_xlim(excerpt.start, excerpt.start + max(excerpt.duration, 1e-3))
    probability.set_xlabel("time (s); blue: speech")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # the font may lack the script of the name
        figure.savefig(file, format=suffix.removeprefix("."))


def _draw_waveform(axes: Axes, excerpt: Excerpt) -> None:
    waveform = excerpt.waveform
    firsts = np.arange(0, len(waveform.low), 1 + len(waveform.low) // _MAX_BINS)
    low, high = np.minimum.reduceat(waveform.low, firsts), np.maximum.reduceat(waveform.high, firsts)
    times = excerpt.start + firsts * waveform.bin_duration
    axes.fill_between(times, low, high, step="post", color=_WAVE, linewidth=0.4)
    axes.set_ylabel("amplitude\n(full scale = 1)")


def _draw_logmel(figure: Figure, axes: Axes, excerpt: Excerpt) -> None:
    logmel = excerpt.logmel
    low, high = logmel.visible_range()
    columns, bands = logmel.decibels.shape
    extent = (excerpt.start, excerpt.start + columns * logmel.column_duration, -0.5, bands - 0.5)
    decibels = logmel.decibels
    if columns > _MAX_BINS:  # matplotlib would take 300 MB for 100,000 columns
        firsts = np.linspace(0, columns, _MAX_BINS, endpoint=False, dtype=int)
        widths = np.diff(firsts, append=columns)
        decibels = (np.add.reduceat(decibels, firsts) / widths[:, None]).astype(np.float32)
    image = axes.imshow(
        decibels.T, origin="lower", aspect="auto", extent=extent, vmin=low, vmax=high, cmap="inferno"
    )
    hertz = np.array([250, 500, 1000, 2000, 4000])
    axes.set_yticks(np.interp(hertz, logmel.centres, np.arange(bands)), [f"{one / 1000:g}" for one in hertz])
    axes.set_ylabel("mel band (kHz)")
    figure.colorbar(image, ax=axes, label="dBFS", pad=0.01)


def _draw_probability(axes: Axes, options: SegmentOptions, detection: Detection) -> None:
    values = detection.probabilities
    edges = np.arange(len(values) + 1) * detection.frame_duration
    if len(values) > 2 * _MAX_BINS:  # draw the least and the greatest of every bin, one after the other
        firsts = np.linspace(0, len(values), _MAX_BINS, endpoint=False, dtype=int)
        extremes = [extreme.reduceat(values, firsts) for extreme in (np.minimum, np.maximum)]
        values, edges = np.stack(extremes, axis=1).ravel(), np.linspace(0, edges[-1], 2 * _MAX_BINS + 1)
    axes.stairs(values, edges, color=_SPEECH, linewidth=1.2)
    axes.axhline(options.threshold, color="black", linestyle="--", linewidth=0.8, label="speech starts")
    axes.axhline(options.release_threshold, color="black", linestyle=":", linewidth=0.8, label="speech ends")
    axes.set_ylim(-0.03, 1.03)
    axes.set_ylabel("probability\nof speech")
    axes.legend(loc="upper right", bbox_to_anchor=(1, -0.1), ncols=2, frameon=False, fontsize="small")
