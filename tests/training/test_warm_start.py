"""A run that begins with layers of another network: what is taken over, what begins anew, and what is refused."""

import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from support.small_networks import small_network
from support.tiny_run import SETTINGS, history, write_corpus

from vad.errors import ModelError, VadError
from vad.training.config import TrainConfig, load_config
from vad.training.data.batches import Batches
from vad.training.data.corpora import read_corpora
from vad.training.fit import _adapt_normalization, _prepare_data, _Validation, fit
from vad.training.networks import build_network, low_latency_only
from vad.training.provenance import describe_run, load_keras
from vad.training.resume import starting_model
from vad.training.weights import weights_of

SAMPLES = 0.1 * np.random.default_rng(0).standard_normal((1, 32_000)).astype(np.float32)


def adapt(model):
    """Gives the normalisation something to remember."""
    logmel = keras.Model(model.input, model.get_layer("logmel").output)
    model.get_layer("normalization").adapt(np.asarray(logmel(SAMPLES)))


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """A run of a network that decides lookahead, from one that does not."""
    corpus, folder = write_corpus(tmp_path_factory.mktemp("corpus")), tmp_path_factory.mktemp("start")
    settings = {
        **SETTINGS,
        "corpus": str(corpus),
        "data": str(folder / "data"),
        "epochs": 1,
        "epoch_hours": 0.01,
    }
    settings |= {
        "network.lookahead_frames": 6,
        "network.lookahead_channels": 4,
        "warm_start": str(folder / "a.keras"),
    }
    config = load_config(None, settings)
    start = build_network(replace(config.network, lookahead_frames=0))
    adapt(start)
    start.save(config.warm_start)
    return config


@pytest.mark.parametrize("architecture", ["logmel-cnn", "waveform-tcn"])
def test_the_low_latency_output_are_those_of_the_start(architecture, tmp_path):
    network, start = small_network(architecture)
    if architecture == "logmel-cnn":
        adapt(start)
    start.save(tmp_path / "a.keras")
    config = TrainConfig(network=replace(network, lookahead_frames=6), warm_start=str(tmp_path / "a.keras"))
    begun = starting_model(config, tmp_path / "run")
    np.testing.assert_array_equal(low_latency_only(begun)(SAMPLES), start(SAMPLES))
    assert all(layer.trainable for layer in begun.layers)


def test_layers_of_another_shape_begin_anew(config, tmp_path):
    wider = starting_model(replace(config, network=replace(config.network, channels=12)), tmp_path)
    anew = starting_model(
        replace(config, network=replace(config.network, channels=12), warm_start=""), tmp_path
    )
    start = keras.models.load_model(config.warm_start)
    for name, expected in (("conv1", start), ("normalization", start), ("join", anew), ("late_join", anew)):
        found, wanted = (model.get_layer(name).get_weights() for model in (wider, expected))
        assert all(np.array_equal(one, other) for one, other in zip(found, wanted, strict=True)), name


@pytest.mark.parametrize(
    ("start", "network", "rule"),
    [
        (
            "nowhere/a.keras",
            {},
            r"^warm_start must be a model's name \(.*\), a run's folder, or a \.keras or \.tflite file",
        ),
        (None, {"n_mels": 24, "conv_channels": (5, 6), "channels": 12}, "^warm_start must share layers with"),
    ],
)
def test_a_start_with_nothing_to_take_is_refused_in_one_line_before_any_work(
    start, network, rule, config, tmp_path, monkeypatch
):
    monkeypatch.setattr("vad.training.fit._prepare_data", lambda *_: pytest.fail("hours of rendering"))
    asked = replace(config, warm_start=start or config.warm_start, network=replace(config.network, **network))
    with pytest.raises(VadError, match=rf"{rule}.*Received: .*a\.keras") as caught:
        fit(asked, tmp_path / "new")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "new").exists()


def test_a_run_keeps_the_normalisation_of_its_start_and_its_card_tells_of_both(config, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    fit(replace(config, warm_start=""), first)
    after = replace(config, warm_start=str(first), weight_decay=0.5)
    fit(after, second)
    start, trained = (keras.models.load_model(run / "best.keras") for run in (first, second))
    means = [np.asarray(model.get_layer("normalization").mean) for model in (start, trained)]
    np.testing.assert_array_equal(*means)
    (row,) = history(second)
    assert 0 < row["val_auc"] != row["val_lookahead_auc"] > 0
    training = describe_run(second, after)["training"]
    assert training["validation_auc"] == row["val_auc"]
    assert training["config"]["weight_decay"] == 0.5
    assert training["start"]["config"]["weight_decay"] == config.weight_decay
    assert "start" not in training["start"]
    assert describe_run(second, config)["training"]["start"] == {}, "of weights without a run or a card"


def test_a_normalisation_of_other_bands_is_adapted_to_the_training_scenes(config, tmp_path):
    other = replace(config, network=replace(config.network, n_mels=20))
    model, (scenes, *_) = starting_model(other, tmp_path), _prepare_data(other, read_corpora(other))
    _adapt_normalization(model, Batches(scenes, other.network, batch_size=4, seed=0))
    assert np.all(np.asarray(model.get_layer("normalization").mean) < -1), "log power is far below 0"


def test_each_decision_is_validated_against_its_own_targets(config, tmp_path):
    *_, dev = _prepare_data(config, read_corpora(config))
    validation = _Validation(dev, config, tmp_path)
    low_latency, lookahead = np.moveaxis(validation._targets, -1, 0)
    validation.set_model(
        SimpleNamespace(predict=lambda *_, **__: np.stack([1 - low_latency, lookahead], axis=-1))
    )
    figures = validation.measure()
    assert (figures["val_auc"], figures["val_lookahead_auc"]) == (0, 1)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "archive"])
def test_damaged_weights_are_one_line(tmp_path: Path, damage: str) -> None:
    whole = bytearray(weights_of("tiny").read_bytes())
    if damage == "flipped":
        whole[len(whole) // 2 : len(whole) // 2 + 64] = b"\xff" * 64
    path = tmp_path / "last.keras"
    path.write_bytes(
        {"cut": whole[: len(whole) // 2], "empty": b"", "flipped": bytes(whole)}.get(damage, b"")
    )
    if damage == "archive":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", "[1")
    with pytest.raises(ModelError, match=r"^weights must be a \.keras file.*last\.keras \([^\n]*\)\.$"):
        load_keras(path)
