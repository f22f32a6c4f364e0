"""The training run: from a corpus to the best checkpoint, stoppable at any time."""

from __future__ import annotations

import json
import math
import sys
import time
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from vad.errors import VadError
from vad.evaluation.frame_metrics import roc_auc
from vad.files import remove_unfinished, write_text, writing
from vad.training.backend import keras
from vad.training.config import TrainConfig
from vad.training.curves import draw_curves
from vad.training.data.batches import Batches
from vad.training.data.corpora import Corpora, read_corpora
from vad.training.data.decoded import decode_corpus
from vad.training.data.rendering import render_scenes
from vad.training.history import mean_auc, read_rows, write_rows
from vad.training.networks import describe
from vad.training.provenance import describe_corpora
from vad.training.resume import check_start, starting_model
from vad.training.teacher import Teacher
from vad.training.update_ratios import UpdateRatios
from vad.training.weight_interpolation import TUNED, interpolate
from vad.training.weights import weights_of
from vad.training.workers import Workers, join_workers

__all__ = ["fit", "learning_rate_at"]

_DEV_SEED = 1  # added to the run's seed, so that dev scenes are other draws than the training scenes
_ADAPT_BATCHES = 8
_WARMUP_EPOCHS = 1
# A validation AUC on little data differs by so much by chance: of epochs so alike, fine-tuning takes the later one.
_AUC_TOLERANCE = 0.001


def fit(config: TrainConfig, run: Path, corpora: Corpora | None = None) -> Path:
    """Trains, or goes on where the run was stopped.

    The run folder receives ``config.json``, ``corpus.json``, ``last.keras`` (with the optimizer: the start of a resumed
    run), ``best.keras`` (highest validation AUC, the mean of both outputs), ``history.csv``, ``curves.png``,
    ``updates.csv`` (the sizes of the steps, for `vad inspect gradients`) and, if TensorFlow is installed, TensorBoard's
    ``logs/``. With a teacher, ``best.keras`` is the last epoch. Other fine-tuning keeps the last epoch within 0.001 of
    the best as ``tuned.keras``, and makes ``best.keras`` of it at its end
    (`vad.training.weight_interpolation.interpolate`).

    Over several workers (`vad.training.workers.join_workers`), each calls this with the same options. All read the run
    folder; the chief alone validates, and writes there.

    Args:
        config: The run.
        run: Its folder.
        corpora: Its corpora, where they were read already.

    Returns:
        The path of ``best.keras``.

    Raises:
        ConfigError: As `vad.training.resume` and `vad.training.workers` say.
        VadError: The loss is no longer finite; the last checkpoint is from before.
    """
    workers = join_workers()
    workers.share(config.batch_size)
    corpora = read_corpora(config) if corpora is None else corpora
    check_start(config, run, corpora)
    # Both fail before hours of rendering.
    model = starting_model(config, run)
    teacher = Teacher(weights_of(config.teacher, "teacher"), config.network) if config.teacher else None
    epoch = int(keras.ops.convert_to_numpy(model.optimizer.iterations)) // config.batches_per_epoch
    workers.require_same(f"{epoch} {replace(config, jobs=1, data='').to_json()}")
    with workers.chief_first():
        own_scenes, base_scenes, dev_scenes = _prepare_data(config, corpora)
    if workers.is_chief:
        _begin(config, run, corpora)
    delays = " and ".join(f"{delay * config.network.frame_ms}" for delay in config.network.delays)
    print(f"{config.network.architecture}: {describe(model)}, delay {delays} ms", file=sys.stderr)
    own_prior = 0.0 if config.mixing.recorded else config.pause_prior
    batches = Batches(
        own_scenes + base_scenes,
        config.network,
        batch_size=config.batch_size,
        seed=config.seed,
        pause_priors=[own_prior] * len(own_scenes) + [config.pause_prior] * len(base_scenes),
        excerpt_s=config.excerpt_s,
        teach=teacher,
    )
    if epoch == 0 and not config.init:
        _adapt_normalization(model, batches)
    validation = _Validation(dev_scenes, config, run)
    _train(model, batches, validation, config, run, epoch, workers)
    if workers.is_chief:
        if not (run / validation.checkpoint).exists():
            raise VadError("the loss was not finite in the first epoch. Lower the learning rate.")
        if config.interpolates:
            interpolate(model, weights_of(config.init), run, validation.measure)
    workers.any(False)  # the best weights are there
    return run / "best.keras"


