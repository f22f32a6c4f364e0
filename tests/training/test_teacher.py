"""A trained network as a teacher: what it changes in the targets, and what it leaves."""

from pathlib import Path

import numpy as np
import pytest
from support.small_networks import small_network

from vad.errors import ConfigError
from vad.training.provenance import load_network
from vad.training.teacher import Teacher

FRAMES = 50


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("teacher") / "a.keras"
    small_network("logmel-cnn", lookahead_frames=6)[1].save(path)
    return path


def test_targets_come_near_the_teachers_probabilities_where_somebody_talks(weights: Path) -> None:
    config, _ = small_network("logmel-cnn", lookahead_frames=6)
    rng = np.random.default_rng(0)
    samples = 0.1 * rng.standard_normal((3, FRAMES * config.frame_length)).astype(np.float32)
    targets = np.zeros((3, FRAMES, 2), np.float32)
    targets[0, 20:, :] = 0.9
    targets[2, 30:, 1] = 0.7
    taught = Teacher(weights, config)(samples, targets)
    probabilities = np.asarray(load_network(weights)(samples))
    for scene in (0, 2):
        wanted = 0.25 * targets[scene] + 0.75 * probabilities[scene]
        np.testing.assert_allclose(taught[scene], wanted, atol=1e-5)
    np.testing.assert_array_equal(taught[1], 0)
    assert targets[0, 0, 0] == 0, "the caller's targets stay"


@pytest.mark.parametrize("options", [{}, {"lookahead_frames": 6, "frame_ms": 40}])
def test_a_teacher_of_other_outputs_is_refused(weights: Path, options: dict[str, int]) -> None:
    config, _ = small_network("logmel-cnn", **options)
    with pytest.raises(ConfigError, match=r"^a teacher must have .*a\.keras"):
        Teacher(weights, config)
