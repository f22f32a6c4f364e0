"""The model: what it computes, what it refuses, and that neither threads nor calls disturb each other."""

import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import tiny_model

from vad.errors import AudioError, ModelError
from vad.runtime import Model, State, model_names

STEP = tiny_model.FRAME_LENGTH
CHUNK = tiny_model.CHUNK_FRAMES * STEP


@pytest.fixture(scope="module")
def model(model_path: Path) -> Model:
    return Model.load(model_path)


def noise(frames: int, seed: int = 0) -> np.ndarray:
    """Noise whose level changes from frame to frame, so that every frame has its own probability."""
    random = np.random.default_rng(seed)
    level = np.repeat(random.uniform(0, 0.3, frames), STEP)
    return (level * random.standard_normal(frames * STEP)).astype(np.float32)


def stepped(model: Model, samples: np.ndarray, state: State | None = None) -> tuple[np.ndarray, State]:
    state = model.initial_state() if state is None else state
    probabilities = []
    for frame in samples.reshape(-1, STEP):
        probability, state = model.step(frame, state)
        probabilities.append(probability)
    return np.array(probabilities), state


def test_step_is_the_network_delayed(model: Model) -> None:
    samples = noise(40)
    probabilities, _ = stepped(model, samples)
    expected = tiny_model.reference_probabilities(samples)
    np.testing.assert_allclose(
        probabilities[model.delay_frames :], expected[: -model.delay_frames], atol=1e-5
    )


def test_chunk_equals_steps_and_both_leave_the_same_state(model: Model) -> None:
    samples = noise(3 * model.chunk_frames)
    expected, after_steps = stepped(model, samples)
    state = model.initial_state()
    probabilities = []
    for block in samples.reshape(-1, CHUNK):
        chunk, state = model.chunk(block, state)
        probabilities.append(chunk)
    np.testing.assert_allclose(np.concatenate(probabilities), expected, atol=1e-5)
    for name in state:
        np.testing.assert_allclose(state[name], after_steps[name], atol=1e-6)


def test_a_call_leaves_the_state_it_was_given_unchanged(model: Model) -> None:
    _, state = stepped(model, noise(5))
    kept = {name: array.copy() for name, array in state.items()}
    first = model.step(noise(1, seed=1), state)[0]
    model.chunk(noise(model.chunk_frames), state)
    assert all(np.array_equal(state[name], kept[name]) for name in kept)
    assert model.step(noise(1, seed=1), state)[0] == first


def test_a_result_is_not_overwritten_by_the_next_call(model: Model) -> None:
    first, state = model.chunk(noise(model.chunk_frames, seed=1), model.initial_state())
    kept, kept_average = first.copy(), state["average"].copy()
    model.chunk(noise(model.chunk_frames, seed=2), state)
    assert np.array_equal(first, kept)
    assert np.array_equal(state["average"], kept_average)


def test_threads_get_what_they_would_get_alone(model: Model) -> None:
    recordings = [noise(60, seed) for seed in range(6)]
    alone = [stepped(model, samples)[0] for samples in recordings]
    together: list[np.ndarray | None] = [None] * len(recordings)

    def hear(index: int) -> None:
        together[index] = stepped(model, recordings[index])[0]

    threads = [threading.Thread(target=hear, args=(index,)) for index in range(len(recordings))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one, other)


def test_the_card_is_read(model: Model) -> None:
    assert (model.name, model.sample_rate, model.frame_length) == ("tiny", 16000, 320)
    assert (model.delay_frames, model.chunk_frames) == (2, 8)
    assert model.frame_duration == pytest.approx(0.02)
    assert model.card["segment_options"]["precise"]["threshold"] == 0.8


@pytest.mark.parametrize("length", [0, STEP - 1, STEP + 1])
def test_step_takes_one_frame_only(model: Model, length: int) -> None:
    with pytest.raises(
        AudioError, match=rf"step takes samples of shape \(320,\)\. Received: shape=\({length},\)"
    ):
        model.step(np.zeros(length, np.float32), model.initial_state())


