"""`vad export`: write a trained network as a model file."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from vad.commands.extras import training_extra
from vad.errors import ConfigError

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("source", metavar="RUN", type=Path, help="folder of a training run, or a .keras file")
    parser.add_argument(
        "--name", required=True, help="the model's name: NAME.tflite, NAME.json and NAME.keras"
    )
    parser.add_argument(
        "--output", metavar="DIR", type=Path, default=Path(), help="where to write (default: here)"
    )
    parser.add_argument(
        "--quantize",
        choices=("none", "int8"),
        default="none",
        help="how the .tflite keeps its weights: int8 is smaller and faster (default: none)",
    )
    parser.add_argument(
        "--second",
        metavar="RUN",
        help="a smaller network, trained beside it, that is to be heard with it as one",
    )
    parser.add_argument(
        "--second-share",
        metavar="SHARE",
        type=float,
        default=0.25,
        help="what the second network counts, 0 to 1 (default: 0.25)",
    )
    parser.add_argument(
        "--prompt-share",
        metavar="SHARE",
        type=float,
        default=0.0,
        help="how much a late decision takes over from the prompt one of its frame, 0 to 1 (default: 0)",
    )
    parser.add_argument(
        "--late-offset",
        metavar="LOGITS",
        type=float,
        default=0.0,
        help="added to the logit of a late decision, so that its 0.5 lies where it serves best (default: 0)",
    )
    parser.add_argument("--metrics", metavar="JSON", type=Path, help="measured figures for the card")
    parser.add_argument(
        "--note",
        metavar="KEY=TEXT",
        action="append",
        default=[],
        help="a field for the card, such as label_origin='by ear'",
    )


def run(args: argparse.Namespace) -> int:
    """Convert, prove against Keras, then write."""
    with training_extra():
        from vad.training.config import load_config
        from vad.training.export import export
        from vad.training.provenance import describe_run, network_of, training_of, weights_of

    weights = args.source / "best.keras" if args.source.is_dir() else args.source
    notes: dict[str, Any] = {}
    if args.source.is_dir():
        notes |= describe_run(args.source, load_config(args.source / "config.json"))
    second = None if args.second is None else weights_of(args.second, "second")
    if second is not None:
        notes.setdefault("training", {})["second"] = {"share": args.second_share, **training_of(second)}
    if args.metrics is not None:
        try:
            notes["metrics"] = json.loads(args.metrics.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"metrics must be a readable JSON file. Received: {args.metrics} ({error})."
            ) from error
    for note in args.note:
        key, equals, text = note.partition("=")
        if not equals:
            raise ConfigError(f"a note must be KEY=TEXT. Received: {note!r}.")
        notes[key] = text
    path = export(
        weights,
        network_of(weights),
        args.name,
        args.output,
        quantize=args.quantize,
        second=second,
        second_share=args.second_share,
        prompt_share=args.prompt_share,
        late_offset=args.late_offset,
        notes=notes,
    )
    differences = json.loads(path.with_suffix(".json").read_text())["verification"][
        "largest_difference_from_keras"
    ]
    print(f"{path}: within {max(differences.values()):.1e} of Keras", file=sys.stderr)
    return 0
