"""The configuration of a training run: who overrides whom, and what is refused in which words."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.places import MODELS

from vad.commands import train
from vad.errors import ConfigError
from vad.training.config import TrainConfig, load_config
from vad.training.finetune import fine_tuning_defaults
from vad.training.networks import ARCHITECTURES, LogMelCrnn
from vad.training.options import parse_setting
from vad.training.provenance import network_of


def toml(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_settings_override_the_file_and_the_file_the_defaults(tmp_path: Path) -> None:
    path = toml(
        tmp_path, "epochs = 7\nseed = 3\n[network]\nframe_ms = 40\nchannels = 8\n[mixing]\nnoise = 0.25"
    )
    config = load_config(path, {"seed": 0, "network.channels": 16, "mixing.music": 0.0})
    assert (config.epochs, config.network.frame_ms, config.mixing.noise) == (7, 40, 0.25)
    assert (config.seed, config.network.channels, config.mixing.music) == (0, 16, 0.0)
    default = TrainConfig()
    assert (config.hours, config.network.n_mels, config.mixing.babble) == (
        default.hours,
        default.network.n_mels,
        default.mixing.babble,
    )


def test_nothing_told_is_the_defaults() -> None:
    assert load_config() == TrainConfig()


def test_a_stored_configuration_is_read_back(tmp_path: Path) -> None:
    config = load_config(
        settings={"network.dilations": [1, 2], "mixing.snr_db": [0, 10], "weight_decay": 0, "data": "x"}
    )
    stored = tmp_path / "config.json"
    stored.write_text(config.to_json(), encoding="utf-8")
    assert load_config(stored) == config


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.toml")), ids=lambda path: path.name)
def test_the_released_models_can_be_trained_again(path: Path) -> None:
    config = json.loads((MODELS / f"{path.stem}.json").read_text())["training"]["config"]
    options, trained = load_config(path), load_config(None, config)
    assert replace(options, corpus="", data="", jobs=1) == replace(trained, corpus="", data="", jobs=1)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("epoch", "epochs"),
        ("learning-rate", "learning_rate"),
        ("network.chanels", "network.channels"),
        ("mixing.nois", "mixing.noise"),
        ("frame_ms", "network.frame_ms"),
        ("mixng.noise", "mixing.noise"),
        ("network", "network"),
        ("network.filter_chanels", "network.filter_channels"),
        ("network.channels.first", "network.channels"),
    ],
)
def test_an_unknown_option_names_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name}=5.*{nearest}") as caught:
        load_config(settings={name: 5})
    assert str(caught.value).endswith("?")


def test_a_number_that_fits_no_float_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"learning_rate must be a number that fits a float"):
        load_config(toml(tmp_path, f"learning_rate = {'9' * 400}"))


def test_a_constant_of_a_network_is_no_option() -> None:
    with pytest.raises(ConfigError, match=r"network\.SAMPLE_RATE=5"):
        load_config(settings={"network.SAMPLE_RATE": 5})


def test_an_option_of_another_architecture_is_refused(tmp_path: Path) -> None:
    path = toml(tmp_path, '[network]\narchitecture = "logmel-crnn"\nchannels = 32')
    assert load_config(path).network == LogMelCrnn(channels=32)
    with pytest.raises(ConfigError, match=r"network\.dilations=\[1\]"):
        load_config(path, {"network.dilations": [1]})
    with pytest.raises(ConfigError, match=r"network\.channels=32"):
        load_config(path, {"network.architecture": "patch-cnn"})


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_is_stored_and_read_back(architecture: str, tmp_path: Path) -> None:
    frame_ms = 64 if architecture == "interchange" else 40
    config = load_config(settings={"network.architecture": architecture, "network.frame_ms": frame_ms})
    stored = tmp_path / "config.json"
    stored.write_text(config.to_json(), encoding="utf-8")
    assert load_config(stored) == config
    assert config.network.architecture == architecture


def test_the_commands_help_tells_the_architectures_and_the_defaults() -> None:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    names = {
        action.dest: match.groups()
        for action in parser._actions
        if (match := re.search(r"\(default: ([^;]+?)(?:; with --init: (.+))?\)", action.help or ""))
    }
    assert {"architecture", "hours", "epochs", "seed", "data", "frame_ms"} <= names.keys()
    config, tuning = TrainConfig(), fine_tuning_defaults("default", Path("RUN"))
    for name, (anew, tuned) in names.items():
        if not getattr(config, name, True) or name in ("config", "set"):
            continue  # nothing, in words
        value = getattr(config if hasattr(config, name) else config.network, name)
        assert anew == str(value).removesuffix(".0")
        own = "its own" if f"network.{name}" in tuning else None
        assert tuned == (str(tuning[name]).removesuffix(".0") if name in tuning else own)
    assert all(name in parser.format_help() for name in ARCHITECTURES)
    assert parser.parse_args(["run", "--arch", "patch-cnn"]).architecture == "patch-cnn"


def test_an_unknown_option_of_a_file_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mixing\.snr=5.*mixing\.snr_db"):
        load_config(toml(tmp_path, "[mixing]\nsnr = 5"))


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("epochs", 7.5, "a whole number"),
        ("epochs", "7", "a whole number"),
        ("epochs", True, "a whole number"),
        ("hours", "ten", "a number"),
        ("hours", False, "a number"),
        ("corpus", 3, "a string"),
        ("network.conv_channels", 24, "a list of numbers"),
        ("network.dilations", ["a"], "a whole number"),
        ("network.dilations", [1.5], "a whole number"),
        ("mixing.snr_db", 10, "a list of 2 numbers"),
        ("mixing.snr_db", [1, 2, 3], "a list of 2 numbers"),
        ("mixing.snr_db", ["low", "high"], "a number"),
        ("mixing.noise", [0.5], "a number"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(name: str, value: Any, rule: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{name}(\[\d\])? must be {rule}\. Received: {name}"):
        load_config(settings={name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hours", 0.0),
        ("hours", float("nan")),
        ("hours", float("inf")),
        ("epochs", -1),
        ("batch_size", 0),
        ("jobs", 0),
        ("decay_from", 1.0),
        ("weight_decay", -0.1),
        ("excerpt_s", -1.0),
        ("pause_prior", 1.1),
        ("pause_prior", float("nan")),
        ("seed", -1),
        ("network.frame_ms", 25),
        ("mixing.noise", 1.5),
        ("mixing.noise", float("nan")),
        ("mixing.snr_db", [10, -5]),
        ("mixing.snr_db", [-5, float("inf")]),
        ("mixing.scene_s", 0.5),
        ("mixing.speed", [0.5, 1.0]),
        ("mixing.sound_speed", [0.5, 1.0]),
        ("mixing.tunes", 1.1),
        ("network.lookahead_frames", 2),
        ("mixing.rt60_s", [0.0, 1.0]),
    ],
)
def test_a_value_out_of_its_range_is_refused(name: str, value: Any) -> None:
    last = name.rpartition(".")[2]
    with pytest.raises(ConfigError, match=rf"{last} must .*Received: {last}="):
        load_config(settings={name: value})


def test_a_run_is_not_both_fine_tuned_and_warm_started() -> None:
    with pytest.raises(ConfigError, match=r"warm_start.*warm_start='b'"):
        load_config(settings={"init": "a", "warm_start": "b"})


def test_whole_numbers_serve_as_numbers_and_are_stored_alike() -> None:
    whole = load_config(settings={"hours": 80, "mixing.snr_db": [-5, 35]})
    assert whole.to_json() == TrainConfig().to_json()


@pytest.mark.parametrize(
    ("name", "content"), [("run.toml", "epochs = "), ("run.toml", b"\xff\xfe"), ("run.json", "[1]")]
)
def test_a_file_that_is_no_configuration_is_refused_by_name(
    tmp_path: Path, name: str, content: str | bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ConfigError, match=name):
        load_config(path)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        load_config(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("epochs=7", ("epochs", 7)),
        (" epochs = 7 ", ("epochs", 7)),
        ("learning_rate=1e-3", ("learning_rate", 0.001)),
        ("mixing.snr_db=[-5, 35]", ("mixing.snr_db", [-5, 35])),
        ('corpus="my corpus"', ("corpus", "my corpus")),
        ("corpus=a=b", ("corpus", "a=b")),
        ("network.architecture=waveform-tcn", ("network.architecture", "waveform-tcn")),
    ],
)
def test_a_setting_is_a_name_and_a_toml_value(text: str, setting: tuple[str, Any]) -> None:
    assert parse_setting(text) == setting


def test_a_setting_without_a_value_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"name=value.*'epochs'"):
        parse_setting("epochs")


def test_a_table_given_as_one_setting_is_its_options() -> None:
    name, value = parse_setting("network={frame_ms = 30, channels = 8}")
    config = load_config(settings={name: value})
    assert (config.network.frame_ms, config.network.channels) == (30, 8)


def test_an_epoch_is_as_many_batches_as_its_hours_hold() -> None:
    config = load_config(settings={"epoch_hours": 1.0, "batch_size": 10, "mixing.scene_s": 36.0})
    assert config.batches_per_epoch == 10
    assert load_config(settings={"epoch_hours": 0.001}).batches_per_epoch == 1


def test_stored_configurations_are_json() -> None:
    assert json.loads(TrainConfig().to_json())["mixing"]["speed"] == [0.88, 1.14]


def test_options_of_the_first_release_are_read_by_their_old_names(tmp_path: Path) -> None:
    path = toml(tmp_path, "[network]\nlate_frames = 40\nlate_channels = 8")
    new = {"network.lookahead_frames": 40, "network.lookahead_channels": 8}
    assert load_config(path) == load_config(settings=new)
    assert load_config(path, {"network.lookahead_frames": 50}).network.lookahead_frames == 50
    assert load_config(path, {"network.late_frames": 50}).network.lookahead_frames == 50
    assert network_of(MODELS / "default.keras").lookahead_frames == 40
