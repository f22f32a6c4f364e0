"""Where a network comes from: its configuration beside its weights, and the recordings it learned from."""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Any

from vad.corpus.manifest import CorpusItem
from vad.detection.model import find_model, model_names
from vad.errors import ModelError, did_you_mean
from vad.training.backend import keras
from vad.training.config import TrainConfig, load_config
from vad.training.data.corpora import Corpora
from vad.training.data.decoded import fingerprint
from vad.training.networks import NetworkConfig, network_from_dict

__all__ = [
    "describe_corpora",
    "describe_run",
    "load_network",
    "mean_auc",
    "network_of",
    "training_of",
    "weights_of",
]


def weights_of(name_or_path: str | Path, option: str = "init") -> Path:
    """Finds trained weights: the one look-up of training, fine-tuning, export and inspection.

    Args:
        name_or_path: The name of a model that comes with the package, a run's folder, a ``.keras`` file, or a
            ``.tflite`` file with its ``.keras`` file beside it.
        option: What an error message calls it.

    Returns:
        The ``.keras`` file.

    Raises:
        ModelError: There is none.
    """
    path, missing = Path(name_or_path), ""
    if str(name_or_path) in model_names():
        path = find_model(str(name_or_path)).with_suffix(".keras")
        missing = f", whose weights are not installed: take models/{path.name} and {path.stem}.json from the source "
        missing += "distribution (pip download --no-deps --no-binary :all: openvad) and give the path"
    elif path.is_dir():
        missing = ", a folder without best.keras: a run must finish first"
        path = path / "best.keras"
    elif path.suffix == ".tflite":
        path = path.with_suffix(".keras")
        missing = f", without {path.name} beside it"
    if path.suffix == ".keras" and path.is_file():
        return path
    raise ModelError(
        f"{option} must be a model's name ({', '.join(model_names())}), a run's folder, or a .keras or .tflite file. "
        f"Received: {name_or_path}{missing}.{'' if missing else did_you_mean(str(name_or_path), model_names())}"
    )


def load_network(weights: Path) -> keras.Model:
    """Reads a ``.keras`` file, without its optimizer and with nothing frozen: that was its run's matter.

    Raises:
        ModelError: It cannot be read.
    """
    try:
        model = keras.models.load_model(weights, compile=False)
    except (ValueError, OSError) as error:
        raise ModelError(
            f"weights must be a .keras file that `vad train` wrote. Received: {weights} ({error})."
        ) from error
    for layer in model.layers:
        layer.trainable = True
    return model


def network_of(weights: Path) -> NetworkConfig:
    """Finds what a ``.keras`` file was built from: in its run folder, or in the card beside a released one.

    Raises:
        ModelError: Neither is there.
    """
    if (weights.parent / "config.json").is_file():
        return load_config(weights.parent / "config.json").network
    card = weights.with_suffix(".json")
    try:
        return network_from_dict(json.loads(card.read_text(encoding="utf-8"))["network"])
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"weights must lie in the folder of their run or beside their card. Received: {weights} ({error})."
        ) from error


def mean_auc(row: Mapping[str, float]) -> float:
    """What an epoch is chosen by: the mean of the validation AUC of its prompt decision and of a late one, if any."""
    return mean(row[name] for name in ("val_auc", "val_late_auc") if name in row)


def describe_corpora(config: TrainConfig, corpora: Corpora) -> dict[str, Any]:
    """Sources with licences, label origins and, for a manifest, its hash: what a model card tells of its data.

    They are those of the run's own corpus, whose hash it is, and of the base that is heard beside it. By the
    fingerprints a run knows both again.
    """
    corpus = Path(config.corpus)
    manifest = corpus / "manifest.jsonl" if corpus.is_dir() else corpus
    digest = hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else None
    groups: dict[tuple[str, ...], list[CorpusItem]] = defaultdict(list)
    labels: dict[str, int] = defaultdict(int)
    for item in itertools.chain(*corpora.values()):
        if item.split == "train":
            groups[item.kind, item.source or item.path.parent.name, item.commit, item.license].append(item)
            if item.kind == "speech":
                labels[item.label or "as given"] += 1
    sources = [
        {
            **dict(zip(("kind", "source", "commit", "license"), key, strict=True)),
            "files": len(items),
            "hours": round(sum(item.duration or 0.0 for item in items) / 3600, 2),
        }
        for key, items in sorted(groups.items())
    ]
    return {
        "manifest_sha256": digest,
        "fingerprints": [fingerprint(path, items) for path, items in corpora.items()],
        "sources": sources,
        "speech_files_by_label": dict(labels),
    }


def describe_run(run: Path, config: TrainConfig) -> dict[str, Any]:
    """The training part of a model card.

    Raises:
        ModelError: The folder holds no run that finished an epoch.
    """
    if not (run / "best.keras").exists():
        raise ModelError(
            "a run must have finished an epoch, and one that starts from weights all of them. "
            f"Received: {run}. Go on with it: vad train {run} ..."
        )
    with (run / "history.csv").open(newline="") as file:
        history = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    best = max(history, key=mean_auc)
    corpus = json.loads((run / "corpus.json").read_text())
    start = {"start": training_of(weights_of(config.warm_start, "warm_start"))} if config.warm_start else {}
    blend = {}
    if config.init:
        blend = json.loads((run / "blend.json").read_text())
        del blend["tried"]
    return {
        "training": {
            "command": "vad train RUN --config CONFIG.json, which holds what is below config",
            "seed": config.seed,
            "config": json.loads(config.to_json()),
            "manifest_sha256": corpus["manifest_sha256"],
            "epochs": len(history),
            "hours_heard": round(len(history) * config.epoch_hours, 1),
            "wall_clock_hours": round(sum(row["seconds"] for row in history) / 3600, 2),
            "times_real_time": round(sum(row["times_real_time"] for row in history) / len(history)),
            "best_epoch": int(best["epoch"]),
            "validation_auc": best["val_auc"],
            **({"late_validation_auc": best["val_late_auc"]} if "val_late_auc" in best else {}),
            **({"blend": blend} if blend else {}),
            **start,
            "speech_files_by_label": corpus["speech_files_by_label"],
        },
        "data_sources": corpus["sources"],
    }


def training_of(weights: Path) -> dict[str, Any]:
    """How weights were trained, as their run's folder or the card beside them tells; nothing where neither is there."""
    run, card = weights.parent, weights.with_suffix(".json")
    if (run / "history.csv").is_file():
        return dict(describe_run(run, load_config(run / "config.json"))["training"])
    if not card.is_file():
        return {}
    return dict(json.loads(card.read_text(encoding="utf-8")).get("training", {}))
