"""Which parts of an excerpt made the network report speech, by integrated gradients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from scipy import stats

from vad.training.backend import keras
from vad.training.inspection.axes import excerpt_panels, figure_with_rows, signed, time_frequency_panel
from vad.training.inspection.network import Array
from vad.training.inspection.pictures import Picture, View
from vad.training.inspection.probe import Analysis
from vad.training.inspection.tape import input_gradient

__all__ = ["inspect", "integrated_gradients", "rank_correlation", "shuffled_weights"]

_STEPS = 32
_BATCH = 4
_ALIKE = 0.5


def integrated_gradients(analysis: Analysis, steps: int = _STEPS) -> Array:
    """The seconds of speech that each cell of the spectrogram adds, negative where it takes some away.

    Integrated gradients (Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", 2017) of the summed
    probability, over the level of every cell, from the excerpt's background to the excerpt. So the map adds up to the
    seconds of speech that the network reports in the excerpt beyond those in its background [shape=(hops, bands)].
    """
    background = analysis.background
    total = np.zeros_like(background)
    places = (np.arange(steps, dtype=np.float32) + 0.5) / steps
    for first in range(0, steps, _BATCH):
        left = 1 - places[first : first + _BATCH, np.newaxis, np.newaxis]
        total += input_gradient(analysis.back, left * background).sum(axis=0)
    seconds: Array = (-background * total / steps * analysis.network.frame_s)[: analysis.hops]
    return seconds


@contextmanager
def shuffled_weights(analysis: Analysis, seed: int = 0) -> Iterator[None]:
    """Within it, the weights of every kernel are in random order, and the network gives logits.

    Probabilities of random weights lie at 0 or 1, where the gradient is 0.
    """
    rng = np.random.default_rng(seed)
    kernels = [one for one in analysis.back.trainable_variables if one.name in ("kernel", "recurrent_kernel")]
    before = [keras.ops.convert_to_numpy(kernel) for kernel in kernels]
    speech = analysis.network.model.get_layer("speech")
    sigmoid, speech.activation = speech.activation, keras.activations.linear
    try:
        for kernel, values in zip(kernels, before, strict=True):
            kernel.assign(rng.permutation(values.ravel()).reshape(values.shape))
        yield
    finally:
        speech.activation = sigmoid
        for kernel, values in zip(kernels, before, strict=True):
            kernel.assign(values)


def rank_correlation(one: Array, other: Array) -> float:
    """Spearman's correlation of two maps, -1 to 1; 0 where one of them is the same everywhere."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(stats.spearmanr(one, other, axis=None).statistic)


def inspect(analysis: Analysis) -> View:
    """Shows which parts of an excerpt made the network report speech."""
    found = integrated_gradients(analysis)
    with shuffled_weights(analysis):
        control = integrated_gradients(analysis)
    arrays = {"seconds": found, "seconds_with_shuffled_weights": control, **analysis.arrays()}
    title = f"Saliency of {analysis.network.name} on {analysis.audio.name}"
    lines = _findings(analysis, found, rank_correlation(found, control))
    return View("saliency", title, lines, [_picture(analysis, found, control)], arrays)


def _findings(analysis: Analysis, found: Array, similarity: float) -> list[str]:
    background = analysis.probabilities_of(analysis.background[np.newaxis])[0]
    seconds = float(analysis.probability.sum() - background.sum()) * analysis.network.frame_s
    positive = found.clip(min=0)
    lines = [
        f"The network reports {seconds:.2f} s more speech in the excerpt than in its background; the map adds up to "
        f"{found.sum():.2f} s, {positive.sum():.2f} s for speech and {-found.clip(max=0).sum():.2f} s against it.",
    ]
    if found.max() > 0:
        share = np.cumsum(positive.sum(axis=0)) / positive.sum()
        low, middle, high = analysis.frequencies[np.searchsorted(share, [0.1, 0.5, 0.9])]
        lines.append(
            f"Half of the evidence for speech lies below {middle:.0f} Hz, four fifths between {low:.0f} and "
            f"{high:.0f} Hz."
        )
        if analysis.reference is not None and analysis.reference.any():
            per_hop = analysis.reference.repeat(analysis.hops // len(analysis.reference))
            lines.append(
                f"{positive[per_hop].sum() / positive.sum():.0%} of the evidence for speech lies where the reference "
                f"has speech, which is {per_hop.mean():.0%} of the excerpt."
            )
    verdict = "the map depends on what was learned" if similarity < _ALIKE else "do not trust the map"
    lines.append(
        "Sanity check (Adebayo et al., 2018): with shuffled weights the network gives a map of rank correlation "
        f"{similarity:+.2f} with this one, so {verdict}."
    )
    return lines


def _picture(analysis: Analysis, found: Array, control: Array) -> Picture:
    figure, axes = figure_with_rows([1.9, 0.9, 2.4, 1.6])
    excerpt_panels(analysis, axes)
    for panel, values, title, unit in (
        (axes[2], found, "evidence for speech (red) and against it (blue)", "speech (ms)"),
        (axes[3], control, "control: the same with shuffled weights, on its own scale", "logit x ms"),
    ):
        shown = 1e3 * values
        scale = signed(shown, quantile=0.995)
        time_frequency_panel(analysis, panel, shown, title=title, unit=unit, **scale)
    return Picture(
        "map",
        "Evidence for speech",
        figure,
        "Red made the network report speech, blue less, in milliseconds. The last map is the control: the weights in "
        "random order.",
        "Healthy: the voice is red, noises are pale or blue. The control must look different.",
    )
