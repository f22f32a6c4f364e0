"""The latency of starts: which onsets count, which start belongs to one, and which is false."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.bursts import BURSTS, RATE, bursts

from vad.cli import main
from vad.corpus.manifest import CorpusItem
from vad.detection.detector import Detector
from vad.detection.segments import Segment
from vad.evaluation.benchmark.onsets import Onsets, StreamRun, measure_onsets
from vad.labels import write_labels

FRAME_S = 0.02


def processed(
    found: list[tuple[float, float]], labelled: list[tuple[float, float]], kind: str = "speech"
) -> StreamRun:
    """Ten seconds for which a network was sure, each frame delivered 50 ms after it ended."""
    middles = (np.arange(500) + 0.5) * FRAME_S
    sure = np.array([any(start <= one < end for start, end in found) for one in middles], np.float32)
    item = CorpusItem(Path("one.wav"), kind, tuple(Segment(*one) for one in labelled))
    return StreamRun(
        item, 10.0, FRAME_S, 0.04, [((t + 1) * FRAME_S + 0.05, sure[t : t + 1]) for t in range(500)]
    )


def measured(detector: Detector, *recordings: StreamRun, confirm_start: bool = False) -> Onsets:
    return measure_onsets(recordings, detector.options, confirm_start=confirm_start)


def test_latency_is_until_the_delivery_of_the_first_start_that_holds(detector: Detector) -> None:
    labelled = [(1.0, 2.0), (2.2, 3.0), (5.0, 6.0), (8.0, 9.0)]  # the second after too short a pause
    onsets = measured(detector, processed([(1.04, 3.0), (4.8, 4.84), (5.1, 6.0)], labelled))
    assert onsets.latencies_s == pytest.approx([0.04 + 0.07, 0.1 + 0.07]), (
        "what was over before does not count"
    )
    assert (onsets.missed, onsets.open, onsets.false_starts) == (1, 0, [0, 0])
    confirmed = measured(detector, processed([(1.04, 3.0)], labelled[:2]), confirm_start=True)
    assert confirmed.latencies_s == pytest.approx([0.04 + 0.07 + 0.04]), "60 ms are three frames"


def test_speech_that_goes_on_is_neither_found_nor_missed(detector: Detector) -> None:
    onsets = measured(detector, processed([(0.5, 2.0)], [(0.1, 0.8), (1.2, 2.0)]))
    assert (onsets.latencies_s, onsets.missed, onsets.open) == ([], 0, 1), (
        "nor does a recording begin with one"
    )


def test_starts_away_from_speech_are_false(detector: Detector) -> None:
    speech = processed([(0.9, 2.0), (4.0, 4.02), (6.0, 7.0)], [(1.0, 2.0)])
    noise = processed([(3.0, 4.0)], [], kind="noise")
    onsets = measured(detector, speech, noise)
    assert onsets.false_starts == [2, 1], "one that is taken back is one too"
    assert onsets.false_a_minute() == pytest.approx((2 / (9 / 60), 1 / (10 / 60)))


def test_the_command_prints_a_row_for_each_operating_point(
    tmp_path: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled = tmp_path / "set"
    labelled.mkdir()
    soundfile.write(labelled / "bursts.wav", bursts(), RATE, subtype="FLOAT")
    write_labels(labelled / "bursts.rttm", [Segment(*times) for times in BURSTS])
    words = ["benchmark", str(labelled), "--models", str(model_path), "--onsets", "--output", str(tmp_path)]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert (tmp_path / "onsets.md").read_text() == said
    headings, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in said.splitlines())
    assert len(rows) == 2 * len(Detector(model_path).model.card["segment_options"])
    first = dict(zip(headings, rows[0], strict=True))
    settled = sum(int(first[name]) for name in ("reported", "missed", "already open"))
    assert settled == 2, "less than 300 ms lie between the last two bursts"
    (labelled / "bursts.wav").write_text("no audio")
    assert main([*words, "--overwrite"]) == 2
    assert "no recording of" in capsys.readouterr().err
