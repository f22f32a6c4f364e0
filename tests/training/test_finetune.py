"""Fine-tuning: it starts from given weights, goes on exactly where it was killed, and says what it was worth."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from support import tiny_model
from support.small_networks import small_network
from support.tiny_run import SETTINGS, history, write_corpus

from vad.cli import main
from vad.corpus.manifest import manifest_lines
from vad.training import fit as fit_module
from vad.training import weight_interpolation as interpolation
from vad.training.config import TrainConfig, load_config
from vad.training.data.batches import Batches
from vad.training.finetune import comparison_text, fine_tuning_defaults
from vad.training.history import read_rows
from vad.training.provenance import describe_run
from vad.training.weight_interpolation import least_share

EPOCHS = 2


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A run to start from, whose model was exported."""
    run = tmp_path_factory.mktemp("start")
    names = ("n_mels", "conv_channels", "channels", "dilations", "delay_frames")
    config, model = small_network("logmel-cnn", **{name: SETTINGS[f"network.{name}"] for name in names})
    model.get_layer("normalization").adapt(np.random.default_rng(0).normal(-9, 3, (1, 40, config.n_mels)))
    model.save(run / "best.keras")
    (run / "config.json").write_text(TrainConfig(network=config).to_json())
    exported = tiny_model.write(run)
    for suffix in (".tflite", ".json"):
        exported.with_suffix(suffix).rename(run / f"best{suffix}")
    return run


@pytest.fixture(scope="module")
def fine_tuning(start, tmp_path_factory):
    """A run of `vad train --init`: its folder, its options, the manifests it read, and the kinds of its labels."""
    folder = tmp_path_factory.mktemp("fine-tuning")
    run, corpus = folder / "run", write_corpus(folder)
    names = ("hours", "dev_hours", "batch_size", "jobs", "mixing.scene_s", "mixing.snr_db")
    settings = {**{name: SETTINGS[name] for name in names}, "epoch_hours": 0.02, "base_hours": 0.01}
    words = ["train", run, "--corpus", corpus, "--init", start, "--base", corpus, "--epochs", EPOCHS]
    words += itertools.chain(*(("--set", f"{name}={value}") for name, value in settings.items()))
    manifests, priors = [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interpolation, "least_share", lambda shares, losses: 0.5)
        patch.setattr(
            fit_module,
            "Batches",
            lambda *args, **options: priors.append(options.get("pause_priors")) or Batches(*args, **options),
        )
        patch.setattr(
            "vad.corpus.manifest.manifest_lines", lambda path: manifests.append(path) or manifest_lines(path)
        )
        assert main([str(word) for word in words]) == 0
    return run, load_config(run / "config.json"), manifests, priors


def test_its_options_are_those_of_its_start_and_of_little_sound(start, fine_tuning):
    run, config, _, _ = fine_tuning
    defaults = load_config(None, {}, defaults=fine_tuning_defaults(str(start), run))
    for one in (defaults, config):
        assert one.network == load_config(start / "config.json").network
        assert (one.learning_rate, one.mixing.recorded, one.patience) == (8e-4, 0.6, 4)


def test_the_corpus_is_read_once_and_its_own_labels_are_used_as_given(fine_tuning):
    run, config, manifests, priors = fine_tuning
    assert len(manifests) == 2, "once as its own corpus, once as the base"
    assert priors == [[0.0, config.pause_prior], None]
    assert json.loads((run / "data/dev/recipe.json").read_text())["recorded"] == 1.0
    assert json.loads((run / "data/base/train/recipe.json").read_text())["recorded"] == 0.0


