"""Somebody else's segments measured: `vad evaluate --hypothesis`, against pyannote.metrics and by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from pyannote.core import Annotation, Timeline
from pyannote.core import Segment as PyannoteSegment
from pyannote.metrics.detection import DetectionErrorRate
from support.sounds import RATE

from vad.cli import main
from vad.detection.segments import Segment
from vad.labels import read_labels, write_labels


def turns(rng: np.random.Generator, duration: float) -> list[Segment]:
    edges = np.sort(rng.uniform(0, duration, 8)).reshape(-1, 2)
    return [Segment(float(start), float(end)) for start, end in edges.round(6)]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three recordings with reference labels beside them, in two folders."""
    rng = np.random.default_rng(0)
    for name, duration in (("one/a", 9.7), ("one/b", 4.0), ("two/c", 12.25)):
        path = tmp_path / "corpus" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.zeros(round(duration * RATE)), RATE)
        write_labels(path.with_suffix(".rttm"), turns(rng, duration))
    return tmp_path / "corpus"


def evaluate(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, Any, str]:
    code = main(["evaluate", *map(str, words), "--format", "json"])
    captured = capsys.readouterr()
    return code, json.loads(captured.out) if captured.out else None, captured.err


def annotation(path: Path) -> Annotation:
    made = Annotation()
    for track, one in enumerate(read_labels(path)):
        made[PyannoteSegment(one.start, one.end), track] = "speech"
    return made


@pytest.mark.parametrize("extension", [".rttm", ".csv", ".TextGrid", ".txt", ".json"])
def test_error_rates_are_those_of_pyannote(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], extension: str
) -> None:
    rng = np.random.default_rng(7)
    theirs = DetectionErrorRate()
    rates = {}
    for audio in sorted(corpus.rglob("*.wav")):
        duration = soundfile.info(audio).duration
        key = audio.relative_to(corpus.parent)  # without a manifest, keys begin with the folder's own name
        path = (tmp_path / "found" / key).with_suffix(extension)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_labels(path, turns(rng, duration), duration=duration)
        uem = Timeline([PyannoteSegment(0, duration)])
        rates[key.as_posix()] = theirs(annotation(audio.with_suffix(".rttm")), annotation(path), uem=uem)
    code, report, err = evaluate(capsys, corpus, "--hypothesis", tmp_path / "found")
    assert (code, err) == (0, "")
    assert {one["path"]: one["detection_error_rate"] for one in report["files"]} == pytest.approx(
        rates, abs=1e-6
    )
    assert report["pooled"]["detection_error_rate"] == pytest.approx(abs(theirs), abs=1e-6)
    assert report["options"] is report["pooled"]["auc"] is report["pooled"]["calibration_error"] is None


def test_the_reference_itself_is_without_error(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report, _ = evaluate(capsys, corpus, "--hypothesis", corpus.parent)
    assert code == 0
    pooled = report["pooled"]
    assert (pooled["detection_error_rate"], pooled["miss"], pooled["false_alarm"]) == (0, 0, 0)
    assert pooled["pause_recall"] == 1
    assert pooled["unmatched_onsets"] == pooled["onset_p90"] == 0


@pytest.mark.parametrize("extension", [".rttm", ".csv", ".json", ".TextGrid"])
def test_the_channels_of_a_recording_are_joined(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], extension: str
) -> None:
    (tmp_path / "found").mkdir()
    for path in corpus.rglob("*.rttm"):
        speech = read_labels(path)
        channels = {0: speech[::2], 1: speech[1::2]}
        write_labels(tmp_path / "found" / f"{path.stem}{extension}", channels, duration=13.0)
    code, report, _ = evaluate(capsys, corpus, "--hypothesis", tmp_path / "found")
    assert (code, report["pooled"]["detection_error_rate"]) == (0, pytest.approx(0, abs=1e-6))


