"""Models in ONNX: as in LiteRT, in files, streams and commands; and what is refused, in one line each."""

import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from support import tiny_model
from support.bursts import RATE, bursts, streamed
from support.places import EXAMPLES

from vad.audio.reading import read_audio
from vad.cli import main
from vad.detection.detector import Detector
from vad.detection.model import Model
from vad.errors import MissingDependencyError, ModelError

pytest.importorskip("onnxruntime")
tiny_onnx = pytest.importorskip("support.tiny_onnx")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same network as tiny.onnx and as tiny.tflite, each with its card."""
    folder = tmp_path_factory.mktemp("onnx")
    tiny_onnx.write(folder)
    tiny_model.write(folder, lookahead=True)
    return folder


@pytest.mark.parametrize("lookahead", [False, True])
def test_recordings_and_streams_are_those_of_litert(folder: Path, lookahead: bool) -> None:
    ours, theirs = (Detector(folder / name, lookahead=lookahead) for name in ("tiny.onnx", "tiny.tflite"))
    samples = bursts(44_100)
    np.testing.assert_allclose(
        ours.probabilities(samples, 44_100), theirs.probabilities(samples, 44_100), atol=1e-5
    )
    assert ours.detect(samples, 44_100) == theirs.detect(samples, 44_100) != []
    blocks = np.array_split(bursts(), 29)
    (events, found), (expected_events, expected) = (
        streamed(one.stream(lookahead=lookahead), blocks) for one in (ours, theirs)
    )
    assert events == expected_events != []
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_streams_of_several_threads_share_the_model(folder: Path) -> None:
    detector = Detector(folder / "tiny.onnx")
    recordings = [bursts(seed=seed) for seed in range(4)]
    found: dict[int, np.ndarray] = {}

    def run(number: int) -> None:
        found[number] = streamed(detector.stream(), np.array_split(recordings[number], 20))[1]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, samples in enumerate(recordings):
        alone = streamed(detector.stream(), np.array_split(samples, 20))[1]
        np.testing.assert_array_equal(found[number], alone)


def test_a_step_leaves_the_state_it_was_given(folder: Path) -> None:
    model = Model.load(folder / "tiny.onnx")
    state = model.initial_state()
    model.step(bursts()[8000:8320], state)
    assert not state["state"].any()


def test_without_litert_an_onnx_export_runs_and_others_name_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(MissingDependencyError, match=r"LiteRT: .*--format onnx.*'openvad\[onnx\]'"):
        Detector(folder / "tiny.tflite")
    assert Detector(folder / "tiny.onnx").detect(bursts(), RATE)


def test_without_litert_onnxruntime_runs_the_same_default(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = read_audio(EXAMPLES / "clip.wav", sample_rate=16_000)
    expected = Model.load("default")
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    model = Model.load("default")
    assert model.card["format"] == "onnx"
    assert model.card["segment_options"] == expected.card["segment_options"]
    for lookahead in (False, True):
        found, right = (
            Detector(one, lookahead=lookahead).probabilities(samples, 16_000) for one in (model, expected)
        )
        np.testing.assert_allclose(found, right, atol=1e-4)


def test_without_onnxruntime_the_extra_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert main(["detect", "data/examples/clip.wav", "--model", str(folder / "tiny.onnx")]) == 2
    assert capsys.readouterr().err == (
        "vad: an .onnx model needs onnxruntime. Install it with: pip install 'openvad[onnx]'\n"
    )


@pytest.mark.parametrize(
    ("content", "changes", "message"),
    [
        (b"", {}, r"onnxruntime cannot run .*tiny\.onnx: "),
        (b"no graph at all", {}, r"onnxruntime cannot run .*tiny\.onnx: .*parsing failed\. Export it again"),
        (tiny_onnx.graph_bytes()[:1500], {}, r"onnxruntime cannot run .*tiny\.onnx: "),
        (tiny_model.graph_bytes(), {}, r"onnxruntime cannot run .*tiny\.onnx: "),
        (tiny_onnx.graph_bytes(), {"format": None}, r"LiteRT cannot run .*tiny\.onnx: "),
        (tiny_onnx.graph_bytes(), {"format": "caffe"}, r"format .* tflite, onnx.*format='caffe'"),
        (tiny_onnx.graph_bytes(), {"sha256": "0" * 64}, r"tiny\.onnx does not match its card: the sha256"),
        (tiny_onnx.graph_bytes(), {"late_frames": None}, "output 'late_probability'.*the card says None"),
        (
            tiny_onnx.graph_bytes(),
            {"states": {"state": [1, 7]}},
            r"step's input 'state' is \(None, 6\), the card says \(1, 7\)",
        ),
        (tiny_onnx.graph_bytes(), {"frame_length": 512}, r"onnxruntime cannot run .*tiny\.onnx: "),
        (tiny_onnx.graph_bytes(float("nan")), {}, "gives nan for silence"),
    ],
)
def test_what_is_no_model_is_one_line(tmp_path: Path, content: bytes, changes: dict, message: str) -> None:
    path = tiny_onnx.write(tmp_path, content, **changes)
    with pytest.raises(ModelError, match=message) as error:
        Model.load(path)
    assert "\n" not in str(error.value)


def test_a_file_of_another_program_has_no_card(tmp_path: Path) -> None:
    path = tmp_path / "silero_vad.onnx"
    path.write_bytes(tiny_onnx.graph_bytes())
    with pytest.raises(
        ModelError, match=r"silero_vad\.onnx\.json: No such file.*needs its card.*--format onnx"
    ):
        Model.load(path)


def test_commands_take_either_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for name in ("tiny.onnx", "tiny.tflite"):
        model = ["--model", str(folder / name)]
        assert main(["detect", "data/examples/clip.wav", *model]) == 0
        assert main(["evaluate", "data/examples", "--split", "all", *model]) == 0
        found.append(capsys.readouterr().out)
    assert found[0] == found[1] != ""


def test_commands_that_need_the_weights_say_so(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(folder / "tiny.onnx")
    for command in (
        ["inspect", "weights", path, "-o", str(tmp_path / "pictures")],
        ["export", path, "--name", "copy", "-o", str(tmp_path)],
    ):
        assert main(command) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert ".keras" in error
