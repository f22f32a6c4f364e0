"""Where a network comes from: its configuration beside its weights, and the recordings it was trained on."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from vad.corpus.manifest import CorpusItem
from vad.errors import ModelError
from vad.json_text import parse_json, read_json
from vad.training.backend import keras
from vad.training.config import TrainConfig, load_config
from vad.training.data.corpora import Corpora
from vad.training.data.decoded import fingerprint
from vad.training.history import mean_auc, read_rows
from vad.training.networks import NetworkConfig, network_from_dict
from vad.training.weights import weights_of

__all__ = ["describe_corpora", "describe_run", "load_keras", "load_network", "network_of", "training_of"]

_REMEDY = "Restore the file, or train again."
_MAX_REASON = 200


def load_keras(path: Path, *, compile: bool = True) -> keras.Model:
    """Reads a ``.keras`` file, with its optimizer if it is to be compiled.

    Raises:
        ModelError: It cannot be read.
    """
    try:
        return keras.models.load_model(path, compile=compile)
    except Exception as error:  # a damaged file raises anything: of zip, HDF5, JSON or Keras
        reason = " ".join(str(error).split()).rstrip(".")[:_MAX_REASON] or type(error).__name__
        raise ModelError(
            f"weights must be a .keras file that `vad train` wrote. Received: {path} ({reason})."
        ) from error


def load_network(weights: Path) -> keras.Model:
    """Reads a ``.keras`` file, without its optimizer, with nothing frozen, and in full precision.

    Raises:
        ModelError: It cannot be read.
    """
    model = load_keras(weights, compile=False)
    for layer in model.layers:
        layer.trainable = True
        for one in (layer, getattr(layer, "cell", layer)):  # the cell of a GRU
            one.dtype_policy = "float32"
    return model


def network_of(weights: Path) -> NetworkConfig:
    """Reads the network options of a ``.keras`` file, from its run folder or the card beside it.

    Raises:
        ModelError: Neither is there.
    """
    if (weights.parent / "config.json").is_file():
        return load_config(weights.parent / "config.json").network
    card = weights.with_suffix(".json")
    try:
        return network_from_dict(parse_json(card.read_text(encoding="utf-8"))["network"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"weights must lie in the folder of their run or beside their card. Received: {weights} ({error})."
        ) from error


def describe_corpora(config: TrainConfig, corpora: Corpora) -> dict[str, Any]:
    """The data part of a model card: sources with licences, label origins, the hash of the run's own manifest.

    Fingerprints tell whether a run goes on with the recordings that it began with.
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
    history = read_rows(run / "history.csv")
    best = history[-1] if config.teacher else max(history, key=mean_auc)
    corpus = read_json(run / "corpus.json", ModelError, _REMEDY)
    training = {
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
    }
    if "val_lookahead_auc" in best:
        training["lookahead_validation_auc"] = best["val_lookahead_auc"]
    if config.interpolates:
        training["blend"] = read_json(run / "blend.json", ModelError, _REMEDY)
        del training["blend"]["tried"]
    if config.warm_start:
        training["start"] = training_of(weights_of(config.warm_start, "warm_start"))
    training["speech_files_by_label"] = corpus["speech_files_by_label"]
    return {"training": training, "data_sources": corpus["sources"]}


def training_of(weights: Path) -> dict[str, Any]:
    """The training part of the card of weights, from their run or the card beside them; empty without either."""
    run, card = weights.parent, weights.with_suffix(".json")
    if (run / "history.csv").is_file():
        return dict(describe_run(run, load_config(run / "config.json"))["training"])
    return dict(read_json(card, ModelError, _REMEDY).get("training", {})) if card.is_file() else {}
