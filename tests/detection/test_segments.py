"""The hysteresis automaton: drawn cases, a second implementation in another style, and what must never happen.

Drawings have one character a frame: "." is 0, "#" is 1, a digit is tenths.
"""

import math
import re
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vad.detection.options import SegmentOptions
from vad.detection.segmenter import Segmenter
from vad.detection.segments import Event, Segment, SpeechEnd, SpeechRejected, SpeechStart

FRAME_MS = 20
FRAME = FRAME_MS / 1000
BARE = SegmentOptions(
    threshold=0.5, neg_threshold=0.35, min_speech_duration_ms=0, min_silence_duration_ms=0, speech_pad_ms=0
)


def probabilities_of(drawing: str) -> list[float]:
    return [{".": 0.0, "#": 1.0}[c] if c in ".#" else int(c) / 10 for c in drawing]


def ends(events: list[Event]) -> list[Segment]:
    return [event.segment for event in events if isinstance(event, SpeechEnd)]


def run(drawing: str, *, confirm_start: bool = False, delay: float = 0.0, **options: Any) -> list[Event]:
    segmenter = Segmenter(BARE.replace(**options), FRAME, confirm_start=confirm_start, delay=delay)
    return segmenter.feed(probabilities_of(drawing)) + segmenter.finish()


def draw(segments: list[Segment], frames: int) -> str:
    """Segments as letters, each frame that a segment covers; boundaries must lie between frames."""
    cells = ["."] * frames
    for letter, segment in zip("abcdefgh", segments, strict=False):
        first, stop = segment.start / FRAME, segment.end / FRAME
        assert (first, stop) == (pytest.approx(round(first)), pytest.approx(round(stop)))
        cells[round(first) : round(stop)] = letter * (round(stop) - round(first))
    return "".join(cells)


def in_frames(events: list[Event]) -> list[tuple[str, float, float]]:
    """Events as (kind, time, decided_at), both in frames."""
    names = {SpeechStart: "start", SpeechEnd: "end", SpeechRejected: "rejected"}
    return [(names[type(e)], round(e.time / FRAME, 6), round(e.decided_at / FRAME, 6)) for e in events]


@pytest.mark.parametrize(
    ("options", "drawing", "expected"),
    [
        # Hysteresis: on at the threshold, on until below the lower one.
        ({}, "..4..", "....."),
        ({}, "..5..", "..a.."),
        ({}, ".544443", ".aaaaa."),
        ({}, ".53445.", ".a...b."),
        ({"neg_threshold": 0.0}, ".#....", ".aaaaa"),
        ({"threshold": 0.0, "neg_threshold": None}, "....", "aaaa"),
        ({"threshold": 1.0, "neg_threshold": 1.0}, "99#9#", "..a.b"),
        # Filling: shorter than the limit, between speech only; what lies between the thresholds is silence by then.
        ({"min_silence_duration_ms": 60}, ".#..#...#.", ".aaaa...b."),
        ({"min_silence_duration_ms": 50}, ".#..#...#.", ".aaaa...b."),
        ({"min_silence_duration_ms": 60}, ".#.444#.", ".a....b."),
        ({"min_silence_duration_ms": 60}, ".#..", ".a.."),
        ({"min_silence_duration_ms": 140}, "#.......#", "a.......b"),  # 0.14 / 0.02 is 7.000000000000001
        # Dropping: shorter than the limit, filled silence counted.
        ({"min_speech_duration_ms": 60}, ".##..###..", ".....aaa.."),
        ({"min_speech_duration_ms": 60, "min_silence_duration_ms": 40}, ".#.#..", ".aaa.."),
        ({"min_speech_duration_ms": 60}, "...##", "....."),
        # Splitting: before the least probable frame of the second half, the latest of equals.
        ({"max_speech_duration_s": 0.12}, "########.", "aaaaaabb."),
        ({"max_speech_duration_s": 0.12}, "#7##8###.", "aaaabbbb."),
        ({"max_speech_duration_s": 0.12}, "######.", "aaaaaa."),
        ({"max_speech_duration_s": 0.12, "min_speech_duration_ms": 60}, "######97.", "aaaabbbb."),
        ({"max_speech_duration_s": 0.08}, "##############", "aaaabbbbccccdd"),
        ({"max_speech_duration_s": 0.08, "min_silence_duration_ms": 100}, "###....###.", "aaaabbcccc."),
        # Padding: inside the audio, shared in the middle of the silence, and not with what was dropped.
        ({"speech_pad_ms": 20}, "#...##...#", "aa.bbbb.cc"),
        ({"speech_pad_ms": 60}, "....#....#..", ".aaaaaabbbbb"),
        ({"speech_pad_ms": 60, "min_speech_duration_ms": 40}, "##....#....##", "aaaaa...bbbbb"),
        ({"speech_pad_ms": 60, "min_speech_duration_ms": 40}, "##...#...", "aaaaa...."),
        # No segment is longer than the limit, padding included: here one frame less between two pads.
        ({"speech_pad_ms": 20, "max_speech_duration_s": 0.12}, "..#####..", ".aaaaabb."),
    ],
)
def test_drawn(options: dict[str, Any], drawing: str, expected: str) -> None:
    assert draw(ends(run(drawing, **options)), len(drawing)) == expected