def test_all_but_the_normalisation_learns_and_half_of_it_is_kept(start, fine_tuning):
    run, config, *_ = fine_tuning
    before, after = (keras.models.load_model(path) for path in (start / "best.keras", run / "tuned.keras"))
    for layer in before.layers:
        pairs = list(zip(layer.get_weights(), after.get_layer(layer.name).get_weights(), strict=True))
        is_kept = all(np.array_equal(old, new) for old, new in pairs)
        assert is_kept == (not layer.weights or "norm" in layer.name), layer.name
    mixed = keras.models.load_model(run / "best.keras").get_weights()
    for old, new, both in zip(before.get_weights(), after.get_weights(), mixed, strict=True):
        np.testing.assert_allclose(both, (old + new) / 2, atol=1e-6)
    tried = json.loads((run / "blend.json").read_text())["tried"]
    assert [row["share"] for row in tried] == pytest.approx(np.linspace(0, 1, 11))
    assert tried[0]["val_loss"] > tried[10]["val_loss"]
    assert describe_run(run, config)["training"]["blend"] == tried[5]
    assert (run / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_held_out_recordings_show_what_it_was_worth(fine_tuning):
    run, *_ = fine_tuning
    result = json.loads((run / "comparison.json").read_text())
    assert (result["split"], result["recordings"]) == ("dev", 3)
    assert result["before"]["auc"] != result["after"]["auc"]
    text = comparison_text(result)
    assert f"{result['after']['auc']:.4f}" in text
    error = result["before"]["best_balanced_error"]
    better, worse = (
        comparison_text({**result, "after": {**result["after"], "best_balanced_error": error + change}})
        for change in (-0.1, 0.1)
    )
    assert f"{0.1 / error:.0%}" in better
    assert "%" not in worse


def test_with_a_teacher_the_last_epoch_is_kept_as_it_is(start, fine_tuning, tmp_path):
    _, config, *_ = fine_tuning
    fit_module.fit(replace(config, teacher=str(start), epochs=1), tmp_path / "taught")
    best, last = (keras.models.load_model(tmp_path / "taught" / f"{name}.keras") for name in ("best", "last"))
    for one, other in zip(best.get_weights(), last.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert "blend" not in describe_run(tmp_path / "taught", replace(config, teacher=str(start)))["training"]


class _KilledError(Exception):
    """Stands for a kill: nothing after it is carried out."""


def test_killed_at_three_places_it_ends_with_the_same_weights(fine_tuning, tmp_path, monkeypatch):
    unbroken, config, *_ = fine_tuning
    monkeypatch.setattr(interpolation, "least_share", lambda shares, losses: 0.5)
    places = {
        "in the middle of the second epoch": (
            fit_module._Validation,
            "on_train_batch_end",
            lambda call, *_: call > config.batches_per_epoch,
        ),
        "before the checkpoint is written": (
            fit_module,
            "_save",
            lambda call, model, path: path.name == "last.keras",
        ),
        "between two shares": (interpolation, "_set", lambda call, *_: call == 5),
    }
    for owner, name, is_time in places.values():
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, killing(getattr(owner, name), is_time))
            with pytest.raises(_KilledError):
                fit_module.fit(config, tmp_path)
    assert len(history(tmp_path)) == EPOCHS
    assert not (tmp_path / "best.keras").exists()
    fit_module.fit(config, tmp_path)
    assert_same_run(tmp_path, unbroken)


def killing(step, is_time):
    """The step, until it is time to die."""
    calls = itertools.count(1)

    def wrapped(*args, **options):
        if is_time(next(calls), *args):
            raise _KilledError
        return step(*args, **options)

    return wrapped


def assert_same_run(run: Path, expected: Path):
    for name in ("history.csv", "updates.csv"):
        rows, wanted = (read_rows(folder / name) for folder in (run, expected))
        times = ("seconds", "times_real_time")
        rows, wanted = (
            [{k: v for k, v in row.items() if k not in times} for row in x] for x in (rows, wanted)
        )
        assert rows == [pytest.approx(row) for row in wanted]
    found, wanted = (json.loads((folder / "blend.json").read_text())["tried"] for folder in (run, expected))
    assert found == [pytest.approx(row) for row in wanted]
    for name in ("last.keras", "tuned.keras", "best.keras"):
        found, wanted = (keras.models.load_model(folder / name).get_weights() for folder in (run, expected))
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


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
