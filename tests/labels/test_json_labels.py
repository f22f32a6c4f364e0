"""JSON that other programs write: lhotse, NeMo, Label Studio; and silero-vad's samples, which are no seconds."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.label_texts import FULL, LHOTSE, MINIMAL, NEMO, annotation, region, task

from vad.detection.segments import Segment
from vad.errors import LabelError
from vad.labels import Entry, dumps, loads, read_all

TALK = [Segment(0.32, 1.24), Segment(62.5, 63.0)]


@pytest.mark.parametrize(
    ("name", "text", "uri"),
    [
        ("jsonl", LHOTSE, "a"),
        ("jsonl", NEMO, "/x/a.wav"),
        ("json", json.dumps([json.loads(line) for line in LHOTSE.splitlines()]), "a"),
        ("json", json.dumps([FULL]), "a.wav"),
        ("json", json.dumps([MINIMAL], indent=2), "calls/a b.wav"),
        ("jsonl", '{"audio_filepath": "a.wav", "kind": "speech", "segments": [[0.32, 1.24], [62.5, 63]]}', "a.wav"),
    ],
)  # fmt: skip
def test_json_of_other_programs_is_read(name: str, text: str, uri: str) -> None:
    assert loads(text, name) == TALK
    assert loads(text, name, uri=uri) == TALK
    assert loads(text, name, uri="other") == []


def test_a_manifest_without_an_offset_speaks_of_the_whole_recording(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text(
        '{"audio_filepath": "a.wav", "duration": 2.5, "text": "music"}\n'
        '{"audio_filepath": "fan.wav", "kind": "noise", "duration": 60}\n'
    )
    assert read_all(path)[0][0] == Entry(1, 0.0, 2.5, "a.wav")
    assert [one.is_speech for one in read_all(path)[0]] == [True, False]


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("/data/upload/12/3f2a1b4c-my-call.wav", "my-call.wav"),
        ("/data/upload/12/call.wav", "call.wav"),
        ("s3://bucket/calls/a%20b.flac?x=1", "calls/a b.flac"),
        ("calls/a.wav", "calls/a.wav"),
    ],
)
def test_label_studio_names_recordings_as_they_were(tmp_path: Path, url: str, uri: str) -> None:
    path = tmp_path / "export.json"
    path.write_text(json.dumps([task(annotation(), audio=url)]))
    assert read_all(path) == ([Entry(1, 0.0, 0.0, uri)], [])  # nobody speaks in it


def test_a_ground_truth_counts_alone_and_a_task_nobody_labelled_says_nothing(tmp_path: Path) -> None:
    truth = annotation(region(0.32, 1.24, "Speech"), ground_truth=True)
    doubtful = annotation(region(0.3, 62.0, "Speech"))
    path = tmp_path / "export.json"
    path.write_text(json.dumps([task(doubtful, truth), task(), task(annotation(was_cancelled=True))]))
    entries, problems = read_all(path)
    assert ([(one.start, one.end) for one in entries], problems) == ([(0.32, 1.24)], [])


def test_a_broken_region_is_reported_on_its_line() -> None:
    text = json.dumps([task(annotation(region(2.0, 1.0, "Speech")))], indent=1)
    line = text[: text.index('"start"')].count("\n")
    with pytest.raises(LabelError, match=rf"^t:{line}: .*0 <= start <= end"):
        loads(text, "json", source="t")


def test_predictions_are_a_task_that_label_studio_imports() -> None:
    document = json.loads(dumps(TALK, "labelstudio", uri="calls/a.wav", duration=70.0))
    assert document["data"] == {"audio": "calls/a.wav"}
    (prediction,) = document["predictions"]
    for result, segment in zip(prediction["result"], TALK, strict=True):
        assert (result["from_name"], result["to_name"], result["type"]) == ("label", "audio", "labels")
        assert result["value"]["labels"] == ["Speech"]
        assert (result["value"]["start"], result["value"]["end"]) == (segment.start, segment.end)
    assert len({result["id"] for result in prediction["result"]}) == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("json", '[{"start": 8736, "end": 48608}, {"start": 60960, "end": 159712}]'),
        ("json", '{"file": "a.wav", "segments": [{"start": 8736, "end": 48608}]}'),
        ("jsonl", '{"start": 8736, "end": 48608}\n{"start": 60960, "end": 159712}\n'),
    ],
)
def test_silero_samples_are_no_seconds(name: str, text: str) -> None:
    with pytest.raises(LabelError, match=r"^t:1:.*seconds.*return_seconds=True.*'start'.*8736"):
        loads(text, name, source="t")


def test_whole_seconds_are_seconds() -> None:
    assert loads('[{"start": 0, "end": 3600}]', "json") == [Segment(0.0, 3600.0)]
    assert loads('[{"start": 9000, "end": 10100}, {"start": 10200, "end": 10205}]', "json")[1].end == 10205


def test_a_segment_hours_past_the_end_of_its_recording_is_reported() -> None:
    text = (
        '{"duration": 12.5, "segments": [\n{"start": 1.0, "end": 12.6},\n{"start": 8736.0, "end": 48608.0}]}'
    )
    with pytest.raises(LabelError, match=r"^t:3:.*12\.5"):
        loads(text, "json", source="t")


def test_a_cut_is_no_supervision() -> None:
    cut = {"id": "c", "start": 1.0, "duration": 9.0, "channel": 0, "supervisions": [], "type": "MonoCut"}
    with pytest.raises(LabelError, match=r"supervision.*cut"):
        loads(json.dumps(cut), "jsonl")


@pytest.mark.parametrize(
    "broken",
    [
        {"data": 3, "annotations": [annotation(region(0.0, 1.0))]},
        {"data": {}, "annotations": 3},
        {"data": {"audio": 3}, "annotations": [{"result": [{"value": 4}, 5]}, 6]},
        {"annotation_id": 3, "label": [[1], {"start": 1}]},
        {"data": {"audio": "http://[x/a.wav"}, "annotations": [annotation(region(0.0, 1.0) | {"id": [1]})]},
        {"data": {}, "predictions": [{"result": [{"value": {"start": 0, "end": 1, "labels": 3}}]}]},
        {"duration": float("nan"), "segments": [{"start": 0, "end": 1}]},
    ],
)
def test_odd_tasks_bring_nothing_down(broken: Any) -> None:
    assert len(loads(json.dumps(broken), "json")) <= 1


def test_times_have_microseconds_and_names_stay_readable() -> None:
    for label_format in ("json", "jsonl"):
        text = dumps([Segment(0.12345649, 1.12345651)], label_format, uri="été.wav", duration=2.0)
        assert '"start": 0.123456, "end": 1.123457' in text
        assert '"été.wav"' in text
