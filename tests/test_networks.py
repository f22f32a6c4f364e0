"""The networks: what they see, that they see no future, and that pieces and whole agree."""

import itertools

import keras
import numpy as np
import pytest
from small_networks import small_network

from vad.errors import ConfigError
from vad.training.networks import ARCHITECTURES, NetworkConfig, build_network, describe
from vad.training.streaming import state_shapes, streaming


def noise(config, frames, seed=0):
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal((1, frames * config.frame_length))).astype(np.float32)


def run(model, samples):
    return np.asarray(model(samples, training=False))[0]


@pytest.mark.parametrize("frame_ms", [20, 30, 40, 50, 100])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_one_sample_reaches_exactly_the_receptive_field(architecture, frame_ms):
    config, model = small_network(architecture, frame_ms=frame_ms)
    facts = describe(model)
    frames = facts.receptive_field // config.frame_length + 12
    samples = noise(config, frames)
    assert run(model, samples).shape == (frames,)
    changed_frame, offline = 4, run(model, samples)
    moved = set()
    # Around the middle of a frame, since windows are zero at their ends; up and down, since a ReLU hides one way.
    for offset, change in itertools.product((-9, 0, 9), (-0.9, 0.9)):
        changed = samples.copy()
        changed[0, changed_frame * config.frame_length + config.frame_length // 2 + offset] += change
        moved.update(np.flatnonzero(np.abs(run(model, changed) - offline) > 1e-7).tolist())
    moved = sorted(moved)
    assert moved[0] == changed_frame, "a network that hears the future, or too late"
    reach = (moved[-1] + 1 - changed_frame) * config.frame_length - config.frame_length // 2
    assert reach <= facts.receptive_field + config.frame_length
    assert reach >= facts.receptive_field - 2 * config.frame_length


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_any_cutting_into_blocks_gives_the_offline_result(architecture):
    config, model = small_network(architecture)
    samples = noise(config, 40)
    offline = run(model, samples)
    states = {name: np.zeros(shape, np.float32) for name, shape in state_shapes(model).items()}
    pieces, at = [], 0
    for frames in (1, 1, 7, 2, 20, 9):
        block = samples[:, at * config.frame_length : (at + frames) * config.frame_length]
        with streaming(states) as states:
            pieces.append(run(model, block))
        at += frames
    np.testing.assert_allclose(np.concatenate(pieces), offline, atol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_batch_mates_change_nothing(architecture):
    config, model = small_network(architecture)
    quiet, loud = 0.01 * noise(config, 20), 9 * noise(config, 20, seed=1)
    together = np.asarray(model(np.concatenate([quiet, loud]), training=False))
    np.testing.assert_allclose(together[0], run(model, quiet), atol=1e-6)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_costs_are_counted_from_the_weights(architecture):
    _, model = small_network(architecture)
    facts = describe(model)
    assert facts.parameters == sum(int(np.prod(weight.shape)) for weight in model.weights)
    _, twice = small_network(architecture, channels=24)
    assert describe(twice).macs_per_second > facts.macs_per_second


def test_shipped_sizes():
    facts = describe(build_network(NetworkConfig()))
    assert facts.parameters < 500_000
    assert 2.5 < facts.receptive_field / 16_000 < 3
    assert "2.67 s" in str(facts)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_saved_networks_come_back(architecture, tmp_path):
    config, model = small_network(architecture)
    model.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras")
    samples = noise(config, 10)
    np.testing.assert_array_equal(run(again, samples), run(model, samples))


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"architecture": "transformer"}, "architecture is one of logmel-cnn, waveform-tcn"),
        ({"frame_ms": 25}, "frame_ms is a multiple of 10"),
        ({"frame_ms": 110}, "from 20 to 100"),
        ({"delay_frames": -1}, "delay_frames spans 0 to 500 ms"),
        ({"delay_frames": 26}, "delay_frames spans 0 to 500 ms"),
        ({"dilations": ()}, "and a dilation"),
    ],
)
def test_refuses_what_cannot_be_built(options, rule):
    with pytest.raises(ConfigError, match=rule):
        NetworkConfig(**options)
