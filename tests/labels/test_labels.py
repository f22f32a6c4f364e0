"""Label files: what is written can be read again, what others write can be read, and what is broken is named."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.places import MEETINGS

from vad.detection.segments import Segment
from vad.errors import LabelError
from vad.labels import FORMATS, dumps, format_of, loads, merge, read_labels, write_labels
from vad.labels.formats import EXTENSIONS, MULTI_RECORDING

MILLISECOND_FORMATS = {"srt", "vtt", "elan"}
TALK = [Segment(0.32, 1.24), Segment(1.5, 2.0)]
NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\ufeff"), max_size=12
)  # a BOM in front is one


@st.composite
def segment_lists(draw: st.DrawFn, step: float = 1e-6) -> list[Segment]:
    """Segments that do not overlap but may touch, on a grid."""
    lengths = draw(st.lists(st.integers(0, 2_000_000_000), max_size=12))
    segments, time = [], 0
    for gap, length in zip(lengths[::2], lengths[1::2], strict=False):
        start, time = time + gap, time + gap + length + 1
        segments.append(Segment(start * step, time * step))
    return segments


def close(segments: list[Segment], tolerance: float) -> list[Any]:
    return [pytest.approx((s.start, s.end), abs=tolerance) for s in segments]


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data(), uri=NAMES)
def test_what_is_written_is_read_again(name: str, data: st.DataObject, uri: str) -> None:
    step = 1e-3 if name in MILLISECOND_FORMATS else 1e-6
    segments = data.draw(segment_lists(step))
    uri = uri if uri.strip() else "talk"
    text = dumps(segments, name, uri=uri, duration=30_000.0)
    expected = close(segments, step / 2)
    assert [(s.start, s.end) for s in loads(text, name)] == expected
    assert [(s.start, s.end) for s in loads(text, name, uri=uri)] == expected


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("uri", ["a\rb", "a\r\nb", ' a,"b" ', "SPEAKER;;", "1.0 2.0", "\u2028\x1c"])
def test_odd_names_of_recordings_break_no_line(name: str, uri: str) -> None:
    text = dumps(TALK, name, uri=f"x{uri}", duration=3.0)
    assert loads(text, name, uri=f"x{uri}") == TALK


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"textgrid", "elan"}))
def test_turns_that_overlap_stay_turns(name: str) -> None:
    turns = [Segment(0.0, 2.0), Segment(0.5, 1.0), Segment(1.5, 3.0)]
    assert loads(dumps(reversed(turns), name, uri="talk"), name) == turns


@pytest.mark.parametrize("name", FORMATS)
def test_no_speech_is_no_segments(name: str) -> None:
    assert loads(dumps([], name, uri="talk", duration=1.0), name) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "json",
            '{\n  "file": "talk",\n  "duration": 2.5,\n  "segments": [\n    {"start": 0.32, "end": 1.24},\n'
            '    {"start": 1.5, "end": 2.0}\n  ]\n}\n',
        ),
        (
            "jsonl",
            '{"file": "talk", "start": 0.32, "end": 1.24}\n{"file": "talk", "start": 1.5, "end": 2.0}\n',
        ),
        ("csv", "file,start,end\ntalk,0.320,1.240\ntalk,1.500,2.000\n"),
        (
            "rttm",
            "SPEAKER talk 1 0.320 0.920 <NA> <NA> speech <NA> <NA>\n"
            "SPEAKER talk 1 1.500 0.500 <NA> <NA> speech <NA> <NA>\n",
        ),
        ("audacity", "0.320\t1.240\tspeech\n1.500\t2.000\tspeech\n"),
        ("srt", "1\n00:00:00,320 --> 00:00:01,240\nspeech\n\n2\n00:00:01,500 --> 00:00:02,000\nspeech\n"),
        ("vtt", "WEBVTT\n\n00:00:00.320 --> 00:00:01.240\nspeech\n\n00:00:01.500 --> 00:00:02.000\nspeech\n"),
        ("text", "talk 0.320 1.240\ntalk 1.500 2.000\n"),
        (
            "kaldi",
            "talk-000000320-000001240 talk 0.320 1.240\ntalk-000001500-000002000 talk 1.500 2.000\n",
        ),
        ("uem", "talk 1 0.320 1.240\ntalk 1 1.500 2.000\n"),
        (
            "nemo",
            '{"audio_filepath": "talk", "offset": 0.32, "duration": 0.92, "label": "speech", "text": "-"}\n'
            '{"audio_filepath": "talk", "offset": 1.5, "duration": 0.5, "label": "speech", "text": "-"}\n',
        ),
    ],
)
def test_what_is_written_looks_as_the_format_says(name: str, expected: str) -> None:
    assert dumps(TALK, name, uri="talk", duration=2.5) == expected


def test_what_comes_in_any_order_goes_in_order_of_time() -> None:
    assert dumps(reversed(TALK), "text") == "0.320 1.240\n1.500 2.000\n"
    assert loads("1.5 2\n0.32 1.24\n", "text") == TALK


def test_rttm_ends_are_decimal_sums() -> None:
    assert loads("SPEAKER a 1 0.1 0.2 <NA> <NA> A <NA>", "rttm") == [Segment(0.1, 0.3)]


def test_times_keep_microseconds_and_pieces_keep_touching() -> None:
    touching = [Segment(1 / 3, 2 / 3), Segment(2 / 3, 1.0)]
    first, second = loads(dumps(touching, "rttm", uri="talk"), "rttm")
    assert first.end == second.start == 0.666667


def test_an_unknown_duration_is_null() -> None:
    assert json.loads(dumps(TALK, "json"))["duration"] is None
    assert json.loads(dumps([], "json", duration=0.0))["duration"] == 0.0


def test_times_of_hours_are_clocks() -> None:
    assert "27:46:39,999 --> 27:46:40,001" in dumps([Segment(99999.999, 100000.001)], "srt")


@pytest.mark.parametrize("name", [name for name, how in MULTI_RECORDING.items() if how == "lines"])
@pytest.mark.parametrize("header", [True, False])
def test_several_recordings_make_one_file(name: str, header: bool) -> None:
    texts = [
        dumps(TALK, name, uri="a talk"),
        dumps([], name, uri="silence", header=header),
        dumps([Segment(5.0, 6.0)], name, uri="b", header=header),
    ]
    joined = "".join(texts)
    assert loads(joined, name, uri="a talk") == TALK
    assert loads(joined, name, uri="b") == [Segment(5.0, 6.0)]
    assert loads(joined, name, uri="silence") == []
    assert loads(joined, name) == [*TALK, Segment(5.0, 6.0)]
    assert joined.count("start") == {"jsonl": 3, "csv": 3 if header else 1}.get(name, 0)


@pytest.mark.parametrize("name", [name for name, how in MULTI_RECORDING.items() if how == "list"])
def test_several_recordings_make_one_json_list(name: str) -> None:
    joined = f"[{dumps(TALK, name, uri='a')}, {dumps([Segment(5.0, 6.0)], name, uri='b')}]"
    assert loads(joined, name, uri="b") == [Segment(5.0, 6.0)]
    assert len(loads(joined, name)) == 3


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("json", '[{"start": 1, "end": 2.5}]'),
        (
            "json",
            '{"segments": [{"end": 2.5, "start": 1, "speaker": {"name": "{"}}, {"start": 0, "end": 0}]}',
        ),
        ("jsonl", '\n{"start": 1, "end": 2.5, "label": "x"}\n\n{"start": 3, "end": 4, "label": "noise"}'),
        ("csv", "label,end,start\nspeech,2.5,1\n\nSilence,1,0\n"),
        ("csv", 'start,end,note\n1,2.5,"a, ""b""\nc"\n'),
        (
            "rttm",
            ";; a comment\nSPKR-INFO a 1 <NA> <NA> <NA> unknown B <NA> <NA>\nSPEAKER a 1 1 1.5 <NA> <NA> B <NA>",
        ),
        ("audacity", "1\t2.5\n\\\t100\t200\n3\t3\ta point\n4\t5\tsil\n"),
        ("audacity", "1 2.5 two words\n"),
        (
            "srt",
            "00:00:01.0 --> 00:00:02,5 X1:0\n- Hello\n- there\n\n\n2\n00:00:09,0 --> 00:00:10,0\n[Music]",
        ),
        (
            "vtt",
            "WEBVTT - a\nKind: b\n\nNOTE\n00:07.000 --> 00:08.000\n\nid\n00:01.000 --> 00:02.500 line:0\nhi",
        ),
        ("text", "1 2.5\n"),
        ("text", "two words 1.0 2.5"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_what_others_write_is_read(name: str, text: str, newline: str, bom: str) -> None:
    assert loads(bom + text.replace("\n", newline), name) == [Segment(1.0, 2.5)]


# Files


@pytest.mark.parametrize(("name", "extension"), FORMATS.items())
def test_files_are_guessed_by_their_extension(tmp_path: Path, name: str, extension: str) -> None:
    path = tmp_path / f"talk{extension}"
    write_labels(path, TALK, name)
    assert read_labels(path, name) == TALK
    assert name == "text" or read_labels(path) == TALK
    assert format_of(path.with_suffix(extension.upper())) == EXTENSIONS[extension]


def test_an_extension_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"talk\.wav:.*\.rttm.*'\.wav'"):
        read_labels(tmp_path / "talk.wav")


def test_the_recording_is_called_like_its_label_file(tmp_path: Path) -> None:
    write_labels(tmp_path / "my talk.rttm", TALK)
    assert (tmp_path / "my talk.rttm").read_text().startswith("SPEAKER my_talk 1 ")
    assert read_labels(tmp_path / "my talk.rttm", uri="my talk") == TALK


def test_files_are_utf_8_on_any_system(tmp_path: Path) -> None:
    write_labels(tmp_path / "a.csv", TALK, uri="Gespräch\udcff")
    assert (tmp_path / "a.csv").read_bytes().split(b"\n")[1] == "Gespräch?,0.320,1.240".encode()


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"1\t2\ta\n1\t2\t\xe9\n", 2), ("1\t2\ta\n".encode("utf-16-le"), 1), (b"\xff\xfe1", 1)],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, line: int) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(LabelError, match=rf"a\.txt:{line}: .*UTF-8"):
        read_labels(path)


def test_files_that_cannot_be_read_or_written_say_so(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"gone\.rttm: No such file"):
        read_labels(tmp_path / "gone.rttm")
    with pytest.raises(LabelError, match=r"a\.rttm: no such file"):
        write_labels(tmp_path / "gone" / "a.rttm", TALK)


# The union of turns


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)), max_size=12))
def test_merge_is_the_union(turns: list[tuple[int, int]]) -> None:
    covered = {cell for start, length in turns for cell in range(start, start + length)}
    union = merge(Segment(float(start), float(start + length)) for start, length in turns)
    assert {cell for s in union for cell in range(int(s.start), int(s.end))} == covered
    assert all(a.end < b.start for a, b in pairwise(union))


def test_the_meetings_labelled_by_people_are_read() -> None:
    folder = MEETINGS
    if not folder.is_dir():
        pytest.skip("the labelled meetings are not here")
    turns = {path.stem: read_labels(path, uri=path.stem) for path in folder.glob("*.rttm")}
    assert {name: len(found) for name, found in turns.items()} == {
        "trn01": 6, "trn02": 1, "trn03": 2, "trn04": 7, "trn05": 7,
    }  # fmt: skip
    speech = sum(s.duration for found in turns.values() for s in merge(found))
    assert speech / 150 == pytest.approx(0.48, abs=0.005)