@pytest.mark.parametrize("in_samples", ["reference", "hypothesis"])
def test_labels_far_past_the_end_are_refused(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], in_samples: str
) -> None:
    (tmp_path / "found").mkdir()
    for path in corpus.rglob("*.rttm"):
        write_labels(tmp_path / "found" / path.name, read_labels(path))
    place = {"reference": corpus / "one", "hypothesis": tmp_path / "found"}[in_samples]
    write_labels(place / "a.rttm", [Segment(8000.0, 64000.0)])
    code, report, err = evaluate(capsys, corpus, "--hypothesis", tmp_path / "found")
    assert (code, len(report["files"])) == (1, 2)
    (line,) = err.splitlines()
    assert "one/a.wav: a segment must lie in its recording, which ends at 9.7 s" in line
    assert ("hypothesis" in line) is (in_samples == "hypothesis")


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_label_file_is_found_by_the_end_of_the_recordings_path(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], depth: int
) -> None:
    for path in corpus.rglob("*.rttm"):
        copy = tmp_path.joinpath("found", *path.parts[-depth:])
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    assert (
        evaluate(capsys, corpus, "--hypothesis", tmp_path / "found")[1]["pooled"]["detection_error_rate"] == 0
    )


def test_recordings_without_a_readable_label_file_are_a_line_each(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = tmp_path / "found"
    found.mkdir()
    (found / "a.rttm").write_text("SPEAKER a 1 soon 1.0 <NA> <NA> x <NA> <NA>\n")
    write_labels(found / "c.rttm", [Segment(1.0, 2.0)])
    code, report, err = evaluate(capsys, corpus, "--hypothesis", found)
    assert code == 1
    assert [one["path"] for one in report["files"]] == ["corpus/two/c.wav"]
    lines = err.splitlines()
    assert len(lines) == 2
    assert "a.rttm:1: " in lines[0]
    assert "corpus/one/b.wav: " in lines[1]


def test_one_label_file_never_speaks_of_two_recordings(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (corpus / "two" / "a.wav").write_bytes((corpus / "one" / "a.wav").read_bytes())
    (corpus / "two" / "a.rttm").touch()
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "a.rttm").touch()
    code, report, err = evaluate(capsys, corpus, "--hypothesis", tmp_path / "found")
    assert (code, report) == (2, None)
    assert "a.rttm: " in err
    assert "corpus/one/a.wav and " in err
    assert "corpus/two/a.wav" in err


def manifest_elsewhere(corpus: Path, folder: str, *, absolute: bool) -> Path:
    """A manifest that does not lie in the folder of its recordings, as `vad prepare` may write it."""
    (corpus.parent / folder).mkdir(parents=True)
    rows = []
    for audio in sorted(corpus.rglob("*.wav")):
        upwards = "../" * len(Path(folder).parts)
        name = str(audio) if absolute else upwards + audio.relative_to(corpus.parent).as_posix()
        segments = [[one.start, one.end] for one in read_labels(audio.with_suffix(".rttm"))]
        row = {"audio_filepath": name, "kind": "speech", "segments": segments, "split": "test"}
        rows.append(json.dumps(row) + "\n")
    path = corpus.parent / folder / "mine.jsonl"
    path.write_text("".join(rows))
    return path


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_keys_that_lead_out_of_the_folder_never_find_the_reference(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], depth: int, absolute: bool
) -> None:
    """An empty label file a recording finds nothing, and no label file at all is no hypothesis."""
    manifest = manifest_elsewhere(corpus, "w", absolute=absolute)
    found = tmp_path / "found"
    found.mkdir()
    for path in corpus.rglob("*.rttm") if depth else ():
        empty = found.joinpath(*path.parts[-depth:])
        empty.parent.mkdir(parents=True, exist_ok=True)
        empty.touch()
    code, report, err = evaluate(capsys, manifest, "--hypothesis", found)
    if depth:
        assert (code, err) == (0, "")
        assert report["pooled"]["detection_error_rate"] == 1
    else:
        assert (code, report["files"]) == (1, [])
        assert err.count("the hypothesis has no label file") == 3


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("extension", ["", ".wav"])
def test_one_file_that_names_its_recordings_is_read(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], depth: int, extension: str
) -> None:
    lines = ["SPEAKER elsewhere/x 1 0.0 1.0 <NA> <NA> x <NA> <NA>\n"]
    for path in sorted(corpus.rglob("*.rttm")):
        name = "/".join(path.with_suffix(extension).parts[-depth:])
        lines.append(path.read_text().replace(f" {path.stem} ", f" {name} "))
    (tmp_path / "all.rttm").write_text("".join(lines))
    manifest = manifest_elsewhere(corpus, "w", absolute=False)
    code, report, err = evaluate(capsys, manifest, "--hypothesis", tmp_path / "all.rttm")
    assert (code, err) == (0, "")
    assert [one["detection_error_rate"] for one in report["files"]] == [0, 0, 0]


