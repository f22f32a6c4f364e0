"""The segments of each channel of a recording: a field or a tier tells them apart."""

import csv
import io
import json
from pathlib import Path

import pytest

from vad.detection.segments import Segment
from vad.labels import FORMATS, dumps, loads, write_labels
from vad.labels.formats import WITH_CHANNELS
from vad.labels.owners import labels_of
from vad.labels.textgrid import other_tiers

LEFT = [Segment(0.5, 1.0), Segment(2.0, 3.5)]
RIGHT = [Segment(0.75, 2.25), Segment(4.0, 4.5)]
BOTH = {0: LEFT, 1: RIGHT}


def fields(text: str, *columns: int) -> list[tuple[str, ...]]:
    rows = [line.split() for line in text.splitlines()]
    return [tuple(row[column] for column in columns) for row in rows]


@pytest.mark.parametrize("label_format", sorted(WITH_CHANNELS))
def test_all_channels_are_read_back(tmp_path: Path, label_format: str) -> None:
    path = tmp_path / f"call{FORMATS[label_format]}"
    write_labels(path, BOTH, label_format, uri="call.wav", duration=5.0)
    assert labels_of(tmp_path / "call.wav", path) == sorted([*LEFT, *RIGHT])


@pytest.mark.parametrize("label_format", sorted(WITH_CHANNELS))
def test_a_single_channel_is_written_as_before(label_format: str) -> None:
    text = dumps(LEFT, label_format, uri="call.wav", duration=5.0)
    assert "channel" not in text.replace('"channel": 0,', "")
    assert loads(text, label_format) == LEFT


def test_the_field_of_each_format() -> None:
    assert fields(dumps(BOTH, "rttm", uri="call"), 1, 2, 3) == [
        ("call", "1", "0.500"), ("call", "2", "0.750"), ("call", "1", "2.000"), ("call", "2", "4.000"),
    ]  # fmt: skip
    assert fields(dumps(BOTH, "uem", uri="call"), 0, 1)[:2] == [("call", "1"), ("call", "2")]
    kaldi = dumps(BOTH, "kaldi", uri="call")
    assert [row[4] for row in map(str.split, kaldi.splitlines())] == ["0", "1", "0", "1"]
    for label_format in ("jsonl", "nemo"):
        lines = dumps(BOTH, label_format, uri="call").splitlines()
        assert [json.loads(line)["channel"] for line in lines] == [0, 1, 0, 1]
    task = json.loads(dumps(BOTH, "labelstudio", uri="call"))
    assert [one["value"]["channel"] for one in task["predictions"][0]["result"]] == [0, 1, 0, 1]


def test_two_channels_at_the_same_time_have_two_names_in_kaldi() -> None:
    lines = dumps({0: LEFT, 1: LEFT}, "kaldi", uri="call").splitlines()
    assert len({line.split()[0] for line in lines}) == 4


def test_a_recording_without_speech_has_the_columns_of_the_next() -> None:
    sheet = dumps({0: [], 1: []}, "csv", uri="silent") + dumps(BOTH, "csv", uri="call", header=False)
    assert [row["channel"] for row in csv.DictReader(io.StringIO(sheet))] == ["0", "1", "0", "1"]


def test_a_tier_for_each_channel() -> None:
    many = {index: [Segment(index, index + 1.0)] for index in range(11)}
    text = dumps(many, "textgrid", duration=12.0)
    tiers = [line.split('"')[1] for line in text.splitlines() if " name = " in line]
    assert tiers == [f"speech channel {index}" for index in range(11)]
    assert loads(text, "textgrid", tier="speech channel 10") == [Segment(10.0, 11.0)]
    assert other_tiers(text) == []
