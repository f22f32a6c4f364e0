"""Reliability and its error, against scikit-learn and cases worked out by hand."""

import math

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from vad.errors import ConfigError
from vad.evaluation.calibration import reliability


def test_bins_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    probabilities = rng.beta(0.5, 0.5, 5000)
    labels = rng.random(5000) < probabilities**2
    ours = reliability(labels, probabilities, n_bins=10)
    speech, probability = calibration_curve(labels, probabilities, n_bins=10)
    assert ours.speech == pytest.approx(speech)
    assert ours.probability == pytest.approx(probability)
    assert ours.frames.sum() == 5000


def test_the_error_weighs_every_frame_the_same() -> None:
    # Three frames at 0.9 that are all speech, one at 0.5 that is none: (3 * 0.1 + 1 * 0.5) / 4.
    found = reliability([1, 1, 1, 0], [0.9, 0.9, 0.9, 0.5])
    assert found.expected_error == pytest.approx(0.2)
    assert np.isnan(found.speech).sum() == 8


def test_probabilities_that_come_true_have_no_error() -> None:
    assert reliability([0] * 3 + [1], [0.25] * 4).expected_error == 0.0
    assert reliability([0, 1], [0.0, 1.0]).expected_error == 0.0


def test_no_frames_have_no_error() -> None:
    assert math.isnan(reliability([], []).expected_error)


@pytest.mark.parametrize(
    ("labels", "probabilities", "n_bins", "rule"),
    [
        ([1], [1.2], 10, "probabilities.*0.*1"),
        ([1], [math.nan], 10, "probabilities.*0.*1"),
        ([1, 0], [0.5], 10, "of one length"),
        ([1], [0.5], 0, "n_bins.*1"),
    ],
)
def test_what_is_no_probability_is_refused(
    labels: list[int], probabilities: list[float], n_bins: int, rule: str
) -> None:
    with pytest.raises(ConfigError, match=rule):
        reliability(labels, probabilities, n_bins)
