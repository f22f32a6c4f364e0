"""`vad benchmark`: compares models with other detectors, on labelled recordings under many conditions.

Exit 0: all recordings were measured; 1: some could not be read. Each costs a line on stderr, and no figure has it. A
detector that is not installed costs a line on stderr too.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vad.commands.options.extras import require_extra
from vad.commands.options.labelled import add_corpus_arguments, labelled_recordings, measure_all
from vad.commands.options.outputs import add_overwrite_argument, check_all, refuse_existing
from vad.commands.options.progress import Progress
from vad.corpus.manifest import CorpusItem, read_corpus, require_corpus
from vad.detection.detector import Detector
from vad.detection.model_files import find_model, model_names
from vad.errors import EXIT_INPUT_FAILED, ConfigError, MissingDependencyError, require
from vad.files import make_folder, write_text, writing

if TYPE_CHECKING:
    from vad.evaluation.benchmark.conditions import Condition, LoadedRecording
    from vad.evaluation.benchmark.systems import System

__all__ = ["add_arguments", "run"]

_EXAMPLES = """\
examples:
  vad benchmark test_set/ --models default mine.tflite -o comparison/
  vad benchmark test_set/ --onsets                 live streams: latency
  vad benchmark test_set/ --speed                  stages, start-up, memory
"""

_STORE = "heard"  # the folder of results so far
_SLOW = ("firered-stream",)
_OTHER_DETECTORS = ("silero", "ten", "webrtc", "firered", "energy")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = _EXAMPLES
    add_corpus_arguments(parser)
    parser.add_argument(
        "--models", nargs="+", metavar="NAME|PATH",
        help="the models; the first is the one that the others are compared with (default: all included models)",
    )  # fmt: skip
    parser.add_argument(
        "--peers", nargs="*", choices=_OTHER_DETECTORS + _SLOW, default=_OTHER_DETECTORS, metavar="NAME",
        help=f"other detectors: {', '.join(_OTHER_DETECTORS + _SLOW)} (default: all but the last, which is slow)",
    )  # fmt: skip
    parser.add_argument(
        "--onsets", action="store_true",
        help="measure models on live streams instead: how soon they report a start, false starts, and CPU time",
    )  # fmt: skip
    parser.add_argument(
        "--speed", action="store_true",
        help="measure speed instead: stages of detect, start-up, time of a hop, memory and size, beside the peers",
    )  # fmt: skip
    parser.add_argument(
        "--corpus", metavar="PATH", dest="noise_corpus",
        help="another manifest or folder: its dev split has the noise, the music and the non-speech (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--conditions", nargs="+", metavar="NAME",
        help='such as "pink 5 dB" and room; clean is always included (default: all)',
    )  # fmt: skip
    parser.add_argument(
        "--most-per-class", type=int, metavar="N",
        help="at most N non-speech recordings of each class of sound (default: no limit)",
    )  # fmt: skip
    parser.add_argument(
        "--draws", type=int, metavar="N", default=1000,
        help="bootstrap draws for the confidence intervals (default: 1000)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=int, metavar="N", default=0, help="seed of conditions and intervals (default: 0)"
    )
    parser.add_argument(
        "--output", "-o", metavar="DIR", type=Path,
        help="write benchmark.md, .json and .png, or onsets.md or speed.md; the same command continues a stopped "
        "benchmark (default: not written)",
    )  # fmt: skip
    add_overwrite_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Measure; the exit code is in the module's docstring.

    Raises:
        LabelError: There is no such corpus, or a label file breaks the rules of its format.
        ConfigError: An option is out of its range, or no recordings are left.
        ModelError: There is no such model, or it is damaged.
        MissingDependencyError: scipy or matplotlib is not installed.
    """
    require_extra("bench", "vad benchmark")
    for name, least in (("seed", 0), ("draws", 1), ("most_per_class", 1)):
        value = getattr(args, name)
        require(value is None or value >= least, f"{name} must be at least {least}", **{name: value})
    models = args.models or model_names()
    if repeated := {model for model in models if models.count(model) > 1}:
        raise ConfigError(f"--models has {', '.join(sorted(repeated))} twice. Give each model once.")
    check_all(
        *(partial(find_model, model) for model in models),
        *(partial(require_corpus, path) for path in (args.corpus, args.noise_corpus) if path is not None),
        partial(_check_outputs, args),
    )
    if args.speed:
        return _measure_speed(args, models)
    return _measure_onsets(args, models) if args.onsets else _measure_conditions(args, models)


def _check_outputs(args: argparse.Namespace) -> None:
    if args.output is None:
        return
    is_continued = (args.output / _STORE).is_dir() and not args.onsets and not args.speed
    if not args.overwrite and not is_continued:
        names = ("onsets.md",) if args.onsets else ("benchmark.md", "benchmark.json", "benchmark.png")
        if args.speed:
            names = ("speed.md",)
        refuse_existing(args.output / name for name in names)
    make_folder(args.output)


