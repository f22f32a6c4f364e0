"""Kaldi data folders: what is wrong with their files is told together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.prepared import prepare, recording

from vad.detection.segments import Segment


def test_a_kaldi_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["call1", "call2", "call3"]
    folder = tmp_path / "kaldi"
    for name in names:
        recording(folder / f"{name}.wav")
    (folder / "wav.scp").write_text("".join(f"{name} {name}.wav\n" for name in names))
    (folder / "segments").write_text("".join(f"u{name} {name} 0.5 1.5\n" for name in names))
    (folder / "utt2spk").write_text("".join(f"u{name} of-{name}\n" for name in names))
    code, items, err = prepare(capsys, tmp_path, folder)
    assert code == 0, err
    assert [(item.speaker, item.segments) for item in items] == [
        (f"of-{name}", (Segment(0.5, 1.5),)) for name in names
    ]
    (folder / "segments").write_text("u1 call1 0 1\nu2 gone 0 1\n")
    code, _, err = prepare(capsys, tmp_path / "again", folder)
    assert code == 1
    assert re.search(r"segments:2: a recording must stand in wav\.scp\. Received: 'gone'", err)
    for name in ("utt2spk", "wav.scp", "segments"):
        (folder / name).write_text((folder / name).read_text() + "u9\nu8\n")
    _, _, err = prepare(capsys, tmp_path / "more", folder)
    assert [len(re.findall(rf"{name}:\d", err)) for name in ("utt2spk", "wav.scp", "segments")] == [2, 2, 3]


def test_all_that_is_wrong_in_a_kaldi_folder_is_told_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "kaldi"
    recording(folder / "call1.wav")
    (folder / "wav.scp").write_text("call1 call1.wav\naway away.wav\nsph sph2pipe call.sph |\n")
    (folder / "segments").write_text("u1 call1 0\nu2 gone 0 1\nu3 sph 0 1\n")
    _, _, err = prepare(capsys, tmp_path, folder)
    for told in (
        r"segments:1: a line of Kaldi's segments needs",
        r"segments:2: a recording must stand in wav\.scp\. Received: 'gone'",
        r"wav\.scp:2: a recording must exist\. Received: .*away\.wav",
        r"wav\.scp:3: a recording in wav\.scp must be a path\. Received: a command",
    ):
        assert len(re.findall(told, err)) == 1, f"{told} is not in:\n{err}"
    assert len(re.findall(r"(segments|wav\.scp):\d", err)) == 4
