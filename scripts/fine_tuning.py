"""Measures what fine-tuning is worth on half an hour and on ten minutes of calls, over five draws, and prints a table.

    python scripts/fine_tuning.py START --corpus MANIFEST --labelled DIR [--runs runs/fine-tuning]

START is a model's name, or a .tflite file with its .keras file beside it. The calls are made of the corpus' validation
split, of which START has learned nothing, on one exchange with its music on hold. The speakers of the calls held out
speak in no other. Each draw goes the documented way: vad prepare, vad train --init --base, vad export. Errors are the
mean of miss and false alarm at the model's threshold on the calls held out, AUC that on DIR, of which nothing should be
forgotten. Stopped, the same command goes on.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
from release import figures_of, outputs_of

from vad.audio import acoustics
from vad.audio.reading import read_audio
from vad.cli import main as vad
from vad.corpus.manifest import CorpusItem, read_corpus
from vad.detection.model import Model
from vad.detection.segments import Segment
from vad.errors import VadError
from vad.evaluation.benchmark.tables import table
from vad.files import write_text
from vad.labels import write_labels
from vad.labels.cells import labels_to_frames

PARTIES, CALL_S = 20, 30.0
# Of the split test there are always three, so that both are measured on the same calls.
CALLS_A_PARTY = {"30 min": 3, "10 min": 1}
SEEDS = (11, 12, 13, 14, 15)  # fixed before any of them was measured
MUSIC_SNR_DB = (-10.0, 0.0)
PAUSE_S = 1.0
_FORMS = ("{:.3f}", "{:.3f}", "{:+.0%}", "{:.3f}", "{:.3f}", "{:+.3f}")

Samples = npt.NDArray[np.float32]


def main(words: Sequence[str] | None = None) -> int:
    """Fine-tune each draw, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("start", metavar="START", help="a model's name, or the path of a .tflite file")
    parser.add_argument("--corpus", type=Path, required=True, help="the calls are made of its dev split")
    parser.add_argument("--labelled", type=Path, required=True, help="other recordings, labelled by people")
    parser.add_argument("--runs", type=Path, default=Path("runs/fine-tuning"), help="folder of the runs")
    parser.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], help="as vad train takes it"
    )
    args = parser.parse_args(words)
    model = Model.load(args.start)
    done: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for seed in SEEDS:
        manifest = prepare(args.corpus, args.runs / f"draw-{seed}", seed)
        for length, calls in CALLS_A_PARTY.items():
            done[length].append(tuned(model, manifest, length, calls, args))
    print(summary(done))
    return 0


def prepare(corpus: Path, folder: Path, seed: int) -> Path:
    """The calls of a draw, and their manifest with splits."""
    manifest = folder / "calls.jsonl"
    if not manifest.exists():
        make_calls(corpus, folder / "calls", seed)
        run("prepare", folder / "calls", "--output", manifest, "--shares", "0.6,0.2,0.2", "--overwrite")
    return manifest


def tuned(model: Model, manifest: Path, length: str, calls: int, args: argparse.Namespace) -> dict[str, Any]:
    """The figures before and after, of each output: kept in a file, for a command that goes on."""
    folder = manifest.parent / length.replace(" ", "-")
    kept, mine = folder / "figures.json", folder / "mine.jsonl"
    if not kept.exists():
        rows = map(json.loads, manifest.read_text(encoding="utf-8").splitlines())
        names = [f"call-{number + 1}" for number in range(calls)]
        used = [one for one in rows if one["split"] == "test" or Path(one["audio_filepath"]).stem in names]
        for one in used:
            one["audio_filepath"] = str((manifest.parent / one["audio_filepath"]).resolve())
        folder.mkdir(parents=True, exist_ok=True)
        write_text(mine, "".join(json.dumps(one) + "\n" for one in used))
        # The scenes of the base corpus are the same in every run.
        base = folder / "run" / "data" / "base"
        if not base.is_symlink():
            base.parent.mkdir(parents=True, exist_ok=True)
            (args.runs / "base").mkdir(exist_ok=True)
            base.symlink_to((args.runs / "base").resolve())
        settings = itertools.chain(*(("--set", one) for one in args.set))
        run("train", folder / "run", "--init", args.start, "--corpus", mine, "--base", args.corpus, *settings)
        run("export", folder / "run", "--name", "mine", "--output", folder, "--overwrite")
        figures = {"before": measure(model, mine, args.labelled)}
        figures["after"] = measure(Model.load(folder / "mine.tflite"), mine, args.labelled)
        write_text(kept, json.dumps(figures, indent=1))
    result: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    return result


def run(*words: str | Path) -> None:
    """A command of vad, as a newcomer would type it."""
    if vad([str(word) for word in words]):
        sys.exit(f"fine_tuning: vad {words[0]} failed, see above.")


def measure(model: Model, manifest: Path, labelled: Path) -> dict[str, dict[str, float]]:
    """By output, "file" and "live": the balanced error of the calls held out, and the AUC of other recordings."""
    held_out = [item for item in read_corpus(manifest) if item.split == "test"]
    figures = {}
    for way, detector in outputs_of(model).items():
        calls = figures_of(detector, held_out, 0.0)
        others = figures_of(detector, read_corpus(labelled), 0.0)
        figures[way] = {"error": (calls["miss"] + calls["false_alarm"]) / 2, "auc": others["auc"]}
    return figures


def summary(done: dict[str, list[dict[str, Any]]]) -> str:
    """The table: each draw, and the mean of each length."""
    rows = []
    for length, draws in done.items():
        for way in draws[0]["before"]:
            cells = []
            for one in draws:
                (before, after), aucs = (
                    [one[when][way][name] for when in ("before", "after")] for name in ("error", "auc")
                )
                cells.append((before, after, after / before - 1, *aucs, aucs[1] - aucs[0]))
            lines = [*cells, tuple(map(mean, zip(*cells, strict=True)))]
            for name, line in zip([*map(str, SEEDS), "mean"], lines, strict=True):
                shown = (form.format(value) for form, value in zip(_FORMS, line, strict=True))
                rows.append([length, way, name, *shown])
    headings = ("calls", "output", "draw", "error before", "after", "change", "AUC before", "after", "change")
    return table(headings, rows)


def make_calls(corpus: Path, folder: Path, seed: int) -> None:
    """Writes half an hour of calls, a folder a party: WAV files in mu-law at 8 kHz, and RTTM beside them."""
    rng = np.random.default_rng(seed)
    dev = [item for item in read_corpus(corpus) if item.split == "dev"]
    music = np.concatenate([read_at_0_db(item) for item in dev if item.kind == "music"])
    talkers = defaultdict(list)
    for item in dev:
        if item.kind == "speech" and item.speaker and item.segments:
            talkers[item.speaker].append(item)
    names = rng.permutation(sorted(talkers))
    for party in range(PARTIES):
        place = folder / f"party-{party + 1:02d}"
        place.mkdir(parents=True, exist_ok=True)
        said = itertools.cycle(
            itertools.chain(*itertools.zip_longest(*(talkers[name] for name in names[party::PARTIES])))
        )
        for number in range(max(CALLS_A_PARTY.values())):
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
    try:
        sys.exit(main())
    except VadError as error:
        sys.exit(f"fine_tuning: {error}")
