"""`vad tune`: finds the threshold and durations for a goal, on labelled recordings.

Exit 0: an operating point was found, and written where asked; 1: a recording could not be read, or a bound cannot be
met. Then stdout has the nearest operating point, stderr says which bounds can be met, and --output is not written.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from vad.commands.options.detection import add_model_arguments
from vad.commands.options.extras import require_extra
from vad.commands.options.labelled import (
    add_corpus_arguments,
    is_manifest,
    measure_all,
    of_split,
)
from vad.commands.options.messages import close_with, next_command
from vad.commands.options.outputs import add_overwrite_argument, check_all, check_output, refuse_existing
from vad.commands.options.progress import Progress
from vad.corpus.manifest import CorpusItem, read_corpus, require_corpus
from vad.corpus.speakers import tied_by_speakers
from vad.detection.detector import Detector
from vad.detection.model_files import MODEL_SUFFIXES
from vad.detection.operating_points import require_same_model, write_point
from vad.errors import EXIT_INPUT_FAILED, ConfigError
from vad.evaluation.scoring import process_item
from vad.evaluation.tuning.goal import AIMS, Goal, Outcome
from vad.evaluation.tuning.search import Labelled, Tuned, tune
from vad.files import writing

__all__ = ["add_arguments", "run"]

_EXAMPLES = """\
examples:
  vad tune mine.jsonl --best balanced -o tuned.toml
  vad tune mine.jsonl --max-miss 0.02 --max-latency-ms 400 -o mine.tflite