@pytest.mark.parametrize(("silence", "segments"), [(1999, 1), (2000, 2)])
def test_long_silences_are_counted_to_the_frame(silence: int, segments: int) -> None:
    assert len(ends(run(f"#{'.' * silence}#", min_silence_duration_ms=40_000))) == segments


def test_the_docstring_draws_what_happens() -> None:
    options = {
        "min_silence_duration_ms": 80,
        "min_speech_duration_ms": 60,
        "max_speech_duration_s": 0.2,
        "speech_pad_ms": 20,
    }
    documentation = Segmenter.__init__.__globals__["__doc__"]
    rows = re.findall(r"^ {4}\S.*?  +([.#a-d0-9]{20,})", documentation, flags=re.MULTILINE)
    drawing, hysteresis, *_, padded = rows
    assert len(rows) == 6
    assert draw(ends(run(drawing)), len(drawing)).translate(str.maketrans("abcde", "#####")) == hysteresis
    assert draw(ends(run(drawing, **options)), len(drawing)) == padded


def test_a_start_is_reported_at_once_and_an_end_when_the_silence_is_long_enough() -> None:
    events = run("...####...", min_silence_duration_ms=40, speech_pad_ms=20)
    assert in_frames(events) == [("start", 2, 4), ("end", 8, 9)]
    (segment,) = ends(events)
    assert (segment.start, segment.end) == (events[0].time, events[1].time)


def test_speech_too_short_is_rejected_when_that_is_certain() -> None:
    events = run("..#......", min_silence_duration_ms=60, min_speech_duration_ms=40, speech_pad_ms=20)
    assert in_frames(events) == [("start", 1, 3), ("rejected", 1, 6)]


def test_confirmed_starts_come_when_they_are_certain() -> None:
    drawing = "..#...####...."
    options = {"min_silence_duration_ms": 40, "min_speech_duration_ms": 60}
    assert in_frames(run(drawing, confirm_start=True, **options)) == [("start", 6, 9), ("end", 10, 12)]


def test_an_end_waits_until_no_start_can_take_its_padding() -> None:
    # Two pads of 60 ms need six frames of silence; then the end is final.
    assert in_frames(run("#..........", speech_pad_ms=60)) == [("start", 0, 1), ("end", 4, 7)]


def test_a_start_never_overtakes_the_end_before_it() -> None:
    options = {"speech_pad_ms": 60, "min_speech_duration_ms": 40}
    accepted = [("start", 0, 1), ("end", 4, 8), ("start", 4, 8)]
    assert in_frames(run("##....##.........", **options))[:3] == accepted
    # A start that was not reported is not rejected, and does not change the end before it.
    assert in_frames(run("##....#..........", **options)) == [("start", 0, 1), ("end", 5, 8)]


def test_pads_that_touch_never_overlap_by_a_rounding_error() -> None:
    first, second = ends(run("#..#", speech_pad_ms=20))
    assert 3 * FRAME - 0.02 < first.end == second.start


def test_padding_shorter_than_half_a_frame_is_no_more_than_that() -> None:
    first, second = ends(run("#.#", speech_pad_ms=5))
    assert (first.end, second.start) == (pytest.approx(0.025), pytest.approx(0.035))


