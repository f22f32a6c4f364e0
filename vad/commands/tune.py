"""`vad tune`: the threshold and durations that serve a goal, from labelled recordings.

Exit 0: found, and written where asked; 1: a recording could not be read, or a bound is out of reach (then stdout tells
the nearest operating point, stderr what can be asked for, and --output is not written).
"""

import argparse
import json
import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vad.commands.options.detection import add_lookahead_argument
from vad.commands.options.extras import require_matplotlib
from vad.commands.options.labelled import add_corpus_arguments, labelled_recordings
from vad.commands.options.progress import Progress
from vad.corpus.manifest import CorpusItem
from vad.corpus.speakers import tied_by_speakers
from vad.detection.detector import Detector
from vad.detection.operating_points import require_same_model, write_point
from vad.errors import EXIT_INPUT_FAILED, AudioError, ConfigError, MissingDependencyError
from vad.evaluation.tuning.goal import AIMS, Goal, Outcome
from vad.evaluation.tuning.search import Labelled, Tuned, tune
from vad.files import make_folder, writing

__all__ = ["add_arguments", "run"]

# Of an operating point for a model with both outputs.
_LOW_LATENCY = (
    "tuned on the low-latency output: give --no-lookahead, or recordings are processed with the other"
)

# Of each bound: what an operating point does in place of keeping it, to how many decimals, and what helps.
_OUT_OF_REACH = {
    "max_miss": ("misses {:g} of the speech", 4, "fine-tune the model on recordings like these"),
    "max_false_alarm": (
        "takes {:g} of the rest for speech",
        4,
        "fine-tune the model on recordings like these",
    ),
    "max_latency_ms": ("takes {:g} ms", 0, "take a model with less delay"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_corpus_arguments(parser)
    goal = parser.add_argument_group(
        "the goal",
        "Bounds are for these recordings; the held-out figures tell what to expect of others. Where a bound is out of "
        "reach the exit code is 1, the nearest operating point is told, and --output is not written.",
    )
    goal.add_argument(
        "--max-miss",
        type=float,
        metavar="SHARE",
        help="of the speech, at most this is missed (default: no bound)",
    )
    goal.add_argument(
        "--max-false-alarm",
        type=float,
        metavar="SHARE",
        help="of the rest, at most this is called speech (default: no bound)",
    )
    goal.add_argument(
        "--max-latency-ms",
        type=float,
        metavar="MS",
        help="the end of speech is known this soon after it, at a microphone: means --no-lookahead (default: no bound)",
    )
    goal.add_argument(
        "--best", choices=list(AIMS), default="",
        help="what is made best within the bounds (default: the other side of a bound, else f1)",
    )  # fmt: skip
    model = parser.add_argument_group("what is tuned")
    model.add_argument("--model", metavar="NAME|PATH", default="default", help="default: default")
    model.add_argument(
        "--operating-point",
        metavar="NAME",
        default="balanced",
        help="where the search starts (default: balanced)",
    )
    add_lookahead_argument(model)
    out = parser.add_argument_group("what is written")
    out.add_argument(
        "--output", "-o", metavar="TOML|TFLITE", type=Path,
        help="a .toml for `vad detect --config`, or a .tflite: the model itself or a copy, with the operating point "
        "in its card (default: not written)",
    )  # fmt: skip
    out.add_argument("--name", default="tuned", help="what a card calls the operating point (default: tuned)")
    out.add_argument(
        "--plot",
        metavar="FILE",
        type=Path,
        help="miss and false alarm by threshold, as .png, .svg or .pdf (extra: plot; default: not written)",
    )
    out.add_argument("--format", choices=("text", "json"), default="text", help="of stdout; default: text")


def run(args: argparse.Namespace) -> int:
    """Tune; the exit code is in the module's docstring.

    Raises:
        LabelError: The corpus is none, or a label file breaks its rules.
        ConfigError: An option is out of its range, or nothing is left to tune on.
        ModelError: There is no such model, or it is damaged.
    """
    goal = Goal(args.max_miss, args.max_false_alarm, args.max_latency_ms, args.best)
    for path, suffixes in ((args.output, (".toml", ".tflite")), (args.plot, (".png", ".svg", ".pdf"))):
        if path is not None and path.suffix not in suffixes:
            raise ConfigError(f"an output must end in {' or '.join(suffixes)}. Received: {path}.")
        if path is not None:
            make_folder(path.parent)
    if args.plot is not None:
        require_matplotlib()
    if args.output is not None:
        require_same_model(args.output, args.model)
    # A bound of the latency is for streams, which have the low-latency output.
    lookahead = args.lookahead and goal.max_latency_ms is None
    detector = Detector(args.model, args.operating_point, lookahead=lookahead)
    items = labelled_recordings(args)
    recordings = _process_all(detector, items)
    if not any(one.reference for one in recordings):
        split = args.split or "all"
        raise ConfigError(
            f"recordings to tune on must hold speech. Received: {len(recordings)} of the split {split} without."
        )
    with Progress(None, unit="operating points") as progress:
        tuned = tune(recordings, detector, goal, lambda: progress.advance(0.0))
    report = _report(tuned, goal, len(recordings)) | {"lookahead": lookahead}
    low_latency = not lookahead and detector.model.lookahead_frames > 0
    text = _text(tuned, goal, len(recordings)) + (f"\n{_LOW_LATENCY}" if low_latency else "")
    print(json.dumps(report, indent=1) if args.format == "json" else text)
    if args.plot is not None:
        from vad.evaluation.tuning.picture import draw

        with writing(args.plot) as temporary:
            draw(tuned, goal, temporary, args.plot.suffix)
    if report["out_of_reach"]:
        _say_out_of_reach(goal, report["out_of_reach"], args.output)
        return EXIT_INPUT_FAILED
    if args.output is not None:
        notes = {name: report[name] for name in ("goal", "recordings", "fitted", "held_out", "latency_ms")}
        notes |= {"lookahead": _LOW_LATENCY} if low_latency else {}
        write_point(args.output, args.model, args.name, tuned.options, notes)
    return 0 if len(recordings) == len(items) else EXIT_INPUT_FAILED


def _process_all(detector: Detector, items: list[CorpusItem]) -> list[Labelled]:
    """Every recording that can be read; of the others one line each."""
    groups = tied_by_speakers([item.speakers for item in items])
    group_of = {place: str(number) for number, group in enumerate(groups) for place in group}
    recordings: list[Labelled] = []
    with Progress(len(items)) as progress:
        for place, item in enumerate(items):
            try:
                recordings.append(Labelled(group_of[place], detector.process(item.path), item.segments))
            except (AudioError, MissingDependencyError) as error:
                progress.wipe()
                print(f"vad: {error}", file=sys.stderr)
            progress.advance(recordings[-1].detection.duration if recordings else 0.0)
    return recordings


def _say_out_of_reach(goal: Goal, reached: dict[str, float], output: Path | None) -> None:
    """A line a bound: what was asked for, what there is, what to do; and one about the file."""
    for name, figure in reached.items():
        does, decimals, remedy = _OUT_OF_REACH[name]
        nearest = math.ceil(round(figure * 10**decimals, 6)) / 10**decimals
        others = any(getattr(goal, other) is not None for other in _OUT_OF_REACH if other != name)
        loosen = "loosen the other bounds, " if others else ""
        print(
            f"vad: --{name.replace('_', '-')} {getattr(goal, name):g} is out of reach: the nearest operating point "
            f"{does.format(nearest)}. Ask for that or more, {loosen}or {remedy}.",
            file=sys.stderr,
        )
    if output is not None:
        print(f"vad: {output} was not written.", file=sys.stderr)


def _figures(outcome: Outcome) -> dict[str, Any]:
    return {
        "miss": round(outcome.miss, 5),
        "false_alarm": round(outcome.false_alarm, 5),
        "f1": round(outcome.f1, 5),
        "der": round(outcome.errors.rate, 5) if outcome.errors.speech else None,
    }


def _report(tuned: Tuned, goal: Goal, recordings: int) -> dict[str, Any]:
    options = {
        name: value for name, value in asdict(tuned.options).items() if value is None or math.isfinite(value)
    }
    return {
        "goal": {name: value for name, value in asdict(goal).items() if value not in (None, "")}
        | {"best": goal.aim},
        "recordings": recordings,
        "options": options,
        "latency_ms": round(tuned.latency_ms, 1),
        "out_of_reach": goal.out_of_reach(tuned.fitted, tuned.latency_ms),
        "fitted": _figures(tuned.fitted),
        "held_out": None if tuned.held_out is None else _figures(tuned.held_out),
        "folds": tuned.folds,
        "curve": [{"threshold": threshold, **_figures(outcome)} for threshold, outcome in tuned.curve],
    }


def _text(tuned: Tuned, goal: Goal, recordings: int) -> str:
    rows = [f"{'threshold':>12}{'miss':>9}{'false al.':>10}{'F1':>8}"]
    for threshold, outcome in tuned.curve:
        mark = "  <" if threshold == tuned.options.threshold else ""
        rows.append(
            f"{threshold:>12g}{outcome.miss:>9.2%}{outcome.false_alarm:>10.2%}{outcome.f1:>8.4f}{mark}"
        )
    rows.append("")
    rows += [f"{name} = {value:g}" for name, value in asdict(tuned.options).items() if value is not None]
    rows.append("")
    rows.append(f"{f'on these {recordings} recordings:':<26} {_words(tuned.fitted)}")
    held_out = "unknown: it takes two speakers or more" if tuned.held_out is None else _words(tuned.held_out)
    rows.append(f"{'held out:':<26} {held_out}")
    rows.append(f"{'end of speech known:':<26} {tuned.latency_ms:.0f} ms after it")
    if tuned.held_out is not None and goal.excess(tuned.held_out) > goal.excess(tuned.fitted) == 0:
        rows.append(
            "Held out, it breaks a bound: expect that figure, give more recordings, or ask for a tighter bound."
        )
    return "\n".join(rows)


def _words(outcome: Outcome) -> str:
    return f"miss {outcome.miss:.2%}, false alarm {outcome.false_alarm:.2%}, F1 {outcome.f1:.4f}"
