"""`vad export`: writes a trained network as a model file."""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from vad.commands.options.extras import require_extra
from vad.commands.options.messages import next_command
from vad.commands.options.outputs import add_overwrite_argument, check_all, refuse_existing
from vad.errors import ConfigError, require
from vad.files import require_writable
from vad.json_text import parse_json, read_json
from vad.training.weights import weights_of

__all__ = ["add_arguments", "run"]

_EXAMPLES = """\
examples:
  vad export runs/mine --name mine                 mine.tflite, .json, .keras
  vad export runs/mine --name small --quantize int8 -o models/
  vad export runs/mine --name mine --format onnx   mine.onnx, .onnx.json
  vad export runs/mine --name mine --format silero-onnx
"""

# Fields of a card that stay true for weights wherever they are copied to.
_ORIGIN_FIELDS = ("training", "data_sources", "label_origin")


# What each format writes beside one another; a saved-model is a new folder in NAME/, with the card in it.
_SUFFIXES = {
    "tflite": (".tflite", ".json", ".keras"),
    "onnx": (".onnx", ".onnx.json"),
    "silero-onnx": (".silero.onnx", ".silero-sequence.onnx", ".silero.json"),
    "saved-model": (),
}


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
    add_overwrite_argument(parser)
    parser.add_argument(
        "--format", choices=tuple(_SUFFIXES), default="tflite",
        help="onnx writes NAME.onnx for onnxruntime, silero-onnx NAME.silero.onnx for programs made for "
        "silero_vad.onnx, saved-model NAME/1/ for TensorFlow Serving (default: tflite)",
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
    if "onnx" in args.format:
        require_extra("export-onnx", f"vad export --format {args.format}")
    require_extra("train", "vad export")
    notes: dict[str, Any] = {}
    check_all(
        partial(weights_of, args.source, "RUN"),
        partial(_check_outputs, args),
        lambda: notes.update(_given_notes(args)),
    )
    weights = weights_of(args.source, "RUN")
    from vad.training.backend import require_tensorflow
    from vad.training.config import load_config
    from vad.training.provenance import describe_run, network_of

    require_tensorflow("vad export")
    card = _read_card(weights.with_suffix(".json"))
    origin: dict[str, Any] = {name: card[name] for name in _ORIGIN_FIELDS if name in card}
    if args.source.is_dir():
        config = load_config(args.source / "config.json")
        origin |= describe_run(args.source, config)
    notes = origin | notes
    network = network_of(weights)
    cards = (f"{args.name}{suffix}" for suffix in _SUFFIXES[args.format] if suffix.endswith(".json"))
    card_name = next(cards, "card.json")
    replaced = _read_card(args.output / card_name).get("tuning")
    path = _exporter(args)(weights, network, args.name, args.output, notes=notes)
    written = _read_card((path if path.is_dir() else args.output) / card_name)
    differences = written["verification"]["largest_difference_from_keras"]
    print(f"{path}: within {max(differences.values()):.1e} of Keras", file=sys.stderr)
    if replaced:
        print(
            f"{path}: the replaced card had operating points of vad tune: {', '.join(replaced)}. Tune again.",
            file=sys.stderr,
        )
    if args.format in ("tflite", "onnx") and args.source.is_dir():
        next_command("evaluate", config.corpus, "--split", "test", "--model", path)
    elif args.format in ("tflite", "onnx"):
        next_command("detect", "RECORDING", "--model", path)
    return 0


def _check_outputs(args: argparse.Namespace) -> None:
    if args.format != "tflite":
        require(args.quantize == "none", f"--format {args.format} has float weights", quantize=args.quantize)
    if not args.name or Path(args.name).name != args.name:
        raise ConfigError(
            f"--name must be a file name without a folder. Received: {args.name!r}. Use --output DIR."
        )
    require_writable(args.output)
    if not args.overwrite:
        refuse_existing(args.output / f"{args.name}{suffix}" for suffix in _SUFFIXES[args.format])


def _exporter(args: argparse.Namespace) -> Callable[..., Path]:
    if args.format == "tflite":
        from vad.training.release.export import export

        return partial(export, quantize=args.quantize)
    if args.format == "silero-onnx":
        from vad.training.release.silero import export_silero

        return export_silero
    if args.format == "onnx":
        from vad.training.release.packed import export_onnx

        return export_onnx
    from vad.training.release.packed import export_saved_model

    return export_saved_model


def _given_notes(args: argparse.Namespace) -> dict[str, Any]:
    notes: dict[str, Any] = {} if args.metrics is None else {"metrics": _read_metrics(args.metrics)}
    for note in args.note:
        key, equals, text = note.partition("=")
        if not equals:
            raise ConfigError(f"--note must be KEY=TEXT. Received: {note!r}.")
        notes[key] = text
    return notes


def _read_card(path: Path) -> dict[str, Any]:
    """Read a model card; empty if there is none, or none that can be read."""
    try:
        card = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}


def _read_metrics(path: Path) -> Any:
    return read_json(path, ConfigError, "The metrics must be a JSON file.")
