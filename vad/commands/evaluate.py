"""`vad evaluate`: measure a model, or somebody's label files, on labelled recordings.

Exit 0: all were measured; 1: some could not be read, one line each on stderr, and the figures are of the rest.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from vad.commands.options.detection import (
    SEGMENT_FLAGS,
    add_detection_arguments,
    add_lookahead_argument,
    resolve_detection,
)
from vad.commands.options.labelled import add_corpus_arguments, labelled_recordings
from vad.commands.options.progress import Progress
from vad.corpus.manifest import CorpusItem
from vad.errors import EXIT_INPUT_FAILED, AudioError, ConfigError, LabelError, MissingDependencyError
from vad.evaluation.breakdown import Evaluation
from vad.evaluation.external_labels import read_hypotheses, score_hypothesis
from vad.evaluation.scoring import Scored, score_item
from vad.evaluation.tables import show_json, show_text
from vad.files import make_folder
from vad.labels import require_within

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_corpus_arguments(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    parser.add_argument(
        "--hypothesis",
        metavar="DIR|FILE",
        help="measure these label files (RTTM, TextGrid, ...), or one that names its recordings, "
        "instead of a model (default: none)",
    )
    parser.add_argument(
        "--report",
        metavar="FILE",
        help="also write a page with curves and the worst excerpts, as .html (default: not written)",
    )
    add_detection_arguments(parser)
    add_lookahead_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Measure; the exit code is in the module's docstring.

    Raises:
        LabelError: The corpus is none, or a label file breaks its rules.
        ConfigError: An option does not exist or is out of its range, nothing is left to measure, or the page
            cannot be written.
        ModelError: There is no such model, or it is damaged.
    """
    if args.report is not None and Path(args.report).suffix.lower() != ".html":
        raise ConfigError(f"--report must end in .html. Received: {args.report}.")
    if args.report is not None:
        make_folder(Path(args.report).parent)
    items = labelled_recordings(args, learned=args.hypothesis is None)
    if not items:
        raise ConfigError(
            f"split must leave a recording to measure. Received: split={args.split}, which leaves none."
        )
    if args.hypothesis is None:
        detector = resolve_detection(args).detector()
        name, options = detector.model.name, detector.options
        scored = _score_all(items, lambda item: score_item(detector, item))
    else:
        _refuse_detection(args)
        name, options = args.hypothesis, None
        found = read_hypotheses(Path(name), items)
        if Path(name).is_file():
            unnamed = [item.key for item in items if item.key not in found]
            _note_unnamed(unnamed, name)
            found |= dict.fromkeys(unnamed, ())
        scored = _score_all(items, lambda item: score_hypothesis(found.get(item.key), item))
    evaluation = Evaluation.of(name, options, scored)
    (show_json if args.format == "json" else show_text)(evaluation)
    if args.report is not None and scored:
        from vad.report.worst_excerpts import save_evaluation

        save_evaluation(Path(args.report), evaluation)
    return 0 if len(scored) == len(items) else EXIT_INPUT_FAILED


def _refuse_detection(args: argparse.Namespace) -> None:
    given = {name: getattr(args, name) for name in ("model", "operating_point", "config", *SEGMENT_FLAGS)}
    for name, value in {**given, "lookahead": None if args.lookahead else False}.items():
        if value is not None:
            raise ConfigError(
                "a hypothesis must stand alone: its segments are found already. "
                f"Received: {name}={value} as well. Leave one out."
            )


def _note_unnamed(keys: list[str], file: str) -> None:
    """Say what a file about many does not name: nothing was found there, or it is called something else."""
    if keys:
        more = f" and {len(keys) - 2} more" if len(keys) > 2 else ""
        print(
            f"vad: note: {file} does not name {' and '.join(keys[:2])}{more}: counted as without speech.",
            file=sys.stderr,
        )


def _score_all(
    items: list[CorpusItem], score: Callable[[CorpusItem], Scored]
) -> list[tuple[CorpusItem, Scored]]:
    """Every recording that can be read; of the others one line each."""
    scored: list[tuple[CorpusItem, Scored]] = []
    with Progress(len(items)) as progress:
        for item in items:
            heard = 0.0
            try:
                one = score(item)
                heard = one.duration
                require_within(item.segments, heard, item.key)
                scored.append((item, one))
            except (AudioError, LabelError, MissingDependencyError) as error:
                progress.wipe()
                print(f"vad: {error}", file=sys.stderr)
            progress.advance(heard)
    return scored
