"""Broken labels: every message says the file, the line and the rule, and what came instead."""

import gzip
import math
import re
from pathlib import Path

import pytest

from vad.detection.segments import Segment
from vad.errors import ConfigError, LabelError
from vad.labels import FORMATS, dumps, loads, read_labels
from vad.labels.formats import ONE_WORD_NAMES

TALK = [Segment(0.32, 1.24)]
ORDER = "0 <= start <= end.*"
NUMBER = ".*seconds.*"
OBJECT = "start and end.*"
JSON = "JSON.*"
SRT_CUE = "00:00:01,000.*-->.*00:00:02,500.*"
VTT_CUE = r"00:01\.000.*-->.*00:02\.500.*"
TEXTGRID_HEAD = '"ooTextFile"\n"TextGrid"\n0\n1\n<exists>\n'
INTERVAL_HEAD = TEXTGRID_HEAD + '1\n"IntervalTier"\n"a"\n0\n1\n1\n'

BROKEN: dict[str, list[tuple[str, int, str]]] = {
    "rttm": [
        (
            "SPEAKER a 1 0 1 <NA> <NA> A <NA>\n\nSPEAKER a 1 5\n",
            3,
            "RTTM.*9.*10.*4",
        ),
        (
            "SPEKER a 1 0 1 <NA> <NA> A <NA>",
            1,
            "RTTM.*SPEAKER.*'SPEKER'",
        ),
        ("SPEAKER a 1 x 1 <NA> <NA> A <NA>", 1, f"start {NUMBER}'x'."),
        ("SPEAKER a 1 1 <NA> <NA> <NA> A <NA>", 1, f"duration {NUMBER}'<NA>'."),
        ("SPEAKER a 1 2 -1 <NA> <NA> A <NA>", 1, f"{ORDER}start=2.0, end=1.0."),
        ("SPEAKER a 1 -1 2 <NA> <NA> A <NA>", 1, f"{ORDER}start=-1.0, end=1.0."),
        ("SPEAKER a 1 nan 2 <NA> <NA> A <NA>", 1, f"{ORDER}start=nan, end=nan."),
        ("SPEAKER a 1 0 inf <NA> <NA> A <NA>", 1, f"{ORDER}start=0.0, end=inf."),
    ],
    "audacity": [
        (
            "0\t1\tx\n5\n",
            2,
            "Audacity.*tabs.*'5'",
        ),
        ("0\tend\tx\n", 1, f"end {NUMBER}'end'."),
        ("0\t1_5\tx\n", 1, f"end {NUMBER}'1_5'."),
    ],
    "text": [
        ("a 0 1\n\n1.5\n", 3, r"'1\.5'"),
        ("0 1\na b\n", 2, f"start {NUMBER}'a'."),
    ],
    "csv": [
        ("begin,end\n0,1\n", 1, r"CSV.*\['begin', 'end'\]"),
        ("start,end\n0,1\n0\n", 3, "CSV.*2.*1"),
        ("start,end\n0,one\n", 2, f"end {NUMBER}'one'."),
        ('start,end\n"0,1\n', 2, "CSV.*unexpected end of data"),
    ],
    "json": [
        ('{"file": "a",\n "segments": [}', 2, rf"{JSON}Expecting value \(column 15\)\."),
        ('{"file": "a"}', 1, "JSON.*segments.*file"),
        ("{}", 1, "JSON.*segments"),
        ('\n{"segments": 3}', 2, "segments.*3"),
        (
            '{"x": {"{": "}\\""},\n"segments": [\n{"start": 0, "end": 1},\n{"start": 0}]}',
            4,
            OBJECT + "{'start': 0}.",
        ),
        ('[{"start": 0, "end": 1},\n 7]', 1, f"{OBJECT}7."),
        ('{"segments": [[0, 1],\n[1, 2],\n[3, 2], []]}', 3, f"{ORDER}start=3.0, end=2.0."),
        ('{"segments": [[0, 1],\n[1, 2],\n[3]]}', 3, f"{OBJECT}[3]."),
        ('[\n{"start": 0,\n"end": 1}, {"start": 3, "end": 2}]', 3, f"{ORDER}start=3.0, end=2.0."),
        ('[{"start": "0", "end": 1}]', 1, f"start {NUMBER}'0'."),
        ('[{"start": 0, "end": true}]', 1, f"end {NUMBER}True."),
        ('[{"start": 0, "end": 1' + 400 * "0" + "}]", 1, f"{JSON}a number of 401 digits"),
        ('[{"start": 0, "end": 1' + 5000 * "0" + "}]", 1, f"{JSON}a number of 5001 digits"),
        ("[" * 100_000, 1, JSON),
        ("[" * 900 + "]" * 900, 1, OBJECT),
    ],
    "jsonl": [
        ('{"start": 0, "end": 1}\n\n{"start": 0,', 3, JSON),
        ('{"start": 0, "end": 1}\n[0, 1]', 2, f"{OBJECT}[0, 1]."),
        ('{"start": 0, "end": NaN}', 1, f"{ORDER}start=0.0, end=nan."),
    ],
    "srt": [
        ("1\n00:00:01,000 --> 00:00:02,000\nhi\n\n2\nhi\n", 6, f"{SRT_CUE}'hi'."),
        ("1\n00:00:01,000 -> 00:00:02,000\nhi\n", 2, SRT_CUE),
        ("1\n00:00:61,000 --> 00:01:02,000\nhi\n", 2, SRT_CUE),
        ("1\n00:00:02,000 --> 00:00:01,000\nhi\n", 2, f"{ORDER}start=2.0, end=1.0."),
        ("7", 1, f"{SRT_CUE}'7'."),
        (1_000_000 * "7", 1, f"{SRT_CUE}'{37 * '7'}...{38 * '7'}'."),
    ],
    "vtt": [
        (
            "00:01.000 --> 00:02.000\nhi\n",
            1,
            r"WebVTT.*WEBVTT.*'00:01\.000 --> 00:02\.000'",
        ),
        ("", 1, "WebVTT.*WEBVTT.*''"),
        ("WEBVTT\n\nid\n1.000 --> 2.000\nhi\n", 4, f"{VTT_CUE}'1.000 --> 2.000'."),
    ],
    "textgrid": [
        ("", 1, 'TextGrid.*"ooTextFile"'),
        ('"ooTextFile"\n"PitchTier"', 2, "TextGrid.*'PitchTier'"),
        (f"{TEXTGRID_HEAD}1.5", 6, r"TextGrid.*'1\.5'"),
        (
            f'{TEXTGRID_HEAD}1\n"Tier"\n"a"\n0\n1\n0',
            7,
            "TextGrid.*IntervalTier.*TextTier.*'Tier'",
        ),
        (f'{TEXTGRID_HEAD}1\n"IntervalTier"\n"a', 8, "TextGrid.*name"),
        (f"{INTERVAL_HEAD}0\n", 12, "TextGrid.*xmax.*end of the file"),
        (f'{INTERVAL_HEAD}0\n"x"\n', 13, "TextGrid.*interval's.*'x'"),
        (f'{INTERVAL_HEAD}1\n0\n"x"', 12, f"{ORDER}start=1.0, end=0.0."),
    ],
}


