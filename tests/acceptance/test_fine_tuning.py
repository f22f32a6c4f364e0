"""A newcomer's way to a model of one's own, with half an hour of telephone calls behind music: is it worth the while?

Run it with `python -m pytest -m acceptance tests/acceptance/test_fine_tuning.py`; it takes about 20 minutes, and needs
the corpus that the models were trained on and labelled meetings, in ../shared/corpus and ../shared/devset.

The calls are those of scripts/fine_tuning.py, which measures more draws. Then come the commands of the documentation,
and what they were worth: on the calls held out, and on the meetings, of which nothing should be forgotten.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from fine_tuning import make_calls
from support.places import CORPUS, MEETINGS

pytestmark = pytest.mark.acceptance

SEED = 5


@pytest.mark.skipif(not (CORPUS.is_dir() and MEETINGS.is_dir()), reason="the recordings are not here")
def test_fine_tuning_is_worth_its_while(tmp_path: Path) -> None:
    calls, manifest, run, model = (tmp_path / name for name in ("calls", "mine.jsonl", "run", "mine.tflite"))
    make_calls(CORPUS, calls, SEED)
    vad("prepare", calls, "--output", manifest, "--shares", "0.6,0.2,0.2")
    before = {where: evaluate(where, "default") for where in (manifest, MEETINGS)}
    began = time.monotonic()
    vad("train", run, "--init", "default", "--corpus", manifest, "--base", CORPUS)
    minutes = (time.monotonic() - began) / 60
    vad("export", run, "--name", model.stem, "--output", tmp_path)
    after = {where: evaluate(where, model) for where in (manifest, MEETINGS)}
    untuned, tuned = tune(manifest, model)
    call = calls / "party-01" / "call-1.wav"
    assert vad("detect", call, "--model", model, "--operating-point", "tuned")
    errors = [balanced_error(figures[manifest]) for figures in (before, after)]
    aucs = [figures[MEETINGS]["auc"] for figures in (before, after)]
    print(f"errors {errors}, AUC {aucs}, {minutes:.1f} minutes, untuned {untuned}, tuned {tuned}")
    assert errors[1] <= errors[0] * 2 / 3, "on the calls held out"
    assert aucs[1] > aucs[0] - 0.01, "on the meetings"
    assert minutes < 20
    assert sum(tuned) <= sum(untuned), "the segments of the calls held out"


def vad(*words: str | Path) -> str:
    """Run a command as a newcomer would; gives back its stdout."""
    command = [sys.executable, "-m", "vad", *map(str, words)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def evaluate(where: Path, model: str | Path, point: str = "balanced") -> dict[str, Any]:
    """The figures of a model at an operating point: of a manifest on what is held out, else on everything."""
    split = ["--split", "test"] if where.is_file() else []
    words = ("evaluate", where, *split, "--model", model, "--operating-point", point, "--format", "json")
    pooled: dict[str, Any] = json.loads(vad(*words))["pooled"]
    return pooled


def balanced_error(figures: dict[str, Any]) -> float:
    """The mean of miss and false alarm of the frames at the threshold, each a share of its own time."""
    return float(figures["miss"] + figures["false_alarm"]) / 2


def tune(manifest: Path, model: Path) -> list[tuple[float, float]]:
    """Tunes on the dev part; what the untuned and the tuned operating point miss and falsely find on the held-out one.

    Shares of the speech and of the rest. It is the segments that count: durations and padding were tuned as well.
    """
    vad("tune", manifest, "--split", "dev", "--model", model, "--best", "balanced", "--output", model)
    errors = []
    for point in ("balanced", "tuned"):
        figures = evaluate(manifest, model, point)
        speech = figures["duration"] * figures["speech"]
        rest = figures["duration"] - speech
        errors.append((figures["missed_seconds"] / speech, figures["false_alarm_seconds"] / rest))
    return errors
