"""Which parts of a clip made the network say speech, by taking them away one after the other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from vad.training.inspection.axes import (
    SIGNED_COLOURS,
    clip_panels,
    figure_with_rows,
    signed_norm,
    time_extent,
    time_frequency_panel,
)
from vad.training.inspection.network import Array
from vad.training.inspection.pictures import Picture, View
from vad.training.inspection.probe import Analysis

__all__ = ["inspect", "occlude", "occlusion"]

_TILE_S = 0.2
_ROWS = 8
_AT_ONCE = 8


def occlude(analysis: Analysis, hops: slice, bands: slice = slice(None)) -> Array:
    """The gains that replace a part of the clip by the clip's background [shape=(hops, bands)], dB."""
    gains_db = np.zeros_like(analysis.background)
    gains_db[hops, bands] = analysis.background[hops, bands]
    return gains_db


def occlusion(analysis: Analysis, tile_s: float = _TILE_S, rows: int = _ROWS) -> Array:
    """How many seconds of speech the network finds less when a tile of the spectrogram is taken away.

    After Zeiler and Fergus, "Visualizing and understanding convolutional networks" (2014). It is taken out of the
    sound itself, and leaves the clip's own background, not silence.

    Args:
        analysis: The clip.
        tile_s: Length of a tile, seconds.
        rows: Tiles from the lowest to the highest band.

    Returns:
        Positive where the tile made the network say speech. [shape=(tiles in time, rows)]
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
    for first in range(0, len(tiles), _AT_ONCE):
        changed = np.stack([occlude(analysis, *tile) for tile in tiles[first : first + _AT_ONCE]])
        lost.append((analysis.probability - analysis.probabilities_of(changed)).sum(axis=1))
    seconds: Array = np.concatenate(lost).reshape(len(starts), rows) * analysis.network.frame_s
    return seconds


def inspect(analysis: Analysis) -> View:
    """Shows which parts of a clip the network's answer rests on."""
    everywhere = occlusion(analysis)
    in_time = occlusion(analysis, rows=1)[:, 0]
    arrays = {
        "seconds": everywhere,
        "seconds_all_bands": in_time,
        "frequencies": analysis.frequencies,
        "decibels": analysis.decibels,
        "probability": analysis.probability,
    }
    title = f"Occlusion of {analysis.network.name} on {analysis.audio.name}"
    pictures = [_picture(analysis, everywhere, in_time)]
    return View("occlusion", title, _findings(analysis, everywhere), pictures, arrays)


def _findings(analysis: Analysis, seconds: Array) -> list[str]:
    column, row = np.unravel_index(np.abs(seconds).argmax(), seconds.shape)
    bands = np.array_split(analysis.frequencies, seconds.shape[1])[row]
    at = analysis.audio.start + column * _TILE_S
    did = "less" if seconds[column, row] > 0 else "more"
    return [
        f"A tile is {1000 * _TILE_S:.0f} ms by {len(bands)} bands. The one that counts most lies at {at:.1f} s, "
        f"{bands[0]:.0f} to {bands[-1]:.0f} Hz: without it the network finds "
        f"{1000 * abs(seconds[column, row]):.0f} ms of speech {did}."
    ]


def _picture(analysis: Analysis, everywhere: Array, in_time: Array) -> Picture:
    figure, axes = figure_with_rows([1.9, 0.9, 2.2, 1.0])
    clip_panels(analysis, axes)
    shown = 1e3 * everywhere
    image = time_frequency_panel(
        analysis, axes[2], shown, column_s=_TILE_S, cmap=SIGNED_COLOURS, norm=signed_norm(shown)
    )
    figure.colorbar(image, ax=axes[2], label="speech lost (ms)", pad=0.01)
    axes[2].set_title(
        "without this tile: less speech found (red), more (blue)", loc="left", fontsize="medium"
    )
    start, end = time_extent(analysis)
    edges = np.append(start + np.arange(len(in_time)) * _TILE_S, end)
    axes[3].stairs(1e3 * in_time, edges, fill=True, color="tab:red", alpha=0.6)
    axes[3].axhline(0, color="black", lw=0.8)
    axes[3].set_ylabel("speech lost\n(ms)")
    axes[3].set_title("without this moment, all frequencies", loc="left", fontsize="medium")
    return Picture(
        "map",
        "What the answer rests on",
        figure,
        "Each tile of the map was taken out of the sound, down to the clip's own background, and the clip heard again: "
        "red where less speech was found then, blue where more, and below it the same for whole moments.",
        "In a healthy map the red lies in speech, mostly where the voice has its energy (200 to 4000 Hz), and taking a "
        "noise away changes nothing; the beginnings of words count most, as the network remembers from there on.",
    )