@pytest.mark.parametrize(
    ("name", "text", "line", "rule"),
    [
        pytest.param(name, *case, id=f"{name}-{index}")
        for name, cases in BROKEN.items()
        for index, case in enumerate(cases)
    ],
)
def test_broken_files_are_named_by_file_line_and_rule(
    tmp_path: Path, name: str, text: str, line: int, rule: str
) -> None:
    path = tmp_path / "broken"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LabelError) as raised:
        read_labels(path, name)
    where, _, what = str(raised.value).partition(": ")
    assert where == f"{path}:{line}"
    assert re.search(rule, what)


GOOD_RTTM = "SPEAKER a 1 0 1 <NA> <NA> A <NA>"
TIMES = "00:00:01,000 --> 00:00:0"
ELAN_ANNOTATIONS = "".join(
    f'<ALIGNABLE_ANNOTATION TIME_SLOT_REF1="a" TIME_SLOT_REF2="{slot}"/>\n' for slot in ("b", "x", "b", "c")
)


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        (
            "rttm",
            f"SPEAKER a\n{GOOD_RTTM}\nSPEKER{GOOD_RTTM[7:]}\n{GOOD_RTTM.replace('1 0 1', '1 0 -1')}",
            [1, 3, 4],
        ),
        ("audacity", "0\n0\t1\n1\t0\n\n0\tx\n", [1, 3, 5]),
        ("text", "a 0 x\na 0 1\n1\n", [1, 3]),
        ("kaldi", "u a 0\nu a 0 1\nu a 0 x\n", [1, 3]),
        ("csv", "start,end\n0\n0,1\n2,1\n0,x\n", [2, 4, 5]),
        ("csv", 'start,end\n0\n0,1\n"2,1\n', [2, 4]),
        ("jsonl", '{"start": 0}\n{"start": 0, "end": 1}\n{"start":\n', [1, 3]),
        ("json", '[{"start": 0},\n{"segments": 3},\n{"segments": [\n{"start": 2, "end": 1}]}]', [1, 2, 4]),
        ("srt", f"1\nx\n\n2\n{TIMES}2,000\n\n3\n{TIMES}0,000\n", [2, 8]),
        ("vtt", "WEBVTT\n\nx\n\n00:01.000 --> 00:02.000\n\ny\n", [3, 7]),
        ("textgrid", f'{INTERVAL_HEAD[:-2]}3\n1 0 "x"\n0 1 "y"\n2 1 "z"', [12, 14]),
        (
            "elan",
            '<A><TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="5"/><TIME_SLOT TIME_SLOT_ID="b" TIME_VALUE="9"/>'
            f'<TIME_SLOT TIME_SLOT_ID="c" TIME_VALUE="1"/><TIER TIER_ID="speech">\n{ELAN_ANNOTATIONS}</TIER></A>',
            [3, 5],
        ),
    ],
)
def test_all_lines_that_break_a_rule_are_reported_at_once(name: str, text: str, lines: list[int]) -> None:
    with pytest.raises(LabelError) as raised:
        loads(text, name, source="talk")
    assert [int(problem.split(":")[1]) for problem in raised.value.problems] == lines
    first, _, more = str(raised.value).partition(raised.value.problems[0])
    assert not first
    assert f" {len(lines) - 1} " in more


def test_a_tier_that_is_not_there_is_named_with_those_that_are() -> None:
    text = TEXTGRID_HEAD + '2 "IntervalTier" "words" 0 1 0 "IntervalTier" "phones" 0 1 0'
    with pytest.raises(LabelError, match=r"^a\.TextGrid:1:.*'x'.*'words'.*'phones'"):
        loads(text, "textgrid", source="a.TextGrid", tier="x")


@pytest.mark.parametrize(
    "segment", [Segment(2.0, 1.0), Segment(-1.0, 1.0), Segment(math.nan, 1.0), Segment(0.0, math.inf)]
)
@pytest.mark.parametrize("name", FORMATS)
def test_what_is_no_segment_is_not_written(name: str, segment: Segment) -> None:
    with pytest.raises(LabelError, match="0 <= start <= end"):
        dumps([segment], name, uri="talk")


@pytest.mark.parametrize("duration", [-1.0, math.nan, math.inf])
def test_what_is_no_duration_is_not_written(duration: float) -> None:
    with pytest.raises(LabelError, match=r"duration.*0"):
        dumps(TALK, "json", duration=duration)


@pytest.mark.parametrize("name", sorted(ONE_WORD_NAMES))
def test_a_name_in_one_word_is_needed(name: str) -> None:
    with pytest.raises(LabelError, match="uri=' '"):
        dumps(TALK, name, uri=" ")


def test_a_format_nobody_knows_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"format='textgird'.*textgrid"):
        dumps(TALK, "textgird")
    with pytest.raises(ConfigError, match="rttm"):
        loads("", "rtm")


def test_a_small_file_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.rttm.gz"
    path.write_bytes(gzip.compress(b"\n" * 20_000_000, 1))
    with pytest.raises(LabelError, match="unpacks to more than") as failure:
        read_labels(path)
    assert len(str(failure.value).splitlines()) == 1