def test_recordings_that_one_file_does_not_name_are_without_speech(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "all.rttm").write_bytes((corpus / "two" / "c.rttm").read_bytes())
    code, report, err = evaluate(capsys, corpus, "--hypothesis", tmp_path / "all.rttm")
    assert code == 0
    rates = {one["path"]: one["detection_error_rate"] for one in report["files"]}
    assert rates == {"corpus/one/a.wav": 1, "corpus/one/b.wav": 1, "corpus/two/c.wav": 0}
    assert err.startswith("vad: note: ")
    assert "does not name corpus/one/a.wav and corpus/one/b.wav." in err


def test_what_one_file_names_as_silent_is_named(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "all.csv").write_text("file,start,end\na.wav,,\nb.wav,,\nc.wav,,\n")
    (tmp_path / "flat").mkdir()
    for path in corpus.rglob("[abc].*"):
        (tmp_path / "flat" / path.name).write_bytes(path.read_bytes())
    code, report, err = evaluate(capsys, tmp_path / "flat", "--hypothesis", tmp_path / "all.csv")
    assert (code, err) == (0, "")
    assert [one["detection_error_rate"] for one in report["files"]] == [1, 1, 1]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("z", "all.rttm names none of the 4 recordings."),
        ("a", "all.rttm:1: 'a' fits several recordings: "),
    ],
)
def test_one_file_that_names_nobody_or_two_is_refused(
    corpus: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    rule: str,
) -> None:
    for suffix in (".wav", ".rttm"):
        (corpus / "two" / f"a{suffix}").write_bytes((corpus / "one" / f"a{suffix}").read_bytes())
    monkeypatch.chdir(corpus.parent)
    Path("all.rttm").write_text(f"SPEAKER {name} 1 0.0 1.0 <NA> <NA> x <NA> <NA>\n")
    code, report, err = evaluate(capsys, "corpus", "--hypothesis", "all.rttm")
    assert (code, report) == (2, None)
    assert re.search(rule, err)


@pytest.mark.parametrize("name", ["all.rttm", "all.RTTM"])
def test_a_folder_that_holds_one_file_about_many_is_reported(
    name: str, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "said").mkdir()
    (tmp_path / "said" / name).write_text("SPEAKER a 1 0.0 1.0 <NA> <NA> x <NA> <NA>\n")
    code, report, err = evaluate(capsys, corpus, "--hypothesis", tmp_path / "said")
    assert (code, report) == (2, None)
    assert f"['{name}']" in err


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["--hypothesis", "nowhere"], "or one file that names its recordings. Received: nowhere"),
        (["--hypothesis", ".", "--threshold", "0.3"], "--threshold is for a detector"),
        (["--hypothesis", ".", "--model", "waveform"], "--model is for a detector"),
        (["--hypothesis", ".", "--no-lookahead"], "--no-lookahead is for a detector"),
        (["--report", "page.txt"], "--report must end in .html. Received: page.txt."),
    ],
)
def test_what_cannot_be_measured_is_usage(
    corpus: Path, capsys: pytest.CaptureFixture[str], words: list[str], rule: str
) -> None:
    code, report, err = evaluate(capsys, corpus, *words)
    assert (code, report) == (2, None)
    assert re.search(rule, err)
    assert err.count("\n") == 1
