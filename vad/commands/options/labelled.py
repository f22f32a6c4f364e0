"""The labelled recordings of `vad evaluate`, `vad tune` and `vad benchmark`: which they are, and a loop over them."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from vad.commands.options.progress import Progress
from vad.corpus.folders import SPLITS
from vad.corpus.manifest import CorpusItem, read_corpus
from vad.errors import AudioError, LabelError, MissingDependencyError

__all__ = ["add_corpus_arguments", "labelled_recordings", "measure_all", "note_training_split"]


class _HasDuration(Protocol):
    @property
    def duration(self) -> float:
        """Seconds of audio."""


Result = TypeVar("Result", bound=_HasDuration)


def add_corpus_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options; a split that is not given is None."""
    parser.add_argument(
        "corpus",
        metavar="CORPUS",
        help="a manifest (.jsonl) or a folder of labelled recordings (see data/README.md)",
    )
    parser.add_argument(
        "--split", choices=("all", *SPLITS), metavar="NAME", help=f"{', '.join(SPLITS)} or all (default: all)"
    )


def labelled_recordings(args: argparse.Namespace) -> list[CorpusItem]:
    """Read the recordings of the chosen split.

    Raises:
        LabelError: There is no such corpus, or a label file breaks the rules of its format.
    """
    return [item for item in read_corpus(args.corpus) if args.split in (None, "all", item.split)]


def note_training_split(args: argparse.Namespace, items: Sequence[CorpusItem]) -> None:
    """Print a note if no split was chosen and some recordings, but not all, are for training."""
    path = Path(args.corpus)
    splits_on_purpose = path.is_file() or (path / "manifest.jsonl").is_file()
    n_train = sum(item.split == "train" for item in items)
    others = [name for name in ("test", "dev") if any(item.split == name for item in items)]
    if splits_on_purpose and args.split is None and n_train and others:
        print(
            f"vad: note: {n_train} of the {len(items)} recordings are in the split train. A model trained on this "
            f"corpus knows them. Measure only --split {' or '.join(others)}, or confirm with --split all.",
            file=sys.stderr,
        )


def measure_all(
    items: Sequence[CorpusItem], measure: Callable[[CorpusItem], Result]
) -> list[tuple[CorpusItem, Result]]:
    """Measure every recording that can be read; report each other one in one line on stderr."""
    results = []
    with Progress(len(items)) as progress:
        for item in items:
            duration = 0.0
            try:
                result = measure(item)
                results.append((item, result))
                duration = result.duration
            except (AudioError, LabelError, MissingDependencyError) as error:
                progress.report(error)
            progress.advance(duration)
    return results
