"""Labels that this package writes, read by the programs they are for, and theirs read here."""

import csv
import io
import json
from pathlib import Path

import pytest

from vad.detection.segments import Segment
from vad.labels import dumps, read_labels, write_labels

# Odd on purpose: microseconds, a touching pair, a start at 0, hours.
TALK = [Segment(0.0, 1 / 3), Segment(1 / 3, 0.5), Segment(3661.25, 3662.000063), Segment(3662.1, 3700.0)]
DURATION = 3701.0
MICROSECOND = 1.1e-6
MILLISECOND = 0.6e-3


def assert_same(found: list[tuple[float, float]], expected: list[Segment], tolerance: float) -> None:
    assert found == [pytest.approx((s.start, s.end), rel=0, abs=tolerance) for s in expected]


def test_pyannote_reads_rttm(tmp_path: Path) -> None:
    peer = pytest.importorskip("pyannote.database.util")
    path = tmp_path / "two.rttm"
    path.write_text(
        dumps(TALK, "rttm", uri="my talk") + dumps(TALK[:1], "rttm", uri="Gespräch"), encoding="utf-8"
    )
    annotations = peer.load_rttm(path)
    assert set(annotations) == {"my_talk", "Gespräch"}
    assert annotations["my_talk"].labels() == ["speech"]
    turns = annotations["my_talk"].itersegments()
    assert_same([(turn.start, turn.end) for turn in turns], TALK, MICROSECOND)


def test_pyannote_writes_rttm_that_is_read(tmp_path: Path) -> None:
    peer = pytest.importorskip("pyannote.core")
    annotation = peer.Annotation(uri="talk")
    for segment, speaker in zip(TALK, "ABAB", strict=True):
        annotation[peer.Segment(segment.start, segment.end)] = speaker
    path = tmp_path / "talk.rttm"
    path.write_text(annotation.to_rttm())
    assert_same([(s.start, s.end) for s in read_labels(path)], TALK, 2 * MILLISECOND)


def test_praatio_reads_textgrids_and_writes_both_forms_that_are_read(tmp_path: Path) -> None:
    peer = pytest.importorskip("praatio.textgrid")
    path = tmp_path / "talk.TextGrid"
    write_labels(path, TALK, duration=DURATION)
    grid = peer.openTextgrid(path, includeEmptyIntervals=False, reportingMode="error")
    assert (grid.tierNames, grid.maxTimestamp) == (("speech",), DURATION)
    intervals = grid.getTier("speech").entries
    assert_same([(interval.start, interval.end) for interval in intervals], TALK, MICROSECOND)
    for form in ("short_textgrid", "long_textgrid"):
        grid.save(path, format=form, includeBlankSpaces=True)
        assert_same([(s.start, s.end) for s in read_labels(path)], TALK, MICROSECOND)


def test_textgrid_reads_textgrids(tmp_path: Path) -> None:
    peer = pytest.importorskip("textgrid")
    path = tmp_path / "talk.TextGrid"
    write_labels(path, TALK, duration=DURATION)
    grid = peer.TextGrid.fromFile(str(path))
    assert [tier.name for tier in grid] == ["speech"]
    assert grid[0][-1].maxTime == DURATION
    intervals = [(interval.minTime, interval.maxTime) for interval in grid[0] if interval.mark == "speech"]
    assert_same(intervals, TALK, 1e-5)  # it rounds to five digits


def test_srt_reads_subtitles() -> None:
    peer = pytest.importorskip("srt")
    cues = list(peer.parse(dumps(TALK, "srt")))
    assert [cue.index for cue in cues] == [1, 2, 3, 4]
    assert {cue.content for cue in cues} == {"speech"}
    assert_same([(cue.start.total_seconds(), cue.end.total_seconds()) for cue in cues], TALK, MILLISECOND)


def test_srt_writes_subtitles_that_are_read(tmp_path: Path) -> None:
    peer = pytest.importorskip("srt")
    path = tmp_path / "talk.srt"
    path.write_text(peer.compose(peer.parse(dumps(TALK, "srt")), eol="\r\n"), encoding="utf-8", newline="")
    assert_same([(s.start, s.end) for s in read_labels(path)], TALK, MILLISECOND)


def test_webvtt_reads_captions_and_writes_ones_that_are_read(tmp_path: Path) -> None:
    peer = pytest.importorskip("webvtt")
    path = tmp_path / "talk.vtt"
    write_labels(path, TALK)
    captions = peer.read(str(path))
    assert [(cue.start, cue.end, cue.text) for cue in captions] == [
        ("00:00:00.000", "00:00:00.333", "speech"),
        ("00:00:00.333", "00:00:00.500", "speech"),
        ("01:01:01.250", "01:01:02.000", "speech"),
        ("01:01:02.100", "01:01:40.000", "speech"),
    ]
    captions.save(str(path))
    assert_same([(s.start, s.end) for s in read_labels(path)], TALK, MILLISECOND)


def test_json_reads_json_and_jsonl() -> None:
    document = json.loads(dumps(TALK, "json", uri="talk", duration=DURATION))
    assert (document["file"], document["duration"]) == ("talk", DURATION)
    assert_same([(s["start"], s["end"]) for s in document["segments"]], TALK, MICROSECOND)
    rows = [json.loads(line) for line in dumps(TALK, "jsonl", uri="talk").splitlines()]
    assert {row["file"] for row in rows} == {"talk"}
    assert_same([(row["start"], row["end"]) for row in rows], TALK, MICROSECOND)


def test_csv_reads_csv_and_label_tracks() -> None:
    rows = list(csv.DictReader(io.StringIO(dumps(TALK, "csv", uri='a, "b"'))))
    assert {row["file"] for row in rows} == {'a, "b"'}
    assert_same([(float(row["start"]), float(row["end"])) for row in rows], TALK, MICROSECOND)
    labels = list(csv.reader(io.StringIO(dumps(TALK, "audacity")), delimiter="\t"))
    assert {text for _, _, text in labels} == {"speech"}
    assert_same([(float(start), float(end)) for start, end, _ in labels], TALK, MICROSECOND)
