"""`vad evaluate`: measures a model, or label files from elsewhere, on labelled recordings.

Exit 0: all recordings were measured; 1: some could not be read. Each costs a line on stderr, and no figure has it.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from vad.commands.options.detection import DETECTION_OPTIONS, add_detection_arguments, detector_maker
from vad.commands.options.labelled import (
    add_corpus_arguments,
    labelled_recordings,
    measure_all,
    note_training_split,
)
from vad.commands.options.outputs import add_overwrite_argument, check_all, check_output, refuse_existing
from vad.corpus.manifest import require_corpus
from vad.errors import EXIT_INPUT_FAILED, ConfigError
from vad.evaluation.breakdown import Evaluation
from vad.evaluation.external_labels import read_hypotheses, score_hypothesis
from vad.evaluation.scoring import score_item
from vad.evaluation.tables import show_json, show_text

__all__ = ["add_arguments", "run"]

_EXAMPLES = """\
examples:
  vad evaluate mine.jsonl --split test --model mine.tflite
  vad evaluate mine.jsonl --split test --report mine.html  with curves
  vad evaluate mine.jsonl --hypothesis labels/             labels of others
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = _EXAMPLES
    add_corpus_arguments(parser)
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="format of stdout (default: text)"
    )
    parser.add_argument(
        "--hypothesis", metavar="DIR|FILE",
        help="measure these labels instead of a model: a folder of label files (RTTM, TextGrid, ...), or one file that "
        "names its recordings (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--report", metavar="FILE",
        help="write a page with curves and the worst excerpts, as .html (default: not written)",
    )  # fmt: skip
    add_overwrite_argument(parser)
    add_detection_arguments(parser, lookahead=True)


def run(args: argparse.Namespace) -> int:
    """Measure; the exit code is in the module's docstring.

    Raises:
        LabelError: There is no such corpus, or a label file breaks the rules of its format.
        ConfigError: An option does not exist or is out of its range, no recordings are left, or the page cannot be
            written.
        ModelError: There is no such model, or it is damaged.
    """
    check_all(
        partial(require_corpus, args.corpus),
        partial(_check_report, args),
        *([detector_maker(args)] if args.hypothesis is None else []),
    )
    items = labelled_recordings(args)
    if args.hypothesis is None:
        note_training_split(args, items)
    if not items:
        raise ConfigError(
            f"{args.corpus} has no recordings in the split {args.split or 'all'}. Choose another --split."
        )
    if args.hypothesis is None:
        detector = detector_maker(args)()
        name, options = detector.model.name, detector.options
        scored = measure_all(items, partial(score_item, detector))
    else:
        _refuse_detection_options(args)
        name, options = args.hypothesis, None
        hypotheses = read_hypotheses(Path(name), items)
        if Path(name).is_file():
            unnamed = [item.key for item in items if item.key not in hypotheses]
            _note_unnamed(unnamed, name)
            hypotheses |= dict.fromkeys(unnamed, ())
        scored = measure_all(items, lambda item, _: score_hypothesis(hypotheses.get(item.key), item))
    evaluation = Evaluation.of(name, options, scored)
    (show_json if args.format == "json" else show_text)(evaluation)
    if args.report is not None and scored:
        from vad.report.evaluation import save_evaluation

        save_evaluation(Path(args.report), evaluation)
    return 0 if len(scored) == len(items) else EXIT_INPUT_FAILED


def _check_report(args: argparse.Namespace) -> None:
    if args.report is not None:
        check_output(Path(args.report), "--report", (".html",))
        if not args.overwrite:
            refuse_existing([Path(args.report)])


def _refuse_detection_options(args: argparse.Namespace) -> None:
    given = [name for name in ("config", *DETECTION_OPTIONS) if getattr(args, name) is not None]
    given += [] if args.lookahead else ["no_lookahead"]
    if given:
        option = f"--{given[0].replace('_', '-')}"
        raise ConfigError(f"{option} is for a detector, but --hypothesis measures labels. Leave one out.")


def _note_unnamed(keys: list[str], file: str) -> None:
    """Print a note about recordings that the file does not name: a wrong name looks the same as no speech."""
    if keys:
        more = f" and {len(keys) - 2} more" if len(keys) > 2 else ""
        print(
            f"vad: note: {file} does not name {' and '.join(keys[:2])}{more}. They count as without speech.",
            file=sys.stderr,
        )
