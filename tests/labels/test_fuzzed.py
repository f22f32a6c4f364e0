"""Label files that were bent: every reader gives entries with times that can be, or says what is wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.label_texts import (
    BINARY_TEXTGRID,
    CTM,
    EAF,
    FULL,
    HTK,
    LHOTSE,
    MINIMAL,
    MLF,
    NEMO,
    SHORT_TEXTGRID,
    STM,
    SVL,
)

from vad.detection.segments import Segment
from vad.errors import LabelError
from vad.labels import dumps, loads, read_all, read_labels
from vad.labels.formats import READERS

AUDITION = "Name\tStart\tDuration\tTime Format\tType\tDescription\nM\t1:02:03.5\t0:01.5\tdecimal\tCue\t\n"
SAMPLES = {
    "json": f"[{str(FULL).replace(chr(39), chr(34)).replace('False', 'false')}]",
    "labelstudio": str([MINIMAL]).replace("'", '"'),
    "jsonl": LHOTSE,
    "nemo": NEMO,
    "csv": AUDITION,
    "textgrid": SHORT_TEXTGRID,
    "elan": EAF.format(text="x", end="ts2"),
    "kaldi": "u1 a 0 1\nu2 a 1 -1\n",
    "ctm": CTM,
    "stm": STM,
    "htk": HTK + MLF,
    "svl": SVL,
}
PIECES = st.sampled_from(
    ["", "-1", "9" * 5000, "1e400", "nan", "1_0", "٣", "²", '"', "\t", ",", "\n", "{", "[", "]", ":", "<", "\0"]
)  # fmt: skip


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
def test_whatever_stands_in_a_file_its_reader_says_so(name: str, data: st.DataObject) -> None:
    talk = [Segment(0.32, 1.24), Segment(1.5, 2.0)]
    sample = SAMPLES.get(name) or dumps(talk, name, uri="a", duration=3.0)
    first = data.draw(st.integers(0, len(sample)))
    last = data.draw(st.integers(first, min(first + 12, len(sample))))
    text = sample[:first] + data.draw(PIECES | st.text(max_size=8)) + sample[last:]
    try:
        found = loads(text, name)
    except LabelError:
        return
    assert all(0 <= one.start < one.end < float("inf") for one in found)


@given(data=st.data())
def test_whatever_stands_in_a_binary_textgrid(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    bent = bytearray(BINARY_TEXTGRID)
    for place in data.draw(st.lists(st.integers(12, len(bent) - 1), max_size=4)):
        bent[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "bent.TextGrid"
    path.write_bytes(bent)
    try:
        read_labels(path)
    except LabelError:
        return


@given(
    text=st.text(max_size=60) | st.sampled_from(["SPEAKER", "{", "[{", "0 1", "\t\t", "#!MLF!#"]),
    end=st.integers(0, 7),
)
def test_guessing_the_format_never_fails(
    tmp_path_factory: pytest.TempPathFactory, text: str, end: int
) -> None:
    suffix = [".txt", ".json", ".jsonl", ".csv", ".lab", ".mlf", ".segments", ".gz"][end]
    path = Path(tmp_path_factory.getbasetemp() / f"any{suffix}")
    path.write_bytes(text.encode())
    read_all(path)
