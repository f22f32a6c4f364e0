"""Looking into a GRU: its gates, how long it remembers, and what the network with it hears."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
from support.small_networks import small_network
from support.sounds import RATE, tone

from vad.training.inspection import activations, gradients, weights
from vad.training.inspection.filter_health import layer_health
from vad.training.inspection.memory import time_constants, update_gates
from vad.training.inspection.network import InspectedAudio, InspectedNetwork, stages
from vad.training.inspection.probe import analyse

GATES = ["recurrent_update", "recurrent_reset", "recurrent_candidate"]
SENTENCE_END = r"\.(?= [A-Z]|$)"


def small_inspected(architecture):
    config, model = small_network(architecture)
    return InspectedNetwork("small", model, config, Path("nowhere"))


def words_about(model):
    return "\n".join(line for stage in stages(model) for line in layer_health(stage).words())


def test_a_gate_that_hears_nothing_is_named():
    _, model = small_network("logmel-crnn")
    assert "recurrent" not in words_about(model)
    cell = model.get_layer("recurrent").cell
    for kernel in (cell.kernel, cell.recurrent_kernel):
        values = np.array(kernel)
        values[:, 12 + 4] = 0  # the reset gate is the second of three
        kernel.assign(values)
    assert "recurrent_reset: filter 4 is dead" in words_about(model)
    cell.recurrent_kernel.assign(np.ones(cell.recurrent_kernel.shape))
    assert "recurrent" not in words_about(model), "it still hears its own memory"


@pytest.fixture(scope="module")
def heard_by_gru():
    """A second of noise and tone, heard by a network with a GRU whose unit 3 is shut and whose unit 7 is open."""
    network = small_inspected("logmel-crnn")
    normalization = network.model.get_layer("normalization")
    mels = np.linspace(-9, -3, 24).reshape(normalization.mean.shape)
    normalization.mean, normalization.variance = keras.ops.array(mels), keras.ops.array(2.0 - mels / 9)
    cell = network.model.get_layer("recurrent").cell
    bias = np.array(cell.bias)
    bias[0, [3, 7]] = 30, -30
    cell.bias.assign(bias)
    noise = 0.01 * np.random.default_rng(3).standard_normal(RATE)
    return analyse(network, InspectedAudio("a", (noise + tone(1.0)).astype(np.float32)))


def test_a_gru_is_shown_gate_by_gate(heard_by_gru):
    views = [weights.inspect(heard_by_gru.network), gradients.inspect(heard_by_gru)]
    pictures = {one.name: one for view in views for one in view.pictures}
    panels = {axes.get_title(): axes for axes in pictures["gates"].figure.axes if axes.images}
    for gate in GATES:
        assert panels[gate].images[0].get_array().shape == (24, 12)
    bars = [label.get_text() for label in pictures["norms"].figure.axes[0].get_yticklabels()]
    assert set(GATES) < set(bars)
    connections = [axes.get_title() for axes in pictures["connections"].figure.axes if axes.images]
    assert not set(GATES) & set(connections)
    for one in pictures.values():
        assert len(re.findall(SENTENCE_END, f"{one.seen} {one.healthy}")) == 2, one.name


def test_the_update_gate_is_that_of_the_gru(heard_by_gru):
    layer = heard_by_gru.network.model.get_layer("recurrent")
    here = heard_by_gru.inside({"heard": layer.input, "said": layer.output})
    before = np.pad(here["said"], ((1, 0), (0, 0)))[:-1]
    kernel, recurrent, bias = (np.array(one) for one in layer.weights)
    _, *heard = np.split(here["heard"] @ kernel + bias[0], 3, axis=1)
    _, *kept = np.split(before @ recurrent + bias[1], 3, axis=1)
    reset = 1 / (1 + np.exp(-heard[0] - kept[0]))
    candidate = np.tanh(heard[1] + reset * kept[1])
    update = update_gates(heard_by_gru)["recurrent"]
    np.testing.assert_allclose(update * before + (1 - update) * candidate, here["said"], atol=1e-5)


def test_how_long_a_gru_remembers_is_told(heard_by_gru):
    fades = np.tile(np.exp([-1 / 5, -1 / 50]), (40, 1))
    np.testing.assert_allclose(time_constants(fades, step_s=0.02), [0.1, 1.0])
    lines = activations.inspect(heard_by_gru).findings
    assert any("recurrent: 1 of 12 units never take in anything new in this clip (3)" in one for one in lines)
    assert any("recurrent: 1 of 12 units never keep anything in this clip (7)" in one for one in lines)
    assert not any("recurrent" in one and "fire" in one for one in lines)


def test_what_the_network_hears_is_shown_in_decibels(heard_by_gru):
    view = activations.inspect(heard_by_gru)
    log_power = heard_by_gru.inside({"it": heard_by_gru.network.model.get_layer("logmel").output})["it"]
    np.testing.assert_allclose(view.arrays["heard_decibels"], 10 / np.log(10) * log_power, atol=1e-3)
    assert np.abs(view.arrays["heard"] - log_power).max() > 1, "it is what lies behind the normalisation"
    assert "heard" in [one.name for one in view.pictures]
    for one in view.pictures:
        assert len(re.findall(SENTENCE_END, f"{one.seen} {one.healthy}")) == 2, one.name
    learned = activations.inspect(analyse(small_inspected("waveform-tcn"), heard_by_gru.audio))
    assert "heard" not in [one.name for one in learned.pictures]
