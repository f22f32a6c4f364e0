"""Frame and segment metrics against scikit-learn, pyannote.metrics and cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyannote.core import Annotation, Timeline
from pyannote.core import Segment as PyannoteSegment
from pyannote.metrics.detection import DetectionErrorRate
from sklearn.metrics import average_precision_score, roc_auc_score

from vad.detection.segments import Segment
from vad.errors import ConfigError
from vad.evaluation.frame_metrics import resample_frames, roc_auc, roc_curve
from vad.evaluation.segment_metrics import (
    BoundaryErrors,
    PauseRecall,
    boundary_errors,
    detection_errors,
    pause_recall,
)
from vad.labels.cells import labels_to_frames

# The machine may be busy: a slow example is no failure.
drawn = settings(max_examples=60, deadline=None)

# Scores from a coarse grid, so that ties within and across the classes are the rule.
frames = st.lists(st.tuples(st.booleans(), st.integers(0, 12).map(lambda n: n / 12)), min_size=2, max_size=80)
two_classes = frames.filter(lambda pairs: len({label for label, _ in pairs}) == 2)
turns = st.lists(st.tuples(st.integers(0, 900), st.integers(1, 300)), max_size=8).map(
    lambda pairs: [Segment(start / 100, (start + length) / 100) for start, length in pairs]
)


def columns(pairs: list[tuple[bool, float]]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    labels, scores = zip(*pairs, strict=True)
    return np.array(labels), np.array(scores)


@drawn
@given(two_classes)
def test_auc_and_average_precision_equal_scikit_learn_with_ties(pairs: list[tuple[bool, float]]) -> None:
    labels, scores = columns(pairs)
    assert roc_auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert roc_curve(labels, scores).average_precision == pytest.approx(
        average_precision_score(labels, scores), abs=1e-12
    )


def test_auc_of_many_frames_equals_scikit_learn() -> None:
    rng = np.random.default_rng(5)
    labels = rng.random(200_000) < 0.1
    scores = rng.normal(size=labels.size) + labels
    assert roc_auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@drawn
@given(two_classes)
def test_auc_depends_on_the_order_of_the_scores_alone(pairs: list[tuple[bool, float]]) -> None:
    labels, scores = columns(pairs)
    assert roc_auc(labels, np.exp(3 * scores)) == roc_auc(labels, scores)
    assert roc_auc(~labels, scores) == pytest.approx(1 - roc_auc(labels, scores), abs=1e-12)


@drawn
@given(two_classes)
def test_best_balanced_error_is_the_least_over_all_thresholds(pairs: list[tuple[bool, float]]) -> None:
    labels, scores = columns(pairs)
    curve = roc_curve(labels, scores)
    best = curve.best()
    every = [curve.at(threshold) for threshold in [*np.unique(scores), math.inf]]
    assert best.balanced_error == min(point.balanced_error for point in every)
    assert curve.at(best.threshold) == best


@drawn
@given(two_classes, st.integers(0, 10).map(lambda n: n / 10))
def test_false_alarm_at_miss_is_the_least_within_the_miss_allowed(
    pairs: list[tuple[bool, float]], miss: float
) -> None:
    labels, scores = columns(pairs)
    curve = roc_curve(labels, scores)
    point = curve.at_miss(miss)
    allowed = [curve.at(threshold) for threshold in [*np.unique(scores), math.inf]]
    assert point.miss <= miss
    assert point.false_alarm == min(one.false_alarm for one in allowed if one.miss <= miss)


def test_a_score_at_the_threshold_is_speech() -> None:
    point = roc_curve([True, True, False, False], [0.5, 0.4, 0.5, 0.4]).at(0.5)
    assert (point.miss, point.false_alarm, point.balanced_error) == (0.5, 0.5, 0.5)


def test_one_class_alone_has_no_area_but_keeps_the_rate_it_has() -> None:
    assert math.isnan(roc_auc([False, False], [0.1, 0.9]))
    assert math.isnan(roc_curve([False, False], [0.1, 0.9]).average_precision)
    assert math.isnan(roc_curve([True, True], [0.1, 0.9]).best().threshold)
    assert math.isnan(roc_curve([], []).at_miss(0.05).false_alarm)
    point = roc_curve([False, False], [0.1, 0.9]).at(0.5)
    assert math.isnan(point.miss)
    assert point.false_alarm == 0.5


@pytest.mark.parametrize(
    ("labels", "scores"),
    [
        ([True], [0.1, 0.2]),
        ([[True]], [[0.1]]),
        ([True, False], [math.nan, 0.2]),
        ([True, False], [0.1, math.inf]),
    ],
)
def test_scores_that_do_not_fit_the_labels_are_refused(labels: list[bool], scores: list[float]) -> None:
    with pytest.raises(ConfigError, match="Received"):
        roc_auc(labels, scores)


def test_a_miss_in_percent_is_refused() -> None:
    with pytest.raises(ConfigError, match="miss=5"):
        roc_curve([True, False], [0.1, 0.2]).at_miss(5)


@drawn
@given(turns, st.sampled_from([0.01, 0.02, 0.032, 0.1]))
def test_frames_are_speech_where_their_middle_is(segments: list[Segment], frame_duration: float) -> None:
    expected = [
        any(one.start - 1e-9 <= (i + 0.5) * frame_duration < one.end - 1e-9 for one in segments)
        for i in range(200)
    ]
    assert labels_to_frames(segments, 200, frame_duration).tolist() == expected


@drawn
@given(st.integers(0, 5000), st.integers(1, 500))
def test_boundaries_on_the_grid_lose_no_frame_to_rounding(first: int, length: int) -> None:
    frames = labels_to_frames([Segment(first / 100, (first + length) / 100)], 6000, 0.01)
    assert np.flatnonzero(frames).tolist() == list(range(first, first + length))


def test_a_boundary_on_a_middle_is_not_lost_to_rounding() -> None:
    # 0.07 / 0.02 is 3.5000000000000004 in floating point.
    assert np.flatnonzero(labels_to_frames([Segment(0.07, 0.09)], 10, 0.02)).tolist() == [3]


@pytest.mark.parametrize(("n_frames", "frame_duration"), [(-1, 0.01), (10, 0.0), (10, math.nan)])
def test_a_grid_that_is_none_is_refused(n_frames: int, frame_duration: float) -> None:
    with pytest.raises(ConfigError, match="Received"):
        labels_to_frames([], n_frames, frame_duration)


def test_a_coarser_detector_is_repeated_on_the_finer_grid() -> None:
    assert resample_frames([0.1, 0.2, 0.3], 0.02, 7, 0.01).tolist() == [0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.3]


def test_a_grid_of_no_common_multiple_takes_the_frame_in_whose_time_the_middle_lies() -> None:
    taken = resample_frames(np.arange(100), 0.032, 300, 0.01)
    assert taken.tolist() == [int((i + 0.5) * 10 / 32) for i in range(300)]


def test_no_values_cannot_fill_a_grid() -> None:
    assert resample_frames([], 0.02, 0, 0.01).size == 0
    with pytest.raises(ConfigError, match="at least one frame"):
        resample_frames([], 0.02, 3, 0.01)


@drawn
@given(turns, turns, st.sampled_from([8.0, 15.0]))
def test_detection_errors_equal_pyannote(
    reference: list[Segment], detected: list[Segment], duration: float
) -> None:
    theirs = DetectionErrorRate()(
        annotation(reference),
        annotation(detected),
        uem=Timeline([PyannoteSegment(0, duration)]),
        detailed=True,
    )
    ours = detection_errors(reference, detected, duration)
    assert ours.speech == pytest.approx(theirs["total"], abs=1e-9)
    assert ours.miss == pytest.approx(theirs["miss"], abs=1e-9)
    assert ours.false_alarm == pytest.approx(theirs["false alarm"], abs=1e-9)


def annotation(segments: list[Segment]) -> Annotation:
    made = Annotation()
    for track, segment in enumerate(segments):
        made[PyannoteSegment(segment.start, segment.end), track] = "speech"
    return made


def test_detection_errors_of_recordings_add_up() -> None:
    quiet = detection_errors([], [Segment(1.0, 3.0)], 10.0)
    spoken = detection_errors([Segment(0.0, 4.0)], [Segment(1.0, 4.0)], 10.0)
    assert math.isnan(quiet.rate)
    assert (quiet + spoken).rate == pytest.approx((2.0 + 1.0) / 4.0)


@drawn
@given(turns)
def test_overlapping_turns_are_measured_as_their_union(segments: list[Segment]) -> None:
    cells = np.count_nonzero(labels_to_frames(segments, 1300, 0.01))
    assert detection_errors(segments, [], 13.0).miss == pytest.approx(cells / 100)
    assert boundary_errors(segments, segments).onsets.size == boundary_errors(segments, []).unmatched_onsets


def test_a_turn_that_begins_where_another_ends_has_no_boundary_there() -> None:
    errors = boundary_errors([Segment(1.0, 2.0), Segment(2.0, 3.0)], [])
    assert (errors.unmatched_onsets, errors.unmatched_offsets) == (1, 1)


def test_boundary_errors_are_signed_and_a_missed_turn_is_counted() -> None:
    reference = [Segment(1.0, 2.0), Segment(3.0, 4.0), Segment(8.0, 9.0)]
    errors = boundary_errors(reference, [Segment(1.1, 1.8), Segment(3.2, 4.4)])
    assert errors.onsets == pytest.approx([0.1, 0.2])
    assert errors.offsets == pytest.approx([-0.2, 0.4])
    assert (errors.unmatched_onsets, errors.unmatched_offsets) == (1, 1)
    assert errors.summary() == pytest.approx(
        {"onset_median": 0.15, "onset_p90": 0.19, "offset_median": 0.1, "offset_p90": 0.38}
    )


def test_boundaries_pair_one_to_one_with_the_nearest() -> None:
    errors = boundary_errors([Segment(1.0, 1.1), Segment(1.3, 1.4)], [Segment(1.25, 1.4)])
    assert errors.onsets == pytest.approx([-0.05])
    assert errors.unmatched_onsets == 1


def test_boundaries_farther_than_the_reach_are_not_the_same() -> None:
    reference, detected = [Segment(1.0, 3.0)], [Segment(1.25, 3.5)]
    assert boundary_errors(reference, detected, max_distance=0.25).unmatched_onsets == 0
    assert boundary_errors(reference, detected, max_distance=0.25).unmatched_offsets == 1
    with pytest.raises(ConfigError, match="max_distance"):
        boundary_errors(reference, detected, max_distance=0.0)


def test_pooled_boundary_errors_are_those_of_all_recordings() -> None:
    one = boundary_errors([Segment(1.0, 2.0)], [Segment(1.1, 2.0)])
    none = boundary_errors([Segment(1.0, 2.0)], [])
    pooled = BoundaryErrors.pooled([one, none])
    assert pooled.onsets == pytest.approx([0.1])
    assert (pooled.unmatched_onsets, pooled.unmatched_offsets) == (1, 1)
    assert all(math.isnan(value) for value in BoundaryErrors.pooled([]).summary().values())


def test_a_pause_is_found_where_half_of_it_is_left_open() -> None:
    reference = [Segment(1.0, 2.0), Segment(2.2, 3.0), Segment(3.4, 4.0), Segment(4.1, 5.0)]
    assert pause_recall(reference, reference) == PauseRecall(2, 2)  # 0.1 s are no pause
    assert pause_recall(reference, []) == PauseRecall(2, 2)
    assert pause_recall(reference, [Segment(0.0, 9.0)]) == PauseRecall(2, 0)
    half_open = [Segment(1.0, 2.1), Segment(2.2, 3.0), Segment(3.3, 5.0)]
    assert pause_recall(reference, half_open) == PauseRecall(2, 2)
    less = [Segment(1.0, 2.11), Segment(2.2, 3.1), Segment(3.2, 3.3), Segment(3.4, 5.0)]
    assert pause_recall(reference, less) == PauseRecall(2, 0)


def test_pauses_stand_between_turns_and_add_up() -> None:
    turns = [Segment(5.0, 6.0)]
    assert pause_recall(turns, []) == PauseRecall()
    assert math.isnan(PauseRecall().rate)
    assert (PauseRecall(3, 1) + PauseRecall(1, 1)).rate == 0.5
    overlapping = [Segment(0.0, 5.0), Segment(1.0, 2.0), Segment(2.5, 3.0)]
    assert pause_recall(overlapping, []).pauses == 0
    with pytest.raises(ConfigError, match="min_duration"):
        pause_recall(turns, turns, 0.0)
    with pytest.raises(ConfigError, match="max_duration"):
        pause_recall(turns, turns, 0.5, 0.2)


@drawn
@given(two_classes, st.integers(-1, 13).map(lambda n: n / 12))
def test_a_curve_knows_the_errors_at_any_threshold(pairs: list[tuple[bool, float]], threshold: float) -> None:
    labels, scores = columns(pairs)
    point = roc_curve(labels, scores).at(threshold)
    assert point.miss == pytest.approx(np.mean(scores[labels] < threshold))
    assert point.false_alarm == pytest.approx(np.mean(scores[~labels] >= threshold))


@drawn
@given(turns, turns)
def test_pause_recall_equals_counting_cells(reference: list[Segment], detected: list[Segment]) -> None:
    speech, found = (labels_to_frames(segments, 1300, 0.01) for segments in (reference, detected))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], speech, [False]])))
    total = shown = 0
    for first, last in zip(edges[1:-1:2], edges[2:-1:2], strict=True):
        if 20 <= last - first < 50:
            open_edges = np.flatnonzero(np.diff(np.concatenate([[False], ~found[first:last], [False]])))
            longest = max(np.diff(open_edges)[::2], default=0)
            total += 1
            shown += 2 * longest >= last - first
    assert pause_recall(reference, detected, 0.2, 0.5) == PauseRecall(total, shown)


def test_pauses_are_counted_from_the_least_duration_up_to_the_most() -> None:
    reference = [Segment(0.0, 1.0), Segment(1.1, 2.0), Segment(2.2, 3.0), Segment(3.5, 4.0)]
    lots = [
        pause_recall(reference, [], *lengths).pauses for lengths in ((0.1, 0.2), (0.2, 0.5), (0.5, math.inf))
    ]
    assert lots == [1, 1, 1]
