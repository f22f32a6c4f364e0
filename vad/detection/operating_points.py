"""Write an operating point: to a configuration file, or into the card of a model."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vad.detection.card import card_path
from vad.detection.model import Model
from vad.detection.model_files import find_model, model_names
from vad.detection.options import SegmentOptions
from vad.errors import ConfigError
from vad.files import writing

__all__ = ["require_same_model", "write_point"]


def write_point(
    output: Path, model: str, name: str, options: SegmentOptions, notes: Mapping[str, Any]
) -> None:
    """Write an operating point for `vad detect`.

    Args:
        output: A .toml file for ``--config``, or a .tflite or .onnx file, whose card gets the operating point for
            ``--operating-point``. A file other than the model becomes a copy of it.
        model: The name of a model, or the path of its file.
        name: Name of the operating point in the card. It replaces one of the same name.
        options: The operating point.
        notes: Where it comes from; kept in the card under "tuning".

    Raises:
        ConfigError: It cannot be written.
        ModelError: The model cannot be read.
    """
    values = {
        key: value for key, value in asdict(options).items() if value is not None and math.isfinite(value)
    }
    if output.suffix == ".toml":
        lines = [f"# {key}: {json.dumps(value)}" for key, value in notes.items()]
        place = model if model in model_names() else os.path.abspath(model)  # valid in other folders too
        lines += [f"model = {json.dumps(place, ensure_ascii=False)}"]
        lines += [f"{key} = {value}" for key, value in values.items()]
        with writing(output) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="backslashreplace")
        return
    card = dict(Model.load(model).card)
    card["segment_options"] = {**card["segment_options"], name: values}
    card["tuning"] = {**card.get("tuning", {}), name: dict(notes)}
    graph = find_model(model)
    if not (output.exists() and output.samefile(graph)):
        for ending in (graph.suffix, ".keras"):  # the network, and the weights that training starts from
            if graph.with_suffix(ending).is_file():
                with writing(output.with_suffix(ending)) as temporary:
                    temporary.write_bytes(graph.with_suffix(ending).read_bytes())
    with writing(card_path(output)) as temporary:
        temporary.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def require_same_model(output: Path, model: str) -> None:
    """Refuse to replace another model, which may be the only copy of a training, and a copy of another format.

    Args:
        output: Where an operating point is to be written.
        model: The name or path of its model.

    Raises:
        ConfigError: The output is another model, or has the suffix of another format.
        ModelError: There is no such model.
    """
    graph = find_model(model)
    if output.suffix not in (".toml", graph.suffix):
        raise ConfigError(
            f"output must be a .toml file, or {graph.suffix} like the model {model}. Received: {output}."
        )
    if output.suffix != ".toml" and output.is_file() and output.read_bytes() != graph.read_bytes():
        raise ConfigError(
            f"output must be the tuned model or a new file. Received: {output}, another model than {model}. "
            f"Did you mean --model {output}?"
        )
