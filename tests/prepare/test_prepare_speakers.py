"""Where `vad prepare` takes the names of speakers from, and what it says where there are none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.prepared import TALK, prepare, recording

UNNAMED = r"note: (\d+) recordings of speech lie in no speaker's folder"


def test_a_pattern_finds_the_speaker_in_the_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("anna_take1", "anna_take2", "bert_take1", "0815"):
        recording(tmp_path / f"in/{name}.wav", *TALK)
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in", "--speaker", "([a-z]+)_take")
    assert code == 1
    assert {item.path.stem: item.speaker for item in items} == {
        "anna_take1": "anna",
        "anna_take2": "anna",
        "bert_take1": "bert",
        "0815": "",
    }
    assert re.findall(r"(\S+): the path does not match", err) == [str(tmp_path / "in/0815.wav")]


def test_each_file_can_be_a_speaker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("day/a", "day/b", "night/a"):
        recording(tmp_path / f"in/speech/{name}.wav", *TALK)
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in", "--speaker", "file")
    assert code == 0, err
    assert [item.speaker for item in items] == ["day/a", "day/b", "night/a"]


@pytest.mark.parametrize(("names", "told"), [("a", []), ("ab", ["2"]), ("abc", ["3"])])
def test_recordings_in_no_speakers_folder_are_counted_from_two_on(
    names: str, told: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording(tmp_path / "in/speech/cleo/c.wav", *TALK)
    for name in names:
        recording(tmp_path / f"in/speech/{name}.wav", *TALK)
    assert re.findall(UNNAMED, prepare(capsys, tmp_path, tmp_path / "in")[2]) == told
