"""`vad export`: write a trained network as a model file."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from vad.commands.options.extras import training_extra
from vad.errors import ConfigError

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "source",
        metavar="RUN",
        type=Path,
        help="folder of a training run, a .keras or .tflite file, or a model's name",
    )
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
        "--metrics", metavar="JSON", type=Path, help="measured figures for the card (default: none)"
    )
    parser.add_argument(
        "--note",
        metavar="KEY=TEXT",
        action="append",
        default=[],
        help="a field for the card, such as label_origin='by ear' (default: none)",
    )


def _require_name(name: str) -> None:
    if not name or Path(name).name != name:
        raise ConfigError(
            f"name must be that of a file, without a folder. Received: name={name!r}. Give --output DIR."
        )


def _origin(weights: Path) -> dict[str, Any]:
    """What the card beside released weights says of where they come from: it is true of them wherever they go."""
    path = weights.with_suffix(".json")
    card = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    kept = ("prompt_share", "late_offset", "training", "data_sources", "label_origin")
    return {name: card[name] for name in kept if name in card}


def _tuned_points(card: Path) -> str:
    """The operating points tuned for the model that is about to be replaced; none where its card cannot be read."""
    try:
        return ", ".join(json.loads(card.read_text(encoding="utf-8"))["tuning"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def _metrics(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"metrics must be a readable JSON file. Received: {path} ({error}).") from error


def run(args: argparse.Namespace) -> int:
    """Convert, prove against Keras, then write."""
    with training_extra():
        from vad.training.config import load_config
        from vad.training.provenance import describe_run, network_of, weights_of
        from vad.training.release.export import export

    _require_name(args.name)
    weights = weights_of(args.source, "RUN")
    notes: dict[str, Any] = _origin(weights)
    if args.source.is_dir():
        notes |= describe_run(args.source, load_config(args.source / "config.json"))
    if args.metrics is not None:
        notes["metrics"] = _metrics(args.metrics)
    for note in args.note:
        key, equals, text = note.partition("=")
        if not equals:
            raise ConfigError(f"a note must be KEY=TEXT. Received: {note!r}.")
        notes[key] = text
    tuned = _tuned_points(args.output / f"{args.name}.json")
    path = export(
        weights,
        network_of(weights),
        args.name,
        args.output,
        quantize=args.quantize,
        notes=notes,
    )
    differences = json.loads(path.with_suffix(".json").read_text())["verification"][
        "largest_difference_from_keras"
    ]
    print(f"{path}: within {max(differences.values()):.1e} of Keras", file=sys.stderr)
    if tuned:
        print(f"{path}: the card before had {tuned} from vad tune: tune again", file=sys.stderr)
    return 0
