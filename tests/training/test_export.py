"""What is exported is what was trained: LiteRT equals Keras, and a difference is refused."""

import json
import shutil

import keras
import numpy as np
import pytest
from support.bursts import streamed
from support.places import MODELS
from support.small_networks import small_network

from vad.cli import main
from vad.detection.detector import Detector
from vad.detection.model import Model
from vad.errors import ConfigError, ModelError
from vad.training.networks import ARCHITECTURES, LogMelCnn, network_from_dict
from vad.training.release import convert as convert_module
from vad.training.release import export as export_module
from vad.training.release.export import MAX_DIFFERENCE, export, largest_difference, verified
from vad.training.release.probe_signals import probe_signals


def save_network(folder, architecture="logmel-cnn", **options):
    config, model = small_network(architecture, **options)
    model.save(folder / "network.keras")
    return config, model, folder / "network.keras"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A network of two outputs, its options, and its exported model. Every conversion takes seconds."""
    folder = tmp_path_factory.mktemp("exported")
    config, model, weights = save_network(folder, lookahead_frames=6)
    notes = {"label_origin": "by ear"}
    return (
        config,
        model,
        export(weights, config, "small", folder / "new" / "out", notes=notes, chunk_frames=10),
    )


def assert_equal_to_keras(config, model, path):
    card = Model.load(path).card
    differences = card["verification"]["largest_difference_from_keras"]
    assert set(differences) == set(probe_signals())
    assert max(differences.values()) <= MAX_DIFFERENCE["none"]
    assert (card["receptive_field_s"] is None) == (config.architecture in ("logmel-crnn", "interchange"))
    speech = probe_signals()["speech"]
    decisions = np.asarray(model(speech[np.newaxis])).reshape(-1, len(config.delays))
    assert (np.ptp(decisions, axis=0) > 0.01).all(), "a flat output would hide a difference"


# Frames of an odd number of hops take other ways through two of them. The lookahead output is one module for all.
@pytest.mark.parametrize(
    ("architecture", "frame_ms", "lookahead_frames"),
    [
        *(
            (name, 32 if name == "interchange" else 20, 6)
            for name in ARCHITECTURES
            if name not in ("logmel-cnn", "waveform-tcn")
        ),
        ("waveform-tcn", 20, 0),
        ("logmel-cnn", 30, 0),
        ("patch-cnn", 30, 0),
    ],
)
def test_litert_equals_keras_by_step_and_by_chunk(architecture, frame_ms, lookahead_frames, tmp_path):
    config, model, weights = save_network(
        tmp_path, architecture, frame_ms=frame_ms, lookahead_frames=lookahead_frames
    )
    assert_equal_to_keras(config, model, export(weights, config, "small", tmp_path / "out", chunk_frames=10))


def test_litert_equals_keras_in_both_outputs(exported):
    assert_equal_to_keras(*exported)


@pytest.mark.parametrize("architecture", ["logmel-cnn", "waveform-tcn"])
def test_int8_is_smaller_and_keeps_its_front_end_exact(architecture, tmp_path, monkeypatch):
    config, _, weights = save_network(tmp_path, architecture, channels=48)
    restore, plain = convert_module._with_exact_front_end, []
    monkeypatch.setattr(
        convert_module,
        "_with_exact_front_end",
        lambda quantized, exact: plain.append(len(exact)) or restore(quantized, exact),
    )
    path = export(weights, config, "small", tmp_path, chunk_frames=10, quantize="int8")
    card = Model.load(path).card
    assert card["quantization"] == "int8"
    assert path.stat().st_size < plain[0]
    worst = max(card["verification"]["largest_difference_from_keras"].values())
    assert MAX_DIFFERENCE["none"] < worst < 0.04, "with an 8-bit front end it is over 0.12"


def test_the_card_tells_what_running_needs(exported):
    config, _, path = exported
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["label_origin"] == "by ear"
    assert not keras.models.load_model(path.with_suffix(".keras")).compiled, "thrice the size for nothing"
    assert (card["delay_frames"], card["late_frames"]) == (2, 6)
    assert network_from_dict(card["network"]) == config
    assert card["frontend"]["n_mels"] == 24


def test_a_new_model_has_the_operating_points_of_the_models_that_ship(exported):
    card, shipped = (
        json.loads(path.read_text()) for path in (exported[2].with_suffix(".json"), MODELS / "default.json")
    )
    assert set(card["segment_options"]) == {"balanced", "precise", "eager"}
    assert card["segment_options"] == shipped["segment_options"]
    assert shipped["chunk_frames"] == export_module.CHUNK_FRAMES


def test_the_detector_takes_the_delay_of_either_decision_out(exported):
    config, model, path = exported
    samples = probe_signals()["speech"][: 57 * 320 - 100]
    for decision, delay in enumerate(config.delays):
        _, found = streamed(Detector(path).stream(lookahead=decision == 1), [samples])
        padded = np.concatenate([samples, np.zeros(100 + delay * 320, np.float32)])
        expected = np.asarray(model(padded[np.newaxis]))[0, delay:, decision]
        np.testing.assert_allclose(found, expected, atol=MAX_DIFFERENCE["none"])


@pytest.fixture
def converted(exported, monkeypatch):
    """The exported model takes the place of every conversion."""
    content = exported[2].read_bytes()
    monkeypatch.setattr(export_module, "convert", lambda *_, **__: content)
    return exported[2]


@pytest.mark.parametrize("decision", ["speech", "late_speech"])
def test_refuses_to_write_what_differs(decision, exported, converted, tmp_path):
    config, *_ = exported
    model = keras.models.load_model(converted.with_suffix(".keras"))
    bias = model.get_layer(decision).bias
    bias.assign(np.array(bias) + 0.1)
    with pytest.raises(ModelError, match=r"must stay within 0\.0001 of Keras"):
        export(model, config, "small", tmp_path / "out", chunk_frames=10)
    assert not (tmp_path / "out").exists()


def test_the_limit_is_exact():
    limit = MAX_DIFFERENCE["none"]
    assert verified({"speech": 0.5e-4, "noise": 1e-4}, limit)["limit"] == limit
    for worst in (1.01e-4, np.nan):
        with pytest.raises(ModelError, match="on noise"):
            verified({"speech": 0.5e-4, "noise": worst, "tone": 0.9e-4}, limit)


@pytest.mark.parametrize("call", ["step", "chunk"])
def test_a_probability_that_is_no_number_is_refused(call, exported, monkeypatch):
    _, model, path = exported
    converted = Model.load(path)
    original = getattr(converted, call)
    monkeypatch.setattr(
        converted, call, lambda *words, **named: (np.nan, original(*words, **named)[1]), raising=False
    )
    monkeypatch.setattr(export_module, "probe_signals", lambda: {"tone": np.zeros(3300, np.float32)})
    assert np.isnan(largest_difference(model, converted)["tone"])


def test_a_failed_export_leaves_the_set_that_was_there(exported, converted, tmp_path, monkeypatch):
    config, model, _ = exported
    folder = shutil.copytree(converted.parent, tmp_path / "out")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert set(before) == {"small.tflite", "small.json", "small.keras"}

    def no_space(*_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr(keras.Model, "save", no_space)
    with pytest.raises(ConfigError, match=r"small\.keras: no space"):
        export(model, config, "small", folder, chunk_frames=10, notes={"label_origin": "by eye"})
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--note", "by ear"], "vad: --note must be KEY=TEXT. Received: 'by ear'.\n"),
        (["--metrics", "none.json"], "vad: cannot read none.json: "),
    ],
)
def test_refuses_what_no_card_can_hold(words, message, tmp_path, capsys):
    assert main(["export", "tiny", "--name", "a", "--output", str(tmp_path), *words]) == 2
    assert capsys.readouterr().err.startswith(message)


def test_refuses_a_quantization_that_there_is_not(tmp_path):
    with pytest.raises(ConfigError, match=r"none, int8\. Received: quantize='int4'"):
        export(tmp_path / "a.keras", LogMelCnn(), "a", tmp_path, quantize="int4")


def test_refuses_a_note_in_the_name_of_a_fact(exported, converted, tmp_path):
    config, model, _ = exported
    with pytest.raises(ConfigError, match="delay_frames"):
        export(model, config, "small", tmp_path / "out", notes={"delay_frames": 5})
    assert not (tmp_path / "out").exists()


def test_refuses_weights_that_are_none(tmp_path):
    (tmp_path / "a.keras").write_text("no weights")
    with pytest.raises(ModelError, match=r"Received: .*a\.keras"):
        export(tmp_path / "a.keras", LogMelCnn(), "a", tmp_path)


def test_says_that_it_needs_tensorflow(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert main(["export", "tiny", "--name", "tiny", "--output", str(tmp_path)]) == 2
    assert "vad export needs Keras with TensorFlow. Received: KERAS_BACKEND=jax." in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