def _begin(config: TrainConfig, run: Path, corpora: Corpora) -> None:
    run.mkdir(parents=True, exist_ok=True)
    remove_unfinished(run)
    write_text(run / "config.json", config.to_json())
    write_text(run / "corpus.json", json.dumps(describe_corpora(config, corpora), indent=1))


def _train(
    model: keras.Model,
    batches: Batches,
    validation: _Validation,
    config: TrainConfig,
    run: Path,
    epoch: int,
    workers: Workers,
) -> None:
    """Trains from an epoch on, to the last one or where the validation ends the run."""
    writers: list[keras.callbacks.Callback] = [UpdateRatios(run / "updates.csv"), validation]
    if find_spec("tensorflow"):  # Keras writes these with it, under any backend.
        writers.append(keras.callbacks.TensorBoard(run / "logs", update_freq="epoch"))
    workers.connect(model)
    with workers.losses_reported():
        model.fit(
            batches.forever(epoch * config.batches_per_epoch, workers.share(config.batch_size)),
            steps_per_epoch=config.batches_per_epoch,
            initial_epoch=epoch,
            epochs=epoch if workers.any(validation.is_over(epoch)) else config.epochs,
            verbose=0,
            shuffle=False,
            callbacks=[
                keras.callbacks.LearningRateScheduler(lambda e: learning_rate_at(e, config)),
                *(writers if workers.is_chief else []),
                keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: workers.stop_together(model)),
            ],
        )


def learning_rate_at(epoch: int, config: TrainConfig) -> float:
    """Half the rate in the first epoch, the full rate, then from ``decay_from`` on a cosine to a hundredth."""
    if epoch < _WARMUP_EPOCHS:
        return config.learning_rate / 2
    start = config.decay_from * config.epochs
    progress = max(0.0, (epoch + 1 - start) / (config.epochs - start))
    return config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


def _prepare_data(config: TrainConfig, corpora: Corpora) -> tuple[list[Path], list[Path], list[Path]]:
    """The scenes to train on, those of the base corpus, and the scenes to validate on."""
    data = Path(config.data)
    corpus = decode_corpus(Path(config.corpus), data / "bank", config.jobs, corpora[Path(config.corpus)])
    render = partial(render_scenes, seed=config.seed, jobs=config.jobs)
    own, of_base = render(corpus, "train", data / "train", config.mixing, hours=config.hours), []
    if config.base:
        folder = data / "base"
        base = decode_corpus(Path(config.base), folder / "bank", config.jobs, corpora[Path(config.base)])
        mixing = replace(config.mixing, recorded=0.0)
        of_base = render(base, "train", folder / "train", mixing, hours=config.base_hours)
    mixing = config.mixing.unmodified() if config.mixing.recorded else config.mixing
    seed = config.seed + _DEV_SEED
    return own, of_base, render(corpus, "dev", data / "dev", mixing, hours=config.dev_hours, seed=seed)


def _adapt_normalization(model: keras.Model, batches: Batches) -> None:
    """Sets the mean and variance of the log-mel normalisation, unless a warm start did."""
    for layer in model.layers:
        if layer.name == "normalization" and not keras.ops.convert_to_numpy(layer.mean).any():
            features = keras.Model(model.input, model.get_layer("logmel").output)
            sample = [features.predict_on_batch(batches[i][0]) for i in range(_ADAPT_BATCHES)]
            layer.adapt(np.concatenate(sample))


