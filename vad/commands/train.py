"""`vad train`: trains a network on your own sound."""

import argparse
import sys
from pathlib import Path

from vad.commands.options.extras import require_extra

__all__ = ["add_arguments", "run"]

_NETWORK_OPTIONS = ("architecture", "frame_ms", "delay_frames")
_RUN_OPTIONS = (
    *("corpus", "data", "init", "base", "hours", "epochs", "patience"),
    *("batch_size", "learning_rate", "seed", "jobs"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "run_folder", metavar="RUN", type=Path,
        help="folder of the run; the same command continues a stopped run",
    )  # fmt: skip
    parser.add_argument(
        "--corpus", metavar="PATH",
        help="a manifest (.jsonl) or a folder of labelled recordings (see data/README.md; default: that of the run)",
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
    network = parser.add_argument_group("the network", "With --init, the defaults are those of its network.")
    network.add_argument(
        "--architecture", "--arch", metavar="NAME",
        help="logmel-cnn, waveform-tcn, logmel-crnn, two-branch, patch-cnn or logmel-pair (default: logmel-cnn)",
    )  # fmt: skip
    network.add_argument(
        "--frame-ms",
        type=int,
        metavar="MS",
        help="length of a frame, 20 to 100, a multiple of 10 (default: 20)",
    )
    network.add_argument(
        "--delay-frames", type=int, metavar="N", help="frames of context after the decided frame (default: 3)"
    )
    training = parser.add_argument_group("the training")
    training.add_argument(
        "--data", metavar="DIR",
        help="cache of decoded recordings and rendered scenes (default: runs/data; with --init: RUN/data)",
    )  # fmt: skip
    training.add_argument(
        "--hours", type=float, metavar="H", help="hours of scenes to render (default: 80; with --init: 4)"
    )
    training.add_argument(
        "--epochs", type=int, metavar="N",
        help="number of epochs, each of epoch_hours of audio (default: 40; with --init: 12)",
    )  # fmt: skip
    training.add_argument(
        "--patience", type=int, metavar="N",
        help="stop after N epochs without a better validation; 0 never does (default: 0; with --init: 4)",
    )  # fmt: skip
    training.add_argument(
        "--batch-size", type=int, metavar="N", help="scenes in each step (default: 16; with --init: 8)"
    )
    training.add_argument(
        "--learning-rate", type=float, metavar="RATE",
        help="peak learning rate of AdamW (default: 0.002; with --init: 0.0008)",
    )  # fmt: skip
    training.add_argument(
        "--seed", type=int, metavar="N",
        help="seed of scenes, their order, their levels, and the first weights (default: 0)",
    )  # fmt: skip
    training.add_argument(
        "--jobs", "-j", type=int, metavar="N", help="processes that decode and render (default: 2)"
    )


def run(args: argparse.Namespace) -> int:
    """Train, or continue a stopped run; stdout has the path of the best weights."""
    require_extra("train", "vad train")
    from vad.training.config import load_config, parse_setting
    from vad.training.data.corpora import read_corpora
    from vad.training.finetune import compare, comparison_text, fine_tuning_defaults
    from vad.training.fit import fit

    names = {name: name for name in _RUN_OPTIONS} | {name: f"network.{name}" for name in _NETWORK_OPTIONS}
    settings = {dotted: value for name, dotted in names.items() if (value := getattr(args, name)) is not None}
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
