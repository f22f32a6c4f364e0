"""A training run: it learns, it stops and goes on exactly, and it leaves what a model card needs."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from support.tiny_run import SETTINGS, history, write_corpus

from vad.cli import main
from vad.corpus.manifest import manifest_lines
from vad.errors import ConfigError, LabelError, ModelError, VadError
from vad.training.config import load_config
from vad.training.data.batches import Batches
from vad.training.data.corpora import read_corpora
from vad.training.finetune import compare, comparison_text, fine_tuning_defaults
from vad.training.fit import fit, learning_rate_at
from vad.training.history import read_rows
from vad.training.networks import build_network
from vad.training.provenance import describe_run, network_of
from vad.training.resume import check_start, starting_model
from vad.training.weight_interpolation import least_share


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
    assert all(1e-5 < ratio < 0.2 for row in rows for ratio in row.values())


class _KilledError(Exception):
    """Stands for a kill: nothing after it is carried out."""


def kill_in(place, config, run, monkeypatch):
    """Trains until it is killed: in the third epoch, or when it tries the fifth share."""
    from vad.training import fit as module
    from vad.training import weight_interpolation as interpolation

    calls = {"batches": 0, "saves": 0, "shares": 0}
    on_batch, save, interpolate = module._Validation.on_train_batch_end, module._save, interpolation._set

    def killing_batch(self, batch, logs=None):
        calls["batches"] += 1
        if place == "in the middle of an epoch" and calls["batches"] == 2 * config.batches_per_epoch + 1:
            raise _KilledError
        on_batch(self, batch, logs)

    def killing_save(model, path):
        calls["saves"] += path.name == "last.keras"
        if place == "before the checkpoint is written" and calls["saves"] == 3:
            raise _KilledError
        save(model, path)

    def killing_interpolation(*arguments):
        calls["shares"] += 1
        if place == "between two shares" and calls["shares"] == 5:
            raise _KilledError
        interpolate(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(module._Validation, "on_train_batch_end", killing_batch)
        patch.setattr(module, "_save", killing_save)
        patch.setattr(interpolation, "_set", killing_interpolation)
        with pytest.raises(_KilledError):
            fit(config, run)


def assert_same_run(run, expected, *checkpoints):
    epochs, wanted = (
        [line.partition(",")[0] for line in (folder / "history.csv").read_text().splitlines()]
        for folder in (run, expected)
    )
    assert epochs == wanted
    for key in ("loss", "val_auc"):
        assert [row[key] for row in history(run)] == pytest.approx([row[key] for row in history(expected)])
    assert read_rows(run / "updates.csv") == [
        pytest.approx(row) for row in read_rows(expected / "updates.csv")
    ]
    for name in checkpoints:
        found, wanted = (keras.models.load_model(folder / name).get_weights() for folder in (run, expected))
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("place", ["in the middle of an epoch", "before the checkpoint is written"])
def test_a_killed_run_ends_with_the_same_weights(place, config, unbroken, tmp_path, monkeypatch):
    kill_in(place, config, tmp_path, monkeypatch)
    fit(config, tmp_path)
    assert_same_run(tmp_path, unbroken, "last.keras", "best.keras")


@pytest.fixture(scope="module")
def tuning(config, unbroken):
    """Goes on from the weights of another run, at a lower rate than theirs, with patience."""
    return replace(config, init=str(unbroken), epochs=3, learning_rate=1e-3, patience=3)


@pytest.fixture(scope="module")
def unbroken_tuning(tuning, tmp_path_factory):
    run = tmp_path_factory.mktemp("unbroken tuning")
    fit(tuning, run)
    return run


@pytest.mark.parametrize("place", ["before the checkpoint is written", "between two shares"])
def test_a_killed_fine_tuning_ends_with_the_same_weights(
    place, tuning, unbroken_tuning, tmp_path, monkeypatch
):
    kill_in(place, tuning, tmp_path, monkeypatch)
    assert not (tmp_path / "best.keras").exists()
    fit(tuning, tmp_path)
    assert_same_run(tmp_path, unbroken_tuning, "last.keras", "tuned.keras", "best.keras")
    found, expected = (json.loads((run / "blend.json").read_text()) for run in (tmp_path, unbroken_tuning))
    assert found["share"] == expected["share"] > 0


def test_normalisation_is_adapted_to_the_training_scenes(unbroken, config):
    model = keras.models.load_model(unbroken / "best.keras")
    shards = sorted((Path(config.data) / "train").glob("labels-*.npy"))
    samples = np.concatenate(
        [Batches(shards, config.network, batch_size=4, seed=config.seed)[i][0] for i in range(8)]
    )
    features = keras.Model(model.input, model.get_layer("normalization").output).predict(samples, verbose=0)
    np.testing.assert_allclose(features.mean(axis=(0, 1)), 0, atol=1e-2)
    np.testing.assert_allclose(features.std(axis=(0, 1)), 1, atol=1e-2)


def test_starts_from_given_weights(unbroken, config, tmp_path):
    first = history(unbroken)[0]
    fit(replace(config, epochs=1, init=str(unbroken)), tmp_path)
    assert history(tmp_path)[0]["loss"] < 0.8 * first["loss"]


def test_ends_when_validation_gets_no_better_and_stays_ended(unbroken, config, tmp_path, monkeypatch):
    aucs = iter([0.7, 0.9, 0.8, 0.85])
    monkeypatch.setattr(
        "vad.training.fit._Validation.measure", lambda self: {"val_auc": next(aucs), "val_loss": 1.0}
    )
    patient = replace(config, epochs=8, patience=2)
    fit(patient, tmp_path)
    assert [row["val_auc"] for row in history(tmp_path)] == [0.7, 0.9, 0.8, 0.85]
    fit(patient, tmp_path)
    assert len(history(tmp_path)) == 4


def test_fine_tuning_learns_leaves_normalisation_and_says_what_it_was_worth(
    unbroken, config, corpus, tmp_path, monkeypatch
):
    monkeypatch.setattr("vad.training.weight_interpolation.least_share", lambda shares, losses: 0.5)
    priors = []
    monkeypatch.setattr(
        "vad.training.fit.Batches",
        lambda *args, **options: priors.append(options.get("pause_priors")) or Batches(*args, **options),
    )
    settings = {
        "corpus": str(corpus),
        "init": str(unbroken),
        "base": str(corpus),
        **{name: SETTINGS[name] for name in ("hours", "dev_hours", "epoch_hours", "jobs", "mixing.scene_s")},
        **{"base_hours": 0.01, "epochs": 1},
    }
    run = tmp_path / "run"
    tuned = load_config(None, settings, defaults=fine_tuning_defaults(str(unbroken), run))
    assert tuned.network == config.network
    assert (tuned.learning_rate, tuned.mixing.recorded, tuned.patience) == (8e-4, 0.6, 4)
    fit(tuned, run)
    assert priors == [[0.0, tuned.pause_prior], None], "one's own labels are taken at their word"
    assert json.loads((run / "data/dev/recipe.json").read_text())["recorded"] == 1.0
    assert json.loads((run / "data/base/train/recipe.json").read_text())["recorded"] == 0.0
    before, after = (keras.models.load_model(path) for path in (unbroken / "best.keras", run / "tuned.keras"))
    for layer in before.layers:
        pairs = list(zip(layer.get_weights(), after.get_layer(layer.name).get_weights(), strict=True))
        is_kept = all(np.array_equal(old, new) for old, new in pairs)
        assert is_kept == (not layer.weights or "norm" in layer.name), layer.name
    mixed = keras.models.load_model(run / "best.keras").get_weights()
    for old, new, both in zip(before.get_weights(), after.get_weights(), mixed, strict=True):
        np.testing.assert_allclose(both, (old + new) / 2, atol=1e-6)
    tried = json.loads((run / "blend.json").read_text())["tried"]
    assert [row["share"] for row in tried] == pytest.approx(np.linspace(0, 1, 11))
    assert tried[0]["val_loss"] != tried[10]["val_loss"]
    assert describe_run(run, tuned)["training"]["blend"] == tried[5]
    result = compare(tuned, run, read_corpora(tuned))
    assert (result["split"], result["recordings"]) == ("dev", 3)
    assert result["before"]["auc"] != result["after"]["auc"]
    text = comparison_text(result)
    assert f"{result['after']['auc']:.4f}" in text
    assert "balanced error" in text
    assert "_" not in text
    worse = {**result, "after": {**result["after"], "best_balanced_error": 0.6}}
    assert "did not help" in comparison_text(worse)
    assert (run / "curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("losses", "share"),
    [
        ([1.0, 0.6, 0.41, 0.4], 0.2),  # 98 % of 0.6 are 0.588
        ([1.0, 0.6, 0.42, 0.4], 0.3),
        ([1.0, 0.6, 0.4, 0.9], 0.2),
        ([1.0, 1.0, 1.1, 1.2], 0.0),  # nothing was gained: the weights of the start
    ],
)
def test_the_least_share_that_keeps_the_gain(losses, share):
    assert least_share([0.0, 0.1, 0.2, 0.3], losses) == share


@pytest.mark.parametrize("init", ["defualt", "nowhere/best.keras", "."])
def test_weights_that_are_not_there_are_one_line(init, config, tmp_path):
    with pytest.raises(ModelError, match=r"init must be a model's name \(.*default.*\), a run's folder"):
        fit(replace(config, init=init), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_refuses_before_any_work(unbroken, config, tmp_path, monkeypatch):
    monkeypatch.setattr("vad.training.fit._prepare_data", lambda *_: pytest.fail("hours of rendering"))
    other = replace(config, network=replace(config.network, channels=16))
    with pytest.raises(ConfigError, match="starts from weights must have their network"):
        fit(replace(other, init=str(unbroken)), tmp_path / "new")
    for changed in (other, replace(config, batch_size=2), replace(config, seed=7)):
        with pytest.raises(ConfigError, match="go on with the options it began with"):
            fit(changed, unbroken)
    with pytest.raises(ConfigError, match=r"Received: init=tiny, .* began with \."):
        fit(replace(other, init="tiny"), unbroken)  # not its network, in many words
    with pytest.raises(ConfigError, match="no corpus was given"):
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
    with pytest.raises(ConfigError, match="go on with the recordings it began with"):
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


def test_a_fine_tuning_reads_its_corpus_once(config, unbroken, tmp_path, monkeypatch):
    def counted(manifest):
        read.append(manifest)
        return manifest_lines(manifest)

    read = []
    monkeypatch.setattr("vad.corpus.manifest.manifest_lines", counted)
    few = [
        f"{name}={value}" for name, value in SETTINGS.items() if not name.startswith(("network", "epochs"))
    ]
    words = [
        "train",
        str(tmp_path / "run"),
        "--corpus",
        config.corpus,
        "--init",
        str(unbroken),
        "--epochs",
        "1",
    ]
    assert main([*words, *(word for one in few for word in ("--set", one))]) == 0
    assert len(read) == 1


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_checkpoint(
    unbroken, config, tmp_path, monkeypatch
):
    fit(replace(config, epochs=1), tmp_path)
    checkpoint = (tmp_path / "last.keras").read_bytes()
    monkeypatch.setattr("vad.training.data.batches.set_level", lambda *_: np.full(32_000, np.nan, np.float32))
    with pytest.raises(VadError, match="must be finite"):
        fit(config, tmp_path)
    assert (tmp_path / "last.keras").read_bytes() == checkpoint


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
