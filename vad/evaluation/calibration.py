"""Whether probabilities are what they say: of the frames given 0.8, eight of ten should be speech."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vad.errors import ConfigError

__all__ = ["Reliability", "reliability"]


@dataclass(frozen=True)
class Reliability:
    """Frames in bins of equal width by their probability; an empty bin has nan for its means.

    Attributes:
        frames: In each bin [shape=(bins,)].
        probability: Their mean probability [shape=(bins,)].
        speech: The share of them that is speech [shape=(bins,)].
    """

    frames: NDArray[np.int64]
    probability: NDArray[np.float64]
    speech: NDArray[np.float64]

    @property
    def expected_error(self) -> float:
        """Expected calibration error, 0 to 1; nan without frames.

        The mean distance of probability and speech over all frames, bin by bin (Naeini et al., "Obtaining well
        calibrated probabilities using Bayesian binning", 2015).
        """
        filled = self.frames > 0
        distances = np.abs(self.probability - self.speech)[filled]
        return float(np.average(distances, weights=self.frames[filled])) if filled.any() else math.nan


def reliability(labels: ArrayLike, probabilities: ArrayLike, n_bins: int = 10) -> Reliability:
    """Compare probabilities with what came true.

    Args:
        labels: True or 1 where there is speech [shape=(frames,)].
        probabilities: Of speech, 0 to 1 [shape=(frames,)].
        n_bins: How many bins; each holds its lower edge, and the last one 1 as well.

    Raises:
        ConfigError: The shapes differ, a probability is none, or there is no bin.
    """
    speech, values = np.asarray(labels, np.bool_), np.asarray(probabilities, np.float64)
    if speech.ndim != 1 or speech.shape != values.shape:
        raise ConfigError(
            "labels and probabilities must be 1-D and of one length. "
            f"Received: shapes {speech.shape} and {values.shape}."
        )
    if not np.all((values >= 0) & (values <= 1)):
        raise ConfigError("probabilities must be between 0 and 1. Received: one that is not.")
    if n_bins < 1:
        raise ConfigError(f"n_bins must be 1 or more. Received: n_bins={n_bins}.")
    bins = np.minimum((values * n_bins).astype(np.int64), n_bins - 1)
    frames = np.bincount(bins, minlength=n_bins)
    with np.errstate(invalid="ignore"):  # an empty bin
        return Reliability(
            frames,
            np.bincount(bins, weights=values, minlength=n_bins) / frames,
            np.bincount(bins, weights=speech, minlength=n_bins) / frames,
        )