def test_a_wrong_call_does_not_reshape_the_graph(model: Model) -> None:
    before = model.step(noise(1), model.initial_state())[0]
    with pytest.raises(AudioError):
        model.chunk(np.zeros(STEP, np.float32), model.initial_state())
    with pytest.raises(ModelError, match="state must have this model's names and shapes"):
        model.step(
            noise(1), {"average": np.zeros((1, 3), np.float32), "delayed": np.zeros((1, 2), np.float32)}
        )
    with pytest.raises(ModelError, match=r"Received: \['average'\]"):
        model.step(noise(1), {"average": np.zeros((1, 1), np.float32)})
    assert model.step(noise(1), model.initial_state())[0] == before


def test_every_model_of_the_package_loads() -> None:
    names = model_names()
    if not names:
        pytest.skip("no trained model is in models/ yet")
    for name in names:
        model = Model.load(name)
        probability, _ = model.step(np.zeros(model.frame_length, np.float32), model.initial_state())
        assert 0 <= probability < 0.5, "silence is no speech"


def one_line(error: pytest.ExceptionInfo[ModelError]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


def test_unknown_name_lists_the_names_and_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vad.runtime.model_names", lambda: ["default", "waveform"])
    with pytest.raises(ModelError) as error:
        Model.load("defualt")
    assert one_line(error) == (
        "model must be one of default, waveform, or the path of a .tflite file. "
        "Received: model='defualt'. Did you mean 'default'?"
    )


def test_missing_file_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"a model file must be readable\. Received: .*gone\.tflite \(No such file"
    ):
        Model.load(tmp_path / "gone.tflite")


def test_missing_card(tmp_path: Path) -> None:
    path = tiny_model.write(tmp_path)
    path.with_suffix(".json").unlink()
    with pytest.raises(ModelError) as error:
        Model.load(str(path))
    assert one_line(error).startswith(
        f"a model needs its card beside it. Received: {path} without tiny.json."
    )


