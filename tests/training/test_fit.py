"""A training run: it learns, it stops and goes on exactly, and it leaves what a model card needs."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from support.tiny_run import SETTINGS, history, write_corpus

from vad.cli import main
from vad.errors import ConfigError, LabelError, ModelError, VadError
from vad.training.config import load_config
from vad.training.data.batches import Batches
from vad.training.data.corpora import read_corpora
from vad.training.fit import fit, learning_rate_at
from vad.training.history import read_rows
from vad.training.networks import build_network
from vad.training.provenance import describe_run, network_of
from vad.training.resume import check_start, starting_model


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def config(corpus, tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    return load_config(None, {**SETTINGS, "corpus": str(corpus), "data": str(data)})


@pytest.fixture(scope="module")
def unbroken(config, tmp_path_factory):
    run = tmp_path_factory.mktemp("unbroken")
    fit(config, run)
    return run


def test_learns(unbroken):
    rows = history(unbroken)
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert max(row["val_auc"] for row in rows) > 0.75


def test_best_checkpoint_is_the_best_epoch(unbroken, config):
    run = describe_run(unbroken, config)["training"]
    assert run["best_epoch"] == max(history(unbroken), key=lambda row: row["val_auc"])["epoch"]
    assert network_of(unbroken / "best.keras") == config.network


def test_records_how_large_its_steps_were(unbroken):
    rows = read_rows(unbroken / "updates.csv")
    assert [row.pop("epoch") for row in rows] == [1, 2, 3, 4]
    assert set(rows[0]) == {"conv1", "conv2", "join", "dilated1", "dilated2", "speech"}
    assert all(1e-6 < ratio < 0.2 for row in rows for ratio in row.values())


def test_normalisation_is_adapted_to_the_training_scenes(unbroken, config):
    model = keras.models.load_model(unbroken / "best.keras")
    shards = sorted((Path(config.data) / "train").glob("labels-*.npy"))
    samples = np.concatenate(
        [Batches(shards, config.network, batch_size=4, seed=config.seed)[i][0] for i in range(8)]
    )
    features = np.asarray(keras.Model(model.input, model.get_layer("normalization").output)(samples))
    np.testing.assert_allclose(features.mean(axis=(0, 1)), 0, atol=1e-2)
    np.testing.assert_allclose(features.std(axis=(0, 1)), 1, atol=1e-2)


def test_ends_when_validation_gets_no_better_and_stays_ended(unbroken, config, tmp_path, monkeypatch):
    aucs = iter([0.7, 0.9, 0.8, 0.85])
    monkeypatch.setattr(
        "vad.training.fit._Validation.measure", lambda self: {"val_auc": next(aucs), "val_loss": 1.0}
    )
    patient = replace(config, epochs=8, patience=2, epoch_hours=0.01)
    fit(patient, tmp_path)
    assert [row["val_auc"] for row in history(tmp_path)] == [0.7, 0.9, 0.8, 0.85]
    fit(patient, tmp_path)
    assert len(history(tmp_path)) == 4


@pytest.mark.parametrize("init", ["defualt", "nowhere/best.keras", "."])
def test_weights_that_are_not_there_are_one_line(init, config, tmp_path):
    with pytest.raises(ModelError, match=rf"^init .*\(.*default.*\).* Received: {re.escape(init)}"):
        fit(replace(config, init=init), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_refuses_before_any_work(unbroken, config, tmp_path, monkeypatch):
    monkeypatch.setattr("vad.training.fit._prepare_data", lambda *_: pytest.fail("hours of rendering"))
    other = replace(config, network=replace(config.network, channels=16))
    with pytest.raises(ConfigError, match=rf"Received: {unbroken}, of .*channels=8"):
        fit(replace(other, init=str(unbroken)), tmp_path / "new")
    for changed, name in (
        (other, "network="),
        (replace(config, batch_size=2), "batch_size=2"),
        (replace(config, seed=7), "seed=7"),
    ):
        with pytest.raises(ConfigError, match=f"Received: {name}"):
            fit(changed, unbroken)
    with pytest.raises(ConfigError, match=r"Received: init=tiny, .* began with \."):
        fit(replace(other, init="tiny"), unbroken)  # not its network, in many words
    with pytest.raises(ConfigError, match="--corpus"):
        fit(replace(config, corpus=""), tmp_path / "new")
    manifest = tmp_path / "my.jsonl"
    manifest.touch()
    with pytest.raises(ConfigError, match=f"Did you mean --corpus {manifest}"):
        fit(replace(config, corpus="", data=str(manifest)), tmp_path / "new")
    with pytest.raises(LabelError):
        fit(replace(config, corpus=str(tmp_path / "none")), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_run_does_not_go_on_with_other_recordings(unbroken, config, tmp_path):
    """In any data folder: training recordings would be evaluated, and the card would describe others."""
    run = shutil.copytree(unbroken, tmp_path / "run")
    corpus = shutil.copytree(config.corpus, tmp_path / "corpus")
    config = replace(config, corpus=str(corpus))
    (run / "config.json").write_text(config.to_json())
    check_start(config, run, read_corpora(config))
    began = json.loads((run / "corpus.json").read_text())
    rows = [json.loads(line) for line in (corpus / "manifest.jsonl").read_text().splitlines()]
    rows[0]["split"], rows[-2]["split"] = (
        rows[-2]["split"],
        rows[0]["split"],
    )  # a training speaker validates
    (corpus / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(ConfigError, match=f"Received: {corpus}"):
        fit(replace(config, data=str(tmp_path / "data")), run)
    assert json.loads((run / "corpus.json").read_text()) == began
    assert not (tmp_path / "data").exists()


def test_who_stops_a_run_is_told_that_it_goes_on(tmp_path, monkeypatch, capsys):
    def stopped(config, run, corpora):
        raise KeyboardInterrupt

    monkeypatch.setattr("vad.training.fit.fit", stopped)
    (tmp_path / "speech").mkdir()
    for name in "ab":
        (tmp_path / f"speech/{name}.wav").touch()
        (tmp_path / f"speech/{name}.txt").touch()
    assert main(["train", str(tmp_path / "run"), "--corpus", str(tmp_path)]) == 130
    err = capsys.readouterr().err
    assert str(tmp_path / "run") in err
    assert "vad: note: 2 recordings of speech lie in no speaker's folder" in err


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_checkpoint(
    unbroken, config, tmp_path, monkeypatch
):
    run = shutil.copytree(unbroken, tmp_path / "run")
    checkpoint = (run / "last.keras").read_bytes()
    monkeypatch.setattr("vad.training.data.batches.set_level", lambda *_: np.full(32_000, np.nan, np.float32))
    with pytest.raises(VadError, match="must be finite"):
        fit(replace(config, epochs=5), run)
    assert (run / "last.keras").read_bytes() == checkpoint


def test_a_run_that_starts_from_weights_hears_as_they_do(config, tmp_path):
    model = build_network(config.network)
    samples = 0.1 * np.random.default_rng(0).standard_normal((1, 32_000)).astype(np.float32)
    features = keras.Model(model.input, model.get_layer("logmel").output)
    model.get_layer("normalization").adapt(np.asarray(features(samples)))
    model.save(tmp_path / "init.keras")
    begun = starting_model(replace(config, init=str(tmp_path / "init.keras")), tmp_path / "run")
    np.testing.assert_allclose(np.asarray(begun(samples)), np.asarray(model(samples)), atol=1e-6)


def test_a_run_without_an_epoch_has_no_card(config, tmp_path):
    with pytest.raises(ModelError, match="finished an epoch"):
        describe_run(tmp_path, config)


def test_learning_rate_warms_up_stays_and_falls():
    config = load_config(None, {"epochs": 10, "decay_from": 0.5, "learning_rate": 1.0})
    rates = [learning_rate_at(epoch, config) for epoch in range(10)]
    assert rates[0] == 0.5
    assert rates[1:5] == [1.0] * 4
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[-1] == pytest.approx(0.01)
