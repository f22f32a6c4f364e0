"""The files of models: those of the package by their names, others by their paths, each with its card beside it."""

import importlib.util
import logging
import os
from pathlib import Path
from typing import Any

from vad.detection.card import card_path
from vad.errors import ModelError, did_you_mean, shown
from vad.json_text import parse_json

__all__ = ["MODEL_SUFFIXES", "find_model", "model_names", "read_model"]

MODEL_SUFFIXES = (".tflite", ".onnx")

_log = logging.getLogger(__name__)


def _folder() -> Path:
    """Where the models of the package are. importlib.resources would take 6 ms to load."""
    return Path(importlib.import_module("vad.models").__path__[0])


def model_names() -> list[str]:
    """The names of the models in the package."""
    return sorted(file.stem for file in _folder().glob("*.tflite"))


def find_model(name_or_path: str | os.PathLike[str]) -> Path:
    """The path of a model's .tflite or .onnx file, which need not exist. Its card lies beside it.

    A name gives the .tflite file, or the .onnx file if LiteRT is not installed and the package has one.

    Raises:
        ModelError: It is neither the name of a model nor the path of such a file.
    """
    path = Path(name_or_path)
    if path.suffix in MODEL_SUFFIXES:
        return path
    if isinstance(name_or_path, str) and name_or_path in model_names():
        onnx = _folder() / f"{name_or_path}.onnx"
        if onnx.exists() and importlib.util.find_spec("ai_edge_litert") is None:
            return onnx
        return onnx.with_suffix(".tflite")
    raise ModelError(
        f"model must be one of {', '.join(model_names())}, or the path of a .tflite or .onnx file. "
        f"Received: model={str(name_or_path)!r}." + did_you_mean(str(name_or_path), model_names())
    )


def read_model(name_or_path: str | os.PathLike[str]) -> tuple[Path, bytes, Any]:
    """Read a model: the path of its file, the content, and the fields of its card.

    Raises:
        ModelError: There is no such model, or its card is missing.
    """
    if not isinstance(name_or_path, str | os.PathLike):
        raise ModelError(
            f"model must be a name, a path or a loaded Model. Received: model={shown(name_or_path)}."
        )
    graph = find_model(name_or_path)
    card = card_path(graph)
    try:
        content = graph.read_bytes()
    except OSError as error:
        raise ModelError(
            f"cannot read {graph}: {error.strerror}. "
            f"Give the path of a .tflite or .onnx file, or one of {', '.join(model_names())}."
        ) from error
    try:
        fields = parse_json(card.read_text(encoding="utf-8"))
    except OSError as error:
        ours = " Other .onnx files than those of `vad export --format onnx` do not run here."
        raise ModelError(
            f"cannot read {card}: {error.strerror}. A model needs its card beside it: copy both files."
            + (ours if graph.suffix == ".onnx" else "")
        ) from error
    except ValueError as error:
        raise ModelError(f"{card} is not JSON: {error}. Restore it from the export.") from error
    _log.debug("model %s", graph)
    return graph, content, fields
