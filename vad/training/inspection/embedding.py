"""A map of an excerpt's frames, by the input of the last layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vad.evaluation.frame_metrics import roc_auc
from vad.training.backend import keras
from vad.training.inspection.axes import WIDTH, time_extent
from vad.training.inspection.network import Array, stages
from vad.training.inspection.pictures import Picture, View
from vad.training.inspection.probe import Analysis

__all__ = ["inspect", "last_features", "principal_plane"]


def last_features(analysis: Analysis) -> Array:
    """The input of the last layer for every frame [shape=(frames, filters)]."""
    network = analysis.network
    last = network.model.get_layer(stages(network.model)[-1].name)
    samples = analysis.audio.whole_frames(network.config)
    found: Array = keras.Model(network.model.input, last.input).predict_on_batch(samples[np.newaxis])[0]
    return found[network.config.delay_frames :]


def principal_plane(points: Array) -> tuple[Array, Array]:
    """The plane in which points differ most, by principal component analysis.

    Args:
        points: [shape=(points, dimensions)]

    Returns:
        Their coordinates [shape=(points, 2)] and the share of the variance along each [shape=(2,)].
    """
    left, sizes, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    # An excerpt of one frame has one direction, and none of any size.
    coordinates, shares = np.zeros((len(points), 2)), np.zeros(2)
    coordinates[:, : len(sizes)] = (left * sizes)[:, :2]
    shares[: len(sizes)] = (sizes**2 / max(float((sizes**2).sum()), 1e-30))[:2]
    return coordinates, shares


def inspect(analysis: Analysis) -> View:
    """Shows a map of the frames."""
    features = last_features(analysis)
    coordinates, shares = principal_plane(features)
    arrays = {"features": features, "coordinates": coordinates, "variance": shares, **analysis.arrays()}
    title = f"Embedding of {analysis.audio.name} by {analysis.network.name}"
    pictures = [_picture(analysis, coordinates, shares)]
    return View("embedding", title, _findings(analysis, coordinates, shares), pictures, arrays)


def _findings(analysis: Analysis, coordinates: Array, shares: Array) -> list[str]:
    lines = [
        f"The plane holds {shares.sum():.0%} of the variance of the excerpt's {len(coordinates)} frames."
    ]
    reference = analysis.reference
    if reference is not None and 0 < reference.sum() < len(reference):
        auc = roc_auc(reference, coordinates[:, 0])
        lines.append(
            f"The first direction alone separates speech from the rest with an AUC of {max(auc, 1 - auc):.3f}, the "
            f"probability with {roc_auc(reference, analysis.probability):.3f}."
        )
    return lines


def _picture(analysis: Analysis, coordinates: Array, shares: Array) -> Picture:
    figure = Figure((WIDTH, 5.2), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    if analysis.reference is None:
        _scatter(left, coordinates, analysis.probability, "speech probability", vmin=0, vmax=1)
        times = np.linspace(*time_extent(analysis), len(coordinates), endpoint=False)
        _scatter(right, coordinates, times, "time in the recording (s)")
    else:
        for value, colour, label in ((False, "tab:grey", "no speech"), (True, "tab:green", "speech")):
            chosen = coordinates[analysis.reference == value]
            left.scatter(*chosen.T, s=10, color=colour, alpha=0.6, lw=0, label=label)
        left.set_title("by the reference", loc="left", fontsize="medium")
        left.legend(loc="best", fontsize="small")
        _scatter(right, coordinates, analysis.probability, "speech probability", vmin=0, vmax=1)
    for axes in (left, right):
        axes.plot(*coordinates.T, color="grey", lw=0.3, alpha=0.4, zorder=0)
        axes.set_xlabel(f"first direction ({shares[0]:.0%} of the variance)")
    left.set_ylabel(f"second direction ({shares[1]:.0%} of the variance)")
    return Picture(
        "map",
        "A map of the frames",
        figure,
        "Every point is a frame, placed by what differs most in the last layer's inputs. Lines join successive frames.",
        "Healthy: two clouds, speech and the rest. One cloud of mixed colours: the network cannot separate them here.",
    )


def _scatter(axes: Axes, coordinates: Array, values: Array, label: str, **scale: Any) -> None:
    points = axes.scatter(
        coordinates[:, 0], coordinates[:, 1], c=values, s=10, cmap="viridis", alpha=0.8, lw=0, **scale
    )
    axes.figure.colorbar(points, ax=axes, label=label, pad=0.01)
    axes.set_title(f"by {label.partition(' (')[0]}", loc="left", fontsize="medium")
