"""A newcomer's way to a model of one's own, with half an hour of telephone calls behind music: is it worth the while?

Run it with `python -m pytest -m acceptance tests/acceptance/test_fine_tuning.py`; it takes about 20 minutes, and needs
the corpus that the models were trained on and labelled meetings, in ../shared/corpus and ../shared/devset.

The calls are made from the corpus' dev split, of which no model that ships has learned anything, on one exchange with
its music on hold; nobody who is held out speaks in what is learned from. Then come the commands of the documentation,
and what they were worth: on the calls held out, and on the meetings, of which nothing should be forgotten.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from support.places import CORPUS, MEETINGS

from vad.audio import acoustics
from vad.audio.reading import read_audio
from vad.corpus.manifest import CorpusItem, read_corpus
from vad.detection.segments import Segment
from vad.labels import write_labels
from vad.labels.cells import labels_to_frames

pytestmark = pytest.mark.acceptance

PARTIES, CALLS_A_PARTY, CALL_S = 20, 3, 30.0
MUSIC_SNR_DB = (-10.0, 0.0)
PAUSE_S = 1.0
SEED = 5

Samples = npt.NDArray[np.float32]


@pytest.mark.skipif(not (CORPUS.is_dir() and MEETINGS.is_dir()), reason="the recordings are not here")
def test_fine_tuning_is_worth_its_while(tmp_path: Path) -> None:
    calls, manifest, run, model = (tmp_path / name for name in ("calls", "mine.jsonl", "run", "mine.tflite"))
    make_calls(CORPUS, calls)
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
