"""Looking into a network with a GRU: its gates, its outputs, and the decibels of its log-mel layer."""

from pathlib import Path

import keras
import numpy as np
import pytest
from support.small_networks import small_network
from support.sounds import RATE, tone

from vad.training.inspection import activations, gradients, weights
from vad.training.inspection.filter_health import layer_health
from vad.training.inspection.network import InspectedAudio, InspectedNetwork, stages
from vad.training.inspection.probe import analyse

GATES = ["recurrent_update", "recurrent_reset", "recurrent_candidate"]


def small_inspected(architecture):
    config, model = small_network(architecture)
    return InspectedNetwork("small", model, config, Path("nowhere"))


def words_about(model):
    return "\n".join(line for stage in stages(model) for line in layer_health(stage).words())


def test_a_gate_without_weights_is_named():
    _, model = small_network("logmel-crnn")
    assert "recurrent" not in words_about(model)
    cell = model.get_layer("recurrent").cell
    for kernel in (cell.kernel, cell.recurrent_kernel):
        values = np.array(kernel)
        values[:, 12 + 4] = 0  # the reset gate is the second of three
        kernel.assign(values)
    assert "recurrent_reset: filter 4 is dead" in words_about(model)
    cell.recurrent_kernel.assign(np.ones(cell.recurrent_kernel.shape))
    assert "recurrent" not in words_about(model), "its recurrent weights are left"


@pytest.fixture(scope="module")
def gru_analysis():
    """A second of noise and tone, analysed by a network with a GRU."""
    network = small_inspected("logmel-crnn")
    normalization = network.model.get_layer("normalization")
    mels = np.linspace(-9, -3, 24).reshape(normalization.mean.shape)
    normalization.mean, normalization.variance = keras.ops.array(mels), keras.ops.array(2.0 - mels / 9)
    noise = 0.01 * np.random.default_rng(3).standard_normal(RATE)
    return analyse(network, InspectedAudio("a", (noise + tone(1.0)).astype(np.float32)))


def test_a_gru_is_shown_gate_by_gate(gru_analysis):
    views = [weights.inspect(gru_analysis.network), gradients.inspect(gru_analysis)]
    pictures = {one.name: one for view in views for one in view.pictures}
    panels = {axes.get_title(): axes for axes in pictures["connections"].figure.axes if axes.images}
    for gate in GATES:
        assert panels[gate].images[0].get_array().shape == (24, 12)
    bars = [label.get_text() for label in pictures["norms"].figure.axes[0].get_yticklabels()]
    assert set(GATES) < set(bars)
    for one in pictures.values():
        assert all((one.seen, one.healthy)), one.name


def test_a_gru_is_shown_with_both_signs_and_never_named_inactive(gru_analysis):
    view = activations.inspect(gru_analysis)
    assert view.arrays["recurrent"].min() < 0 < view.arrays["recurrent"].max()
    assert not any("recurrent" in one for one in view.findings)


def test_the_log_mel_layer_is_shown_in_decibels(gru_analysis):
    view = activations.inspect(gru_analysis)
    log_power = gru_analysis.inside({"it": gru_analysis.network.model.get_layer("logmel").output})["it"]
    np.testing.assert_allclose(view.arrays["logmel_decibels"], 10 / np.log(10) * log_power, atol=1e-3)
    assert np.abs(view.arrays["logmel"] - log_power).max() > 1, "it is what lies behind the normalisation"
    assert "logmel" in [one.name for one in view.pictures]
    for one in view.pictures:
        assert all((one.seen, one.healthy)), one.name
    learned = activations.inspect(analyse(small_inspected("waveform-tcn"), gru_analysis.audio))
    assert "logmel" not in [one.name for one in learned.pictures]
