"""One look-up of weights: training, export and inspection accept and refuse the same."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

import pytest

from vad.cli import main

pytest.importorskip("keras")
from vad.training.inspection.network import load_inspected_network
from vad.training.weights import weights_of

MODELS = Path(str(resources.files("vad.models")))


@pytest.mark.parametrize("given", ["tiny", "tiny.keras", "tiny.tflite", "run"])
def test_what_one_command_takes_all_take(given: str, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for suffix in ("keras", "json", "tflite"):
        shutil.copy(MODELS / f"tiny.{suffix}", tmp_path)
    shutil.copy(MODELS / "tiny.keras", tmp_path / "run/best.keras")
    shutil.copy(MODELS / "tiny.json", tmp_path / "run/best.json")
    named = given if given == "tiny" else str(tmp_path / given)
    expected = (MODELS / "tiny.keras").read_bytes()
    assert weights_of(named).read_bytes() == expected
    assert load_inspected_network(named).model.count_params() > 0


def test_weights_are_found_by_name_where_no_tflite_file_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vad.training.weights.resources.files", lambda _: tmp_path)
    shutil.copy(MODELS / "interchange.keras", tmp_path)
    assert weights_of("interchange") == tmp_path / "interchange.keras"


@pytest.mark.parametrize("given", ["tinny", "lone.tflite", "empty", "notes.txt", "nowhere.keras"])
def test_what_one_command_refuses_all_refuse_in_the_same_words(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    for name in ("lone.tflite", "notes.txt"):
        Path(name).touch()
    said = set()
    for words in (
        ["inspect", "weights", given],
        ["train", "run", "--corpus", ".", "--init", given],
        ["export", given, "--name", "mine"],
    ):
        assert main(words) == 2
        said.add(capsys.readouterr().err.split(" must be ")[1])
    assert len(said) == 1
    assert given in said.pop()
