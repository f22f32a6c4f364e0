"""`vad train`: trains a network on your own sound."""

import argparse
import sys
from pathlib import Path

from vad.commands.options.extras import require_extra

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
        "logmel-cnn, waveform-tcn, logmel-crnn, two-branch, patch-cnn, logmel-pair or interchange (default: "
        "logmel-cnn; with --init: its own)",
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
        help="fine-tune: start from an included model (default, tiny, waveform), a run's folder, a .keras or a .tflite "
        "file (default: none)",
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
    """Train, or continue a stopped run; stdout has the path of the best weights."""
    require_extra("train", "vad train")
    from vad.training.config import load_config, parse_setting
    from vad.training.data.corpora import read_corpora
    from vad.training.finetune import compare, comparison_text, fine_tuning_defaults
    from vad.training.fit import fit

    keys = {name: name for name in ("corpus", "init", "base", *_TRAINING_OPTIONS)}
    keys |= {name: f"network.{name}" for name in _NETWORK_OPTIONS}
    settings = {key: value for name, key in keys.items() if (value := getattr(args, name)) is not None}
    settings |= dict(parse_setting(text) for text in args.set)
    defaults = fine_tuning_defaults(args.init, args.run_folder) if args.init else None
    config = load_config(args.config, settings, defaults=defaults)
    corpora = read_corpora(config, lambda text: print(f"vad: note: {text}", file=sys.stderr))
    try:
        best_weights = fit(config, args.run_folder, corpora)
    except KeyboardInterrupt:
        print(f"vad: stopped. The same command continues the run in {args.run_folder}.", file=sys.stderr)
        raise
    if config.init:
        print(comparison_text(compare(config, args.run_folder, corpora)), file=sys.stderr)
    print(best_weights)
    return 0
