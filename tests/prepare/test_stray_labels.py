"""Label files that `vad prepare` does not read as anybody's, and speech by the labels of noise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.prepared import TALK, prepare, recording

RTTM = "SPEAKER p00 1 0.5 1 <NA> <NA> A <NA> <NA>\n"
UNREAD = r"note: {}: no recording has the name of {}\."


def test_label_files_without_a_recording_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        recording(tmp_path / f"in/{name}.wav", *TALK)
    others = {
        "l.txt": "0.5\t1.0\tspeech\n",
        "l.rttm": "broken\n",
        "all.csv": "file,start,end\na,0,1\n",
        "README.txt": "Two recordings.\n",
        "facts.json": '{"licence": "CC0"}',
        "prices.csv": "name,price\nx,1\n",
        ".hidden.rttm": RTTM,
        "a.srt": "",  # a's, though its .rttm comes first
    }
    for name, text in others.items():
        (tmp_path / "in" / name).write_text(text)
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in")
    assert code == 0, err
    assert len(items) == 2
    assert re.search(UNREAD.format(tmp_path / "in", r"all\.csv, l\.rttm, l\.txt"), err)
    assert err.count("no recording has the name of") == 1


def test_label_files_in_their_own_folder_without_a_recording_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "lab"
    labels.mkdir()
    for name in "ab":
        recording(tmp_path / f"in/day/{name}.wav", *TALK).with_suffix(".rttm").rename(labels / f"{name}.rttm")
    recording(tmp_path / "in/day/stale.wav").with_suffix(".rttm").write_text(RTTM)
    (tmp_path / "in/day/stale.wav").unlink()  # beside recordings nothing is read here
    for number in range(6, 18):
        (labels / f"p{number:02}.json").write_text('{"segments": [{"start": 0, "end": 1}]}')
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in", "--labels", labels)
    assert code == 0, err
    assert len(items) == 2
    assert re.search(UNREAD.format(labels, r"p06\.json, .*, p15\.json and 2 more"), err)
    assert "stale" not in err


def test_of_two_label_files_that_differ_the_one_read_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "abc":
        recording(tmp_path / f"in/{name}.wav", *TALK)
    same = "".join(f"{turn.start}\t{turn.end}\tx\n" for turn in TALK)
    for name, text in {"a": "0.1\t0.2\tx\n", "b": same, "c": "what was said\n"}.items():
        (tmp_path / f"in/{name}.txt").write_text(text)
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in")
    assert (code, len(items)) == (0, 3), err
    assert "differ. Not read: a.txt (a.rttm is read)." in err


def test_tiers_that_are_passed_over_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiers = "".join(
        f'"IntervalTier" "{name}" 0 3 2 0 {start} "" {start} 3 "{said}"\n'
        for name, start, said in (("anna", 1, "hm"), ("bert", 2, "yes"), ("empty", 2, ""))
    )
    grid = f'File type = "ooTextFile"\nObject class = "TextGrid"\n0 3 <exists> 3\n{tiers}'
    for name in "ab":
        recording(tmp_path / f"in/{name}.wav", *TALK).with_suffix(".rttm").unlink()
        (tmp_path / f"in/{name}.TextGrid").write_text(grid)
    message = r"a\.TextGrid: the tiers \['bert'\] are not read\. .* 1 more files"
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in")
    assert (code, [len(item.segments) for item in items]) == (0, [1, 1]), err
    assert re.search(message, err)
    named = ("--tier", "anna", "--tier", "bert")
    assert "are not read" not in prepare(capsys, tmp_path, tmp_path / "in", *named)[2]


def test_labels_are_found_in_capitals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "ab":
        beside = recording(tmp_path / f"in/{name}.wav", *TALK).with_suffix(".rttm")
        beside.rename(beside.with_suffix(".RTTM"))
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in")
    assert (code, len(items)) == (0, 2), err
    assert all(item.segments for item in items)


@pytest.mark.parametrize("kind", ["noise", "music"])
def test_speech_by_the_labels_of_noise_leaves_it_out(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        recording(tmp_path / f"in/speech/{name}/{name}.wav", *TALK)
    for name, text in (("p00", RTTM), ("p01", ""), ("p02", RTTM.replace("SPEAKER", "NON-SPEECH"))):
        recording(tmp_path / f"in/{kind}/{name}.wav").with_suffix(".rttm").write_text(text)
    recording(tmp_path / f"in/{kind}/p03.wav").with_suffix(".txt").write_text("1 2 buckle my shoe\nAnon.\n")
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in")
    assert code == 1
    assert re.search(
        rf"p00\.rttm:1: {kind} must hold no speech\. .* 0\.5 to 1\.5 s, for .*p00\.wav\.",
        err,
    )
    assert err.count("must hold no speech") == 1
    assert {item.path.stem for item in items} == {"a", "b", "p01", "p02", "p03"}


def test_labels_of_speech_are_not_those_of_a_noise_of_that_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "lab"
    labels.mkdir()
    for name in "ab":
        recording(tmp_path / f"in/speech/{name}.wav", *TALK).with_suffix(".rttm").rename(
            labels / f"{name}.rttm"
        )
        recording(tmp_path / f"in/noise/{name}.wav")
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in", "--labels", labels)
    assert code == 0, err
    assert len(items) == 4
