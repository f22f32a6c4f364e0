"""Trains networks that differ in one option on the same data and budget, and prints a table of them.

    python scripts/ablation.py RUNS --corpus MANIFEST --labelled DIR [--vary NAME=VALUE,VALUE,...] [--config TOML]

Without ``--vary`` they are all architectures. Each run lies in RUNS under its value, its model beside it; stopped, the
same command goes on. AUC is on recordings labelled by people, as recorded and played softer; the speed is that of one
thread's processor time.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from release import GAINS_DB, figures_of, speed

from vad.cli import main as vad
from vad.corpus.manifest import CorpusItem, read_corpus
from vad.detection.detector import Detector
from vad.errors import VadError
from vad.evaluation.benchmark.tables import table

ARCHITECTURES = "network.architecture=logmel-cnn,waveform-tcn,logmel-crnn,two-branch,patch-cnn"
CONFIG = Path(__file__).parent / "ablation.toml"
HEADINGS = ("validation", *GAINS_DB, "parameters", "M multiply-adds/s", "x real time", "by frame")


def main() -> int:
    """Train, export, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", metavar="RUNS", type=Path, help="folder of the runs and their models")
    parser.add_argument("--corpus", required=True, help="what to train on")
    parser.add_argument("--labelled", type=Path, required=True, help="recordings labelled by people")
    parser.add_argument(
        "--config", default=str(CONFIG), help="training options (default: scripts/ablation.toml)"
    )
    parser.add_argument(
        "--vary",
        metavar="NAME=VALUE,...",
        default=ARCHITECTURES,
        help="an option and its values (default: all architectures)",
    )
    parser.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], help="as vad train takes it"
    )
    args = parser.parse_args()
    settings = [word for setting in args.set for word in ("--set", setting)]
    option, equals, values = args.vary.partition("=")
    if not equals:
        parser.error(f"--vary must be NAME=VALUE,... Received: {args.vary!r}.")
    items = read_corpus(args.labelled)  # before hours of training: it may be that there is none
    for value in values.split(","):
        run = str(args.runs / value)
        train = ["train", run, "--corpus", args.corpus, "--config", args.config, "--set", f"{option}={value}"]
        export = ["export", run, "--name", value, "--output", str(args.runs), "--overwrite"]
        if code := vad([*train, *settings]) or vad(export):
            return code
    rows = [row(args.runs / f"{value}.tflite", items) for value in values.split(",")]
    print(table([option.rpartition(".")[2], *HEADINGS], rows))
    return 0


def row(model: Path, items: list[CorpusItem]) -> list[str]:
    """A model's cells of the table."""
    detector = Detector(model)
    card = detector.model.card
    aucs = [figures_of(detector, items, gain_db)["auc"] for gain_db in GAINS_DB.values()]
    times = speed(detector)
    return [
        model.stem,
        f"{card['training']['validation_auc']:.4f}",
        *(f"{auc:.4f}" for auc in aucs),
        f"{card['parameters']:,}",
        f"{card['macs_per_second'] / 1e6:.1f}",
        f"{times['chunk']:,}",
        f"{times['step']:,}",
    ]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except VadError as error:
        sys.exit(f"ablation: {error}")
