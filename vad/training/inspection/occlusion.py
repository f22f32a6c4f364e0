"""Which parts of an excerpt made the network report speech, by taking them away one after the other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from vad.training.inspection.axes import (
    excerpt_panels,
    figure_with_rows,
    signed,
    time_extent,
    time_frequency_panel,
)
from vad.training.inspection.network import Array
from vad.training.inspection.pictures import Picture, View
from vad.training.inspection.probe import Analysis

__all__ = ["inspect", "occlude", "occlusion"]

_TILE_S = 0.2
_ROWS = 8
_BATCH = 8


def occlude(analysis: Analysis, hops: slice, bands: slice = slice(None)) -> Array:
    """The gains that replace a part of the excerpt by its background [shape=(hops, bands)], dB."""
    gains_db = np.zeros_like(analysis.background)
    gains_db[hops, bands] = analysis.background[hops, bands]
    return gains_db


def occlusion(analysis: Analysis, tile_s: float = _TILE_S, rows: int = _ROWS) -> Array:
    """The seconds of speech lost when a tile of the spectrogram is taken away.

    After Zeiler and Fergus, "Visualizing and understanding convolutional networks" (2014). A tile is taken out of the
    sound itself, and leaves the excerpt's background, not silence.

    Args:
        analysis: The excerpt.
        tile_s: Length of a tile, seconds.
        rows: Tiles from the lowest to the highest band.

    Returns:
        Positive where the tile made the network report speech. [shape=(tiles in time, rows)]
    """
    length = max(1, round(tile_s / analysis.network.hop_s))
    starts = range(0, analysis.hops, length)
    edges = np.linspace(0, len(analysis.frequencies), rows + 1).round().astype(int)
    tiles = [
        (slice(start, min(start + length, analysis.hops)), slice(low, high))
        for start in starts
        for low, high in pairwise(edges)
    ]
    lost = []
    for first in range(0, len(tiles), _BATCH):
        changed = np.stack([occlude(analysis, *tile) for tile in tiles[first : first + _BATCH]])
        lost.append((analysis.probability - analysis.probabilities_of(changed)).sum(axis=1))
    seconds: Array = np.concatenate(lost).reshape(len(starts), rows) * analysis.network.frame_s
    return seconds


def inspect(analysis: Analysis) -> View:
    """Shows which parts of an excerpt the result depends on."""
    by_tile = occlusion(analysis)
    by_time = occlusion(analysis, rows=1)[:, 0]
    arrays = {"seconds": by_tile, "seconds_all_bands": by_time, **analysis.arrays()}
    title = f"Occlusion of {analysis.network.name} on {analysis.audio.name}"
    pictures = [_picture(analysis, by_tile, by_time)]
    return View("occlusion", title, _findings(analysis, by_tile), pictures, arrays)


def _findings(analysis: Analysis, seconds: Array) -> list[str]:
    column, row = np.unravel_index(np.abs(seconds).argmax(), seconds.shape)
    bands = np.array_split(analysis.frequencies, seconds.shape[1])[row]
    at = analysis.audio.start + column * _TILE_S
    change = "less" if seconds[column, row] > 0 else "more"
    return [
        f"A tile is {1000 * _TILE_S:.0f} ms by {len(bands)} bands. The most important one lies at {at:.1f} s, "
        f"{bands[0]:.0f} to {bands[-1]:.0f} Hz: without it the network reports "
        f"{1000 * abs(seconds[column, row]):.0f} ms of speech {change}."
    ]


def _picture(analysis: Analysis, by_tile: Array, by_time: Array) -> Picture:
    figure, axes = figure_with_rows([1.9, 0.9, 2.2, 1.0])
    excerpt_panels(analysis, axes)
    shown = 1e3 * by_tile
    title = "without this tile: less speech (red), more (blue)"
    time_frequency_panel(
        analysis, axes[2], shown, title=title, unit="speech lost (ms)", column_s=_TILE_S, **signed(shown)
    )
    start, end = time_extent(analysis)
    edges = np.append(start + np.arange(len(by_time)) * _TILE_S, end)
    axes[3].stairs(1e3 * by_time, edges, fill=True, color="tab:red", alpha=0.6)
    axes[3].axhline(0, color="black", lw=0.8)
    axes[3].set_ylabel("speech lost\n(ms)")
    axes[3].set_title("without this moment, all frequencies", loc="left", fontsize="medium")
    return Picture(
        "map",
        "Parts that the result depends on",
        figure,
        "Each tile was replaced by background. Red: less speech was reported then. Blue: more. Below: whole moments.",
        "Healthy: red lies in speech, mostly at 200 to 4000 Hz. Taking noise away changes nothing.",
    )