def test_padding_stays_inside_audio_that_ends_within_the_last_frame() -> None:
    segmenter = Segmenter(BARE.replace(speech_pad_ms=5), FRAME)
    events = segmenter.feed(probabilities_of("#.")) + segmenter.finish(duration=0.021)
    assert ends(events) == [Segment(0.0, 0.021)]


def test_the_real_end_of_the_audio_cuts_the_last_segment() -> None:
    segmenter = Segmenter(BARE, FRAME)
    assert ends(segmenter.feed([0, 1, 1]) + segmenter.finish(duration=0.0405)) == [Segment(0.02, 0.0405)]


def test_delay_moves_only_when_it_became_known() -> None:
    events, delayed = run("..##..."), run("..##...", delay=0.1)
    assert [event.time for event in delayed] == [event.time for event in events]
    assert [event.decided_at for event in delayed] == [
        pytest.approx(event.decided_at + 0.1) for event in events
    ]


@pytest.mark.parametrize("ending", ["finish", "reset"])
def test_a_recording_leaves_nothing_to_the_next(ending: str) -> None:
    segmenter = Segmenter(SegmentOptions(), FRAME)
    first = segmenter.feed([1.0] * 20 + [0.0] * 9 + [1.0])
    getattr(segmenter, ending)()
    assert segmenter.feed([1.0] * 20 + [0.0] * 9 + [1.0]) == first
    assert len(first) == 3


def test_times_do_not_drift() -> None:
    hour = 180_000
    segmenter = Segmenter(BARE, FRAME)
    events = segmenter.feed([0.0] * hour + [1.0]) + segmenter.finish()
    assert ends(events) == [Segment(3600.0, pytest.approx(3600.02, abs=1e-12))]


def test_memory_does_not_grow_with_speech() -> None:
    segmenter = Segmenter(SegmentOptions(max_speech_duration_s=1.0), FRAME)
    segmenter.feed([1.0] * 10_000)
    assert segmenter._speech is not None
    assert len(segmenter._speech.probabilities) <= 50


# Properties

MILLISECONDS = st.sampled_from([0, 5, 10, 15, 20, 30, 40, 50, 60, 70, 100, 130, 200])


@st.composite
def option_values(draw: st.DrawFn) -> dict[str, Any]:
    threshold = draw(st.integers(0, 10))
    pad = draw(MILLISECONDS)
    frames = draw(st.none() | st.integers(1, 12))
    longest = math.inf if frames is None else (frames * FRAME_MS + 2 * pad + draw(st.integers(0, 19))) / 1000
    return {
        "threshold": threshold / 10,
        "neg_threshold": draw(st.integers(0, threshold)) / 10,
        "min_speech_duration_ms": draw(MILLISECONDS),
        "min_silence_duration_ms": draw(MILLISECONDS),
        "speech_pad_ms": pad,
        "max_speech_duration_s": longest,
    }


DRAWINGS = st.text(alphabet="....3579###", max_size=60)


