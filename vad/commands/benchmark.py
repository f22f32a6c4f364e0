"""`vad benchmark`: our models beside their peers, on labelled recordings under many conditions.

Exit 0: all were measured; 1: some recordings could not be read, one line each on stderr, and the figures are of the
rest. A peer that is not installed is named on stderr and left out.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vad.commands.options.extras import benchmark_extra
from vad.commands.options.progress import Progress
from vad.corpus.folders import SPLITS
from vad.corpus.manifest import CorpusItem, read_corpus
from vad.detection.detector import Detector
from vad.detection.model import model_names
from vad.errors import AudioError, ConfigError, MissingDependencyError
from vad.files import make_folder, writing

if TYPE_CHECKING:
    from vad.evaluation.benchmark.conditions import Condition, LoadedRecording
    from vad.evaluation.benchmark.systems import System

__all__ = ["add_arguments", "run"]

_PEERS = ("silero", "ten", "webrtc", "energy")
_NAME = "benchmark"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "labelled", metavar="PATH", help="manifest (.jsonl) or folder, as data/README.md describes"
    )
    parser.add_argument("--split", choices=("all", *SPLITS), default="all", help="of PATH; default: all")
    parser.add_argument(
        "--models",
        nargs="+",
        metavar="NAME|PATH",
        help="the others are held against the first; default: all that ship",
    )
    parser.add_argument(
        "--onsets",
        action="store_true",
        help="measure live streams instead: how soon a start is reported, false starts, and cost",
    )
    parser.add_argument("--peers", nargs="*", choices=_PEERS, default=_PEERS, help="default: all")
    parser.add_argument(
        "--corpus",
        metavar="PATH",
        help="whose dev split gives real noise, music behind, and non-speech by class (default: none)",
    )
    parser.add_argument(
        "--conditions",
        nargs="+",
        metavar="NAME",
        help='such as "pink 5 dB" room; clean is always there; default: all',
    )
    parser.add_argument(
        "--most-per-class",
        type=int,
        metavar="N",
        help="recordings of non-speech, also of what noise and music are drawn from; default: no limit",
    )
    parser.add_argument("--draws", type=int, default=1000, help="for the intervals; default: 1000")
    parser.add_argument("--seed", type=int, default=0, help="decides conditions and intervals; default: 0")
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        help="for benchmark.md, .json and .png, and to go on after a stop; with --onsets for onsets.md "
        "(default: not written)",
    )


def run(args: argparse.Namespace) -> int:
    """Measure; the exit code is in the module's docstring.

    Raises:
        LabelError: A corpus is none, or a label file breaks its rules.
        ConfigError: An option is out of its range, or nothing is left to measure.
        ModelError: There is no such model, or it is damaged.
        MissingDependencyError: scipy or matplotlib is not installed.
    """
    if args.onsets:
        return _measure_onsets(args)
    with benchmark_extra():
        from vad.evaluation.benchmark.picture import draw
        from vad.evaluation.benchmark.run import benchmark
        from vad.evaluation.benchmark.tables import to_json, to_markdown
    for name, least in (("seed", 0), ("draws", 1), ("most_per_class", 1)):
        value = getattr(args, name)
        if value is not None and value < least:
            raise ConfigError(f"{name} must be {least} or more. Received: {name}={value}.")
    systems = _open_systems(args.models or model_names(), args.peers)
    items = _choose_items(args)
    labelled, sounds, failures = _read(items)
    conditions = _choose_conditions(args.conditions, sounds)
    n_sounds = sum(map(len, sounds.values()))
    with Progress(len(systems) * (len(labelled) * len(conditions) + n_sounds)) as progress:
        results = benchmark(
            systems,
            labelled,
            conditions,
            sounds,
            seed=args.seed,
            n_draws=args.draws,
            store=None if args.output is None else args.output / "heard",
            advance=progress.advance,
        )
    if args.output is not None:
        for ending, text in ((".md", to_markdown(results)), (".json", to_json(results))):
            with writing(args.output / f"{_NAME}{ending}") as temporary:
                temporary.write_text(text, encoding="utf-8")
        with writing(args.output / f"{_NAME}.png") as temporary:
            draw(results, temporary)
    print(to_markdown(results), end="")
    return 1 if failures else 0


def _measure_onsets(args: argparse.Namespace) -> int:
    """Process every recording as a live stream, model by model, and print the table."""
    with benchmark_extra():
        from vad.evaluation.benchmark.onsets import onset_table, run_stream
    items = _labelled(args)
    runs, unreadable = [], set()
    for name in args.models or model_names():
        detector, of_model = Detector(name), []
        with Progress(len(items)) as progress:
            for item in items:
                try:
                    of_model.append(run_stream(detector, item))
                    progress.advance(of_model[-1].duration)
                except AudioError as error:
                    if item.path not in unreadable:
                        progress.wipe()
                        print(f"vad: {error}", file=sys.stderr)
                    unreadable.add(item.path)
        runs.append((name, detector, of_model))
    if len(unreadable) == len(items):
        raise ConfigError(
            f"no recording of {args.labelled} can be measured. Check --split and the lines above."
        )
    text = onset_table(runs) + "\n"
    if args.output is not None:
        make_folder(args.output)
        with writing(args.output / "onsets.md") as temporary:
            temporary.write_text(text, encoding="utf-8")
    print(text, end="")
    return 1 if unreadable else 0


def _labelled(args: argparse.Namespace) -> list[CorpusItem]:
    return [item for item in read_corpus(args.labelled) if args.split in ("all", item.split)]


def _open_systems(models: Sequence[str], peers: Sequence[str]) -> "list[System]":
    """Our models, then the peers that are installed; of the others one line each."""
    from vad.evaluation.benchmark.systems import PEERS, model_systems

    twice = {model for model in models if models.count(model) > 1}
    if twice:
        raise ConfigError(f"models must be different ones. Received: {', '.join(sorted(twice))} twice.")
    systems = [system for model in models for system in model_systems(model)]
    for peer in dict.fromkeys(peers):
        try:
            systems.append(PEERS[peer]())
        except MissingDependencyError as error:
            print(f"vad: {error}", file=sys.stderr)
    return systems


def _choose_items(args: argparse.Namespace) -> list[CorpusItem]:
    """Labelled speech, and the corpus' non-speech."""
    from vad.evaluation.benchmark.material import few_of_each_class

    speech = [item for item in _labelled(args) if item.kind == "speech"]
    if args.corpus is None:
        print("vad: without --corpus there is no real noise, no music and no non-speech.", file=sys.stderr)
        return speech
    quiet = [item for item in read_corpus(args.corpus) if item.split == "dev"]
    return speech + few_of_each_class(quiet, args.most_per_class, args.seed)


def _read(
    items: Sequence[CorpusItem],
) -> "tuple[list[LoadedRecording], dict[str, list[LoadedRecording]], int]":
    """Labelled speech, non-speech by class, and the number of unreadable recordings, each with a line on stderr."""
    from vad.evaluation.benchmark.material import load_recordings

    failures = 0
    with Progress(len(items)) as progress:

        def failed(error: Exception) -> None:
            nonlocal failures
            failures += 1
            progress.wipe()
            print(f"vad: {error}", file=sys.stderr)

        labelled, sounds = load_recordings(items, failed, progress.advance)
    return labelled, sounds, failures


def _choose_conditions(
    names: Sequence[str] | None, sounds: "dict[str, list[LoadedRecording]]"
) -> "list[Condition]":
    """All there are, or clean and the named ones."""
    from vad.evaluation.benchmark.conditions import CLEAN, make_conditions

    known = {condition.name: condition for condition in make_conditions(sounds)}
    for name in names or ():
        if name not in known:
            raise ConfigError(
                f"a condition must be one of {', '.join(known)} (noise and music need --corpus). Received: {name}."
            )
    return (
        list(known.values()) if names is None else [known[name] for name in known if name in {CLEAN, *names}]
    )
