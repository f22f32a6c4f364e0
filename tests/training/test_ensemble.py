"""A second network beside the first: what the two say together, and which two may."""

import json

import keras
import numpy as np
import pytest
from support.small_networks import small_network

from vad.cli import main
from vad.errors import ConfigError
from vad.training.provenance import load_network, network_of
from vad.training.release.ensemble import mix_in_low_latency, pair, shift_lookahead
from vad.training.release.export import export
from vad.training.release.probe_signals import probe_signals


def small_pair(**options):
    """A network that decides late and a smaller one, with what the one front end of both has learned."""
    config, model = small_network("logmel-cnn", lookahead_frames=6)
    second_config, second = small_network(
        "logmel-cnn", **{"conv_channels": (4, 5), "channels": 6, "lookahead_frames": 0, **options}
    )
    bands = 5 + 3 * np.random.default_rng(0).standard_normal((1, 40, config.n_mels))
    for one in (model, second):
        one.get_layer("normalization").adapt(bands)
    return (model, config), (second, second_config)


def logits(model, samples):
    p = np.asarray(model(samples))
    return np.moveaxis(np.log(p / (1 - p)), -1, 0) if p.ndim == 3 else np.log(p / (1 - p))


def test_every_decision_is_the_mean_of_both_in_logits():
    first, second = small_pair()
    both, config = pair(*first, *second, 0.25)
    speech = probe_signals()["speech"][np.newaxis]
    (prompt, late), other = logits(first[0], speech), logits(second[0], speech)
    assert np.abs(prompt - other).max() > 1, "else it would not show whose opinion it is"
    prompt_of_both, late_of_both = logits(both, speech)
    np.testing.assert_allclose(prompt_of_both, 0.75 * prompt + 0.25 * other, atol=1e-4)
    later = config.lookahead_frames - config.delay_frames
    np.testing.assert_allclose(
        late_of_both[:, later:], 0.75 * late[:, later:] + 0.25 * other[:, :-later], atol=1e-4
    )


def test_what_both_hear_is_kept_with_the_pair(tmp_path):
    first, second = small_pair()
    both, _ = pair(*first, *second, 0.5)
    both.save(tmp_path / "pair.keras")
    speech = probe_signals()["speech"][np.newaxis]
    again = keras.models.load_model(tmp_path / "pair.keras")
    np.testing.assert_array_equal(np.asarray(again(speech)), np.asarray(both(speech)))


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"n_mels": 31}, r"have n_mels=24 in common. Received: n_mels=31"),
        ({"delay_frames": 3}, r"have delay_frames=2 in common. Received: delay_frames=3"),
        ({"dilations": (1, 2)}, r"have dilations=\(1, 2, 4\) in common"),
        ({"lookahead_frames": 6}, r"the second has no late decision. Received: .*lookahead_frames=6"),
    ],
)
def test_two_that_do_not_fit_are_refused(options, rule):
    (model, config), _ = small_pair()
    second_config, second = small_network("logmel-cnn", **options)
    with pytest.raises(ConfigError, match=rule):
        pair(model, config, second, second_config, 0.25)


def test_another_architecture_is_refused():
    first, _ = small_pair()
    config, second = small_network("logmel-crnn")
    with pytest.raises(ConfigError, match=r"two logmel-cnn.*Received: architecture='logmel-crnn'"):
        pair(*first, second, config, 0.25)


def test_two_that_hear_differently_are_refused():
    first, (second, config) = small_pair()
    second.get_layer("normalization").adapt(np.ones((1, 4, config.n_mels)))
    with pytest.raises(ConfigError, match=r"one normalisation. Received: two that differ"):
        pair(*first, second, config, 0.25)


def test_a_share_is_one():
    first, second = small_pair()
    with pytest.raises(
        ConfigError, match=r"second_share must be between 0 and 1. Received: second_share=1.5"
    ):
        pair(*first, *second, 1.5)


def test_a_late_decision_leans_on_the_prompt_one_of_its_frame():
    _, model = small_network("logmel-cnn", delay_frames=2, lookahead_frames=6)
    speech = probe_signals()["speech"][np.newaxis]
    prompt, late = logits(model, speech)
    mix_in_low_latency(model, 0.25)
    still_prompt, mixed = logits(model, speech)
    np.testing.assert_array_equal(still_prompt, prompt)
    np.testing.assert_allclose(mixed[:, 4:], 0.75 * late[:, 4:] + 0.25 * prompt[:, :-4], atol=1e-4)


def test_a_late_decision_is_moved_and_the_prompt_one_is_not():
    _, model = small_network("logmel-cnn", lookahead_frames=6)
    speech = probe_signals()["speech"][np.newaxis]
    before = logits(model, speech)
    shift_lookahead(model, -0.75)
    change = logits(model, speech) - before
    np.testing.assert_allclose(change, np.broadcast_to([[[0]], [[-0.75]]], change.shape), atol=1e-4)


@pytest.mark.parametrize(
    ("lookahead_frames", "change", "value", "told"),
    [
        (6, mix_in_low_latency, 1.5, "prompt_share must be between 0 and 1"),
        (6, mix_in_low_latency, -0.1, "prompt_share must be between 0 and 1"),
        (0, mix_in_low_latency, 0.25, "has no late decision"),
        (0, shift_lookahead, -0.5, "has no late decision"),
        (6, shift_lookahead, float("nan"), "late_offset must be finite"),
    ],
)
def test_a_late_decision_that_cannot_be_changed_so_is_refused(lookahead_frames, change, value, told):
    _, model = small_network("logmel-cnn", lookahead_frames=lookahead_frames)
    with pytest.raises(ConfigError, match=told):
        change(model, value)


def test_an_exported_ensemble_is_a_network_like_any_other(tmp_path, capsys):
    both, config = pair(*small_pair()[0], *small_pair()[1], 0.5)
    notes = {"label_origin": "by ear", "prompt_share": 0.4, "training": {"second": {"share": 0.5}}}
    export(both, config, "both", tmp_path, notes=notes, chunk_frames=10)
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
    assert main(words) == 0
    assert "operating points of vad tune: calls." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["tiny", "--name", "a/b"], "--name must be a file name without a folder. Received: 'a/b'"),
        (["tiny", "--name", ""], "--name must be a file name without a folder. Received: ''"),
        (["nowhere", "--name", "x"], "RUN must be a model's name"),
    ],
)
def test_what_cannot_be_exported_is_one_line(words, rule, tmp_path, capsys):
    assert main(["export", *words, "--output", str(tmp_path / "out")]) == 2
    assert rule in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
