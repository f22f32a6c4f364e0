"""The grid's arithmetic is held to the segmenter, which is what will run."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from vad.segment_metrics import DetectionErrors, detection_errors
from vad.segments import Segment, Segmenter, SegmentOptions, SpeechEnd
from vad.tuning.grid import Timeline, levels, spans
from vad.tuning.listened import Listened

START = SegmentOptions(threshold=0.42, min_silence_duration_ms=90, speech_pad_ms=45)


def by_the_segmenter(one: Listened, options: SegmentOptions, frame_duration: float) -> DetectionErrors:
    segmenter = Segmenter(options, frame_duration)
    events = segmenter.feed(one.probabilities)
    events += segmenter.finish(one.duration) if one.probabilities else []
    found = [event.segment for event in events if isinstance(event, SpeechEnd)]
    return detection_errors(one.reference, found, one.duration)


@st.composite
def recordings(draw: st.DrawFn, frame_duration: float) -> Listened:
    """Stretches of a few frames each, so that every duration counts; turns that overlap and end past the audio."""
    stretches = draw(
        st.lists(st.tuples(st.sampled_from((0.0, 0.2, 0.4, 0.42, 0.6, 1.0)), st.integers(1, 30)), max_size=12)
    )
    probabilities = [value for value, frames in stretches for _ in range(frames)]
    duration = max(0.0, len(probabilities) - draw(st.floats(0.0, 0.9))) * frame_duration
    starts = draw(st.lists(st.floats(0.0, 6.0), max_size=4))
    turns = [Segment(start, start + draw(st.floats(0.01, 2.0))) for start in starts]
    return Listened("a", probabilities, duration, turns)


@settings(max_examples=40)
@given(
    data=st.data(), frame_duration=st.sampled_from((0.02, 0.032)), limit=st.sampled_from((float("inf"), 0.7))
)
def test_misses_and_false_alarms_are_the_segmenters(
    data: st.DataObject, frame_duration: float, limit: float
) -> None:
    listened = data.draw(st.lists(recordings(frame_duration), min_size=1, max_size=4))
    parts = [place % 2 for place in range(len(listened))]
    start = START.replace(max_speech_duration_s=limit)
    tried = spans(start)[:: data.draw(st.integers(17, 60))]
    level = data.draw(st.sampled_from([one for of_threshold in levels(start) for one in of_threshold]))
    missed, false = Timeline(listened, parts, frame_duration, tried).measure(level)
    for row, span in enumerate(tried):
        options = span.replace(threshold=level.threshold, neg_threshold=level.neg_threshold)
        for part in set(parts):
            of_part = (one for one, its in zip(listened, parts, strict=True) if its == part)
            expected = sum(
                (by_the_segmenter(one, options, frame_duration) for one in of_part), DetectionErrors()
            )
            assert missed[row, part] == pytest.approx(expected.miss, abs=1e-9)
            assert false[row, part] == pytest.approx(expected.false_alarm, abs=1e-9)


def test_the_start_comes_first_and_off_the_grid_too() -> None:
    first = levels(START)[0][0]
    assert (first.threshold, first.neg_threshold) == (START.threshold, pytest.approx(START.release_threshold))
    assert spans(START)[0] == START
