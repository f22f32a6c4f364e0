"""What spreadsheets make of CSV: names in any case, decimal commas, rows without times; and pairs in JSON."""

from pathlib import Path

import pytest

from vad.detection.segments import Segment
from vad.errors import LabelError
from vad.labels import Entry, dumps, loads, read_all

TALK = [Segment(0.32, 1.24), Segment(1.5, 2.0)]


@pytest.mark.parametrize(
    "text",
    [
        "Start;End\n0.32;1.24\n1.5;2\n",
        "File;START; End \na;0,32;1,24\na;1,5;2\n",
        "start\tend\n0,32\t1,24\n1,5\t2\n",
        'Start,End\n0.32,1.24\nSTART,END\n"1.5","2"\n,\n',
    ],
)
def test_names_in_any_case_and_decimal_commas_are_read(text: str) -> None:
    assert loads(text, "csv") == TALK


@pytest.mark.parametrize("cell", ["1.234,5", "1,2,3", "1,x"])
def test_text_that_is_not_a_number_is_quoted(cell: str) -> None:
    with pytest.raises(LabelError, match=rf"a:2: end must be a number of seconds\. Received: '{cell}'"):
        loads(f"start;end\n0;{cell}\n", "csv", source="a")


def test_a_label_keeps_its_comma(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("start;end;label\n0,5;1;well, yes\n")
    assert read_all(path) == ([Entry(2, 0.5, 1.0, label="well, yes")], [])


def test_a_row_without_times_says_that_nobody_speaks(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("file,start,end,label\nfan,,,\nb,,,hi\n,,,hi\nc,1,,\n")
    entries, problems = read_all(path)
    assert [(one.uri, one.is_speech) for one in entries] == [("fan", False)]
    assert [problem.removeprefix(f"{path}:")[:2] for problem in problems] == ["3:", "4:", "5:"]
    assert loads("file,start,end\nfan,,\na,0,1\n", "csv") == [Segment(0.0, 1.0)]


@pytest.mark.parametrize(
    "text",
    [
        '{"segments": [[0.32, 1.24], [1.5, 2]]}',
        '[{"file": "a", "segments": [{"start": 0.32, "end": 1.24}, [1.5, 2]]}]',
    ],
)
def test_pairs_are_segments_as_in_a_manifest(text: str) -> None:
    assert loads(text, "json") == TALK


@pytest.mark.parametrize("name", ["=1+2.wav", "@a.wav", "-1.wav", "+1.wav"])
def test_no_path_is_a_formula(name: str) -> None:
    _, row, _ = dumps(TALK, "csv", uri=name).splitlines()
    cell = row.split(",")[0]
    assert cell.startswith("./")
    assert Path(cell) == Path(name)
