"""The labelled recordings of `vad evaluate`, `vad tune` and `vad benchmark`: which they are, and a loop over them."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from vad.audio.reading import OnPosition
from vad.commands.options.progress import Progress
from vad.corpus.folders import SPLITS
from vad.corpus.manifest import CorpusItem, read_corpus
from vad.errors import AudioError, LabelError, MissingDependencyError

__all__ = [
    "add_corpus_arguments",
    "is_manifest",
    "labelled_recordings",
    "measure_all",
    "note_training_split",
    "of_split",
]


class _HasDuration(Protocol):
    @property
    def duration(self) -> float:
        """Seconds of audio."""


Result = TypeVar("Result", bound=_HasDuration)


def add_corpus_arguments(parser: argparse.ArgumentParser, default_split: str = "all") -> None:
    """Add the options; a split that is not given is None, and `default_split` says what that means."""
    parser.add_argument(
        "corpus",
        metavar="CORPUS",
        help="a manifest (.jsonl) or a folder of labelled recordings (see data/README.md)",
    )
    parser.add_argument(
        "--split",
        choices=("all", *SPLITS),
        metavar="NAME",
        help=f"{', '.join(SPLITS)} or all (default: {default_split})",
    )


def labelled_recordings(args: argparse.Namespace) -> list[CorpusItem]:
    """Read the recordings of the chosen split.

    Raises:
        LabelError: There is no such corpus, or a label file breaks the rules of its format.
    """
    return of_split(read_corpus(args.corpus), args.split or "all")


def of_split(items: Sequence[CorpusItem], split: str) -> list[CorpusItem]:
    """The recordings of a split, or all."""
    return [item for item in items if split in ("all", item.split)]


def is_manifest(corpus: str) -> bool:
    """Whether a corpus has a manifest, whose splits somebody chose."""
    path = Path(corpus)
    return path.is_file() or (path / "manifest.jsonl").is_file()


def note_training_split(args: argparse.Namespace, items: Sequence[CorpusItem]) -> None:
    """Print a note if no split was chosen and some recordings, but not all, are for training."""
    n_train = sum(item.split == "train" for item in items)
    others = [name for name in ("test", "dev") if any(item.split == name for item in items)]
    if is_manifest(args.corpus) and args.split is None and n_train and others:
        print(
            f"vad: note: {n_train} of the {len(items)} recordings are in the split train. A model trained on this "
            f"corpus knows them. Measure only --split {' or '.join(others)}, or confirm with --split all.",
            file=sys.stderr,
        )


def measure_all(
    items: Sequence[CorpusItem], measure: Callable[[CorpusItem, OnPosition], Result]
) -> list[tuple[CorpusItem, Result]]:
    """Measure every recording that can be read; report each other one in one line on stderr.

    Args:
        items: The recordings.
        measure: Measures one, and tells how far it is.
    """
    results = []
    with Progress(len(items)) as progress:
        for item in items:
            duration = 0.0
            try:
                result = measure(item, progress.show_position)
                results.append((item, result))
                duration = result.duration
            except (AudioError, LabelError, MissingDependencyError) as error:
                progress.report(error)
            progress.advance(duration)
    return results
