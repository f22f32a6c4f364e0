"""`vad tune`: the operating point that serves a goal, believed only on what the search had not seen."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import tiny_model
from sounds import RATE, tone

from vad.cli import main
from vad.detector import Detector
from vad.errors import ConfigError
from vad.labels import write_labels
from vad.segment_metrics import DetectionErrors
from vad.segments import Segment, SegmentOptions
from vad.tuning.goal import Goal, Outcome
from vad.tuning.listened import Listened
from vad.tuning.search import Tuned, end_latency, tune

FRAME = 0.02
TURNS = (Segment(1.0, 3.0), Segment(5.0, 8.0))
SECONDS = 10


def listened(speech: float, rest: float, group: str = "a", spikes: Sequence[int] = ()) -> Listened:
    """Probabilities that are one value in speech and another elsewhere; at spikes that of speech for 100 ms."""
    probabilities = np.full(round(SECONDS / FRAME), rest)
    for turn in TURNS:
        probabilities[round(turn.start / FRAME) : round(turn.end / FRAME)] = speech
    for spike in spikes:
        probabilities[spike : spike + 5] = speech
    return Listened(group, probabilities.tolist(), float(SECONDS), TURNS)


def tuned(detector: Detector, goal: Goal, *recordings: Listened) -> Tuned:
    return tune(recordings, detector, goal, lambda: None)


@pytest.mark.parametrize(("speech", "rest"), [(0.12, 0.06), (0.95, 0.85), (0.6, 0.01)])
def test_finds_the_threshold_between(speech: float, rest: float, detector: Detector) -> None:
    found = tuned(detector, Goal(), listened(speech, rest))
    assert found.fitted.f1 == 1.0
    assert rest < found.options.threshold <= speech
    assert found.options.speech_pad_ms == 0
    assert found.held_out is None


def test_finds_durations_as_well(detector: Detector) -> None:
    found = tuned(detector, Goal(), listened(0.9, 0.1, spikes=(10, 430, 460)))
    assert found.fitted.f1 == 1.0
    assert found.options.min_speech_duration_ms > 100


def test_bounds_go_before_what_is_best(detector: Detector) -> None:
    """Speech of 0.5 for one turn and 0.9 for another; noise of 0.6 for a second."""
    one = listened(0.9, 0.1)
    probabilities = np.array(one.probabilities)
    probabilities[250:400] = 0.5
    probabilities[:50] = 0.6
    both = Listened("a", probabilities.tolist(), one.duration, one.reference)
    few_misses = tuned(detector, Goal(max_miss=0.02), both)
    few_alarms = tuned(detector, Goal(max_false_alarm=0.02), both)
    assert few_misses.fitted.miss <= 0.02
    assert few_misses.fitted.false_alarm >= 1 / 5
    assert few_alarms.fitted.false_alarm <= 0.02
    assert few_alarms.fitted.miss == pytest.approx(3 / 5, abs=0.02)
    neither = Goal(max_miss=0.02, max_false_alarm=0.02)
    assert neither.excess(tuned(detector, neither, both).fitted) > 0.1


def test_held_out_figures_are_of_searches_that_saw_nothing_of_them(detector: Detector) -> None:
    """Two speakers for whom other thresholds are right: fitted to one, the other is all wrong."""
    loud, soft = listened(0.9, 0.5, "loud"), listened(0.3, 0.1, "soft")
    found = tuned(detector, Goal(best="f1"), loud, soft)
    of_loud, of_soft = (tuned(detector, Goal(best="f1"), one) for one in (loud, soft))
    assert of_loud.fitted.f1 == of_soft.fitted.f1 == 1.0
    assert found.folds == 2
    assert found.held_out is not None
    # The threshold of one misses all of the other's speech, the other's takes all for speech.
    assert found.held_out.errors.miss == pytest.approx(5.0)
    assert found.held_out.errors.false_alarm == pytest.approx(5.0)
    assert found.fitted.f1 > found.held_out.f1
    same = tuned(detector, Goal(), listened(0.9, 0.5, "one"), listened(0.3, 0.1, "one"))
    assert same.held_out is None


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        (SegmentOptions(min_silence_duration_ms=200, speech_pad_ms=0), 0.2 + 0.06),
        (SegmentOptions(min_silence_duration_ms=40, speech_pad_ms=100), 0.2 + 0.06),
        (SegmentOptions(min_silence_duration_ms=0, speech_pad_ms=0, min_speech_duration_ms=500), 0.02 + 0.06),
    ],
)
def test_latency_is_when_the_end_is_known(options: SegmentOptions, seconds: float) -> None:
    assert end_latency(options, FRAME, delay=0.06) == pytest.approx(seconds, abs=1e-6)


def test_a_bound_of_latency_is_kept(detector: Detector) -> None:
    """Pauses of 300 ms inside the turns, which only a long min_silence_duration_ms fills."""
    one = listened(0.9, 0.1)
    probabilities = np.array(one.probabilities)
    probabilities[100:115] = probabilities[300:315] = 0.1
    paused = Listened("a", probabilities.tolist(), one.duration, one.reference)
    assert tuned(detector, Goal(), paused).fitted.f1 == 1.0
    quick = tuned(detector, Goal(max_latency_ms=150), paused)
    assert quick.latency_ms <= 150
    assert 0.9 < quick.fitted.f1 < 1.0


def test_what_is_too_late_everywhere_is_still_as_good_as_can_be(detector: Detector) -> None:
    one = listened(0.9, 0.1, spikes=(10, 430, 460))
    nearest = tuned(detector, Goal(max_latency_ms=5), one)
    assert nearest.latency_ms == min(
        tuned(detector, Goal(max_latency_ms=bound), one).latency_ms for bound in (1, 40, 60, 80, 100)
    )
    assert nearest.fitted.f1 == 1.0


@pytest.mark.parametrize("pause_frames", [3, 7])
def test_a_bound_of_latency_is_exact(pause_frames: int, detector: Detector) -> None:
    """Pauses that a silence just longer fills: in binary, some of the latencies come out a little above."""
    one = listened(0.9, 0.1)
    probabilities = np.array(one.probabilities)
    probabilities[100 : 100 + pause_frames] = probabilities[300 : 300 + pause_frames] = 0.1
    paused = Listened("a", probabilities.tolist(), one.duration, one.reference)
    needed = tuned(detector, Goal(), paused)
    assert needed.fitted.f1 == 1.0
    again = tuned(detector, Goal(max_latency_ms=round(needed.latency_ms)), paused)
    assert again.fitted.f1 == 1.0


def test_a_bound_out_of_reach_is_not_neared_at_any_price() -> None:
    goal = Goal(max_miss=0.01)
    dear, sensible, farther = (
        Outcome(DetectionErrors(100.0, miss, false_alarm), 200.0)
        for miss, false_alarm in ((3.21, 100.0), (3.24, 10.0), (4.0, 0.0))
    )
    assert min((dear, farther, sensible), key=goal.cost) == sensible


@pytest.mark.parametrize("seed", range(3))
def test_finds_what_pays_only_together(seed: int, detector: Detector) -> None:
    """Speech in spikes; longer silences filled find it, and noise too until shorter speech is dropped as well."""
    rng = np.random.default_rng(seed)
    spoken = np.tile([1] * 3 + [0] * 10, 8)
    noise = np.tile([1] * 3 + [0] * 10 + [1] * 3 + [0] * 15, 15)
    pause = np.zeros(50)
    high = np.concatenate([pause, np.ones(150), pause, spoken, [1] * 3, pause, noise, pause]) > 0
    probabilities = np.where(high, rng.uniform(0.75, 1.0, high.size), rng.uniform(0.0, 0.3, high.size))
    turns = (Segment(1.0, 4.0), Segment(5.0, 5.0 + 107 * FRAME))
    one = Listened("a", probabilities.tolist(), high.size * FRAME, turns)
    assert tuned(detector, Goal(), one).fitted.f1 == pytest.approx(1.0)


@pytest.mark.parametrize(
    "wrong", [{"max_miss": 1.5}, {"max_false_alarm": -0.1}, {"max_latency_ms": 0}, {"best": "f2"}]
)
def test_goals_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))} must be"):
        Goal(**wrong)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three recordings of bursts that the tiny model's balanced threshold misses."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(3):
        samples = np.zeros(4 * RATE, np.float32)
        samples[RATE : 2 * RATE] = tone(1.0, level=0.12)
        samples[3 * RATE :] = tone(1.0, level=0.08)
        soundfile.write(folder / f"{number}.wav", samples, RATE)
        write_labels(folder / f"{number}.rttm", [Segment(1.0, 2.0), Segment(3.0, 4.0)])
    return folder


def run(capsys: pytest.CaptureFixture[str], *words: Any) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_configuration_file_is_read_by_detect(
    corpus: Path, model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toml, plot = tmp_path / "out" / "tuned.toml", tmp_path / "out" / "curve.svg"
    words = ("tune", corpus, "--model", model_path, "--max-miss", 0.1, "--output", toml, "--plot", plot)
    code, out, err = run(capsys, *words, "--format", "json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert report["fitted"]["miss"] <= 0.1
    assert report["folds"] == 3
    assert report["held_out"]["miss"] <= 0.1
    assert len(report["curve"]) > 20
    assert "<polyline" in plot.read_text()
    before = run(capsys, "detect", corpus / "0.wav", "--model", model_path)[1].splitlines()
    after = run(capsys, "detect", corpus / "0.wav", "--config", toml)[1].splitlines()
    assert (len(before), len(after)) == (0, 2)


def test_the_card_of_a_copy_gets_the_operating_point(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model_path = tiny_model.write(tmp_path)
    copy = tmp_path / "mine" / "mine.tflite"
    before = model_path.with_suffix(".json").read_text()
    words = ("tune", corpus, "--model", model_path, "--name", "calls")
    assert run(capsys, *words, "--output", copy)[0] == 0
    assert model_path.with_suffix(".json").read_text() == before
    detected = ("detect", corpus / "0.wav", "--operating-point", "calls", "--model")
    assert len(run(capsys, *detected, copy)[1].splitlines()) == 2
    card = json.loads(copy.with_suffix(".json").read_text())
    assert card["segment_options"]["balanced"] == json.loads(before)["segment_options"]["balanced"]
    assert card["tuning"]["calls"]["recordings"] == 3
    assert run(capsys, *words, "--output", model_path)[0] == 0
    assert len(run(capsys, *detected, model_path)[1].splitlines()) == 2


def test_bounds_out_of_reach_are_told_with_what_can_be_had_and_nothing_is_written(
    corpus: Path, model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for label in corpus.glob("*.rttm"):
        write_labels(label, [Segment(0.0, 0.5), Segment(2.2, 2.8)])  # where nothing sounds
    toml = tmp_path / "tuned.toml"
    words = ("tune", corpus, "--model", model_path, "--output", toml, "--max-false-alarm", 0.2)
    code, out, err = run(capsys, *words, "--max-miss", 0.01, "--max-latency-ms", 5, "--format", "json")
    assert (code, toml.exists()) == (1, False)
    report = json.loads(out)
    *of_bounds, of_file = err.splitlines()
    assert of_file == f"vad: {toml} was not written."
    rule = r"vad: --(\S+) \S+ is out of reach: the nearest operating point \w+ (\S+) .*Ask for that or more"
    told = dict(re.match(rule, line).groups() for line in of_bounds)
    assert set(told) == {name.replace("_", "-") for name in report["out_of_reach"]}
    assert len(told) == 2
    again = [word for name, figure in told.items() for word in (f"--{name}", figure)]
    assert run(capsys, *words, "--max-miss", 0.01, *again)[0] == 0
    assert toml.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--output", "tuned.json"], "an output must end in .toml or .tflite. Received: tuned.json"),
        (["--max-miss", "2"], "max_miss must be between 0 and 1. Received: max_miss=2.0"),
        (["--split", "test"], "recordings to tune on must hold speech. Received: 0 of the split test"),
        (["--operating-point", "balancd"], "Did you mean 'balanced'?"),
    ],
)
def test_wrong_options_are_one_line(
    words: list[str], told: str, corpus: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "tune", corpus, "--model", model_path, *words)
    assert (code, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1
