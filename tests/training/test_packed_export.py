"""ONNX and SavedModel with one state vector: equal to Keras in their own runtimes, or not written."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from support.bursts import streamed
from support.small_networks import small_network

from vad.detection.detector import Detector
from vad.errors import ModelError
from vad.training.networks import ARCHITECTURES
from vad.training.release import packed as packed_module
from vad.training.release.packed import export_onnx, export_saved_model
from vad.training.release.probe_signals import probe_signals

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("tf2onnx")


def offline(config, model, samples):
    """Keras on whole recordings [shape=(streams, frames, outputs)]."""
    return np.reshape(model.predict_on_batch(samples), (len(samples), -1, len(config.delays)))


def short_signals():
    """A second each instead of ten: TensorFlow takes milliseconds a call."""
    return {name: samples[: 50 * 320] for name, samples in probe_signals().items()}


@pytest.fixture(scope="module")
def network():
    return small_network("waveform-tcn", lookahead_frames=6, dilations=(1,))


@pytest.fixture(scope="module")
def exported(network, tmp_path_factory):
    config, model = network
    folder = tmp_path_factory.mktemp("packed")
    return export_onnx(model, config, "small", folder, notes={"label_origin": "by ear"}, chunk_frames=10)


def test_an_onnx_file_is_run_by_its_documented_names(exported, network):
    """As a client does it: any number of streams and frames, and the state handed back."""
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    numbers = session.get_inputs()[1].shape[1]
    assert {one.name: one.shape for one in (*session.get_inputs(), *session.get_outputs())} == {
        "samples": ["streams", "samples"],
        "state": ["streams", numbers],
        "probability": ["streams", "frames"],
        "lookahead_probability": ["streams", "frames"],
        "state_out": ["streams", numbers],
    }
    samples = np.stack([probe_signals()[name][: 30 * 320] for name in ("speech", "noise")])
    state, found = np.zeros((2, numbers), np.float32), []
    for block in np.split(samples, [320, 8 * 320, 12 * 320], axis=1):
        *outputs, state = session.run(None, {"samples": block, "state": state})
        found.append(np.stack(outputs, axis=-1))
    np.testing.assert_allclose(np.concatenate(found, axis=1), offline(*network, samples), atol=1e-4)


def test_the_detector_runs_the_export(exported, network):
    config, model = network
    card = json.loads((exported.parent / "small.onnx.json").read_text())
    assert card["label_origin"] == "by ear"
    assert set(card["verification"]["largest_difference_from_keras"]) == set(probe_signals())
    samples = probe_signals()["speech"][: 57 * 320]
    for which, delay in enumerate(config.delays):
        _, found = streamed(Detector(exported).stream(lookahead=which == 1), [samples])
        expected = offline(config, model, np.pad(samples, (0, delay * 320))[np.newaxis])[0, delay:, which]
        np.testing.assert_allclose(found, expected, atol=1e-4)


def damaged(content, factor):
    """An .onnx file as of a converter that gets the weights wrong."""
    proto = onnx.load_from_string(content)
    for weights in proto.graph.initializer:
        if weights.data_type == onnx.TensorProto.FLOAT and np.prod(weights.dims) > 50:
            values = onnx.numpy_helper.to_array(weights)
            weights.CopyFrom(onnx.numpy_helper.from_array(factor * values, weights.name))
    return proto.SerializeToString()


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (np.float32(1.01), r"must stay within 0\.0001 of Keras\. Received: .* Nothing was written"),
        (np.float32("nan"), "gives nan for silence"),
    ],
)
def test_an_onnx_file_that_differs_is_not_written(factor, message, exported, network, monkeypatch):
    before = {file.name: file.read_bytes() for file in exported.parent.iterdir()}
    assert set(before) == {"small.onnx", "small.onnx.json"}
    config, model = network
    content = damaged(before["small.onnx"], factor)
    monkeypatch.setattr(packed_module, "onnx_content", lambda _: content)
    monkeypatch.setattr("vad.training.release.export.probe_signals", short_signals)
    with pytest.raises(ModelError, match=message):
        export_onnx(model, config, "small", exported.parent, chunk_frames=10)
    assert {file.name: file.read_bytes() for file in exported.parent.iterdir()} == before


@pytest.fixture(scope="module")
def served(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    config, model = network
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vad.training.release.export.probe_signals", short_signals)
        return export_saved_model(model, config, "small", folder, chunk_frames=10)


def test_a_saved_model_serves_what_was_trained(served, network):
    serve = tf.saved_model.load(str(served)).signatures["serving_default"]
    (numbers,) = {one.shape[1] for name, one in serve.structured_outputs.items() if name == "state_out"}
    assert json.loads((served / "card.json").read_text())["states"] == {"state": [1, numbers]}
    samples = np.stack([probe_signals()[name][: 20 * 320] for name in ("speech", "noise")])
    state, found = tf.zeros((2, numbers)), []
    for block in np.split(samples, [320, 8 * 320], axis=1):
        answer = serve(samples=tf.constant(block), state=state)
        state = answer["state_out"]
        found.append(np.stack([answer["probability"], answer["lookahead_probability"]], axis=-1))
    np.testing.assert_allclose(np.concatenate(found, axis=1), offline(*network, samples), atol=1e-4)


def test_a_saved_model_that_differs_is_not_written_and_others_are_versions(served, network, monkeypatch):
    config, model = network
    bias = model.get_layer("speech").bias
    trained, folder = np.array(bias), served.parent
    monkeypatch.setattr("vad.training.release.export.probe_signals", short_signals)
    monkeypatch.setattr(packed_module, "save", lambda _, to: shutil.copytree(served, to))
    bias.assign(trained + 0.01)
    with pytest.raises(ModelError, match=r"must stay within 0\.0001 of Keras"):
        export_saved_model(model, config, "small", folder.parent, chunk_frames=10)
    bias.assign(trained)
    assert [file.name for file in folder.iterdir()] == ["1"]
    assert export_saved_model(model, config, "small", folder.parent, chunk_frames=10) == folder / "2"
    assert sorted(file.name for file in folder.iterdir()) == ["1", "2"]


@pytest.mark.acceptance
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_converts(architecture, tmp_path):
    config, model = small_network(architecture, lookahead_frames=6)
    path = export_onnx(model, config, "small", tmp_path)
    assert len(Detector(path).probabilities(probe_signals()["speech"], 16_000)) > 0
