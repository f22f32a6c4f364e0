"""The lookahead output at the command line: every command that processes recordings uses it but for --no-lookahead."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from support.bursts import BURSTS, RATE, bursts
from support.prepared import prepare

from vad.cli import main
from vad.detection.detector import Detector
from vad.detection.options import SegmentOptions
from vad.detection.segments import Segment
from vad.evaluation.benchmark.systems import model_systems
from vad.evaluation.tuning.search import end_latency
from vad.labels import write_labels

WAYS = pytest.mark.parametrize("words", [[], ["--no-lookahead"]], ids=["lookahead", "low-latency"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One recording of bursts with its labels."""
    place = tmp_path / "speech"
    place.mkdir()
    soundfile.write(place / "bursts.wav", bursts(), RATE, subtype="FLOAT")
    write_labels(place / "bursts.rttm", [Segment(*times) for times in BURSTS])
    return place


def run(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """Run to success, and give what was written to stdout."""
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    assert (code, captured.err) == (0, "")
    return captured.out


@WAYS
def test_detect_uses_the_lookahead_output(
    words: list[str], folder: Path, lookahead_model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, kept = folder / "bursts.wav", folder / "p.npz"
    said = run(capsys, "detect", path, "--model", lookahead_model_path, "--save-probabilities", kept, *words)
    detector = Detector(lookahead_model_path, lookahead=not words)
    with np.load(kept) as arrays:
        np.testing.assert_allclose(arrays["probabilities"], detector.probabilities(bursts(), RATE), atol=1e-6)
    assert len(said.splitlines()) == len(detector.detect(bursts(), RATE)) == 3 - len(words)


@WAYS
def test_evaluate_uses_the_lookahead_output(
    words: list[str], folder: Path, lookahead_model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = json.loads(
        run(capsys, "evaluate", folder, "--model", lookahead_model_path, "--format", "json", *words)
    )
    assert report["pooled"]["unmatched_onsets"] == len(words), (
        "the short burst is too short for the low-latency output"
    )


@pytest.mark.parametrize(
    ("words", "delay"), [([], 0.1), (["--no-lookahead"], 0.04), (["--max-latency-ms", 900], 0.04)]
)
def test_tune_uses_the_lookahead_output_unless_latency_counts(
    words: list[Any], delay: float, folder: Path, lookahead_model_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    processed = []
    process = Detector.process

    def watched(self: Detector, *arguments: Any) -> Any:
        processed.append(process(self, *arguments))
        return processed[-1]

    monkeypatch.setattr(Detector, "process", watched)
    report = json.loads(
        run(capsys, "tune", folder, "--model", lookahead_model_path, "--format", "json", "--quiet", *words)
    )
    expected = Detector(lookahead_model_path, lookahead=not words).probabilities(bursts(), RATE)
    np.testing.assert_allclose(processed[0].probabilities, expected, atol=1e-5)
    known_after = end_latency(SegmentOptions(**report["options"]), 0.02, delay)
    assert report["latency_ms"] == pytest.approx(1000 * known_after, abs=0.1)


def test_prepare_labels_by_the_lookahead_output(
    folder: Path, lookahead_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bursts.rttm").unlink()
    _, items, _ = prepare(capsys, tmp_path, tmp_path / "speech", "--label-with", lookahead_model_path)
    expected = Detector(lookahead_model_path).detect(bursts(), RATE)
    assert [one.start for one in items[0].segments] == pytest.approx(
        [one.start for one in expected], abs=1e-3
    )


def test_a_model_is_two_systems(lookahead_model_path: Path, model_path: Path) -> None:
    late, live = model_systems(str(lookahead_model_path))
    assert (late.name, live.name) == (str(lookahead_model_path), f"{lookahead_model_path}, low latency")
    for system, is_live in ((late, False), (live, True)):
        expected = Detector(lookahead_model_path, lookahead=not is_live).detect(bursts(), RATE)
        assert system.process(bursts()).segments == expected
    assert late.version == live.version
    of_one_output = [one.name for one in model_systems(str(model_path))]
    assert of_one_output == [str(model_path), f"{model_path}, low latency"]


def test_the_benchmark_measures_both(
    folder: Path, lookahead_model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        str(folder),
        "--models",
        str(lookahead_model_path),
        "--peers",
        "--conditions",
        "clean",
        "--draws",
        "5",
    ]
    assert main(["benchmark", *words]) == 0
    said = capsys.readouterr().out
    assert f"| {lookahead_model_path} |" in said
    assert f"| {lookahead_model_path}, low latency |" in said
