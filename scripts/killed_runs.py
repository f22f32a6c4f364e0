"""Kills a training run at random points, goes on with it each time, and compares it with one that was left alone.

    python scripts/killed_runs.py FOLDER [--kills 10] [--seed 0] [--init OTHER_FOLDER/unbroken]

A small network learns from hums. Every attempt is a process that is killed (SIGKILL, so that nothing of it can tidy
up) after a random time, wherever it then is: rendering, loading, learning, writing. Prints the largest difference
between both runs' weights and optimizers, and exits with 1 where it is beyond TOLERANCE.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import random
import signal
import sys
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import soundfile

from vad.training.backend import keras
from vad.training.config import TrainConfig, load_config
from vad.training.fit import fit

TOLERANCE = 1e-6
RATE = 16_000
CLIP_S = 4
OPTIONS = {
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


def main() -> int:
    """Train twice, once with kills; compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where everything is written; must not exist")
    parser.add_argument("--kills", type=int, default=10, help="how often (default: 10)")
    parser.add_argument("--seed", type=int, default=0, help="decides when (default: 0)")
    parser.add_argument("--init", default="", help="fine-tune: the weights of another run of this script")
    args = parser.parse_args()
    args.folder.mkdir(parents=True)
    corpus = write_corpus(args.folder / "corpus")
    unbroken, killed = (
        load_config(
            None,
            {
                **OPTIONS,
                "init": args.init,
                "corpus": str(corpus),
                "data": str(args.folder / f"{name}-data"),
            },
        )
        for name in ("unbroken", "killed")
    )
    whole_s = attempt(unbroken, args.folder / "unbroken", math.inf)
    training_s = time.time() - (args.folder / "unbroken" / "config.json").stat().st_mtime
    # Of what an attempt takes to begin, and of its share of the learning.
    longest_s = whole_s - training_s + 1.5 * training_s / args.kills
    draw = random.Random(args.seed)
    for kill in range(1, args.kills + 1):
        after_s = draw.uniform(0, longest_s)
        if attempt(killed, args.folder / "killed", after_s) < after_s:
            print(f"it ended after {kill - 1} kills: give it another seed.", file=sys.stderr)
            return 1
        print(
            f"kill {kill} after {after_s:.1f} s, epochs done: {epochs_of(args.folder / 'killed')}",
            file=sys.stderr,
        )
    attempt(killed, args.folder / "killed", math.inf)
    difference = largest_difference(args.folder / "unbroken", args.folder / "killed")
    print(f"{args.kills} kills, {killed.epochs} epochs: the weights differ by {difference:.2g} at most")
    return int(not difference <= TOLERANCE)


def attempt(config: TrainConfig, run: Path, after_s: float) -> float:
    """Trains in a process of its own, and kills it after some seconds; gives back how many it had."""
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
        raise SystemExit(f"a training must end well or be killed. Received: exit code {process.exitcode}.")
    return lasted_s


def train(config: TrainConfig, run: Path, ready: Event) -> None:
    """What a process does: everything is imported when it says that it is ready."""
    ready.set()
    fit(config, run)


def epochs_of(run: Path) -> int:
    """How many epochs a run has finished."""
    path = run / "history.csv"
    return len(path.read_text().splitlines()) - 1 if path.exists() else 0


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


if __name__ == "__main__":
    sys.exit(main())
