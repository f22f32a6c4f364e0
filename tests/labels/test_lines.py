"""Lines of NIST's, HTK's and Kaldi's labels, with their comments, gaps and units."""

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.label_texts import CTM, HTK, MLF, STM

from vad.detection.segments import Segment
from vad.errors import LabelError
from vad.labels import loads, read_all, read_entries

TALK = [Segment(0.32, 1.24), Segment(1.5, 2.0)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ctm", ";;\ncall 1 0.32 0.92 hi\ncall 1 1.5 0.5 hi 1.0 fp\ncall 1 3 1 [noise]\ncall 1 4 1 x 1 misc\n"),
        ("stm", STM),
        ("uem", ";; scored\ncall 1 0.32 1.24\ncall NA 1.5 2\n"),
        ("htk", HTK),
        ("htk", "0.0 0.32 sil\n0.32 1.24 hello\n1.5 2.0 there\n"),
        ("htk", MLF),
    ],
)  # fmt: skip
def test_lines_of_other_programs_are_read(name: str, text: str) -> None:
    assert loads(text, name) == TALK
    assert loads(text, name, uri="call") == TALK


def test_words_keep_their_times_and_speakers(tmp_path: Path) -> None:
    path = tmp_path / "call.ctm"
    path.write_text(CTM)
    assert [(one.line, one.start, one.end, one.speaker) for one in read_entries(path)] == [
        (2, 0.32, 0.82, "anna"),
        (3, 0.82, 1.24, None),
        (6, 1.5, 2.0, None),
    ]


def test_turns_keep_their_speakers_and_transcripts(tmp_path: Path) -> None:
    path = tmp_path / "call.stm"
    path.write_text(STM)
    assert [(one.speaker, one.label) for one in read_entries(path)] == [
        ("anna", "hello there"),
        ("bert", None),
    ]


@given(st.lists(st.integers(0, 10**12), min_size=2, max_size=8, unique=True))
def test_units_of_100_ns_are_seconds(times: list[int]) -> None:
    times = sorted(times)
    text = "".join(f"{a} {b} x\n" for a, b in itertools.pairwise(times))
    unit = 1e7 if times[-1] >= 10_000 else 1.0
    assert [(one.start, one.end) for one in loads(text, "htk")] == [
        pytest.approx((a / unit, b / unit)) for a, b in itertools.pairwise(times)
    ]


@pytest.mark.parametrize(
    ("name", "text", "line", "rule"),
    [
        ("ctm", "a 1 0 1 x\na 1 0 1\n", 2, "4 fields"),
        ("ctm", "a 1 0 x y\n", 1, "duration.*'x'"),
        ("stm", "a 1 anna 0\n", 1, "4 fields"),
        ("stm", "a 1 anna 0 b hi\n", 1, "end.*'b'"),
        ("uem", "a 1 0 1\na 0 1\n", 2, "3 fields"),
        ("htk", "0 10000000 a\nhello\n", 2, "100.*'hello'"),
        ("htk", "0 10000000 a\n10000000 x b\n", 2, "end.*'x'"),
        ("kaldi", "u1 a 0 1\nu2 a 1 -1\n", 2, "an end of -1 is that of the recording"),
        ("svl", "<sv><data>", 1, "XML"),
    ],
)
def test_broken_lines_are_named_by_file_line_and_rule(name: str, text: str, line: int, rule: str) -> None:
    with pytest.raises(LabelError, match=rf"^t:{line}: ") as raised:
        loads(text, name, source="t")
    assert re.search(rule, str(raised.value))


def test_an_end_that_is_the_recordings_is_open_to_those_who_know_it(tmp_path: Path) -> None:
    path = tmp_path / "segments"
    path.write_text("u1 a 0.5 -1\nu2 b 1 2\n")
    entries, problems = read_all(path, open_ended=True)
    assert problems == []
    assert [(one.start, one.end) for one in entries] == [(0.5, float("inf")), (1.0, 2.0)]