@pytest.mark.parametrize("text", ["{", "\x00\x01", ""])
def test_damaged_card(tmp_path: Path, text: str) -> None:
    path = tiny_model.write(tmp_path)
    path.with_suffix(".json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError) as error:
        Model.load(path)
    assert one_line(error).startswith("a model card must be readable JSON.")


def test_card_of_another_encoding(tmp_path: Path) -> None:
    path = tiny_model.write(tmp_path)
    path.with_suffix(".json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(ModelError, match="a model card must be readable JSON"):
        Model.load(path)


@pytest.mark.parametrize("position", [0, 60_000, -1], ids=["header", "weights", "end"])
def test_one_changed_byte_is_found(tmp_path: Path, position: int) -> None:
    path = tiny_model.write(tmp_path)
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ModelError, match="a model must be the file its card describes") as error:
        Model.load(path)
    assert hashlib.sha256(content).hexdigest()[:12] in one_line(error)


@pytest.mark.parametrize("content", [b"", b"no graph at all", tiny_model.graph_bytes()[:3000]])
def test_what_is_no_graph(tmp_path: Path, content: bytes) -> None:
    path = tiny_model.write(tmp_path, content)
    with pytest.raises(ModelError) as error:
        Model.load(path)
    assert one_line(error).startswith("a model must be a .tflite file that LiteRT can run.")


def test_a_signature_is_missing(tmp_path: Path) -> None:
    path = tiny_model.write(tmp_path, tiny_model.graph_bytes(signatures=("step",)))
    with pytest.raises(ModelError, match="a model must have the signatures step and chunk") as error:
        Model.load(path)
    assert "without chunk" in one_line(error)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"frame_length": 512},
            r"\(1, 320\) as the shape of step's input 'samples', its card says \(1, 512\)",
        ),
        (
            {"chunk_frames": 16},
            r"\(1, 2560\) as the shape of chunk's input 'samples', its card says \(1, 5120\)",
        ),
        (
            {"states": {"average": [1, 1], "delayed": [1, 4]}},
            r"\(1, 2\) as the shape of step's input 'delayed', its card says \(1, 4\)",
        ),
        (
            {"states": {"average": [1, 1]}},
            r"\(1, 2\) as the shape of step's input 'delayed', its card says None",
        ),
        (
            {"states": tiny_model.STATES | {"extra": [1, 1]}},
            r"None as the shape of step's input 'extra', its card says \(1, 1\)",
        ),
    ],
)
def test_card_that_disagrees_with_its_graph(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    path = tiny_model.write(tmp_path, **changes)
    with pytest.raises(ModelError, match=message) as error:
        Model.load(path)
    assert one_line(error).startswith("a model must agree with its card.")


def test_graph_with_a_state_of_another_name(tmp_path: Path) -> None:
    path = tiny_model.write(tmp_path, tiny_model.graph_bytes(average_name="mean"))
    with pytest.raises(ModelError, match="step's input 'average'"):
        Model.load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 2}, "format_version 1. Received: format_version=2 for"),
        ({"format_version": None}, "Received: format_version=None for"),
        ({"sha256": None}, "sha256 in a model card must be of type str. Received: sha256=None for"),
        (
            {"delay_frames": "two"},
            "delay_frames in a model card must be of type int. Received: delay_frames='two'",
        ),
        ({"delay_frames": -1}, "delay_frames in a model card must be at least 0. Received: delay_frames=-1"),
        ({"chunk_frames": 0}, "chunk_frames in a model card must be at least 1. Received: chunk_frames=0"),
        (
            {"states": {"average": 1}},
            "a state in a model card must be a list of lengths. Received: average=1",
        ),
    ],
)
def test_card_without_what_running_needs(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    path = tiny_model.write(tmp_path, **changes)
    with pytest.raises(ModelError) as error:
        Model.load(path)
    assert message in one_line(error)


def test_a_card_that_is_no_object(tmp_path: Path) -> None:
    path = tiny_model.write(tmp_path)
    path.with_suffix(".json").write_text("[1]", encoding="utf-8")
    with pytest.raises(ModelError, match="format_version=None"):
        Model.load(path)


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    # LiteRT speaks once a process, so each of these needs its own.
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)


def test_stderr_holds_nothing_of_litert(model_path: Path) -> None:
    loaded = run_python("import sys; from vad.runtime import Model; Model.load(sys.argv[1])", str(model_path))
    assert (loaded.stdout, loaded.stderr) == ("", "")


def test_stderr_keeps_what_others_say_meanwhile(model_path: Path) -> None:
    code = (
        "import os, sys, vad.runtime as runtime\n"
        "class Interpreter(runtime.Interpreter):\n"
        "    def get_signature_list(self):\n"
        "        os.write(2, b'the disk is full\\n')\n"
        "        return super().get_signature_list()\n"
        "runtime.Interpreter = Interpreter\n"
        "runtime.Model.load(sys.argv[1])\n"
        "print('after', file=sys.stderr)\n"
    )
    lines = run_python(code, str(model_path)).stderr.splitlines()
    assert set(lines) == {"the disk is full", "after"}
    assert lines[-1] == "after"


@pytest.mark.skipif(os.name == "nt", reason="closes file descriptor 2, which Windows does not have as such")
def test_a_process_without_stderr_loads_too(model_path: Path) -> None:
    code = "import os, sys; os.close(2)\nfrom vad.runtime import Model; print(Model.load(sys.argv[1]).name)"
    assert run_python(code, str(model_path)).stdout == "tiny\n"


def test_models_may_be_loaded_in_several_threads_without_losing_stderr(model_path: Path) -> None:
    code = (
        "import sys, threading; from vad.runtime import Model\n"
        "threads = [threading.Thread(target=Model.load, args=(sys.argv[1],)) for _ in range(8)]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
        "print('still here', file=sys.stderr)"
    )
    assert run_python(code, str(model_path)).stderr == "still here\n"
