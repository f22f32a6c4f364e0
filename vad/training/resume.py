"""The beginning of a run, new or resumed: checks before hours of work, and the model to start from."""

from __future__ import annotations

import json
from pathlib import Path

from vad.errors import ConfigError
from vad.json_text import read_json
from vad.training.backend import keras
from vad.training.config import TrainConfig, load_config
from vad.training.data.corpora import Corpora, require_splits
from vad.training.networks import build_network
from vad.training.provenance import describe_corpora, load_keras, load_network, network_of
from vad.training.weights import weights_of

__all__ = ["check_start", "starting_model"]

# What may change when a run goes on: how long it lasts, and what does not change the result.
_MAY_CHANGE = {"epochs", "patience", "jobs", "data"}


def check_start(config: TrainConfig, run: Path, corpora: Corpora) -> None:
    """Checks a run before anything is decoded or written.

    Raises:
        ConfigError: The corpus has a split without speech, the folder holds a run with other options, or ``init`` has
            another network.
        ModelError: ``init`` lies neither in its run nor beside its card.
    """
    require_splits(config.corpus, corpora[Path(config.corpus)])
    if (run / "last.keras").exists():
        _check_same_options(config, run)
        _check_same_corpora(config, run, corpora)
    elif config.init and (network := network_of(weights_of(config.init))) != config.network:
        raise ConfigError(
            f"a run that starts from weights must have their network. Received: {config.init}, of {network}. "
            "Give the same options, or train from scratch."
        )


def starting_model(config: TrainConfig, run: Path) -> keras.Model:
    """The model with its optimizer: the run's last checkpoint, or else a new one.

    Fine-tuning keeps the batch normalisation of the weights it starts from: the statistics of a little sound are worse
    (keras.io/guides/transfer_learning).

    Raises:
        ConfigError: ``warm_start`` shares no layer with this network.
        ModelError: ``init`` or ``warm_start`` is nowhere, or cannot be read.
    """
    if (run / "last.keras").exists():
        return load_keras(run / "last.keras")
    keras.utils.set_random_seed(config.seed)
    if config.init:
        # The whole model: weights set into a new network would leave its `Normalization` unadapted.
        model = load_network(weights_of(config.init))
        for layer in model.layers:
            layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    else:
        model = build_network(config.network)
        if config.warm_start:
            known = load_network(weights_of(config.warm_start, "warm_start"))
            _copy_shared_layers(model, known, config.warm_start)
    model.compile(
        keras.optimizers.AdamW(config.learning_rate, weight_decay=config.weight_decay, clipnorm=1.0),
        keras.losses.BinaryCrossentropy(),
    )
    # Made in the first step, its variables would have TensorFlow trace that step twice.
    model.optimizer.build(model.trainable_variables)
    return model


def _copy_shared_layers(model: keras.Model, known: keras.Model, name: str) -> None:
    """Copies the weights of layers with the same name and shapes."""
    there = {layer.name: layer for layer in known.layers}
    shared = 0
    for layer in model.layers:
        weights = there[layer.name].get_weights() if layer.name in there else []
        if weights and [w.shape for w in weights] == [tuple(w.shape) for w in layer.weights]:
            layer.set_weights(weights)
            shared += 1
            if isinstance(layer, keras.layers.Normalization):
                layer.finalize_state()  # without it the layer stays the identity
    if shared == 0:
        raise ConfigError(
            f"warm_start must share layers with the network. Received: {name}, which has none of the same name and "
            "shape. Name another, or train from scratch."
        )


def _check_same_options(config: TrainConfig, run: Path) -> None:
    before, now = (json.loads(one.to_json()) for one in (load_config(run / "config.json"), config))
    # init first: another start has another network, which would be a long message.
    for name in sorted(now, key=lambda name: name != "init"):
        if name not in _MAY_CHANGE and before[name] != now[name]:
            raise ConfigError(
                f"a run must go on with the options it began with. Received: {name}={now[name]}, {run} began with "
                f"{before[name]}. Give the same, or name a new folder."
            )


def _check_same_corpora(config: TrainConfig, run: Path, corpora: Corpora) -> None:
    """Recordings that were trained on must not move to validation or test, nor the card describe others."""
    now = describe_corpora(config, corpora)["fingerprints"]
    before = read_json(run / "corpus.json", ConfigError, "Restore it, or name a new folder for the run.")
    if before.get("fingerprints", now) != now:  # a run of vad 0.1.0 has none
        raise ConfigError(
            f"a run must go on with the recordings it began with. Received: {config.corpus}, changed since "
            f"{run} began. Name a new folder for the run."
        )
