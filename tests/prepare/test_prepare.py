"""`vad prepare`: what people have becomes a manifest; what is wrong is said at once, with its place."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.prepared import TALK, prepare, recording, recordings_with_a_name_that_is_no_text

from vad.detection.segments import Segment


@pytest.fixture
def talkers(tmp_path: Path) -> Path:
    """Six speakers with two recordings each, and four noises."""
    for number in range(6):
        for name in "ab":
            recording(tmp_path / f"in/speech/speaker{number}/{name}.wav", *TALK)
        if number < 4:
            recording(tmp_path / f"in/noise/fan{number}.wav")
    return tmp_path / "in"


def test_the_manifest_has_all_with_everybody_in_one_split(
    talkers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, items, err = prepare(capsys, tmp_path, talkers, "--shares", "0.5,0.25,0.25", "--json")
    assert code == 0, err
    assert len(items) == 16
    splits = {(item.speaker, item.split) for item in items if item.kind == "speech"}
    assert len(splits) == 6
    assert [sum(split == name for _, split in splits) for name in ("train", "dev", "test")] in (
        [3, 1, 2],
        [3, 2, 1],
    )
    assert {item.split for item in items if item.kind == "noise"} == {"train", "dev", "test"}
    spoken = next(item for item in items if item.kind == "speech")
    assert spoken.segments == tuple(TALK)
    assert spoken.path.is_file()
    assert spoken.duration == 3.0
    assert spoken.range_db == pytest.approx(66, abs=3)  # a tone of -13.5 dBFS over noise of -80
    assert spoken.snr_db == pytest.approx(66, abs=1)
    assert {item.snr_db for item in items if item.kind == "noise"} == {None}
    assert re.search(r"train speech +6 +0\.01 +50% +3 +-14", err)


def test_a_seed_decides_and_another_seed_decides_otherwise(
    talkers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2), ("d", 3)):
        _, items, _ = prepare(capsys, tmp_path / name, talkers, "--seed", seed)
        drawn.append([item.split for item in items])
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2] or drawn[0] != drawn[3]


def test_all_problems_are_reported_with_file_and_line(
    talkers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    speech = talkers / "speech"
    recording(speech / "anna/late.wav", *TALK, Segment(2.8, 3.4))
    recording(speech / "bert/none.wav")
    recording(speech / "cleo/twice.wav", Segment(0.5, 1.2), Segment(1.0, 2.0))
    recording(speech / "dora/slow.wav", *TALK, rate=4000)
    recording(speech / "emil/bad.wav", *TALK).write_bytes(b"no audio")
    recording(speech / "finn/broken.wav", *TALK).with_suffix(".rttm").write_text("SPEAKER a 1 x\n")
    manifest = tmp_path / "more.jsonl"
    row = {"audio_filepath": "gone.wav", "kind": "noise"}
    manifest.write_text(json.dumps(row) + "\n" + json.dumps({**row, "kind": "talk"}) + "\n")
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\n")
    inputs = (talkers, manifest, tmp_path / "nowhere", tmp_path / "bytes.jsonl")
    code, items, err = prepare(capsys, tmp_path, *inputs)
    assert code == 1
    for message in (
        r"late\.rttm:3: .* 2\.8 to 3\.4 s .* 3\.000 s",
        r"none\.wav: .*Write none\.rttm beside it",
        r"note: .*twice\.rttm:2: .*overlap",
        r"slow\.wav: .* 8000 Hz .* 4000 Hz",
        r"bad\.wav: ",
        r"broken\.rttm:1: ",
        r"more\.jsonl:1: .*gone\.wav",
        r"more\.jsonl:2: .*kind='talk'",
        r"nowhere: ",
        r"bytes\.jsonl: ",
    ):
        assert re.search(message, err), f"{message} is not in:\n{err}"
    names = {item.path.stem for item in items}
    assert names >= {"twice", "a", "fan0"}
    assert not names & {"late", "none", "slow", "bad", "broken", "gone"}
    (twice,) = (item for item in items if item.path.stem == "twice")
    assert twice.segments == (Segment(0.5, 2.0),)


def test_a_recording_given_twice_keeps_the_manifest_from_being_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording(tmp_path / "in/speech/anna/a.wav", *TALK)
    recording(tmp_path / "in/speech/otto/b.wav", *TALK)
    rows = [
        {"audio_filepath": "in/speech/anna/a.wav", "kind": "speech", "speaker": who, "segments": [[0.5, 1.0]]}
        for who in ("anna", "berta")
    ]
    (tmp_path / "twice.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    code, items, err = prepare(capsys, tmp_path, tmp_path / "twice.jsonl")
    assert (code, items) == (1, [])
    assert re.search(r"twice\.jsonl:2: .*a\.wav .*jsonl:1\.", err)


def test_a_speaker_given_in_two_splits_keeps_the_manifest_from_being_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for split in ("train", "dev"):
        recording(tmp_path / f"in/{split}/speech/anna/{split}.wav", *TALK)
        recording(tmp_path / f"in/{split}/speech/of-{split}/a.wav", *TALK)
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in")
    assert (code, items) == (1, [])
    assert re.search(r"dev\.wav: .*'anna' in dev, but in train at", err)


def test_a_note_says_that_every_recording_holds_speech(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        recording(tmp_path / f"in/{name}.wav", *TALK)
    message = "note: every recording holds speech"
    assert message in prepare(capsys, tmp_path / "1", tmp_path / "in")[2]
    recording(tmp_path / "in/fan.wav").with_suffix(".txt").touch()
    assert "fan.txt: its labels hold no speech" in (
        err := prepare(capsys, tmp_path / "2", tmp_path / "in")[2]
    )
    assert message not in err


def test_who_talk_with_each_other_stay_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, pair in enumerate(("AB", "BC", "DE", "EF", "GH", "IK")):
        path = recording(tmp_path / f"in/call{number}.wav", *TALK)
        lines = path.with_suffix(".rttm").read_text().splitlines()
        named = [line.replace(" speech ", f" {who} ") for line, who in zip(lines, pair, strict=True)]
        path.with_suffix(".rttm").write_text("\n".join(named))
    _, items, _ = prepare(capsys, tmp_path, tmp_path / "in", "--speaker", "labels", "--shares", "0.4,0.3,0.3")
    split_of = {item.path.stem: item.split for item in items}
    assert split_of["call0"] == split_of["call1"]
    assert split_of["call2"] == split_of["call3"]
    assert set(split_of.values()) == {"train", "dev", "test"}
    assert items[0].speakers == ("A", "B")


def test_an_only_speaker_is_in_all_splits_with_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(5):
        recording(tmp_path / f"in/speech/anna/{number}.wav", *TALK)
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in")
    assert code == 0
    assert "note: speakers connect all recordings" in err
    assert {item.split for item in items} == {"train", "dev", "test"}
    assert {item.speaker for item in items} == {""}


@pytest.mark.parametrize("split", ["train", "dev"])
def test_an_empty_class_is_a_problem(split: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("train", "dev"):
        turns = [Segment(0.0, 3.0)] if name == split else TALK
        recording(tmp_path / f"in/{name}/speech/of-{name}/a.wav", *turns)
    code, _, err = prepare(capsys, tmp_path, tmp_path / "in")
    assert code == 1
    assert f"the split {split} holds nothing but speech" in err
    assert err.count("nothing but speech") == 1


def test_what_a_manifest_says_is_kept_and_a_wrong_length_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "abcd":
        recording(tmp_path / f"in/{name}.wav", *TALK)
    about = {"snr_db": 0.0, "original": "there/x.wav", "license": "CC0-1.0"}
    rows = [
        {
            "audio_filepath": f"{name}.wav",
            "kind": "speech",
            "segments": [[0.5, 1.0]],
            "duration": length,
            **about,
        }
        for name, length in zip("abcd", (3.0, 3.02, 3.0, 6.0), strict=True)
    ]
    (tmp_path / "in/all.jsonl").write_text("\n".join(map(json.dumps, rows)))
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in/all.jsonl")
    assert code == 1
    assert re.search(r"all\.jsonl:4: .* 3\.00 s, .* 6\.00 s", err)
    assert len(items) == 3
    assert {(item.snr_db, item.original, item.license) for item in items} == {(0.0, "there/x.wav", "CC0-1.0")}


def test_rounded_lengths_and_labels_are_no_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [  # seconds, as the manifest says, the end of a label, whether all that is rounding
        (3.0, 3.09, 1.0, True),
        (3.0, 2.89, 1.0, False),
        (20.0, 20.19, 1.0, True),
        (20.0, 20.25, 1.0, False),
        (3.0, 3.0, 3.09, True),
        (3.0, 3.0, 3.11, False),
    ]
    lines = []
    for number, (seconds, listed, end, _) in enumerate(rows):
        recording(tmp_path / f"{number}.wav", *TALK, seconds=seconds)
        row = {
            "audio_filepath": f"{number}.wav",
            "kind": "speech",
            "segments": [[0.5, end]],
            "duration": listed,
        }
        lines.append(json.dumps(row))
    (tmp_path / "all.jsonl").write_text("\n".join(lines))
    _, items, err = prepare(capsys, tmp_path, tmp_path / "all.jsonl")
    reported = {int(line) for line in re.findall(r"all\.jsonl:(\d+): ", err)}
    assert reported == {number for number, row in enumerate(rows, 1) if not row[-1]}
    assert len(items) == 3


def test_a_name_that_is_no_text_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recordings_with_a_name_that_is_no_text(tmp_path / "in")
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in")
    assert code == 0, err
    assert len(items) == 4
    assert all(item.path.is_file() for item in items)
    assert "%FF.wav" in (tmp_path / "out" / "corpus.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--shares", "0.5,0.5"], "three shares"),
        (["--shares", "0.5,0.4,0.4"], "three shares"),
        (["--speaker", "[a-z]+"], "a pattern with a group"),
        (["--speaker", "(a"], "speaker"),
        (["--label-with", "defalt"], "defalt"),
        (["--jobs", "0"], "jobs.*1"),
    ],
)
def test_wrong_options_are_one_line(
    words: list[str], message: str, talkers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, items, err = prepare(capsys, tmp_path, talkers, *words)
    assert (code, items) == (2, [])
    assert re.search(message, err)
    assert len(err.splitlines()) == 1
