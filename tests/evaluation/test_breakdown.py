"""An evaluation taken apart: groups of the manifest, and the worst stretches."""

from pathlib import Path
from typing import Any

import pytest

from vad.corpus.manifest import CorpusItem
from vad.detection.segments import Segment
from vad.evaluation.breakdown import break_down, runs_to_segments, worst_excerpts
from vad.evaluation.scoring import Scored, score_segments
from vad.labels.cells import labels_to_frames


def scored(reference: list[Segment], found: list[Segment], duration: float = 60.0) -> Scored:
    return score_segments(reference, found, duration)


def pair(missed: float, **fields: Any) -> tuple[CorpusItem, Scored]:
    """A recording of which so many seconds are missed."""
    return CorpusItem(Path("a.wav"), "speech", **fields), scored([Segment(1.0, 1.0 + missed)], [])


def test_recordings_are_pooled_by_what_the_manifest_tells() -> None:
    groups = break_down(
        [
            pair(1.0, speaker="anna", source="radio", snr_db=3.0),
            pair(2.0, speaker="ben", source="radio", snr_db=-2.0),
            pair(4.0, speaker="anna", source="radio", snr_db=4.9),
            pair(8.0, source="radio"),
        ]
    )
    assert set(groups) == {"speaker", "SNR"}
    missed = {name: {value: one.detection.miss for value, one in of.items()} for name, of in groups.items()}
    assert missed["speaker"] == pytest.approx({"anna": 5.0, "ben": 2.0})
    assert list(missed["SNR"].items()) == [("under 0 dB", 2.0), ("0 to 5 dB", pytest.approx(5.0))]


def test_groups_of_one_recording_each_say_nothing_new() -> None:
    assert break_down([pair(1.0, speaker="anna"), pair(2.0, speaker="ben")]) == {}


def test_the_edge_of_a_group_of_ratios_belongs_to_the_louder_speech() -> None:
    groups = break_down([pair(1.0, snr_db=value) for value in (5.0, 4.99, 20.0, 33.0)])
    assert list(groups["SNR"]) == ["0 to 5 dB", "5 to 10 dB", "20 dB and more"]


def test_the_worst_stretch_has_the_errors_in_its_middle() -> None:
    worst = worst_excerpts([scored([], []), scored([Segment(30.0, 32.0)], [Segment(30.0, 31.0)])], 5)
    (only,) = worst
    assert only.recording == 1
    assert only.wrong == pytest.approx(1.0)
    assert (only.start, only.end) == pytest.approx((26.5, 36.5), abs=0.02)


def test_stretches_are_the_worst_first_and_never_overlap() -> None:
    found = [Segment(start, start + seconds) for start, seconds in ((5.0, 1.0), (30.0, 3.0), (33.5, 2.0))]
    worst = worst_excerpts([scored([], found), scored([], [Segment(50.0, 52.0)])], 10)
    assert [one.wrong for one in worst] == pytest.approx([5.0, 2.0, 1.0])
    assert [one.recording for one in worst] == [0, 1, 0]
    assert worst[0].end <= worst[2].start or worst[2].end <= worst[0].start


def test_one_recording_does_not_fill_the_page() -> None:
    bad = scored([], [Segment(0.0, 60.0)])
    better = scored([], [Segment(10.0, 10.1)])
    worst = worst_excerpts([bad, better], 10)
    assert [one.recording for one in worst] == [0, 0, 0, 1]


def test_a_short_recording_is_one_stretch() -> None:
    (only,) = worst_excerpts([scored([], [Segment(1.0, 2.0)], duration=3.0)], 10)
    assert (only.start, only.end) == (0.0, 3.0)
    assert worst_excerpts([scored([], [], duration=0.0)], 10) == []


def test_cells_become_segments_again() -> None:
    segments = [Segment(0.0, 0.5), Segment(1.0, 2.0)]
    found = runs_to_segments(labels_to_frames(segments, 200, 0.01), start=10.0)
    assert [time for one in found for time in (one.start, one.end)] == pytest.approx([10.0, 10.5, 11.0, 12.0])