class _Validation(keras.callbacks.Callback):
    """After each epoch: validation AUC, history, best and last checkpoint; on a terminal, a progress bar."""

    def __init__(self, scenes: list[Path], config: TrainConfig, run: Path):
        super().__init__()
        self._run, self._config = run, config
        self.checkpoint = TUNED if config.interpolates else "best.keras"
        # The labels, by which it validates, are not what a teacher teaches.
        self._tolerance = math.inf if config.teacher else _AUC_TOLERANCE if config.init else 0.0
        count = max(1, int(config.dev_hours * 3600 / config.mixing.scene_s))
        dev = Batches(scenes, config.network, batch_size=1, seed=config.seed)
        samples, targets = zip(*(dev[i] for i in range(count)), strict=True)
        self._samples, self._targets = np.concatenate(samples), np.concatenate(targets)
        self._history = read_rows(run / "history.csv")

    def is_over(self, epoch: int) -> bool:
        """Whether the run ends after so many epochs, by its patience."""
        aucs = [mean_auc(row) for row in self._history[:epoch]]
        patience = 0 if self._config.teacher else self._config.patience
        return bool(patience and aucs) and epoch - 1 - int(np.argmax(aucs)) >= patience

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._began = time.monotonic()
        steps, title = self._config.batches_per_epoch, f"epoch {epoch + 1}/{self._config.epochs}"
        self._bar = tqdm(total=steps, desc=title, unit=" batches", leave=False, disable=None)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        seconds = time.monotonic() - self._began
        self._bar.close()
        loss = (logs or {})["loss"]
        if not math.isfinite(loss):
            raise VadError(
                f"a loss must be finite. Received: {loss} in epoch {epoch + 1}. Lower the learning rate."
            )
        row = {"epoch": epoch + 1, "loss": loss, **self.measure()}
        row["seconds"], row["times_real_time"] = seconds, self._config.epoch_hours * 3600 / seconds
        best = max(map(mean_auc, self._history[:epoch]), default=0.0) - self._tolerance
        self._history = [*self._history[:epoch], row]
        if mean_auc(row) > best:
            _save(self.model, self._run / self.checkpoint)
        write_rows(self._run / "history.csv", self._history)
        draw_curves(self._history, self._run / "curves.png")
        # Last of all: a run resumed from the checkpoint before finds a row too many, never one too few.
        _save(self.model, self._run / "last.keras")
        if logs is not None:
            logs.update(row)
        self.model.stop_training = self.is_over(epoch + 1)
        figures = " ".join(f"{name} {value:.5g}" for name, value in row.items())
        left = 0.0 if self.model.stop_training else (self._config.epochs - epoch - 1) * seconds / 60
        print(f"{figures}, {left:.0f} min left", file=sys.stderr, flush=True)

    def measure(self) -> dict[str, float]:
        """Validation figures: ``val_auc`` of the low-latency output, ``val_lookahead_auc``, and ``val_loss``."""
        probability: npt.NDArray[np.float32] = self.model.predict(self._samples, batch_size=8, verbose=0)
        loss = keras.ops.mean(keras.losses.binary_crossentropy(self._targets, probability))
        outputs = len(self._config.network.delays)
        wanted, found = (np.reshape(values, (-1, outputs)).T for values in (self._targets, probability))
        aucs = zip(("val_auc", "val_lookahead_auc"), map(_auc, wanted, found), strict=False)
        return {**dict(aucs), "val_loss": float(keras.ops.convert_to_numpy(loss))}


def _auc(wanted: npt.NDArray[np.float32], found: npt.NDArray[np.float32]) -> float:
    """The AUC where the soft label is clear, not near one half."""
    clear = np.abs(wanted - 0.5) > 0.25
    return roc_auc(wanted[clear] > 0.5, found[clear])


def _save(model: keras.Model, path: Path) -> None:
    with writing(path) as unfinished:
        model.save(unfinished)