def reference(
    drawing: str, duration_ms: Fraction, options: dict[str, Any]
) -> list[tuple[Fraction, Fraction]]:
    """All steps over the whole recording, one after the other, in exact milliseconds."""
    values = probabilities_of(drawing)
    low = ["s" if v >= options["neg_threshold"] else "." for v in values]
    high = "".join("S" if v >= options["threshold"] else s for v, s in zip(values, low, strict=True))
    on = re.sub(r"S[Ss]*", lambda m: "#" * len(m[0]), high).replace("s", ".")
    filled = re.sub(
        r"(?<=#)\.+(?=#)",
        lambda m: "#" * len(m[0]) if len(m[0]) * FRAME_MS < options["min_silence_duration_ms"] else m[0],
        on,
    )
    pad = Fraction(options["speech_pad_ms"])
    shortest = -(-options["min_speech_duration_ms"] // FRAME_MS)
    pieces: list[tuple[int, int]] = []
    for match in re.finditer("#+", filled):
        first, stop = match.span()
        if stop - first < shortest:
            continue
        if math.isfinite(options["max_speech_duration_s"]):
            room = round(options["max_speech_duration_s"] * 1000) - 2 * pad
            longest = int(room // FRAME_MS)
            while stop - first > longest:
                candidates = range(max(1, -(-longest // 2)), min(longest, longest + 1 - max(shortest, 1)) + 1)
                cut = (
                    first + sorted((values[first + c], -c, c) for c in candidates or [-(-longest // 2)])[0][2]
                )
                pieces.append((first, cut))
                first = cut
        pieces.append((first, stop))
    padded = []
    for index, (first, stop) in enumerate(pieces):
        start, end = Fraction(first * FRAME_MS) - pad, Fraction(stop * FRAME_MS) + pad
        if index > 0:
            start = max(start, Fraction(pieces[index - 1][1] + first, 2) * FRAME_MS)
        if index + 1 < len(pieces):
            end = min(end, Fraction(stop + pieces[index + 1][0], 2) * FRAME_MS)
        padded.append((max(start, Fraction(0)), min(end, duration_ms)))
    return padded


def partial(drawing: str, tenths: int) -> Fraction:
    """The length of a recording whose last frame holds that many tenths of a frame, in milliseconds."""
    return Fraction(FRAME_MS * (10 * len(drawing) - 10 + tenths), 10) if drawing else Fraction(0)


@given(DRAWINGS, option_values(), st.integers(1, 10))
def test_agrees_with_the_reference(drawing: str, options: dict[str, Any], tenths: int) -> None:
    duration_ms = partial(drawing, tenths)
    segmenter = Segmenter(SegmentOptions(**options), FRAME)
    events = segmenter.feed(probabilities_of(drawing)) + segmenter.finish(float(duration_ms) / 1000)
    expected = reference(drawing, duration_ms, options)
    found = [(segment.start * 1000, segment.end * 1000) for segment in ends(events)]
    assert found == [(pytest.approx(float(start)), pytest.approx(float(end))) for start, end in expected]


@given(DRAWINGS, option_values(), st.lists(st.integers(0, 60)), st.booleans())
def test_any_chunking_gives_the_same_events(
    drawing: str, options: dict[str, Any], cuts: list[int], confirm_start: bool
) -> None:
    values = probabilities_of(drawing)
    whole = Segmenter(SegmentOptions(**options), FRAME, confirm_start=confirm_start)
    pieces = Segmenter(SegmentOptions(**options), FRAME, confirm_start=confirm_start)
    cuts = sorted(cuts)
    events = [
        event
        for first, stop in zip([0, *cuts], [*cuts, len(values)], strict=True)
        for event in pieces.feed(values[first:stop])
    ]
    assert events + pieces.finish() == whole.feed(values) + whole.finish()


@given(DRAWINGS, option_values(), st.integers(1, 10), st.booleans())
def test_what_always_holds(drawing: str, options: dict[str, Any], tenths: int, confirm_start: bool) -> None:
    duration = float(partial(drawing, tenths)) / 1000
    segmenter = Segmenter(SegmentOptions(**options), FRAME, confirm_start=confirm_start)
    last = segmenter.feed(probabilities_of(drawing))
    events = last + segmenter.finish(duration)
    segments = ends(events)
    assert all(0 <= s.start < s.end <= duration for s in segments)
    assert all(a.end <= b.start for a, b in pairwise(segments))
    assert all(s.duration <= options["max_speech_duration_s"] + 1e-9 for s in segments)
    # Starts and their outcomes alternate and match; nothing is decided before its audio.
    assert len(events) % 2 == 0
    for start, outcome in zip(events[::2], events[1::2], strict=True):
        assert isinstance(start, SpeechStart)
        begin = outcome.segment.start if isinstance(outcome, SpeechEnd) else outcome.time
        assert begin == start.time
        assert isinstance(outcome, SpeechEnd) or not confirm_start
    assert all(a.decided_at <= b.decided_at for a, b in pairwise(events))
    assert all(event.time <= event.decided_at for event in events)
    assert all(event.decided_at <= len(drawing) * FRAME for event in events)


@given(DRAWINGS, option_values())
def test_confirmed_starts_change_no_segment(drawing: str, options: dict[str, Any]) -> None:
    assert ends(run(drawing, confirm_start=True, **options)) == ends(run(drawing, **options))
