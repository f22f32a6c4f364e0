"""One grid for labels: what training learns from is what evaluation measures by and what preparation counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vad.corpus.manifest import CorpusItem
from vad.detection.segments import Segment
from vad.errors import ConfigError
from vad.evaluation.scoring import score_segments
from vad.labels import Entry
from vad.labels.cells import labels_to_frames
from vad.prepare.inputs import Candidate
from vad.prepare.measure import Measured

times = st.floats(0.0, 12.0, allow_nan=False)
turns = st.lists(st.tuples(times, times).map(sorted), max_size=6)


@settings(max_examples=200, deadline=None)
@given(turns, st.integers(1, 1000))
def test_training_evaluation_and_preparation_see_the_same_labels(
    pairs: list[list[float]], n_cells: int
) -> None:
    decoded = pytest.importorskip("vad.training.data.decoded")
    segments = tuple(Segment(start, end) for start, end in pairs)
    learned = decoded.label_cells(CorpusItem(Path("a.wav"), "speech", segments), {}, n_cells)
    measured = score_segments(segments, [], n_cells / 100).labels
    entries = tuple(Entry(1, one.start, one.end) for one in segments)
    counted = Measured(
        Candidate(Path("a.wav"), "speech", turns=entries), levels_db=np.zeros(n_cells, np.float32)
    )
    np.testing.assert_array_equal(learned == 255, measured)
    np.testing.assert_array_equal(counted.is_speech, measured)


@pytest.mark.parametrize(("n_frames", "frame_duration"), [(-1, 0.01), (1, 0.0), (1, np.inf), (1, np.nan)])
def test_frames_that_cannot_be_are_refused(n_frames: int, frame_duration: float) -> None:
    with pytest.raises(ConfigError):
        labels_to_frames([], n_frames, frame_duration)
