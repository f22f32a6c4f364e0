"""The labelled recordings that `vad evaluate` and `vad tune` take: a corpus, and which splits of it."""

import argparse
import sys
from pathlib import Path

from vad.corpus.folders import SPLITS
from vad.corpus.manifest import CorpusItem, read_corpus

__all__ = ["add_corpus_arguments", "labelled_recordings"]


def add_corpus_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; a split that was not given is None."""
    parser.add_argument(
        "corpus", metavar="PATH", help="manifest (.jsonl) or folder, as data/README.md describes"
    )
    parser.add_argument("--split", choices=("all", *SPLITS), help="default: all")


def labelled_recordings(args: argparse.Namespace, *, learned: bool = True) -> list[CorpusItem]:
    """Read the corpus and take its split; a word on stderr where the model may have learned from some of all.

    Args:
        args: What a parser with `add_corpus_arguments` gave.
        learned: Whether what is measured may have learned from the corpus.

    Raises:
        LabelError: The corpus is none, or a label file breaks its rules.
    """
    items = read_corpus(args.corpus)
    if args.split not in (None, "all"):
        return [item for item in items if item.split == args.split]
    others = [
        name for name in reversed(SPLITS) if name != "train" and any(item.split == name for item in items)
    ]
    seen = sum(item.split == "train" for item in items)
    # A folder's splits nobody dealt out on purpose; where all are of one split there is nothing else to take.
    path = Path(args.corpus)
    dealt = path.is_file() or (path / "manifest.jsonl").is_file()
    if learned and dealt and args.split is None and seen and others:
        print(
            f"vad: note: {seen} of the {len(items)} recordings are of the split train: a model trained on this corpus "
            f"knows them. Leave them out with --split {' or '.join(others)}, or say --split all.",
            file=sys.stderr,
        )
    return items