def _measure_conditions(args: argparse.Namespace, models: Sequence[str]) -> int:
    from vad.evaluation.benchmark.material import load_recordings
    from vad.evaluation.benchmark.picture import draw
    from vad.evaluation.benchmark.run import benchmark
    from vad.evaluation.benchmark.tables import to_json, to_markdown

    systems = _open_systems(models, args.peers)
    items = _choose_items(args)
    with Progress(len(items)) as progress:
        labelled, sounds = load_recordings(items, progress.report, progress.advance)
    n_sounds = sum(map(len, sounds.values()))
    conditions = _choose_conditions(args.conditions, sounds)
    with Progress(len(systems) * (len(labelled) * len(conditions) + n_sounds)) as progress:
        results = benchmark(
            systems,
            labelled,
            conditions,
            sounds,
            seed=args.seed,
            n_draws=args.draws,
            store=None if args.output is None else args.output / _STORE,
            advance=progress.advance,
        )
    if args.output is not None:
        write_text(args.output / "benchmark.md", to_markdown(results))
        write_text(args.output / "benchmark.json", to_json(results))
        with writing(args.output / "benchmark.png") as temporary:
            draw(results, temporary)
    print(to_markdown(results), end="")
    return 0 if len(labelled) + n_sounds == len(items) else EXIT_INPUT_FAILED


def _measure_onsets(args: argparse.Namespace, models: Sequence[str]) -> int:
    """Process every recording as a live stream, with one model after the other, and print the table."""
    from vad.evaluation.benchmark.onsets import onset_table, run_stream

    items = readable = labelled_recordings(args)
    runs = []
    for name in models:
        detector = Detector(name)
        measured = measure_all(readable, partial(run_stream, detector))
        readable = [item for item, _ in measured]
        runs.append((name, detector, [stream_run for _, stream_run in measured]))
    if not readable:
        raise ConfigError(
            f"no recording of {args.corpus} can be measured. Check --split and the lines above."
        )
    text = onset_table(runs) + "\n"
    if args.output is not None:
        write_text(args.output / "onsets.md", text)
    print(text, end="")
    return 0 if len(readable) == len(items) else EXIT_INPUT_FAILED


def _measure_speed(args: argparse.Namespace, models: Sequence[str]) -> int:
    """Measure the stages of `vad detect` on the recordings, then every system on the first minute of the first one."""
    from vad.audio.acoustics import SAMPLE_RATE
    from vad.audio.reading import read_audio
    from vad.evaluation.benchmark.run import SPEED_SECONDS
    from vad.evaluation.benchmark.speed import measure_systems, stage_table, system_table

    paths = [item.path for item in labelled_recordings(args)]
    peers = [peer for peer in dict.fromkeys(args.peers) if _open_systems((), [peer])]
    stages = stage_table({name: Detector(name) for name in models}, paths)
    samples = read_audio(paths[0], sample_rate=SAMPLE_RATE)[: SPEED_SECONDS * SAMPLE_RATE]
    text = f"{stages}\n\n{system_table(measure_systems(models, peers, samples))}\n"
    if args.output is not None:
        write_text(args.output / "speed.md", text)
    print(text, end="")
    return 0


def _open_systems(models: Sequence[str], peers: Sequence[str]) -> "list[System]":
    """Load the models and the installed detectors; print one line for each other detector."""
    from vad.evaluation.benchmark.systems import PEERS, model_systems

    systems = [system for model in models for system in model_systems(model)]
    for peer in dict.fromkeys(peers):
        try:
            systems.append(PEERS[peer]())
        except MissingDependencyError as error:
            print(f"vad: {error}", file=sys.stderr)
    return systems


def _choose_items(args: argparse.Namespace) -> list[CorpusItem]:
    """Choose the labelled speech, and the non-speech of the other corpus."""
    from vad.evaluation.benchmark.material import few_of_each_class

    speech = [item for item in labelled_recordings(args) if item.kind == "speech"]
    if args.noise_corpus is None:
        print("vad: note: without --corpus there is no real noise, music or non-speech.", file=sys.stderr)
        return speech
    others = [item for item in read_corpus(args.noise_corpus) if item.split == "dev"]
    return speech + few_of_each_class(others, args.most_per_class, args.seed)


def _choose_conditions(
    names: Sequence[str] | None, sounds: "dict[str, list[LoadedRecording]]"
) -> "list[Condition]":
    """Choose all conditions, or clean and the named ones."""
    from vad.evaluation.benchmark.conditions import CLEAN, make_conditions

    known = {condition.name: condition for condition in make_conditions(sounds)}
    for name in names or ():
        if name not in known:
            raise ConfigError(
                f"a condition must be one of {', '.join(known)} (noise and music need --corpus). Received: {name}."
            )
    chosen = known if names is None else {CLEAN, *names}
    return [condition for name, condition in known.items() if name in chosen]
