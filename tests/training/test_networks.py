"""The networks: what they see, that they see no future, and that pieces and whole agree."""

import functools
import itertools

import keras
import numpy as np
import pytest
from support.places import MODELS
from support.small_networks import small_network

from vad.errors import ConfigError
from vad.training.config import load_config
from vad.training.networks import (
    ARCHITECTURES,
    LogMelCnn,
    build_network,
    describe,
    low_latency_only,
    network_from_dict,
)
from vad.training.networks.streaming import state_shapes, streaming


def noise(config, frames, seed=0, level=0.1):
    rng = np.random.default_rng(seed)
    return (level * rng.standard_normal((1, frames * config.frame_length))).astype(np.float32)


def run(model, samples):
    return np.asarray(model(samples, training=False))[0]


shared_network = functools.cache(small_network)  # for tests that leave it as it is
RECURRENT = ["logmel-crnn", "interchange"]
BOUNDED = [name for name in ARCHITECTURES if name not in RECURRENT]


# Even and odd numbers of hops in a frame, the shortest and the longest frame.
@pytest.mark.parametrize(
    ("frame_ms", "lookahead_frames"),
    [(20, 0), (30, 0), (100, 0), (50, 6)],
)
@pytest.mark.parametrize("architecture", BOUNDED)
def test_one_sample_reaches_exactly_the_receptive_field(architecture, frame_ms, lookahead_frames):
    config, model = small_network(architecture, frame_ms=frame_ms, lookahead_frames=lookahead_frames)
    facts = describe(model)
    frames = facts.receptive_field // config.frame_length + 12
    samples = noise(config, frames, level=1e-3)  # neither so loud nor so faint that its level is changed
    assert run(model, samples).shape == ((frames, 2) if lookahead_frames else (frames,))
    changed_frame, offline = 4, run(model, samples)
    moved = set()
    # Around the middle of a frame, since windows are zero at their ends; up and down, since a ReLU hides one way.
    for offset, change in itertools.product((-9, 0, 9), (-0.009, 0.009)):
        changed = samples.copy()
        changed[0, changed_frame * config.frame_length + config.frame_length // 2 + offset] += change
        moved.update(np.nonzero(np.abs(run(model, changed) - offline) > 1e-7)[0].tolist())
    moved = sorted(moved)
    assert moved[0] == changed_frame, "an output that depends on the future, or comes too late"
    reach = (moved[-1] + 1 - changed_frame) * config.frame_length - config.frame_length // 2
    assert reach <= facts.receptive_field + config.frame_length
    assert reach >= facts.receptive_field - 2 * config.frame_length


@pytest.mark.parametrize("architecture", RECURRENT)
def test_a_recurrent_network_sees_no_future_and_forgets_nothing_at_once(architecture):
    config, model = shared_network(architecture)
    samples = noise(config, 60)
    changed = samples.copy()
    changed[0, 4 * config.frame_length :][: config.frame_length] *= 3
    moved = np.flatnonzero(np.abs(run(model, changed) - run(model, samples)) > 1e-7)
    assert describe(model).receptive_field is None
    assert "receptive field unbounded" in str(describe(model))
    assert moved[0] == 4
    assert moved[-1] > 40, "its convolutions alone reach 4 frames"


# A network with a lookahead output has all layers of one without.
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_any_cutting_into_blocks_gives_the_offline_result(architecture):
    config, model = small_network(architecture, lookahead_frames=6)
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


def test_the_lookahead_output_looks_back_over_all_it_waits_for_and_the_prompt_one_no_further_than_before():
    config, model = small_network("logmel-cnn", lookahead_frames=12)
    samples = noise(config, 90, level=1e-3)
    changed = samples.copy()
    changed[0, 20 * config.frame_length :][: config.frame_length] *= 3
    moved = np.abs(run(model, changed) - run(model, samples)) > 1e-7
    low_latency, lookahead = (np.flatnonzero(column) for column in moved.T)
    assert low_latency[0] == lookahead[0] == 20
    assert lookahead[-1] >= low_latency[-1] + 12


def test_the_low_latency_output_is_told_without_the_late_one():
    config, model = small_network("logmel-cnn", lookahead_frames=6)
    alone, samples = low_latency_only(model), noise(config, 20)
    np.testing.assert_array_equal(run(alone, samples), run(model, samples)[:, 0])
    assert not [layer.name for layer in alone.layers if layer.name.startswith("lookahead")]
    assert np.abs(run(model, samples)[:, 1] - run(model, samples)[:, 0]).max() > 0.1


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_batch_mates_change_nothing(architecture):
    config, model = shared_network(architecture)
    quiet, loud = 0.01 * noise(config, 20), 9 * noise(config, 20, seed=1)
    together = np.asarray(model(np.concatenate([quiet, loud]), training=False))
    np.testing.assert_allclose(together[0], run(model, quiet), atol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_costs_are_counted_from_the_weights(architecture):
    _, model = shared_network(architecture)
    facts = describe(model)
    assert facts.parameters == sum(int(np.prod(weight.shape)) for weight in model.weights)
    wider = {"dense_units": (24, 8)} if architecture == "patch-cnn" else {"channels": 24}
    _, twice = small_network(architecture, **wider)
    assert describe(twice).macs_per_second > facts.macs_per_second


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_default_sizes_are_at_most_the_budget(architecture):
    assert describe(build_network(ARCHITECTURES[architecture]())).parameters < 500_000


def test_tiny_is_tiny():
    config = load_config(MODELS / "tiny.toml").network
    assert 50_000 < describe(build_network(config)).parameters <= 60_000


def test_facts_are_printed():
    facts = describe(build_network(LogMelCnn()))
    assert 2.5 < facts.receptive_field / 16_000 < 3
    assert "2.67 s" in str(facts)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_weight_learns(architecture):
    config, model = small_network(architecture, lookahead_frames=6)
    model.compile(keras.optimizers.SGD(1.0), "binary_crossentropy", run_eagerly=True)
    before = [np.array(weight) for weight in model.trainable_variables]
    model.train_on_batch(noise(config, 20), np.ones((1, 20, 2)))
    learned = [not np.array_equal(*pair) for pair in zip(before, model.trainable_variables, strict=True)]
    assert all(learned), [
        w.path for w, moved in zip(model.trainable_variables, learned, strict=True) if not moved
    ]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_saved_networks_come_back(architecture, tmp_path):
    config, model = shared_network(architecture)
    model.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras")
    samples = noise(config, 10)
    np.testing.assert_array_equal(run(again, samples), run(model, samples))


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"architecture": "transformer"}, "architecture"),
        ({"frame_ms": 25}, "frame_ms.*10"),
        ({"frame_ms": 110}, "from 20 to 100"),
        ({"delay_frames": -1}, "delay_frames.*0.*500"),
        ({"delay_frames": 26}, "delay_frames.*0.*500"),
        ({"lookahead_frames": 3}, "lookahead_frames.*0.*delay_frames=3"),
        ({"lookahead_frames": 101}, "2000.*20.*lookahead_frames=101"),
        ({"lookahead_frames": 21, "frame_ms": 100}, "span at most 2000 ms, at 100 ms each"),
        ({"lookahead_frames": -1}, "lookahead_frames.*0"),
        ({"lookahead_channels": 0}, "lookahead_channels.*1"),
        ({"dilations": ()}, "dilations.*1"),
        ({"channels": 0}, "channels.*1"),
        ({"conv_channels": (8,)}, "conv_channels"),
        ({"conv_channels": (8, -8)}, "conv_channels.*1"),
        ({"n_mels": 30}, "n_mels.*31.*4.*conv_channels"),
        ({"architecture": "two-branch", "filter_channels": (8,)}, "filter_channels"),
        ({"architecture": "patch-cnn", "n_mels": 21}, "n_mels.*22"),
        ({"architecture": "patch-cnn", "conv_channels": [8, 8, 8]}, "must be a list of 2 numbers"),
        ({"architecture": "patch-cnn", "dilations": (1,)}, "an option of patch-cnn must be one of"),
        ({"architecture": "logmel-crnn", "dilations": (1,)}, "an option of logmel-crnn must be one of"),
        ({"architecture": "interchange", "frame_ms": 40}, "frame_ms.*32"),
        ({"architecture": "interchange", "channels": 129}, "channels.*128"),
        ({"architecture": "interchange", "n_mels": 14}, "n_mels.*15.*3.*conv_channels"),
        ({"filter_channels": (8, 8)}, r"network\.filter_channels=\(8, 8\)"),
        ({"channels": 1.5}, r"network\.channels"),
    ],
)
def test_refuses_what_cannot_be_built(options, rule):
    with pytest.raises(ConfigError, match=rule):
        network_from_dict(options)


@pytest.mark.parametrize(("architecture", "n_mels"), [("logmel-cnn", 31), ("patch-cnn", 22)])
def test_the_fewest_bands_can_be_built(architecture, n_mels):
    build_network(ARCHITECTURES[architecture](n_mels=n_mels))
