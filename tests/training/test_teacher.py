"""A trained network as a teacher: what it changes in the targets, and what it leaves."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from support.small_networks import small_network

from vad.errors import ConfigError
from vad.training.provenance import load_network
from vad.training.teacher import Teacher

FRAMES = 50


def saved(folder: Path, architecture: str, **options: int) -> Path:
    config, model = small_network(architecture, **options)
    model.save(folder / "a.keras")
    (folder / "a.json").write_text(json.dumps({"network": asdict(config)}))
    return folder / "a.keras"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("teacher"), "logmel-cnn", lookahead_frames=6)


def test_the_teachers_probabilities_are_the_targets_where_somebody_talks(weights: Path) -> None:
    config, _ = small_network("logmel-cnn", lookahead_frames=6)
    rng = np.random.default_rng(0)
    samples = 0.1 * rng.standard_normal((3, FRAMES * config.frame_length)).astype(np.float32)
    targets = np.zeros((3, FRAMES, 2), np.float32)
    targets[0, 20:, :] = 0.9
    targets[2, 30:, 1] = 0.7
    taught = Teacher(weights, config)(samples, targets)
    probabilities = np.asarray(load_network(weights)(samples))
    for scene in (0, 2):
        np.testing.assert_allclose(taught[scene], probabilities[scene], atol=1e-5)
    np.testing.assert_array_equal(taught[1], 0)
    assert targets[0, 0, 0] == 0, "the caller's targets stay"


@pytest.mark.parametrize(
    ("architecture", "options"),
    [
        ("logmel-cnn", {"delay_frames": 1}),
        ("logmel-cnn", {"delay_frames": 2, "frame_ms": 40}),
        ("logmel-cnn", {"delay_frames": 10}),
        ("interchange", {}),
    ],
)
def test_a_teacher_of_other_frames_teaches_at_the_same_time(
    weights: Path, architecture: str, options: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lookahead output, of a straight line in time, is the same line at the student's frames."""
    config, _ = small_network(architecture, **options)
    teacher = Teacher(weights, config)
    count = 41
    samples = np.zeros((1, count * config.frame_length), np.float32)
    frames = samples.shape[1] // 320
    ends_s = 0.02 * (np.arange(frames) + 0.5 - 6)
    lines = np.stack([np.full(frames, 9.0), 0.2 + 0.3 * ends_s], axis=-1)[None]
    monkeypatch.setattr(teacher._model, "predict_on_batch", lambda _: lines)
    targets = np.ones((1, count), np.float32)
    taught = teacher(samples, targets)[0]
    middles_s = config.frame_ms / 1000 * (np.arange(count) + 0.5 - config.delay_frames)
    known = (middles_s > ends_s[0]) & (middles_s < ends_s[-1])
    np.testing.assert_allclose(taught[known], 0.2 + 0.3 * middles_s[known], atol=0.01)
    outside = (middles_s < ends_s[0] - 0.02) | (middles_s > ends_s[-1] + 0.02)
    assert outside.any()
    np.testing.assert_array_equal(taught[outside], 1)


def test_a_teacher_takes_samples_that_end_within_its_frame(weights: Path) -> None:
    config, _ = small_network("interchange")
    samples = np.zeros((1, 39 * config.frame_length), np.float32)
    taught = Teacher(weights, config)(samples, np.ones((1, 39), np.float32))
    assert taught.shape == (1, 39)
    assert 0 < taught[0, 0] < 1


def test_a_teacher_with_fewer_outputs_is_refused(tmp_path: Path, weights: Path) -> None:
    config, _ = small_network("logmel-cnn", lookahead_frames=6)
    with pytest.raises(ConfigError, match=r"teacher.*a\.keras"):
        Teacher(saved(tmp_path, "logmel-cnn"), config)
