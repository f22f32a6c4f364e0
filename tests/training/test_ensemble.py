"""Two networks joined into one: their mean output, and which two fit."""

import json
import re
from dataclasses import replace

import keras
import numpy as np
import pytest
from support.small_networks import small_network

from vad.cli import main
from vad.errors import ConfigError
from vad.training.networks import LogMelCrnn
from vad.training.provenance import load_network, network_of
from vad.training.release.ensemble import adjust_lookahead, join_ensemble
from vad.training.release.export import export
from vad.training.release.probe_signals import probe_signals


def two_networks(**options):
    """A network with a lookahead output and a smaller one, with the same normalisation."""
    config, model = small_network("logmel-cnn", lookahead_frames=6)
    second_config, second = small_network(
        "logmel-cnn", **{"conv_channels": (4, 5), "channels": 6, "lookahead_frames": 0, **options}
    )
    bands = 5 + 3 * np.random.default_rng(0).standard_normal((1, 40, config.n_mels))
    for one in (model, second):
        one.get_layer("normalization").adapt(bands)
    return (model, config), (second, second_config)


@pytest.fixture(scope="module")
def networks():
    """As `two_networks` makes them, for tests that leave them as they are."""
    return two_networks()


def logits(model, samples):
    p = np.asarray(model(samples))
    return np.moveaxis(np.log(p / (1 - p)), -1, 0) if p.ndim == 3 else np.log(p / (1 - p))


def test_every_output_is_the_mean_of_both_in_logits(networks):
    first, second = networks
    both, config = join_ensemble(*first, *second, 0.25)
    speech = probe_signals()["speech"][np.newaxis]
    (low_latency, lookahead), other = logits(first[0], speech), logits(second[0], speech)
    assert np.abs(low_latency - other).max() > 1, "else it would not show which network counts"
    joint_low_latency, joint_lookahead = logits(both, speech)
    np.testing.assert_allclose(joint_low_latency, 0.75 * low_latency + 0.25 * other, atol=1e-4)
    later = config.lookahead_frames - config.delay_frames
    expected = 0.75 * lookahead[:, later:] + 0.25 * other[:, :-later]
    np.testing.assert_allclose(joint_lookahead[:, later:], expected, atol=1e-4)


def test_an_ensemble_is_saved_with_its_normalisation(networks, tmp_path):
    first, second = networks
    both, _ = join_ensemble(*first, *second, 0.5)
    both.save(tmp_path / "both.keras")
    speech = probe_signals()["speech"][np.newaxis]
    again = keras.models.load_model(tmp_path / "both.keras")
    np.testing.assert_array_equal(np.asarray(again(speech)), np.asarray(both(speech)))


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"n_mels": 31}, "n_mels=24.*n_mels=31"),
        ({"delay_frames": 3}, "delay_frames=2.*delay_frames=3"),
        ({"dilations": (1, 2)}, r"have dilations=\(1, 2, 4\) in common"),
        ({"lookahead_frames": 6}, "lookahead_frames=6"),
    ],
)
def test_two_that_do_not_fit_are_refused(options, rule, networks):
    first, (second, config) = networks
    with pytest.raises(ConfigError, match=rule):
        join_ensemble(*first, second, replace(config, **options), 0.25)


def test_another_architecture_is_refused(networks):
    first, (second, _) = networks
    with pytest.raises(ConfigError, match="architecture='logmel-crnn'"):
        join_ensemble(*first, second, LogMelCrnn(), 0.25)


def test_two_normalisations_are_refused():
    first, (second, config) = two_networks()
    second.get_layer("normalization").adapt(np.ones((1, 4, config.n_mels)))
    with pytest.raises(ConfigError, match="different normalisations"):
        join_ensemble(*first, second, config, 0.25)


def test_the_lookahead_output_is_mixed_and_shifted_and_the_other_is_not():
    _, model = small_network("logmel-cnn", delay_frames=2, lookahead_frames=6)
    speech = probe_signals()["speech"][np.newaxis]
    low_latency, lookahead = logits(model, speech)
    adjust_lookahead(model, 0.25, -0.75)
    unchanged, adjusted = logits(model, speech)
    np.testing.assert_array_equal(unchanged, low_latency)
    mixed = 0.75 * lookahead[:, 4:] + 0.25 * low_latency[:, :-4]
    np.testing.assert_allclose(adjusted[:, 4:], mixed - 0.75, atol=1e-4)


def test_an_exported_ensemble_is_a_network_like_any_other(networks, tmp_path, monkeypatch, capsys):
    both, config = join_ensemble(*networks[0], *networks[1], 0.5)
    notes = {"label_origin": "by ear", "prompt_share": 0.4, "training": {"second": {"share": 0.5}}}
    converted = export(both, config, "both", tmp_path, notes=notes).read_bytes()
    monkeypatch.setattr("vad.training.release.export.convert", lambda *_, **__: converted)  # takes seconds
    weights, out = tmp_path / "both.keras", tmp_path / "out"
    speech = probe_signals()["speech"][np.newaxis]
    np.testing.assert_array_equal(np.asarray(load_network(weights)(speech)), np.asarray(both(speech)))
    assert network_of(weights).second_channels == 6
    words = ["export", str(weights), "--name", "again", "--output", str(out)]
    assert main(words) == 0
    card = json.loads((out / "again.json").read_text())
    assert card["architecture"] == "logmel-pair"
    assert {name: card[name] for name in notes} == notes, "true of the weights wherever they go"
    assert "vad tune" not in capsys.readouterr().err
    (out / "again.json").write_text(json.dumps({**card, "tuning": {"calls": {}}}))
    assert main([*words, "--overwrite"]) == 0
    assert "operating points of vad tune: calls." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["tiny", "--name", "a/b"], "--name.*'a/b'"),
        (["tiny", "--name", ""], "--name.*''"),
        (["nowhere", "--name", "x"], "RUN.*model's"),
    ],
)
def test_what_cannot_be_exported_is_one_line(words, rule, tmp_path, capsys):
    assert main(["export", *words, "--output", str(tmp_path / "out")]) == 2
    assert re.search(rule, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()
