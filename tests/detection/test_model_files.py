"""What is refused as a model: every disagreement of file, card and graph, in one line each."""

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from support import tiny_model

from vad.detection.model import Model
from vad.errors import ModelError


def one_line(error: pytest.ExceptionInfo[ModelError]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


def test_unknown_name_lists_the_names_and_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vad.detection.model_files.model_names", lambda: ["default", "waveform"])
    with pytest.raises(ModelError, match=r"default, waveform.*model='defualt'.*default"):
        Model.load("defualt")


def test_missing_file_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.tflite"):
        Model.load(tmp_path / "gone.tflite")


def test_missing_card(tmp_path: Path) -> None:
    path = tiny_model.write(tmp_path)
    path.with_suffix(".json").unlink()
    with pytest.raises(ModelError) as error:
        Model.load(str(path))
    assert f"{path.with_suffix('.json')}: No such file" in one_line(error)


@pytest.mark.parametrize("text", ["{", "\x00\x01", ""])
def test_damaged_card(tmp_path: Path, text: str) -> None:
    path = tiny_model.write(tmp_path)
    path.with_suffix(".json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError) as error:
        Model.load(path)
    assert "JSON" in one_line(error)


def test_card_of_another_encoding(tmp_path: Path) -> None:
    path = tiny_model.write(tmp_path)
    path.with_suffix(".json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(ModelError, match="JSON"):
        Model.load(path)


@pytest.mark.parametrize("position", [0, 60_000, -1], ids=["header", "weights", "end"])
def test_one_changed_byte_is_found(tmp_path: Path, position: int) -> None:
    path = tiny_model.write(tmp_path)
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ModelError, match="card") as error:
        Model.load(path)
    assert hashlib.sha256(content).hexdigest()[:12] in one_line(error)


@pytest.mark.parametrize("content", [b"", b"no graph at all", tiny_model.graph_bytes()[:3000]])
def test_what_is_no_graph(tmp_path: Path, content: bytes) -> None:
    path = tiny_model.write(tmp_path, content)
    with pytest.raises(ModelError) as error:
        Model.load(path)
    assert "LiteRT" in one_line(error)


def test_a_signature_is_missing(tmp_path: Path) -> None:
    path = tiny_model.write(tmp_path, tiny_model.graph_bytes(signatures=("step",)))
    with pytest.raises(ModelError, match="chunk") as error:
        Model.load(path)
    assert str(path) in one_line(error)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"frame_length": 512},
            r"the shape of step's input 'samples' is \(1, 320\), the card says \(1, 512\)",
        ),
        (
            {"chunk_frames": 16},
            r"the shape of chunk's input 'samples' is \(1, 2560\), the card says \(1, 5120\)",
        ),
        (
            {"states": {"average": [1, 1], "delayed": [1, 4]}},
            r"the shape of step's input 'delayed' is \(1, 2\), the card says \(1, 4\)",
        ),
        (
            {"states": {"average": [1, 1]}},
            r"the shape of step's input 'delayed' is \(1, 2\), the card says None",
        ),
        (
            {"states": tiny_model.STATES | {"extra": [1, 1]}},
            r"the shape of step's input 'extra' is None, the card says \(1, 1\)",
        ),
        (
            {"late_frames": 5},
            r"the shape of step's output 'late_probability' is None, the card says \(1, 1\)",
        ),
        (
            {"lookahead": True, "late_frames": None},
            r"the shape of step's output 'late_probability' is \(1, 1\), the card says None",
        ),
    ],
)
def test_card_that_disagrees_with_its_graph(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = tiny_model.write(tmp_path, **changes)
    with pytest.raises(ModelError, match=message):
        Model.load(path)


def test_graph_with_a_state_of_another_name(tmp_path: Path) -> None:
    path = tiny_model.write(tmp_path, tiny_model.graph_bytes(average_name="mean"))
    with pytest.raises(ModelError, match="step's input 'average'"):
        Model.load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 2}, "format_version.*1.*format_version=2"),
        ({"format_version": None}, "format_version=None"),
        ({"sha256": None}, "sha256.*sha256=None"),
        (
            {"delay_frames": "two"},
            "delay_frames.*delay_frames='two'",
        ),
        ({"delay_frames": -1}, "delay_frames.*0.*delay_frames=-1"),
        (
            {"late_frames": 2},
            "late_frames.*0.*delay_frames=2.*late_frames=2",
        ),
        ({"late_frames": -1}, "late_frames.*0.*late_frames=-1"),
        (
            {"late_frames": "five"},
            "late_frames.*late_frames='five'",
        ),
        ({"chunk_frames": 0}, "chunk_frames.*1.*chunk_frames=0"),
        (
            {"states": {"average": 1}},
            "average=1",
        ),
        (
            {"segment_options": {"balanced": 0.5}},
            r"balanced=0\.5",
        ),
    ],
)
def test_card_without_what_running_needs(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    path = tiny_model.write(tmp_path, **changes)
    with pytest.raises(ModelError) as error:
        Model.load(path)
    assert re.search(message, one_line(error))


def test_a_card_that_is_no_object(tmp_path: Path) -> None:
    path = tiny_model.write(tmp_path)
    path.with_suffix(".json").write_text("[1]", encoding="utf-8")
    with pytest.raises(ModelError, match="format_version=None"):
        Model.load(path)


@pytest.mark.parametrize(("bias", "lookahead"), [("BIAS", False), ("BIAS", True), ("LOOKAHEAD_BIAS", True)])
def test_a_graph_that_gives_no_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bias: str, lookahead: bool
) -> None:
    monkeypatch.setattr(tiny_model, bias, float("nan"))
    path = tiny_model.write(tmp_path, lookahead=lookahead)
    with pytest.raises(ModelError, match="gives nan for silence") as caught:
        Model.load(path)
    assert str(path) in str(caught.value)
