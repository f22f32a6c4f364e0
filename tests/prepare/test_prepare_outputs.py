"""Where `vad prepare` does not write."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from support.prepared import TALK, recording

from vad.cli import main


def test_a_wrong_output_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talker = recording(tmp_path / "in/a.wav", *TALK).parent
    sheet = tmp_path / "mine.review.csv"
    sheet.write_text("file,start,end\n")
    (tmp_path / "folder.html").mkdir()
    for words, part in (
        (["-o", "x.html"], "must not end in .html"),
        (["-o", ""], "is a folder"),
        (["-o", "folder.jsonl"], "is a folder"),
        (["-o", "mine.jsonl", "--labels", sheet, "--label-with", "tiny"], "would overwrite an input"),
    ):
        option, name, *more = map(str, words)
        code = main(["prepare", str(talker), option, str(tmp_path / name), *more])
        err = capsys.readouterr().err
        assert code == 2
        assert part in err
        assert len(err.splitlines()) == 1
    assert sheet.read_text() == "file,start,end\n"
    assert not (tmp_path / "x.html").exists()


def test_a_review_sheet_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    talker = recording(tmp_path / "in/a.wav", *TALK).parent
    sheet = tmp_path / "mine.review.csv"
    sheet.write_text("corrected\n")
    assert main(["prepare", str(talker), "-o", str(tmp_path / "mine.jsonl"), "--label-with", "tiny"]) == 2
    assert f"--labels {sheet}" in capsys.readouterr().err
    assert sheet.read_text() == "corrected\n"


def test_the_manifest_that_is_read_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = recording(tmp_path / "in/a.wav", *TALK).parent
    recording(tmp_path / "in/b.wav", *TALK)
    words = ["prepare", str(folder), "-o", str(folder / "manifest.jsonl")]
    assert main(words) == 0
    before = (folder / "manifest.jsonl").read_text()
    (folder / "a.wav").unlink()
    assert main(words) == 2
    assert "would overwrite an input" in capsys.readouterr().err
    assert (folder / "manifest.jsonl").read_text() == before


def test_it_ends_with_the_speakers_and_the_command_that_comes_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A flat folder says nothing of its speakers; the one who trains must know."""
    for name in ("anna/a", "ben/b", "cleo/c"):
        recording(tmp_path / f"in/{name}.wav", *TALK)
    output = tmp_path / "my corpus.jsonl"
    assert main(["prepare", str(tmp_path / "in"), "-o", str(output)]) == 0
    *_, speakers, _, following = capsys.readouterr().err.splitlines()
    assert speakers.startswith("vad: 3 speakers, by the name of the folder.")
    assert shlex.split(following)[-2:] == ["--corpus", str(output)]
    assert main(["prepare", str(tmp_path / "in" / "anna"), "-o", str(output), "--overwrite"]) == 1
    *_, speakers, _, following = capsys.readouterr().err.splitlines()
    assert "unknown speakers, each taken as one: 1." in speakers
    assert "no speech in dev and test" in following
