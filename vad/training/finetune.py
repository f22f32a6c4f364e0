"""Fine-tuning: the options of a run that starts from weights, and its final report."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vad.corpus.manifest import CorpusItem
from vad.detection.detector import Detector
from vad.errors import VadError
from vad.evaluation.scoring import Metrics, pool, score_item
from vad.files import writing
from vad.json_text import json_text
from vad.training.backend import keras
from vad.training.config import TrainConfig
from vad.training.data.corpora import Corpora
from vad.training.provenance import network_of
from vad.training.weights import weights_of

__all__ = ["compare", "comparison_text", "fine_tuning_defaults"]

# For half an hour of recordings: a lower rate than usual, and an early stop.
_DEFAULTS: Mapping[str, Any] = {
    "hours": 4.0,
    "base_hours": 4.0,
    "dev_hours": 0.5,
    "epochs": 12,
    "epoch_hours": 2.0,
    "batch_size": 8,
    "learning_rate": 8e-4,
    "decay_from": 0.0,
    "patience": 4,
    "mixing.recorded": 0.6,
}
# A column of the comparison: its heading, and the field of `vad.evaluation.scoring.Metrics`.
_COLUMNS = {
    "AUC": "auc",
    "balanced error": "best_balanced_error",
    "miss": "miss",
    "false alarm": "false_alarm",
    "detection error": "detection_error_rate",
}


def fine_tuning_defaults(init: str, run: Path) -> dict[str, Any]:
    """The default options of a run that starts from weights; its folder keeps its decoded corpus and scenes.

    Raises:
        ModelError: There are no such weights, or they lie neither in a run nor beside their card.
    """
    network = {f"network.{name}": value for name, value in asdict(network_of(weights_of(init))).items()}
    return {**_DEFAULTS, **network, "data": str(run / "data")}


def compare(config: TrainConfig, run: Path, corpora: Corpora) -> dict[str, Any]:
    """Evaluates the weights before and after on the user's held-out recordings, and writes ``comparison.json``.

    Returns:
        "split" (test, or dev where there is no test), "recordings", and the metrics "before" and "after".

    Raises:
        AudioError: A recording cannot be read.
    """
    items = corpora[Path(config.corpus)]
    split = "test" if any(item.split == "test" for item in items) else "dev"
    held_out = [item for item in items if item.split == split]
    result = {
        "split": split,
        "recordings": len(held_out),
        "before": _figures(weights_of(config.init), held_out),
        "after": _figures(run / "best.keras", held_out),
    }
    with writing(run / "comparison.json") as unfinished:
        unfinished.write_text(json_text(result, indent=1), encoding="utf-8")
    return result


def comparison_text(result: Mapping[str, Any]) -> str:
    """The result of `compare` as a table."""
    count = result["recordings"]
    lines = [
        f"on {count} recording{'s' * (count != 1)} of the split {result['split']}, which training did not use:",
        " " * 7 + "".join(f"{heading:>17}" for heading in _COLUMNS),
    ]
    for when in ("before", "after"):
        figures = (result[when][field] for field in _COLUMNS.values())
        lines.append(
            f"{when:<7}" + "".join(f"{'-' if math.isnan(one) else f'{one:.4f}':>17}" for one in figures)
        )
    before, after = (result[when]["best_balanced_error"] for when in ("before", "after"))
    if after >= before:  # false where either is NaN
        lines.append("Training did not help: add recordings, or keep the model it started from.")
    elif after < before:
        lines.append(f"Training helped: {1 - after / before:.0%} less balanced error.")
    return "\n".join(lines)


def _figures(weights: Path, items: list[CorpusItem]) -> dict[str, float]:
    """The metrics of a network as it would be exported."""
    with tempfile.TemporaryDirectory() as folder:
        path = weights.with_suffix(".tflite")
        if not path.is_file():
            path = _exported(weights, Path(folder))
        detector = Detector(path)
        pooled = pool([score_item(detector, item) for item in items])
    metrics: Metrics = pooled.metrics(detector.options.threshold)
    return asdict(metrics)


def _exported(weights: Path, folder: Path) -> Path:
    """The network as a .tflite file, which only TensorFlow writes: under another backend, in a process of its own."""
    if keras.backend.backend() != "tensorflow":
        command = [
            sys.executable,
            "-m",
            "vad",
            "export",
            str(weights),
            "--name=network",
            f"--output={folder}",
        ]
        environment = os.environ | {"KERAS_BACKEND": "tensorflow"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise VadError(f"training is done, but the comparison failed. {done.stderr.strip()}")
        return folder / "network.tflite"
    from vad.training.release.export import export

    return export(weights, network_of(weights), "network", folder)
