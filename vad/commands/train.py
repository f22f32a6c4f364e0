"""`vad train`: train a network on your own sound."""

import argparse
import sys
from pathlib import Path

from vad.commands.options.extras import training_extra

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "run_folder", metavar="RUN", type=Path, help="folder of the run; a stopped run goes on in it"
    )
    parser.add_argument(
        "--corpus",
        metavar="PATH",
        help="manifest (.jsonl) or folder, as data/README.md describes (default: that of the run)",
    )
    parser.add_argument(
        "--config",
        metavar="TOML",
        type=Path,
        help="options in a file, such as models/default.toml (default: none)",
    )
    parser.add_argument(
        "--architecture",
        "--arch",
        help="logmel-cnn, waveform-tcn, logmel-crnn, two-branch, patch-cnn or logmel-pair "
        "(default: logmel-cnn; with --init: its own)",
    )
    parser.add_argument(
        "--frame-ms",
        type=int,
        help="length of a frame, 20 to 100, a multiple of 10 (default: 20; with --init: its own)",
    )
    parser.add_argument(
        "--delay-frames",
        type=int,
        help="frames heard past the one spoken of (default: 3; with --init: its own)",
    )
    parser.add_argument(
        "--data",
        metavar="DIR",
        help="where the decoded corpus and the rendered scenes are kept (default: runs/data; with --init: RUN/data)",
    )
    parser.add_argument("--hours", type=float, help="hours of scenes to render (default: 80; with --init: 4)")
    parser.add_argument(
        "--epochs",
        type=int,
        help="how often to go through epoch_hours of them (default: 40; with --init: 12)",
    )
    parser.add_argument("--batch-size", type=int, help="scenes a step (default: 16; with --init: 8)")
    parser.add_argument(
        "--learning-rate", type=float, help="the highest rate of AdamW (default: 0.002; with --init: 0.0008)"
    )
    parser.add_argument(
        "--seed", type=int, help="decides scenes, order, levels and first weights (default: 0)"
    )
    parser.add_argument("--jobs", type=int, help="processes that decode and render (default: 2)")
    parser.add_argument(
        "--init", metavar="NAME|PATH",
        help="fine-tune: start from a model that comes with vad (default, tiny, waveform), a run's folder, a .keras or "
        ".tflite file (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--base", metavar="PATH", help="another corpus, mixed in so that nothing is forgotten (default: none)"
    )
    parser.add_argument(
        "--patience",
        type=int,
        help="epochs without a better validation after which it ends, 0 for never (default: 0; with --init: 4)",
    )
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="any other option, such as mixing.noise=0.9 or network.channels=64 (default: none)",
    )


_NETWORK = ("architecture", "frame_ms", "delay_frames")
_RUN = (
    *("corpus", "data", "init", "base", "hours", "epochs", "patience"),
    *("batch_size", "learning_rate", "seed", "jobs"),
)


def run(args: argparse.Namespace) -> int:
    """Train, or go on with a stopped run."""
    with training_extra():
        from vad.training.config import load_config, parse_setting
        from vad.training.data.corpora import read_corpora
        from vad.training.finetune import compare, comparison_text, fine_tuning_defaults
        from vad.training.fit import fit

    flags = {name: name for name in _RUN} | {name: f"network.{name}" for name in _NETWORK}
    settings = {
        dotted: getattr(args, name) for name, dotted in flags.items() if getattr(args, name) is not None
    }
    settings |= dict(parse_setting(text) for text in args.set)
    defaults = fine_tuning_defaults(args.init, args.run_folder) if args.init else None
    config = load_config(args.config, settings, defaults=defaults)
    corpora = read_corpora(config, lambda text: print(f"vad: note: {text}", file=sys.stderr))
    try:
        best = fit(config, args.run_folder, corpora)
    except KeyboardInterrupt:
        print(f"stopped: the same command goes on in {args.run_folder}", file=sys.stderr)
        raise
    if config.init:
        print(comparison_text(compare(config, args.run_folder, corpora)), file=sys.stderr)
    print(best)
    return 0
