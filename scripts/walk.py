"""Walks a newcomer's way to a model of one's own, with half an hour of telephone calls behind music.

    python scripts/walk.py CORPUS FOLDER --labelled DIR

The calls are made from CORPUS' dev split, of which no model that ships has learned anything, on one exchange with its
music on hold; nobody who is held out is heard in what is learned from. Then come the commands of the README, and what
they were worth: on the calls held out, and on DIR, recordings of another kind, of which nothing should be forgotten.
The tuned operating point is measured beside the untuned one on the calls held out: it was tuned on others.
Ends with 1 where that was not enough.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import shlex
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from vad import acoustics
from vad.audio import read_audio
from vad.corpus import CorpusItem, read_corpus
from vad.labels import write_labels
from vad.labels.cells import labels_to_frames
from vad.segments import Segment

PARTIES, CALLS_A_PARTY, CALL_S = 20, 3, 30.0
MUSIC_SNR_DB = (-10.0, 0.0)
PAUSE_S = 1.0
SEED = 5

Samples = npt.NDArray[np.float32]


def main() -> int:
    """Make the calls, go through the commands, tell what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", type=Path, help="the corpus that the models that ship were trained on")
    parser.add_argument("folder", type=Path, help="where everything is written; must not exist")
    parser.add_argument(
        "--labelled", type=Path, required=True, help="recordings of another kind, with labels"
    )
    parser.add_argument("--init", default="default", help="the model to start from (default: default)")
    args = parser.parse_args()
    calls, manifest, run, model = (
        args.folder / name for name in ("calls", "mine.jsonl", "run", "mine.tflite")
    )
    make_calls(args.corpus, calls)
    vad("prepare", calls, "--output", manifest, "--shares", "0.6,0.2,0.2")
    before = {where: evaluate(where, args.init) for where in (manifest, args.labelled)}
    began, used = time.monotonic(), cpu_s()
    vad("train", run, "--init", args.init, "--corpus", manifest, "--base", args.corpus)
    minutes, cpu_minutes = (time.monotonic() - began) / 60, (cpu_s() - used) / 60
    vad("export", run, "--name", model.stem, "--output", args.folder)
    after = {where: evaluate(where, model) for where in (manifest, args.labelled)}
    untuned, tuned = tune(manifest, model)
    found = vad("detect", calls / "party-01" / "call-1.wav", "--model", model, "--operating-point", "tuned")
    errors = [balanced_error(figures[manifest]) for figures in (before, after)]
    aucs = [figures[args.labelled]["auc"] for figures in (before, after)]
    results = {
        f"balanced error on calls held out {errors[0]:.4f} -> {errors[1]:.4f}, {1 - errors[1] / errors[0]:.0%} less": (
            "at least a third less",
            errors[1] <= errors[0] * 2 / 3,
        ),
        f"AUC on {args.labelled.name} {aucs[0]:.4f} -> {aucs[1]:.4f}": (
            "less than .01 lost",
            aucs[1] > aucs[0] - 0.01,
        ),
        f"fine-tuned in {minutes:.1f} minutes ({cpu_minutes:.1f} of processor time)": (
            "less than 20",
            minutes < 20,
        ),
        f"segments of calls held out, untuned {in_words(untuned)} -> tuned {in_words(tuned)}": (
            "no greater error",
            sum(tuned) <= sum(untuned),
        ),
        f"segments of a call by its own model: {len(found.splitlines())}": ("some", bool(found)),
    }
    for told, (wanted, holds) in results.items():
        print(f"{'reached' if holds else 'MISSED '} | {told} (wanted: {wanted})")
    return int(not all(holds for _, holds in results.values()))


def vad(*words: str | Path) -> str:
    """Says a command and runs it, as a newcomer would; gives back its stdout."""
    command = ["vad", *map(str, words)]
    print(f"+ {shlex.join(command)}", file=sys.stderr, flush=True)
    return subprocess.run(
        [sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def cpu_s() -> float:
    """Processor time of all commands so far, seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


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


def in_words(errors: tuple[float, float]) -> str:
    """Miss and false alarm, and their mean before them."""
    miss, false_alarm = errors
    return f"{(miss + false_alarm) / 2:.4f} (miss {miss:.1%}, false alarm {false_alarm:.1%})"


def make_calls(corpus: Path, folder: Path) -> None:
    """Writes half an hour of calls, a folder a party: WAV files in mu-law at 8 kHz, and RTTM beside them."""
    rng = np.random.default_rng(SEED)
    dev = [item for item in read_corpus(corpus) if item.split == "dev"]
    music = np.concatenate([read_at_0_db(item) for item in dev if item.kind == "music"])
    talkers = defaultdict(list)
    for item in dev:
        if item.kind == "speech" and item.speaker and item.segments:
            talkers[item.speaker].append(item)
    names = rng.permutation(sorted(talkers))
    for party in range(PARTIES):
        place = folder / f"party-{party + 1:02d}"
        place.mkdir(parents=True)
        said = itertools.cycle(
            itertools.chain(*itertools.zip_longest(*(talkers[name] for name in names[party::PARTIES])))
        )
        for number in range(CALLS_A_PARTY):
            talk, segments = conversation(rng, filter(None, said))
            first = int(rng.integers(len(music) - len(talk)))
            behind = music[first : first + len(talk)] * acoustics.decibel_gain(-rng.uniform(*MUSIC_SNR_DB))
            call = acoustics.telephone(rng, talk + behind)
            call *= acoustics.decibel_gain(rng.uniform(-20, 0)) / np.abs(call).max()
            path = place / f"call-{number + 1}.wav"
            soundfile.write(path, call[::2], acoustics.SAMPLE_RATE // 2, "ULAW")
            write_labels(path.with_suffix(".rttm"), segments)


def conversation(rng: np.random.Generator, said: Iterator[CorpusItem]) -> tuple[Samples, list[Segment]]:
    """What is said, one after the other with pauses, for the length of a call; talk has a level of 0 dB."""
    talk = np.zeros(int(CALL_S * acoustics.SAMPLE_RATE), np.float32)
    segments, at = [], rng.exponential(PAUSE_S)
    while at < CALL_S:
        item = next(said)
        first = int(at * acoustics.SAMPLE_RATE)
        samples = read_at_0_db(item)[: len(talk) - first]
        talk[first : first + len(samples)] = samples
        start = first / acoustics.SAMPLE_RATE
        segments += [
            Segment(start + one.start, min(start + one.end, CALL_S))
            for one in item.segments
            if start + one.start < CALL_S
        ]
        at += len(samples) / acoustics.SAMPLE_RATE + rng.exponential(PAUSE_S)
    return talk, segments


def read_at_0_db(item: CorpusItem) -> Samples:
    """A recording in whole cells, its speech (of music the louder half) at 0 dB."""
    samples = read_audio(item.path, sample_rate=acoustics.SAMPLE_RATE)
    samples = samples[: len(samples) // acoustics.CELL * acoustics.CELL]
    cells = labels_to_frames(
        item.segments, len(samples) // acoustics.CELL, acoustics.CELL / acoustics.SAMPLE_RATE
    )
    return samples * acoustics.decibel_gain(-acoustics.level_db(samples, cells if item.segments else None))


if __name__ == "__main__":
    sys.exit(main())
