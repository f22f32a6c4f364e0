"""`vad export`: writes a trained network as a model file."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from vad.commands.options.extras import require_extra
from vad.errors import ConfigError

__all__ = ["add_arguments", "run"]

_EXAMPLES = """\
examples:
  vad export runs/mine --name mine                 mine.tflite, .json, .keras
  vad export runs/mine --name small --quantize int8 -o models/
"""

# Fields of a card that stay true for weights wherever they are copied to.
_ORIGIN_FIELDS = ("prompt_share", "late_offset", "training", "data_sources", "label_origin")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "source", metavar="RUN", type=Path,
        help="a training run's folder, a .keras or .tflite file, or a model's name",
    )  # fmt: skip
    parser.add_argument(
        "--name", required=True, help="name of the model: writes NAME.tflite, NAME.json and NAME.keras"
    )
    parser.add_argument(
        "--output", "-o", metavar="DIR", type=Path, default=Path(), help="folder of the model (default: .)"
    )
    parser.add_argument(
        "--format", choices=("tflite", "silero-onnx"), default="tflite",
        help="silero-onnx writes NAME.silero.onnx, which programs made for silero_vad.onnx load (default: tflite)",
    )  # fmt: skip
    parser.add_argument(
        "--quantize", choices=("none", "int8"), default="none",
        help="precision of the weights: int8 is smaller and faster (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--metrics", metavar="JSON", type=Path, help="a file of measured figures for the card (default: none)"
    )
    parser.add_argument(
        "--note", metavar="KEY=TEXT", action="append", default=[],
        help="a field for the card, such as label_origin='by ear'; can be repeated (default: none)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Convert the network, compare it with Keras, and write it.

    Raises:
        ConfigError: An option is wrong, or the model cannot be written.
        ModelError: There is no such network, or the converted one differs from it.
    """
    require_extra("train", "vad export")
    from vad.training.config import load_config
    from vad.training.provenance import describe_run, network_of, weights_of
    from vad.training.release.export import export

    if args.format == "silero-onnx":
        require_extra("onnx", "vad export --format silero-onnx")
        if args.quantize != "none":
            raise ConfigError(
                f"--format silero-onnx has float weights. Received: --quantize {args.quantize}."
            )
    if not args.name or Path(args.name).name != args.name:
        raise ConfigError(
            f"--name must be a file name without a folder. Received: {args.name!r}. Use --output DIR."
        )
    weights = weights_of(args.source, "RUN")
    card = _read_card(weights.with_suffix(".json"))
    notes: dict[str, Any] = {name: card[name] for name in _ORIGIN_FIELDS if name in card}
    if args.source.is_dir():
        notes |= describe_run(args.source, load_config(args.source / "config.json"))
    if args.metrics is not None:
        notes["metrics"] = _read_metrics(args.metrics)
    for note in args.note:
        key, equals, text = note.partition("=")
        if not equals:
            raise ConfigError(f"--note must be KEY=TEXT. Received: {note!r}.")
        notes[key] = text
    network = network_of(weights)
    if args.format == "silero-onnx":
        from vad.training.release.silero import export_silero

        replaced = None
        path = export_silero(weights, network, args.name, args.output, notes=notes)
    else:
        replaced = _read_card(args.output / f"{args.name}.json").get("tuning")
        path = export(weights, network, args.name, args.output, quantize=args.quantize, notes=notes)
    differences = _read_card(path.with_suffix(".json"))["verification"]["largest_difference_from_keras"]
    print(f"{path}: within {max(differences.values()):.1e} of Keras", file=sys.stderr)
    if replaced:
        print(
            f"{path}: the replaced card had operating points of vad tune: {', '.join(replaced)}. Tune again.",
            file=sys.stderr,
        )
    return 0


def _read_card(path: Path) -> dict[str, Any]:
    """Read a model card; empty if there is none, or none that can be read."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}


def _read_metrics(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"cannot read the metrics {path}: {reason}. It must be a JSON file.") from error
