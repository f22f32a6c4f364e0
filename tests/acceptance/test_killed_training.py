"""A training killed at random points, gone on with each time, ends as one that was left alone.

Run it with `python -m pytest -m acceptance tests/acceptance/test_killed_training.py`; it takes some minutes.

Every attempt is a process that is killed (SIGKILL, so that nothing of it can tidy up) after a random time, wherever it
then is: rendering, loading, learning, writing.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import random
import signal
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vad.training.backend import keras
from vad.training.config import TrainConfig, load_config
from vad.training.fit import fit

pytestmark = pytest.mark.acceptance

TOLERANCE = 1e-6
KILLS = 10
RATE = 16_000
CLIP_S = 4
OPTIONS: dict[str, object] = {
    "network.architecture": "logmel-cnn",
    "network.n_mels": 24,
    "network.conv_channels": [6, 8],
    "network.channels": 12,
    "network.dilations": [1, 2],
    "network.delay_frames": 1,
    "mixing.scene_s": 4.0,
    "hours": 0.07,
    "dev_hours": 0.02,
    "epoch_hours": 0.05,
    "epochs": 100,
    "batch_size": 4,
    "jobs": 1,
}


@pytest.mark.parametrize("fine_tunes", [False, True], ids=["anew", "fine-tuning"])
def test_a_training_that_is_killed_ends_as_one_left_alone(fine_tunes: bool, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus")
    options = {**OPTIONS, "corpus": str(corpus)}
    if fine_tunes:
        start = load_config(None, {**options, "epochs": 2, "data": str(tmp_path / "start-data")})
        attempt(start, tmp_path / "start", math.inf)
        options["init"] = str(tmp_path / "start")
    unbroken, killed = (
        load_config(None, {**options, "data": str(tmp_path / f"{name}-data")})
        for name in ("unbroken", "killed")
    )
    whole_s = attempt(unbroken, tmp_path / "unbroken", math.inf)
    training_s = time.time() - (tmp_path / "unbroken" / "config.json").stat().st_mtime
    # Of what an attempt takes to begin, and of its share of the learning.
    longest_s = whole_s - training_s + 1.5 * training_s / KILLS
    draw, kills = random.Random(0), 0
    while attempt(killed, tmp_path / "killed", after_s := draw.uniform(0, longest_s)) >= after_s:
        kills += 1
    assert kills >= KILLS / 2
    difference = largest_difference(tmp_path / "unbroken", tmp_path / "killed")
    print(f"{kills} kills: the weights differ by {difference:.2g} at most")
    assert difference <= TOLERANCE


def attempt(config: TrainConfig, run: Path, after_s: float) -> float:
    """Train in a process of its own, and kill it after some seconds; gives back how many it had."""
    context = multiprocessing.get_context("spawn")  # a fork of a process that has TensorFlow hangs
    ready = context.Event()
    process = context.Process(target=train, args=(config, run, ready))
    process.start()
    ready.wait()
    began = time.monotonic()
    process.join(None if after_s == math.inf else after_s)
    lasted_s = time.monotonic() - began
    if process.is_alive():
        process.kill()
        process.join()
    if process.exitcode not in (0, -signal.SIGKILL):
        pytest.fail(f"a training must end well or be killed. Received: exit code {process.exitcode}.")
    return lasted_s


def train(config: TrainConfig, run: Path, ready: Event) -> None:
    """What a process does: everything is imported when it says that it is ready."""
    ready.set()
    fit(config, run)


def largest_difference(one: Path, other: Path) -> float:
    """Between the weights, and the optimizer's state, of two runs; of their last epoch and of what they chose."""
    values = [
        [
            keras.ops.convert_to_numpy(variable)
            for name in ("last.keras", "best.keras")
            for model in [keras.models.load_model(run / name)]
            for variable in (*model.variables, *model.optimizer.variables)
        ]
        for run in (one, other)
    ]
    return max(
        float(np.abs(np.subtract(a, b, dtype=np.float64)).max(initial=0))
        for a, b in zip(*values, strict=True)
    )


def write_corpus(folder: Path) -> Path:
    """Four talkers who hum in turn with pauses, in both splits."""
    folder.mkdir()
    rows = []
    time_s = np.arange(CLIP_S * RATE) / RATE
    for talker, hertz in enumerate((120, 150, 190, 240)):
        hum = sum(np.sin(2 * np.pi * hertz * k * time_s) / k for k in range(1, 12))
        samples = 0.1 * hum * (time_s % 2 < 1)
        soundfile.write(folder / f"{talker}.wav", samples, RATE)
        row = {"audio_filepath": f"{talker}.wav", "kind": "speech", "speaker": f"talker {talker}"}
        rows.append(row | {"split": "train" if talker < 2 else "dev", "segments": [[0, 1], [2, 3]]})
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder
