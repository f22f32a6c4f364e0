"""`vad train`: trains a network on your own sound."""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vad.commands.options.extras import require_extra
from vad.commands.options.messages import close_with, next_command, silenced
from vad.commands.options.outputs import check_all
from vad.errors import ConfigError
from vad.files import require_writable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vad.training.data.corpora import Corpora

__all__ = ["add_arguments", "run"]

_EXAMPLES = """\
examples:
  vad train runs/mine --init default --corpus mine.jsonl   fine-tune
  vad train runs/new --corpus mine.jsonl --epochs 20       from scratch
"""

# Type, metavar and help of options that the configuration has too.
_NETWORK_OPTIONS = {
    "architecture": (
        str, "NAME",
        "logmel-cnn, waveform-tcn, logmel-crnn, two-branch, patch-cnn or interchange (default: logmel-cnn; "
        "with --init: its own)",
    ),
    "frame_ms": (
        int, "MS",
        "length of a frame, 20 to 100, a multiple of 10, or of 32 for interchange (default: 20; with --init: its own)",
    ),
    "delay_frames": (int, "N", "frames that the output waits after its own (default: 3; with --init: its own)"),
}  # fmt: skip
_TRAINING_OPTIONS = {
    "data": (
        str, "DIR", "cache of decoded recordings and rendered scenes (default: runs/data; with --init: RUN/data)"
    ),
    "hours": (float, "H", "hours of scenes to render (default: 80; with --init: 4)"),
    "epochs": (int, "N", "number of epochs, each of epoch_hours of audio (default: 40; with --init: 12)"),
    "patience": (
        int, "N", "stop after N epochs without a better validation; 0 never does (default: 0; with --init: 4)"
    ),
    "batch_size": (int, "N", "scenes in each step (default: 16; with --init: 8)"),
    "learning_rate": (float, "RATE", "peak learning rate of AdamW (default: 0.002; with --init: 0.0008)"),
    "seed": (int, "N", "seed of scenes, their order, their levels, and the first weights (default: 0)"),
    "jobs": (int, "N", "processes that decode and render (default: 2)"),
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "run_folder", metavar="RUN", type=Path,
        help="folder of the run; the same command continues a stopped run",
    )  # fmt: skip
    parser.add_argument(
        "--corpus", metavar="PATH",
        help="a manifest (.jsonl) or a folder of labelled recordings (see data/README.md; default: that of --config)",
    )  # fmt: skip
    parser.add_argument(
        "--init", metavar="NAME|PATH",
        help="fine-tune: start from an included model (default, tiny, waveform, interchange), a run's folder, a .keras "
        "or a .tflite file (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--base", metavar="PATH",
        help="another corpus to mix in, so that the network keeps what it knows (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--config",
        metavar="TOML",
        type=Path,
        help="a file of options, such as models/default.toml (default: none)",
    )
    parser.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[],
        help="any other option, such as mixing.noise=0.9 or network.channels=64; can be repeated (default: none)",
    )  # fmt: skip
    network = parser.add_argument_group("the network")
    training = parser.add_argument_group("the training")
    for group, options in ((network, _NETWORK_OPTIONS), (training, _TRAINING_OPTIONS)):
        for name, (kind, metavar, purpose) in options.items():
            names = [f"--{name.replace('_', '-')}", *(["--arch"] if name == "architecture" else [])]
            group.add_argument(*names, type=kind, metavar=metavar, help=purpose)


def run(args: argparse.Namespace) -> int:
    """Train, or continue a stopped run; stdout has the path of the best weights.

    Raises:
        ConfigError: An option is wrong, or the folder of the run holds other things, or cannot be written.
        LabelError: There is no such corpus, or it breaks its rules.
        ModelError: There are no such weights.
    """
    require_extra("train", "vad train")
    settings = _settings(args)
    corpora = _read_inputs(args, settings)
    from vad.training.config import load_config
    from vad.training.finetune import compare, comparison_text, fine_tuning_defaults
    from vad.training.fit import fit
    from vad.training.history import history_text, read_rows
    from vad.training.workers import join_workers

    defaults = fine_tuning_defaults(args.init, args.run_folder) if args.init else None
    config = load_config(args.config, settings, defaults=defaults)
    try:
        with silenced():
            best_weights = fit(config, args.run_folder, corpora)
    except (KeyboardInterrupt, SystemExit):  # the latter by SIGTERM
        print(f"vad: stopped. The same command continues the run in {args.run_folder}.", file=sys.stderr)
        raise
    if not join_workers().is_chief:
        return 0
    if config.init:
        result = compare(config, args.run_folder, corpora)
        close_with(comparison_text(result))
    close_with(history_text(read_rows(args.run_folder / "history.csv")))
    print(best_weights)
    next_command("export", args.run_folder, "--name", args.run_folder.resolve().name)
    return 0


def _settings(args: argparse.Namespace) -> dict[str, Any]:
    """The options of the command line, by their names in the configuration."""
    from vad.training.options import parse_setting

    keys = {name: name for name in ("corpus", "init", "base", *_TRAINING_OPTIONS)}
    keys |= {name: f"network.{name}" for name in _NETWORK_OPTIONS}
    settings = {key: value for name, key in keys.items() if (value := getattr(args, name)) is not None}
    return settings | dict(parse_setting(text) for text in args.set)


def _read_inputs(args: argparse.Namespace, settings: "Mapping[str, Any]") -> "Corpora":
    """Check all paths, and read the corpora, before TensorFlow is loaded, which takes many seconds."""
    from vad.corpus.manifest import require_corpus
    from vad.training.data.corpora import read_corpora, require_splits
    from vad.training.options import read_options
    from vad.training.weights import weights_of

    run: Path = args.run_folder
    options = {} if args.config is None else read_options(args.config)
    weights = ("init", "warm_start", "teacher")
    named = dict.fromkeys(("corpus", "base", "data", *weights), "") | {**options, **settings}
    paths = argparse.Namespace(**{name: str(value) for name, value in named.items()})
    check_all(
        partial(_check_run_folder, run),
        *(partial(require_corpus, path) for path in (paths.corpus, paths.base) if path),
        *(partial(weights_of, named[name], name) for name in weights if named[name]),
    )
    corpora = read_corpora(paths, lambda text: print(f"vad: note: {text}", file=sys.stderr))
    require_splits(paths.corpus, corpora[Path(paths.corpus)])
    return corpora


def _check_run_folder(run: Path) -> None:
    """Refuse a folder of other things, such as recordings: a run would replace files, and lie among them."""
    from vad.training.options import read_options

    require_writable(run)
    config = run / "config.json"
    if not run.is_dir() or (config.is_file() and "network" in read_options(config)):
        return
    # A run that was stopped early has only its cache. A configuration may lie in the folder.
    others = sorted(
        one.name
        for one in run.iterdir()
        if one.name != "data" and one.suffix != ".toml" and one.name[0] != "."
    )
    if others:
        named = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
        raise ConfigError(f"{run} is not the folder of a run: it holds {named}. Give RUN a new folder.")
