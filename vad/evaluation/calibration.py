"""Calibration: of the frames with a probability of 0.8, eight of ten should be speech."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vad.errors import require
from vad.evaluation.frame_metrics import frame_arrays

__all__ = ["Reliability", "reliability"]


@dataclass(frozen=True)
class Reliability:
    """Frames in bins of equal width by their probability. The means of an empty bin are nan.

    Attributes:
        frames: Number of frames in each bin [shape=(bins,)].
        probability: Their mean probability [shape=(bins,)].
        speech: Their share of speech [shape=(bins,)].
    """

    frames: NDArray[np.int64]
    probability: NDArray[np.float64]
    speech: NDArray[np.float64]

    @property
    def expected_error(self) -> float:
        """Expected calibration error, 0 to 1; nan without frames.

        The mean over frames of each bin's distance between probability and speech (Naeini et al., "Obtaining well
        calibrated probabilities using Bayesian binning", 2015).
        """
        filled = self.frames > 0
        distances = np.abs(self.probability - self.speech)[filled]
        return float(np.average(distances, weights=self.frames[filled])) if filled.any() else math.nan


def reliability(labels: ArrayLike, probabilities: ArrayLike, n_bins: int = 10) -> Reliability:
    """Compare probabilities with labels.

    Args:
        labels: True or 1 where there is speech [shape=(frames,)].
        probabilities: Of speech, 0 to 1 [shape=(frames,)].
        n_bins: Number of bins. Each includes its lower edge, and the last one 1 as well.

    Raises:
        ConfigError: The shapes differ, a probability is out of range, or ``n_bins`` is below 1.
    """
    speech, values = frame_arrays(labels, probabilities, "probabilities")
    wrong = values[~((values >= 0) & (values <= 1))]
    require(not wrong.size, "probabilities must be between 0 and 1", probabilities=wrong[:1])
    require(n_bins >= 1, "n_bins must be 1 or more", n_bins=n_bins)
    bins = np.minimum((values * n_bins).astype(np.int64), n_bins - 1)
    frames = np.bincount(bins, minlength=n_bins)
    with np.errstate(invalid="ignore"):  # an empty bin
        return Reliability(
            frames,
            np.bincount(bins, weights=values, minlength=n_bins) / frames,
            np.bincount(bins, weights=speech, minlength=n_bins) / frames,
        )
