"""Operating points written: as a configuration file, or into the card of a model."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vad.detection.model import Model, find_model, model_names
from vad.detection.options import SegmentOptions
from vad.errors import ConfigError
from vad.files import writing

__all__ = ["require_same_model", "write_point"]


def write_point(
    output: Path, model: str, name: str, options: SegmentOptions, notes: Mapping[str, Any]
) -> None:
    """Write an operating point where `vad detect` finds it.

    Args:
        output: A .toml file for ``--config``; or a .tflite file, which becomes a copy of the model where it is not
            the model itself, with the operating point in its card for ``--operating-point``.
        model: A model's name, or the path of a .tflite file.
        name: What a card calls the operating point; one of that name is replaced.
        options: The operating point.
        notes: Where it comes from: kept in the card under "tuning".

    Raises:
        ConfigError: It cannot be written.
        ModelError: The model cannot be read.
    """
    values = {
        key: value for key, value in asdict(options).items() if value is not None and math.isfinite(value)
    }
    if output.suffix == ".toml":
        lines = [f"# {key}: {json.dumps(value)}" for key, value in notes.items()]
        # A name is the same everywhere; a path is to be found from other folders too.
        anywhere = json.dumps(model if model in model_names() else os.path.abspath(model), ensure_ascii=False)
        lines += [f"model = {anywhere}", *(f"{key} = {value}" for key, value in values.items())]
        with writing(output) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="backslashreplace")
        return
    card = dict(Model.load(model).card)
    card["segment_options"] = {**card["segment_options"], name: values}
    card["tuning"] = {**card.get("tuning", {}), name: dict(notes)}
    graph = find_model(model)[0]
    if not (output.exists() and output.samefile(str(graph))):
        _copy(Path(str(graph)), output)
    with writing(output.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def require_same_model(output: Path, model: str) -> None:
    """Refuse to write a model over another one: it may be all that is left of somebody's training.

    Args:
        output: Where an operating point is to be written.
        model: The name or path of the model that it is for.

    Raises:
        ConfigError: The output is another model.
        ModelError: There is no such model.
    """
    if output.suffix == ".tflite" and output.is_file():
        graph = Path(str(find_model(model)[0]))
        if output.read_bytes() != graph.read_bytes():
            raise ConfigError(
                f"output must be the model that is tuned, or a new file. Received: {output}, another model than "
                f"{model}. Did you mean --model {output}?"
            )


def _copy(graph: Path, output: Path) -> None:
    """The .tflite file and, where it is there, the weights to train on from."""
    for source, target in ((graph, output), (graph.with_suffix(".keras"), output.with_suffix(".keras"))):
        if source.is_file():
            with writing(target) as temporary:
                temporary.write_bytes(source.read_bytes())
