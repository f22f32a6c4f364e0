"""Keras' mixed precision: samples, powers and probabilities stay in 32 bits, and so does what is exported."""

import keras
import numpy as np
import pytest
from support.small_networks import small_network

from vad.training.networks import build_network
from vad.training.provenance import load_network
from vad.training.release.probe_signals import probe_signals

FULL = {"samples_past", "level", "windows", "logmel", "normalization", "speech", "late_speech"}


@pytest.fixture
def mixed():
    """The policy, until the test is over."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("architecture", ["logmel-cnn", "interchange"])
def test_a_network_learns_in_mixed_precision_and_is_read_in_full(architecture, mixed, tmp_path):
    config, model = small_network(architecture, lookahead_frames=6)
    for layer in model.layers:
        if layer.name in FULL:
            assert layer.compute_dtype == "float32", layer.name
    assert model.get_layer("join").compute_dtype == "bfloat16"
    model.compile("sgd", "binary_crossentropy", run_eagerly=True)  # a graph takes long to make
    speech = probe_signals()["speech"][np.newaxis, : 15 * config.frame_length]
    assert np.isfinite(model.train_on_batch(speech, np.ones((1, 15, 2), np.float32)))
    model.save(tmp_path / "best.keras")
    keras.config.set_dtype_policy("float32")
    exact = build_network(config)
    exact.set_weights(model.get_weights())
    again = load_network(tmp_path / "best.keras")
    np.testing.assert_array_equal(np.asarray(again(speech)), np.asarray(exact(speech)))
    assert np.abs(np.asarray(model(speech)) - np.asarray(exact(speech))).max() > 1e-4, (
        "else nothing was mixed"
    )
