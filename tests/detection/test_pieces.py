"""A long recording analysed in pieces is, to the bit, the recording analysed in one pass; or the pieces are refused."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.sounds import long_speech

from vad.detection import pieces
from vad.detection.detection import Detection
from vad.detection.detector import Detector, open_recording
from vad.detection.pieces import Span, analyse_piece, join, spans_of

DURATION = 123.4


@pytest.fixture(scope="module")
def tiny() -> Detector:
    return Detector("tiny")


def write(path: Path, rate: int, levels: list[float]) -> Path:
    soundfile.write(path, long_speech(DURATION, rate, levels), rate)
    return path


def in_pieces(detector: Detector, path: Path, spans: list[Span]) -> Detection | None:
    results = []
    for span in spans:
        with open_recording(detector, str(path)) as blocks:
            results.append(analyse_piece(detector, blocks, span))
    return join(detector, results)


@pytest.mark.parametrize(
    ("name", "rate", "level"),
    [("a.wav", 16_000, 1.0), ("b.wav", 44_100, 1.0), ("c.flac", 8_000, 1.0), ("quiet.wav", 16_000, 0.02)],
)
def test_pieces_are_the_whole_to_the_bit(
    tiny: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, rate: int, level: float
) -> None:
    monkeypatch.setattr(pieces, "OVERLAP_S", 20.0)
    path = write(tmp_path / name, rate, [level * one for one in [0.02, 1.0, 0.002, 1.0, 0.05, 1.0] * 3])
    spans = spans_of(DURATION, tiny, 5)
    assert [span.end for span in spans[:-1]] == [span.first for span in spans[1:]]
    assert len(spans) == 3
    joined, whole = in_pieces(tiny, path, spans), tiny.process(path)
    assert joined is not None
    np.testing.assert_array_equal(joined.probabilities, whole.probabilities)
    assert joined.segments == whole.segments != []
    assert joined.duration == whole.duration


def test_pieces_whose_network_remembers_more_than_the_overlap_are_refused(
    tiny: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "OVERLAP_S", 20.0)
    path = write(tmp_path / "loud_first.wav", 16_000, [2.0, 0.01, 0.01, 0.01])
    assert in_pieces(tiny, path, [Span(0, 4), Span(4, None)]) is None


def test_a_recording_that_ends_before_a_piece_has_no_frames_too_many(tiny: Detector, tmp_path: Path) -> None:
    path = write(tmp_path / "short.wav", 8_000, [0.3])
    joined, whole = in_pieces(tiny, path, [Span(0, 10), Span(10, None)]), tiny.process(path)
    assert joined is not None
    np.testing.assert_array_equal(joined.probabilities, whole.probabilities)
    assert joined.duration == whole.duration
    assert in_pieces(tiny, path, [Span(0, 30), Span(30, None)]) is None


def test_short_recordings_stay_whole_and_pieces_are_no_shorter_than_two_overlaps(tiny: Detector) -> None:
    assert spans_of(2 * pieces.OVERLAP_S - 1, tiny, 8) == [Span(0, None)]
    assert len(spans_of(6.5 * pieces.OVERLAP_S, tiny, 8)) == 3
