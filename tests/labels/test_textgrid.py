"""TextGrids: Praat's two text forms and its binary one, its encodings, tiers by name, and intervals without gaps."""

import re
import time
from pathlib import Path

import pytest
from support.label_texts import BINARY_TEXTGRID, SHORT_TEXTGRID

from vad.detection.segments import Segment
from vad.errors import LabelError
from vad.labels import dumps, loads, read_entries, read_labels, write_labels
from vad.labels.reading import is_number


@pytest.mark.parametrize(
    ("tier", "expected"),
    [(None, Segment(0.0, 0.5)), ("Speech", Segment(0.0, 0.5)), ("words", Segment(1.0, 2.5))],
)
def test_textgrid_tiers_are_chosen_by_name(tier: str | None, expected: Segment) -> None:
    assert loads(SHORT_TEXTGRID, "textgrid", tier=tier) == [expected]


def test_without_a_tier_called_speech_the_first_one_of_intervals_is_read() -> None:
    assert loads(SHORT_TEXTGRID.replace("Speech", "other"), "textgrid") == [Segment(1.0, 2.5)]


def test_a_textgrid_has_no_tiers() -> None:
    with pytest.raises(LabelError, match=r"^<text>:1:.*TextGrid"):
        loads('"ooTextFile" "TextGrid" 0 1 <absent>', "textgrid")


def test_a_tier_may_have_quotes_in_its_name() -> None:
    text = SHORT_TEXTGRID.replace('"words"', '"the ""words"""')
    assert loads(text, "textgrid", tier='the "words"') == [Segment(1.0, 2.5)]


def test_a_textgrid_joins_what_overlaps_and_keeps_what_touches() -> None:
    segments = [Segment(0.0, 1.0), Segment(0.5, 1.5), Segment(1.5, 2.0)]
    assert loads(dumps(segments, "textgrid"), "textgrid") == [Segment(0.0, 1.5), Segment(1.5, 2.0)]


def test_a_textgrid_counts_tiers_and_intervals_from_one() -> None:
    text = dumps({0: [Segment(1.0, 2.0)], 1: [Segment(0.0, 3.0)]}, "textgrid")
    numbers = [(word, int(number)) for word, number in re.findall(r"(item|intervals) \[(\d+)\]", text)]
    assert numbers == [
        ("item", 1),
        *(("intervals", number) for number in (1, 2, 3)),
        ("item", 2),
        ("intervals", 1),
    ]


def test_a_textgrid_without_speech_needs_the_duration() -> None:
    with pytest.raises(LabelError, match="duration=None"):
        dumps([], "textgrid")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_praat_writes_utf_16(tmp_path: Path, encoding: str, newline: str) -> None:
    path = tmp_path / "a.TextGrid"
    text = "\ufeff" + SHORT_TEXTGRID.replace("events", "événements")
    path.write_bytes(text.replace("\n", newline).encode(encoding))
    assert read_labels(path) == [Segment(0.0, 0.5)]


def test_a_textgrid_has_no_empty_intervals() -> None:
    text = dumps([Segment(0.0, 1.0), Segment(1.0, 2.0)], "textgrid", duration=2.0)
    assert "intervals: size = 2 \n" in text


def long_form(*intervals: tuple[str, str]) -> str:
    """A TextGrid in Praat's long form: the n-th interval has its xmin on line 12 + 4 n."""
    return "".join(
        [
            'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = 9\ntiers? <exists>\nsize = 1\n',
            'item []:\n    item [1]:\n        class = "IntervalTier"\n        name = "speech"\n        xmin = 0\n',
            f"        xmax = 9\n        intervals: size = {len(intervals)}\n",
            *(
                f"        intervals [{number}]:\n            xmin = {xmin}\n            xmax = {xmax}\n"
                '            text = "x"\n'
                for number, (xmin, xmax) in enumerate(intervals, 1)
            ),
        ]
    )


@pytest.mark.parametrize("value", ["abc", "1,5", "1.5s", "=2", "--undefined--", ""])
def test_a_broken_number_is_reported_on_its_line_and_hides_nothing(value: str) -> None:
    text = long_form(("1", "0"), ("1", "2"), (value, "4"), ("5", value), ("6", "5"), ("7", "8"))
    with pytest.raises(LabelError) as raised:
        loads(text.replace("= =", "="), "textgrid", source="t")
    rules = [
        r"t:16: .*1\.0.*0\.0",
        f"t:24: .*xmin.*{value!r}",
        f"t:29: .*xmax.*{value!r}",
        r"t:32: .*6\.0.*5\.0",
    ]
    for rule, problem in zip(rules, raised.value.problems, strict=True):
        assert re.match(rule, problem)


def test_a_broken_number_is_reported_before_what_ends_the_reading() -> None:
    text = long_form(("abc", "1"), ("1", "2")).replace("size = 2", "size = 3")
    with pytest.raises(LabelError) as raised:
        loads(text, "textgrid", source="t")
    assert [problem.split(": ")[0] for problem in raised.value.problems] == ["t:16", "t:22"]
    with pytest.raises(LabelError, match=r"^t:8:.*TextGrid.*'many'"):
        loads("\n" + text.replace("size = 1", "size = many"), "textgrid", source="t")


def test_a_broken_text_is_reported_on_its_line() -> None:
    text = long_form(("0", "1"), ("1", "2")).replace('"x"', "x", 1)
    with pytest.raises(LabelError, match=r"^t:18:.*TextGrid.*interval's.*'x'"):
        loads(text, "textgrid", source="t")


def test_binary_textgrids_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_bytes(BINARY_TEXTGRID)
    found = [(one.start, one.end, one.label) for one in read_entries(path)]
    assert found == [(0.32, 1.24, 'hello "you"'), (1.5, 3.0, "Grüße, здравствуй")]
    assert read_labels(path, tier="speech") == [Segment(0.32, 1.24), Segment(1.5, 3.0)]
    path.write_bytes(BINARY_TEXTGRID.replace(b"ooBinaryFile\x08TextGrid", b"ooBinaryFile\x09PitchTier"))
    with pytest.raises(
        LabelError, match=r"a\.TextGrid:1: TextGrid needs \"TextGrid\"\. Received: 'PitchTier'"
    ):
        read_labels(path)


@pytest.mark.parametrize("size", range(12, len(BINARY_TEXTGRID), 7))
def test_a_binary_textgrid_that_is_cut_off_is_reported(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_bytes(BINARY_TEXTGRID[:size])
    with pytest.raises(
        LabelError, match=rf"a\.TextGrid:1: .* must be whole\. Received: {size} bytes, cut off"
    ):
        read_labels(path)


def test_praat_reads_textgrids_and_saves_three_forms_that_are_read(tmp_path: Path) -> None:
    peer = pytest.importorskip("parselmouth")
    talk = [Segment(0.32, 1.24), Segment(1.24, 1.5), Segment(2.0, 3.0)]
    path = tmp_path / "a.TextGrid"
    write_labels(path, talk, duration=4.0)
    grid = peer.read(str(path))
    for command in ("Save as text file...", "Save as short text file...", "Save as binary file..."):
        peer.praat.call(grid, command, str(path))
        assert read_labels(path) == talk


def test_time_grows_with_the_length_of_a_number_not_its_square() -> None:
    begin = time.perf_counter()
    for digits in ("1" * 100_000, "1." * 50_000, "1e" * 50_000):
        with pytest.raises(LabelError):
            loads(f'"ooTextFile"\n"TextGrid"\n{digits}x', "textgrid")
        assert not is_number(f"{digits}x")
    assert time.perf_counter() - begin < 2  # was minutes
