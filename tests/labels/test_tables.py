"""Tables that other programs write: onset and offset, start and duration, clocks, and rows without a header."""

import re
from pathlib import Path

import pytest

from vad.detection.segments import Segment
from vad.errors import LabelError
from vad.labels import loads, read_all

TALK = [Segment(0.32, 1.24), Segment(62.5, 63.0)]


@pytest.mark.parametrize(
    "text",
    [
        # DESED and dcase_util with a header
        "filename\tonset\toffset\tevent_label\na.wav\t0.32\t1.24\tSpeech\na.wav\t62.5\t63.0\tSpeech\n",
        "event_label\tfilename\toffset\tonset\nspeech\ta/a.wav\t1.24\t0.32\nspeech\ta/a.wav\t63.0\t62.5\n",
        # dcase_util without one, with a scene and without
        "a.wav\tstreet\t0.32\t1.24\tpeople speaking\na.wav\tstreet\t62.5\t63.0\tpeople speaking\n",
        "a.wav\t0.32\t1.24\tSpeech\na.wav\t62.5\t63.0\tSpeech\n",
        # Adobe Audition, whose last column may be missing, and its samples
        "Name\tStart\tDuration\tTime Format\tType\tDescription\n"
        "Marker 01\t0:00.320\t0:00.920\tdecimal\tCue\t\nMarker 02\t0:01:02.500\t0:00.500\tdecimal\tCue\n",
        "Name\tStart\tDuration\tTime Format\tType\tDescription\n"
        "Marker 01\t15360\t44160\t48000 Hz\tCue\t\nMarker 02\t3000000\t24000\t48000 Hz\tCue\t\n",
        # Sonic Visualiser with and without a header; it leaves out labels that are empty
        "TIME,VALUE,DURATION,LABEL\n0.320000000,0,0.920000000,New Point\n62.500000000,0,0.500000000,x\n",
        "0.320000000,0,0.920000000\n62.500000000,0,0.500000000,x\n",
        # lhotse's supervisions as a table
        "id,recording_id,start,duration,channel\ns1,a,0.32,0.92,0\ns2,a,62.5,0.5,0\n",
        # AVA-Speech
        "a,0.32,1.24,CLEAN_SPEECH\na,1.24,62.5,NO_SPEECH\na,62.5,63.0,SPEECH_WITH_NOISE\n",
    ],
)
def test_tables_of_other_programs_are_read(text: str) -> None:
    assert loads(text, "csv") == TALK


def test_events_that_are_no_speech_name_their_recording_and_hold_none(tmp_path: Path) -> None:
    path = tmp_path / "events.tsv"
    path.write_text(
        "filename\tonset\toffset\tevent_label\na.wav\t0\t1\tSpeech\nb.wav\t2\t3\tDog\nc.wav\t\t\t\n"
    )
    entries, problems = read_all(path)
    assert problems == []
    assert {one.uri: one.is_speech for one in entries} == {"a.wav": True, "b.wav": False, "c.wav": False}


@pytest.mark.parametrize(
    "text",
    [
        "0.5,1.2,1\n2,3.5,1\n",  # start, end and a number, or time, value and duration
        "a.wav,0.5,1.2,Dog\n",  # may be an event or a speaker
        "FRAME,VALUE,DURATION\n8000,1,8000\n",
    ],
)
def test_rows_that_may_mean_several_things_need_a_header(text: str) -> None:
    with pytest.raises(LabelError, match=r"^t:1:.*CSV"):
        loads(text, "csv", source="t")


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("x\t0:1:2:3\t0:01\tdecimal\tCue\t", "start.*'0:1:2:3'"),
        ("x\t0:01\t0:x\tdecimal\tCue\t", "duration.*'x'"),
        ("x\t00:00:01:12\t00:00:01:00\t24 fps\tCue\t", "'24 fps'"),
        ("x\t0:02\t-1\tdecimal\tCue\t", "0 <= start <= end"),
    ],
)  # fmt: skip
def test_broken_markers_are_reported_on_their_line(row: str, rule: str) -> None:
    with pytest.raises(LabelError, match=r"^t:3: ") as raised:
        loads(
            f"Name\tStart\tDuration\tTime Format\tType\tDescription\na\t0:01\t0:01\tdecimal\tCue\t\n{row}\n",
            "csv",
            source="t",
        )
    assert re.search(rule, str(raised.value))


def test_rows_without_a_header_may_be_short() -> None:
    assert loads("a.wav,0.5,1.0,speech\na.wav,1.0,2.0\n", "csv") == [Segment(0.5, 1.0)]
    with pytest.raises(LabelError, match=r":2: duration"):
        loads("1.0,0.5,2.0\n3.0\n", "csv")
