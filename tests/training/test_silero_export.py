"""Files for programs made for silero_vad.onnx: the contract's shapes, equal results, and states that are zeroed.

The conversions take 40 s, so `scripts/check exports` runs these tests, not the default suite.
"""

import json

import numpy as np
import pytest
from scipy import signal
from support.places import MODELS
from support.small_networks import small_network

from vad.cli import main
from vad.errors import ModelError
from vad.training.networks import LogMelCnn
from vad.training.provenance import load_network
from vad.training.release.probe_signals import probe_signals

pytest.importorskip("onnxruntime")
pytest.importorskip("tf2onnx")
import onnxruntime

from vad.training.release import silero

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """An interchange network, exported; its folder."""
    folder = tmp_path_factory.mktemp("silero")
    config, model = small_network("interchange")
    silero.export_silero(model, config, "small", folder, notes={"label_origin": "by ear"})
    return folder, model


def open_file(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def in_windows(path, samples, sample_rate=16_000):
    session = open_file(path)

    def call(window, state, rate):
        return session.run(None, {"input": window, "state": state, "sr": np.array(rate, np.int64)})

    return silero.run_windows(call, samples, sample_rate)


def test_inputs_and_outputs_are_those_of_the_contract(exported):
    folder, _ = exported
    session = open_file(folder / "small.silero.onnx")
    inputs = [(one.name, one.type, len(one.shape)) for one in session.get_inputs()]
    # Silero's example in Rust gives them by position.
    assert inputs == [
        ("input", "tensor(float)", 2),
        ("state", "tensor(float)", 3),
        ("sr", "tensor(int64)", 0),
    ]
    assert [one.name for one in session.get_outputs()] == ["output", "stateN"]
    for sr in (np.array(16_000), np.array([16_000])):  # both are sent by one client or another
        state = np.zeros((2, 3, 128), np.float32)
        output, state = session.run(None, {"input": np.zeros((3, 576), np.float32), "state": state, "sr": sr})
        assert (output.shape, state.shape) == ((3, 1), (2, 3, 128))


def test_the_card_has_the_files_and_their_differences(exported):
    folder, _ = exported
    card = json.loads((folder / "small.silero.json").read_text())
    assert set(card["files"]) == {"small.silero.onnx", "small.silero-sequence.onnx"}
    assert card["label_origin"] == "by ear"
    names = card["verification"]["largest_difference_from_keras"]
    assert {"speech", "speech, 8 kHz", "speech, sequence"} <= set(names)
    assert max(names.values()) <= 1e-4


def test_the_low_rate_gives_what_the_high_one_gives_of_the_same_band(exported):
    folder, _ = exported
    speech = probe_signals()["speech in noise"]
    low = signal.resample_poly(speech, 1, 2).astype(np.float32)
    band = signal.resample_poly(low, 2, 1).astype(np.float32)
    path = folder / "small.silero.onnx"
    difference = np.abs(in_windows(path, low[np.newaxis], 8_000) - in_windows(path, band[np.newaxis]))
    assert difference.mean() < 0.01


def test_windows_without_their_context_give_the_same(exported):
    folder, model = exported
    speech = probe_signals()["speech"][np.newaxis, : 40 * 512]
    session, found = open_file(folder / "small.silero.onnx"), []
    state = np.zeros((2, 1, 128), np.float32)
    for window in np.split(speech, 40, axis=1):
        output, state = session.run(None, {"input": window, "state": state, "sr": np.array(16_000)})
        found.append(output.item())
    np.testing.assert_allclose(found, np.asarray(model(speech))[0], atol=1e-4)


@pytest.mark.parametrize("first_has_context", [True, False])
def test_clients_that_copy_256_numbers_of_the_state_get_the_same(exported, first_has_context):
    """Silero's examples in C++ do; silero-vad-go and silero-vad of Haskell too, whose first window has no context."""
    folder, model = exported
    speech = probe_signals()["speech"][: 40 * 512]
    session, found = open_file(folder / "small.silero.onnx"), []
    buffer, context = np.zeros(2 * 1 * 128, np.float32), np.zeros(64, np.float32)
    for number, window in enumerate(speech.reshape(-1, 512)):
        joined = np.concatenate([context, window]) if number or first_has_context else window
        inputs = {"input": joined[np.newaxis], "state": buffer.reshape(2, 1, 128), "sr": np.array([16_000])}
        output, state = session.run(["output", "stateN"], inputs)
        found.append(output.ravel()[0])
        buffer, context = state.ravel()[:256].copy(), window[-64:]
    np.testing.assert_allclose(found, np.asarray(model(speech[np.newaxis]))[0], atol=1e-4)


def test_a_state_of_zeros_is_the_beginning_of_a_recording(exported):
    folder, model = exported
    speech = probe_signals()["speech"][np.newaxis, : 60 * 512]
    session, found = open_file(folder / "small.silero.onnx"), []
    windows = speech.reshape(-1, 512)
    state, context = np.zeros((2, 1, 128), np.float32), np.zeros((1, 64), np.float32)
    for number, window in enumerate(windows):
        if number == 30:
            state, context = np.zeros_like(state), np.zeros_like(context)
        joined = np.concatenate([context, window[np.newaxis]], axis=1)
        output, state = session.run(None, {"input": joined, "state": state, "sr": np.array(16_000)})
        found.append(output.item())
        context = joined[:, -64:]
    halves = [np.asarray(model(half))[0] for half in np.split(speech, 2, axis=1)]
    np.testing.assert_allclose(found, np.concatenate(halves), atol=1e-4)


def test_a_sequence_goes_on_from_its_state(exported):
    folder, model = exported
    speech = probe_signals()["speech"][np.newaxis, : 50 * 512]
    padded = np.pad(speech, [(0, 0), (64, 0)])[0]
    windows = np.stack([padded[at : at + 576] for at in range(0, speech.shape[1], 512)])
    session = open_file(folder / "small.silero-sequence.onnx")
    h = c = np.zeros((1, 1, 128), np.float32)
    first, h, c = session.run(None, {"input": windows[:20], "h": h, "c": c})
    second, *_ = session.run(None, {"input": windows[20:], "h": h, "c": c})
    np.testing.assert_allclose(np.concatenate([first, second]), np.asarray(model(speech))[0], atol=1e-4)


def test_a_model_with_frames_of_20_ms_runs_in_windows_of_32(tmp_path):
    words = ["--name", "mine", "--format", "silero-onnx", "--output", str(tmp_path)]
    assert main(["export", "tiny", *words]) == 0
    assert {one.name for one in tmp_path.iterdir()} == {"mine.silero.onnx", "mine.silero.json"}
    speech = np.stack([probe_signals()[name][: 40 * 512] for name in ("speech", "noise")])
    frames = 512 * np.arange(1, 41) // 320 - 1
    expected = load_network(MODELS / "tiny.keras").predict_on_batch(speech)[:, frames]
    np.testing.assert_allclose(in_windows(tmp_path / "mine.silero.onnx", speech), expected, atol=1e-4)


def test_a_file_that_differs_is_not_written(exported, tmp_path, monkeypatch):
    content, sequence = (
        (exported[0] / f"small.{one}.onnx").read_bytes() for one in ("silero", "silero-sequence")
    )
    config, model = small_network("interchange")
    model.get_layer("speech").bias.assign_add([0.01])
    monkeypatch.setattr(silero, "silero_onnx", lambda _: content)
    monkeypatch.setattr(silero, "silero_sequence_onnx", lambda _: sequence)
    with pytest.raises(ModelError, match=r"must stay within 0\.0001 of Keras"):
        silero.export_silero(model, config, "small", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--quantize", "int8"], "float weights"), ([], "frames of 40 ms")],
)
def test_refuses_what_the_contract_has_no_place_for(words, message, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("vad.training.provenance.network_of", lambda _: LogMelCnn(frame_ms=40))
    command = ["export", "tiny", "--name", "a", "--format", "silero-onnx", "--output", str(tmp_path), *words]
    assert main(command) == 2
    assert message in capsys.readouterr().err
