"""Whose the labels are that `vad prepare` reads: beside recordings, in folders, in one file about many, by a model."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from support.prepared import TALK, prepare, recording, rttm

from vad.detection.segments import Segment
from vad.labels import Entry, merge, write_labels
from vad.prepare.inputs import Candidate
from vad.prepare.manifest import review_text
from vad.prepare.measure import Measured

SECOND = (Segment(1.0, 2.0),)


def test_lines_beside_a_recording_go_to_those_that_they_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording(tmp_path / "in/a.wav")
    recording(tmp_path / "in/b.wav").with_suffix(".rttm").write_text(
        rttm("b 1 1", "a 0.5 0.5", "c 0 1", "c 1 1")
    )
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in")
    assert code == 0
    assert {item.path.name: item.segments for item in items} == {
        "a.wav": (Segment(0.5, 1.0),),
        "b.wav": SECOND,
    }
    assert re.search(r"b\.rttm:3: no recording is called 'c'\.", err)
    assert err.count("b.rttm") == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("b.csv", "file,start,end\nb.wav,1,2\na.wav,0.5,1\n"),
        ("b.tsv", "file\tstart\tend\n\t1\t2\na.wav\t0.5\t1\n"),
        ("b.jsonl", '{"file": "b", "start": 1, "end": 2}\n{"file": "a", "start": 0.5, "end": 1}\n'),
        (
            "b.json",
            '[{"file": "b", "segments": [{"start": 1, "end": 2}]}, {"file": "a", "start": 0.5, "end": 1}]',
        ),
    ],
)
def test_every_format_that_names_recordings_is_parted(
    name: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for stem in "ab":
        recording(tmp_path / f"in/{stem}.wav")
    (tmp_path / "in" / name).write_text(text)
    _, items, _ = prepare(capsys, tmp_path, tmp_path / "in")
    assert [item.segments for item in items] == [(Segment(0.5, 1.0),), SECOND]


def test_a_single_name_beside_a_recording_is_that_recording_whatever_it_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for stem, name in (("a", "a"), ("b", "waveform"), ("c", "a")):
        recording(tmp_path / f"in/{stem}.wav").with_suffix(".rttm").write_text(rttm(f"{name} 1 1"))
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in")
    assert code == 0, err
    assert [item.segments for item in items] == [SECOND] * 3
    assert re.search(r"note: .*c\.rttm:1: the labels name .*a\.wav, .*c\.wav", err)
    assert err.count("the labels name") == 1


def test_a_recording_is_not_labelled_by_others_names_nor_by_two_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording(tmp_path / "in/a.wav").with_suffix(".rttm").write_text(rttm("a 1 1"))
    recording(tmp_path / "in/b.wav").with_suffix(".rttm").write_text(rttm("d 1 1", "a 0 1"))
    for stem in "de":
        recording(tmp_path / f"in/{stem}.wav")
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in")
    assert code == 1
    assert [item.path.name for item in items] == ["d.wav"]
    for message in (
        r"b\.rttm:2: the labels of .*a\.wav differ from those in .*a\.rttm",
        r"b\.rttm: .*b\.wav.*\['a', 'd'\]\.",
        r"e\.wav: .*Write e\.rttm beside it",
    ):
        assert re.search(message, err), f"{message} is not in:\n{err}"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("all.csv", "file,start,end\n{x},1,2\n{y},0.5,1\n"),
        (
            "all.rttm",
            "SPEAKER {x} 1 1 1 <NA> <NA> A <NA> <NA>\nSPEAKER {y} 1 0.5 0.5 <NA> <NA> A <NA> <NA>\n",
        ),
        ("segments", "u1 {x} 1 2\nu2 {y} 0.5 1\n"),
    ],
)
@pytest.mark.parametrize("written", ["a/x b/x", "in/a/x.wav ../b/x.wav", r"a\x.wav {here}/in/b/x.wav"])
def test_a_path_in_one_label_file_parts_recordings_of_one_name(
    file: str, text: str, written: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in "ab":
        recording(tmp_path / f"in/{folder}/x.wav")
    x, y = written.format(here=tmp_path).split()
    (tmp_path / file).write_text(text.format(x=x, y=y))
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in", "--labels", tmp_path / file)
    assert code == 0, err
    assert [item.segments for item in items] == [SECOND, (Segment(0.5, 1.0),)]


def test_a_name_that_two_recordings_have_is_reported_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in ("a/x", "b/x", "b/y"):
        recording(tmp_path / f"in/{path}.wav")
    (tmp_path / "all.csv").write_text("file,start,end\ny,1,2\nx.wav,1,2\nc/y.wav,1,2\n")
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in", "--labels", tmp_path / "all.csv")
    assert code == 1
    assert [item.path.name for item in items] == ["y.wav"]
    paths = r"/.*in/a/x\.wav and /.*in/b/x\.wav"
    assert re.search(rf"all\.csv:3: 'x\.wav' fits several recordings: {paths}\.", err)
    assert re.search(r"all\.csv:4: .*'c/y\.wav'\. Is it /.*in/b/y\.wav\?", err)
    assert "has no labels" not in err


def test_a_label_file_in_another_folder_is_not_of_two_recordings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in "ab":
        recording(tmp_path / f"in/{folder}/x.wav")
    (tmp_path / "labels").mkdir()
    write_labels(tmp_path / "labels/x.txt", TALK)
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in", "--labels", tmp_path / "labels")
    assert (code, items) == (1, [])
    assert re.search(r"x\.txt:1: 'x' fits several recordings: .*a/x\.wav and .*b/x\.wav", err)


def test_all_broken_lines_are_reported_once_and_their_recordings_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for stem in "ab":
        recording(tmp_path / f"in/{stem}.wav", *TALK)
    (tmp_path / "in/a.rttm").write_text("SPEAKER a 1 0\n" + rttm("a 0 1", "a x 1", "a 2 -1"))
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in", "--tier", "one", "--tier", "two")
    assert code == 1
    assert [item.path.name for item in items] == ["b.wav"]
    assert re.findall(r"a\.rttm:(\d)", err) == ["1", "3", "4"]
    assert "overlap" not in err  # b's lines, once for each tier


def test_one_label_file_about_all_and_a_name_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "abc":
        recording(tmp_path / f"in/{name}.wav")
    rows = [f"{name}.wav,0.5,1.0" for name in "abcd"]
    (tmp_path / "all.csv").write_text("\n".join(["file,start,end", *rows]))
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in", "--labels", tmp_path / "all.csv")
    assert code == 0
    assert re.search(r"note: .*all\.csv:5: no recording is called 'd\.wav'", err)
    assert [item.segments for item in items] == [(Segment(0.5, 1.0),)] * 3


def test_one_label_file_about_all_that_names_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        recording(tmp_path / f"in/{name}.wav")
    (tmp_path / "all.csv").write_text("clip,start,end\na.wav,0.5,1.0\n")
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in", "--labels", tmp_path / "all.csv")
    assert (code, items) == (1, [])
    assert re.search(r"all\.csv:2: .*column file", err)
    (tmp_path / "in/b.wav").rename(tmp_path / "in/all.wav")  # whose own it is, as its name says
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in", "--labels", tmp_path / "all.csv")
    assert [item.segments for item in items] == [(Segment(0.5, 1.0),)]


def test_labels_in_another_folder_and_a_chosen_tier(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "abc":
        recording(tmp_path / f"in/day/{name}.wav")
        tier = '"IntervalTier" "{}" 0 3 1 {} {} "x"'
        text = (
            f'"ooTextFile" "TextGrid" 0 3 <exists> 2 {tier.format("words", 0, 1)} {tier.format("talk", 1, 2)}'
        )
        (tmp_path / "labels/day").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"labels/day/{name}.TextGrid").write_text(text)
    _, items, _ = prepare(
        capsys, tmp_path, tmp_path / "in", "--labels", tmp_path / "labels", "--tier", "talk"
    )
    assert [item.segments for item in items] == [(Segment(1.0, 2.0),)] * 3


def test_a_model_labels_and_its_review_sheet_can_be_given_back(
    tmp_path: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "abc":
        recording(tmp_path / f"in/{name}.wav", Segment(1.0, 2.0)).with_suffix(".rttm").unlink()
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in", "--label-with", model_path)
    assert code == 0, err
    for item in items:
        (segment,) = item.segments
        assert (segment.start, segment.end) == (pytest.approx(1.0, abs=0.2), pytest.approx(2.0, abs=0.2))
        assert item.label == "model tiny, threshold 0.5"
    sheet = tmp_path / "out" / "corpus.review.csv"
    rows = list(csv.DictReader(sheet.read_text().splitlines()))
    assert len(rows) == 3
    assert all(0.5 < float(row["mean_probability"]) <= 1 for row in rows)
    _, again, _ = prepare(capsys, tmp_path / "again", tmp_path / "in", "--labels", sheet)
    assert [item.segments for item in again] == [item.segments for item in items]


def test_a_recording_in_which_a_model_detects_nobody_comes_back_in_the_review_sheet(
    tmp_path: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        recording(tmp_path / f"in/{name}.wav", Segment(1.0, 2.0)).with_suffix(".rttm").unlink()
    recording(tmp_path / "in/silent.wav")
    assert prepare(capsys, tmp_path, tmp_path / "in", "--label-with", model_path)[0] == 0
    sheet = tmp_path / "out" / "corpus.review.csv"
    (row,) = (row for row in csv.DictReader(sheet.read_text().splitlines()) if "silent" in row["file"])
    assert (row["start"], row["end"], row["mean_probability"]) == ("", "", "")
    code, items, err = prepare(capsys, tmp_path / "again", tmp_path / "in", "--labels", sheet)
    assert code == 0, err
    assert {item.path.stem: len(item.segments) for item in items} == {"a": 1, "b": 1, "silent": 0}
    assert "review.csv: its labels hold no speech" in err


def test_the_review_sheet_begins_with_the_most_doubtful() -> None:
    def measured(name: str, *probabilities: float) -> Measured:
        candidate = Candidate(Path(name), "speech", turns=(Entry(0, 0.0, 0.04),))
        return Measured(candidate, 0.08, probabilities=np.float32(probabilities), frame_duration=0.02)

    sheet = review_text(
        [measured("sure.wav", 0.9, 0.9, 0.1, 0.3), measured("doubtful.wav", 0.6, 0.9, 0.3, 0.1)]
    )
    assert sheet.splitlines()[1:] == [
        "doubtful.wav,0.000,0.040,0.750,0.500",
        "sure.wav,0.000,0.040,0.900,0.250",
    ]


def test_labels_of_noise_alone_say_that_nobody_speaks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "abc":
        recording(tmp_path / f"in/{name}.wav")
    (tmp_path / "all.csv").write_text("file,start,end,label\na,1,2,hi\nb,0.5,1,hi\nc,0,3,noise\n")
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in", "--labels", tmp_path / "all.csv")
    assert code == 0, err
    assert [len(item.segments) for item in items] == [1, 1, 0]


def test_labels_without_speakers_are_reported_where_they_should_name_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "abc":
        recording(tmp_path / f"in/{name}.wav", *TALK, labels=".txt" if name != "c" else ".rttm")
    recording(tmp_path / "in/silent.wav").with_suffix(".txt").touch()
    _, _, err = prepare(capsys, tmp_path / "1", tmp_path / "in", "--speaker", "labels")
    rule = "name no speaker"
    (line,) = (line for line in err.splitlines() if rule in line)
    assert line.startswith("vad: note: the labels of 2 of 3 recordings")
    for name in "ab":
        recording(tmp_path / f"in/{name}.wav", *TALK).with_suffix(".txt").unlink()
    _, _, err = prepare(capsys, tmp_path / "2", tmp_path / "in", "--speaker", "labels")
    assert not re.search(rule, err)
    assert not re.search(rule, prepare(capsys, tmp_path / "3", tmp_path / "in")[2])


def test_labels_that_other_programs_write_beside_recordings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = {
        "a.ctm": "a 1 1.0 0.4 hi\na 1 1.4 0.6 there\n",
        "b.stm": "b 1 anna 1.0 2.0 hi there\n",
        "c.lab": "0 10000000 sil\n10000000 20000000 hi\n",
        "d.tsv": "filename\tonset\toffset\tevent_label\nd.wav\t1.0\t2.0\tSpeech\nd.wav\t2\t2.5\tDog\n",
        "e.json": '{"audio_filepath": "e.wav", "offset": 1.0, "duration": 1.0}\n',
        "f.csv": "Name\tStart\tDuration\tTime Format\tType\tDescription\nM\t0:01.0\t0:01.0\tdecimal\tCue\t\n",
        "g.txt": "g 1.0 2.0\n",
    }
    for name, text in written.items():
        recording(tmp_path / f"in/{name[0]}.wav")
        (tmp_path / "in" / name).write_text(text)
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in")
    assert code == 0, err
    assert {item.path.stem: merge(item.segments) for item in items} == {
        name[0]: list(SECOND) for name in written
    }


def test_one_export_of_label_studio_about_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "abc":
        recording(tmp_path / f"in/{name}.wav")
    value = {"start": 1.0, "end": 2.0, "channel": 0, "labels": ["Speech"]}
    results = {"a": [{"id": "x", "type": "labels", "value": value}], "b": []}
    results["c"] = results["a"]
    tasks = [
        {"data": {"audio": f"/data/upload/1/3f2a1b4c-{name}.wav"}, "annotations": [{"result": result}]}
        for name, result in results.items()
    ]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in", "--labels", tmp_path / "export.json")
    assert code == 0, err
    assert {item.path.stem: item.segments for item in items} == {"a": SECOND, "b": (), "c": SECOND}
