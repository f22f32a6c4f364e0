"""Kaldi data folders: the problems of their files are reported together."""

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
    assert re.search(r"segments:2: .*'gone'.*wav\.scp", err)
    for name in ("utt2spk", "wav.scp", "segments"):
        (folder / name).write_text((folder / name).read_text() + "u9\nu8\n")
    _, _, err = prepare(capsys, tmp_path / "more", folder)
    assert [len(re.findall(rf"{name}:\d", err)) for name in ("utt2spk", "wav.scp", "segments")] == [2, 2, 3]


def test_all_that_is_wrong_in_a_kaldi_folder_is_reported_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "kaldi"
    recording(folder / "call1.wav")
    (folder / "wav.scp").write_text("call1 call1.wav\naway away.wav\nsph sph2pipe -c 1 call.sph |\n")
    (folder / "segments").write_text("u1 call1 0\nu2 gone 0 1\nu3 sph 0 1\n")
    _, _, err = prepare(capsys, tmp_path, folder)
    for message in (
        r"segments:1: a line of Kaldi's segments needs",
        r"segments:2: .*'gone'.*wav\.scp",
        r"wav\.scp:2: .*away\.wav",
        r"wav\.scp:3: .* command for 'sph'",
    ):
        assert len(re.findall(message, err)) == 1, f"{message} is not in:\n{err}"
    assert len(re.findall(r"(segments|wav\.scp):\d", err)) == 4


def test_a_kaldi_folder_without_segments_is_one_utterance_a_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "kaldi"
    recording(folder / "call1.wav", seconds=3.0)
    recording(folder / "call2.wav", seconds=2.5)
    (folder / "wav.scp").write_text("call1 call1.wav\ncall2 call2.wav\n")
    (folder / "utt2spk").write_text("call1 anna\ncall2 bert\n")
    recording(tmp_path / "corpus" / "noise" / "fan.wav")
    _, items, err = prepare(capsys, tmp_path, folder, tmp_path / "corpus")
    speech = [(item.speaker, item.segments) for item in items if item.kind == "speech"]
    assert speech == [("anna", (Segment(0.0, 3.0),)), ("bert", (Segment(0.0, 2.5),))], err


def test_utterances_that_end_with_their_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "kaldi"
    for name in ("call1", "call2"):
        recording(folder / f"{name}.wav", seconds=3.0)
    (folder / "wav.scp").write_text("call1 call1.wav\ncall2 call2.wav\n")
    (folder / "segments").write_text("u1 call1 0.5 1\nu2 call1 1.5 -1\nu3 call2 1 -1.0\n")
    code, items, err = prepare(capsys, tmp_path, folder)
    assert code == 0, err
    assert [item.segments for item in items] == [
        (Segment(0.5, 1.0), Segment(1.5, 3.0)),
        (Segment(1.0, 3.0),),
    ]
    (folder / "segments").write_text("u1 call1 0.5 1\nu2 call1 5 -1\nu3 call2 1 -1.0\n")
    code, _, err = prepare(capsys, tmp_path / "again", folder)
    assert code == 1
    assert re.search(r"segments:2: .* 5 to 5 s .* 3\.000 s", err)


@pytest.mark.parametrize(
    "command",
    ["cat {} |", "flac -c -d -s {} |", "/usr/bin/sph2pipe -f wav -p {} |", "sox -q '{}' -r 16k -t wav - |",
     "ffmpeg -nostdin -loglevel error -i {} -f wav -ar 16000 pipe:1 |"],
)  # fmt: skip
def test_a_command_that_only_decodes_stands_for_its_file(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "kaldi"
    recording(folder / "call1.wav", seconds=3.0)
    (folder / "wav.scp").write_text(f"call1 {command.format('call1.wav')}\n")
    (folder / "segments").write_text("u1 call1 0.5 -1\n")
    _, items, err = prepare(capsys, tmp_path, folder)
    assert [item.segments for item in items] == [(Segment(0.5, 3.0),)], err


@pytest.mark.parametrize(
    "command",
    ["sph2pipe -f wav -c 1 {} |", "sox {} -t wav - trim 5 |", "ffmpeg -ss 5 -i {} -f wav - |",
     "cat {} | sox - -t wav - |",
     "sox {} {} -t wav - |", "rm {} |", "cat '{} |", "flac --until=5 {} |", "sox -t wav -|"],
)  # fmt: skip
def test_a_command_that_changes_more_is_refused(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "kaldi"
    recording(folder / "call1.wav", seconds=3.0)
    (folder / "wav.scp").write_text(f"call1 {command.replace('{}', 'call1.wav')}\n")
    code, _, err = prepare(capsys, tmp_path, folder)
    assert code == 1
    assert err.count("wav.scp:1:") == 1


def test_commands_in_wav_scp_are_reported_in_one_line_and_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "kaldi"
    recording(folder / "call1.wav")
    (folder / "wav.scp").write_text(
        f"call1 call1.wav\ncall2 touch {tmp_path / 'ran'} |\ncall3 sox call1.wav -t wav - rate 8k |\n"
    )
    code, items, err = prepare(capsys, tmp_path, folder)
    assert (code, items) == (1, [])
    (line,) = [line for line in err.splitlines() if "wav.scp" in line]
    assert re.search(r"wav\.scp:2: .* a command for 'call2' and 1 more", line)
    assert not (tmp_path / "ran").exists()


def test_a_model_finds_the_speech_in_utterances(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], model_path: Path
) -> None:
    folder = tmp_path / "kaldi"
    recording(folder / "call1.wav", Segment(0.5, 1.5), labels=".txt")
    (folder / "call1.txt").unlink()
    (folder / "wav.scp").write_text("call1 call1.wav\n")
    (folder / "utt2spk").write_text("call1 anna\n")
    _, items, err = prepare(capsys, tmp_path, folder, "--label-with", model_path)
    (item,) = items
    assert item.speaker == "anna", err
    assert item.label.startswith("model ")
    assert item.segments != (Segment(0.0, 3.0),)