"""

_FOR_STREAMS = "tuned for streams: use it for them, or with --no-lookahead"
_TRAIN = "fine-tune the model on recordings like these"
_FEWEST_SPEAKERS = 2  # one to hold out, and one to tune on
# For each bound: the name of its figure, the decimals of it, and how to improve it.
_BOUNDS = {
    "max_miss": ("miss", 4, _TRAIN),
    "max_false_alarm": ("false alarm", 4, _TRAIN),
    "max_latency_ms": ("latency in ms", 0, "use a model with less delay"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = _EXAMPLES
    add_corpus_arguments(
        parser,
        "of a manifest dev, and train where dev has fewer than two speakers with speech; of a folder all",
    )
    goal = parser.add_argument_group(
        "the goal",
        "Bounds hold for these recordings; expect the held-out figures for others. If a bound cannot be met, the exit "
        "code is 1, the nearest operating point is printed, and --output is not written.",
    )
    goal.add_argument(
        "--max-miss",
        type=float,
        metavar="SHARE",
        help="miss at most this share of the speech (default: no bound)",
    )
    goal.add_argument(
        "--max-false-alarm", type=float, metavar="SHARE",
        help="detect at most this share of the non-speech as speech (default: no bound)",
    )  # fmt: skip
    goal.add_argument(
        "--max-latency-ms", type=float, metavar="MS",
        help="report the end of speech in a stream within this time; implies --no-lookahead (default: no bound)",
    )  # fmt: skip
    goal.add_argument(
        "--best", choices=list(AIMS), default="", metavar="NAME",
        help=f"the figure to optimise within the bounds: {', '.join(AIMS)} (default: false_alarm with --max-miss, miss "
        "with --max-false-alarm, else f1)",
    )  # fmt: skip
    model = parser.add_argument_group("what is tuned", "The search starts from the operating point.")
    add_model_arguments(model, lookahead=True)
    parser.set_defaults(model="default", operating_point="balanced")
    out = parser.add_argument_group("what is written")
    out.add_argument(
        "--output", "-o", metavar="TOML|MODEL", type=Path,
        help="a .toml file for `vad detect --config`, or a .tflite or .onnx file: the tuned model or a new copy of it, "
        "whose card gets the operating point (default: not written)",
    )  # fmt: skip
    add_overwrite_argument(out)
    out.add_argument(
        "--name", default="tuned", help="name of the operating point in the card (default: tuned)"
    )
    out.add_argument(
        "--plot", metavar="FILE", type=Path,
        help="draw miss and false alarm by threshold, as .png, .svg or .pdf; needs the extra plot (default: not "
        "written)",
    )  # fmt: skip
    out.add_argument(
        "--format", choices=("text", "json"), default="text", help="format of stdout (default: text)"
    )


def run(args: argparse.Namespace) -> int:
    """Tune; the exit code is in the module's docstring.

    Raises:
        LabelError: There is no such corpus, or a label file breaks the rules of its format.
        ConfigError: An option is out of its range, or no recordings with speech are left.
        ModelError: There is no such model, or it is damaged.
    """
    goal = Goal(args.max_miss, args.max_false_alarm, args.max_latency_ms, args.best)
    # A bound of the latency is for streams, which have the low-latency output.
    lookahead = args.lookahead and goal.max_latency_ms is None
    make_detector = partial(Detector, args.model, args.operating_point, lookahead=lookahead)
    check_all(partial(require_corpus, args.corpus), make_detector, partial(_check_outputs, args))
    detector = make_detector()
    items = _choose_recordings(args)
    recordings = _process_all(detector, items)
    if not any(one.reference for one in recordings):
        raise ConfigError(f"no recording of {args.corpus} with speech can be read. Check the lines above.")
    with Progress(None, unit="operating points") as progress:
        tuned = tune(recordings, detector, goal, progress.advance)
    report = _report(tuned, goal, len(recordings)) | {"lookahead": lookahead}
    text = _text(tuned, len(recordings)) + ("" if lookahead else f"\n{_FOR_STREAMS}")
    print(json.dumps(report, indent=1) if args.format == "json" else text)
    if args.plot is not None:
        from vad.evaluation.tuning.picture import draw

        with writing(args.plot) as temporary:
            draw(tuned, goal, temporary, args.plot.suffix.lower())
    if report["out_of_reach"]:
        _print_out_of_reach(goal, report["out_of_reach"], args.output)
        return EXIT_INPUT_FAILED
    if args.output is not None:
        notes = {name: report[name] for name in ("goal", "recordings", "fitted", "held_out", "latency_ms")}
        notes |= {} if lookahead else {"lookahead": _FOR_STREAMS}
        write_point(args.output, args.model, args.name, tuned.options, notes)
    _print_verdict(args, tuned, goal)
    return 0 if len(recordings) == len(items) else EXIT_INPUT_FAILED


def _check_outputs(args: argparse.Namespace) -> None:
    if args.plot is not None:
        check_output(args.plot, "--plot", (".png", ".svg", ".pdf"))
        require_extra("plot", "--plot")
    if args.output is not None:
        check_output(args.output, "--output", (".toml", *MODEL_SUFFIXES))
        require_same_model(args.output, args.model)
    # A model's card keeps its other operating points.
    written = [path for path in (args.output, args.plot) if path and path.suffix not in MODEL_SUFFIXES]
    if not args.overwrite:
        refuse_existing(written)


def _choose_recordings(args: argparse.Namespace) -> list[CorpusItem]:
    """The recordings of the split; of dev with too few speakers to hold one out, those of train too.

    Raises:
        LabelError: There is no such corpus, or a label file breaks the rules of its format.
        ConfigError: There is no speech in the split.
    """
    corpus = read_corpus(args.corpus)
    has_dev = any(item.split == "dev" for item in corpus)
    split = args.split or ("dev" if is_manifest(args.corpus) and has_dev else "all")
    chosen = of_split(corpus, split)
    if split == "dev" and 0 < _n_speakers(chosen) < _FEWEST_SPEAKERS:
        wider = [item for item in corpus if item.split in ("train", "dev")]
        if _n_speakers(wider) > _n_speakers(chosen):
            print(
                "vad: note: the split dev has too few speakers to hold one out, so train and dev are cross-validated. "
                "A model trained on this corpus knows train: expect more errors elsewhere.",
                file=sys.stderr,
            )
            chosen = wider
    if not any(item.segments for item in chosen):
        raise ConfigError(
            f"{args.corpus} has no recording with speech to tune on, in the split {split}. "
            "Choose another --split, or add labels."
        )
    return chosen


def _n_speakers(items: Sequence[CorpusItem]) -> int:
    """The number of speakers, or of groups of them who speak together, with speech."""
    with_speech = [item for item in items if item.segments]
    return len(tied_by_speakers([item.speakers for item in with_speech]))


def _process_all(detector: Detector, items: list[CorpusItem]) -> list[Labelled]:
    groups = tied_by_speakers([item.speakers for item in items])
    group_of = {items[place].key: str(number) for number, group in enumerate(groups) for place in group}
    return [
        Labelled(group_of[item.key], detection, item.segments)
        for item, detection in measure_all(items, partial(process_item, detector))
    ]


def _print_out_of_reach(goal: Goal, reached: dict[str, float], output: Path | None) -> None:
    """Print a line for each bound that cannot be met, and one about the output."""
    for name, figure in reached.items():
        figure_name, decimals, remedy = _BOUNDS[name]
        nearest = math.ceil(round(figure * 10**decimals, 6)) / 10**decimals
        others = any(getattr(goal, other) is not None for other in _BOUNDS if other != name)
        option = f"--{name.replace('_', '-')}"
        print(
            f"vad: {option} {getattr(goal, name):g} cannot be met: the nearest operating point has a {figure_name} of "
            f"{nearest:g}. Try {option} {nearest:g}, {'loosen the other bounds, ' if others else ''}or {remedy}.",
            file=sys.stderr,
        )
    if output is not None:
        print(f"vad: {output} was not written.", file=sys.stderr)


def _print_verdict(args: argparse.Namespace, tuned: Tuned, goal: Goal) -> None:
    """Print what the search is worth elsewhere, and how to use the operating point."""
    held_out = tuned.held_out
    if held_out is None:
        close_with("nothing was held out, so these figures say little about other recordings. Add speakers.")
    elif goal.excess(held_out) > goal.excess(tuned.fitted) == 0:
        close_with("the held-out figures break a bound. Add recordings, or tighten the bound.")
    else:
        close_with(f"expect elsewhere the held-out figures: {_summary(held_out)}.")
    lookahead = ["--no-lookahead"] if goal.max_latency_ms is not None or not args.lookahead else []
    if args.output is None:
        close_with("nothing was written. Add --output tuned.toml to keep the operating point.")
    elif args.output.suffix == ".toml":
        next_command("detect", "RECORDING", "--config", args.output, *lookahead)
    else:
        next_command(
            "detect", "RECORDING", "--model", args.output, "--operating-point", args.name, *lookahead
        )


def _figures(outcome: Outcome) -> dict[str, Any]:
    return {
        "miss": round(outcome.miss, 5),
        "false_alarm": round(outcome.false_alarm, 5),
        "f1": round(outcome.f1, 5),
        "der": round(outcome.errors.rate, 5) if outcome.errors.speech else None,
    }


def _report(tuned: Tuned, goal: Goal, n_recordings: int) -> dict[str, Any]:
    options = {
        name: value for name, value in asdict(tuned.options).items() if value is None or math.isfinite(value)
    }
    return {
        "goal": {name: value for name, value in asdict(goal).items() if value not in (None, "")}
        | {"best": goal.aim},
        "recordings": n_recordings,
        "options": options,
        "latency_ms": round(tuned.latency_ms, 1),
        "out_of_reach": goal.out_of_reach(tuned.fitted, tuned.latency_ms),
        "fitted": _figures(tuned.fitted),
        "held_out": None if tuned.held_out is None else _figures(tuned.held_out),
        "folds": tuned.folds,
        "curve": [{"threshold": threshold, **_figures(outcome)} for threshold, outcome in tuned.curve],
    }


def _text(tuned: Tuned, n_recordings: int) -> str:
    rows = [f"{'threshold':>12}{'miss':>9}{'false al.':>10}{'F1':>8}"]
    for threshold, outcome in tuned.curve:
        mark = "  <" if threshold == tuned.options.threshold else ""
        rows.append(
            f"{threshold:>12g}{outcome.miss:>9.2%}{outcome.false_alarm:>10.2%}{outcome.f1:>8.4f}{mark}"
        )
    rows += [
        "",
        *(f"{name} = {value:g}" for name, value in asdict(tuned.options).items() if value is not None),
    ]
    held_out = "nothing was: this needs two speakers" if tuned.held_out is None else _summary(tuned.held_out)
    rows += [
        "",
        f"{f'on these {n_recordings} recordings:':<26} {_summary(tuned.fitted)}",
        f"{'held out:':<26} {held_out}",
        f"{'end of speech reported:':<26} {tuned.latency_ms:.0f} ms after it",
    ]
    return "\n".join(rows)


def _summary(outcome: Outcome) -> str:
    return f"miss {outcome.miss:.2%}, false alarm {outcome.false_alarm:.2%}, F1 {outcome.f1:.4f}"
