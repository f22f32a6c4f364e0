"""Several processes, on one machine or on many, that train one network: Keras' data parallelism over workers.

Keras 3.15 refuses `keras.Model.fit` for a model made in the scope of a ``MultiWorkerMirroredStrategy``
(github.com/keras-team/keras/issues/20585). So every worker has a model of its own, and the strategy reduces the
gradients within the training step. As each worker begins with the same weights and adds the same gradients to them, the
models stay alike. Saving, predicting and callbacks are those of one process.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import sys
import threading
import zlib
from collections.abc import Iterator
from typing import Any

from vad.errors import ConfigError, VadError
from vad.training.backend import keras, require_tensorflow

__all__ = ["Workers", "join_workers"]


class Workers:
    """All workers, as one of them knows them.

    Args:
        strategy: A ``tf.distribute.MultiWorkerMirroredStrategy``, or None for one process alone.
        index: The number of this worker; 0 is the chief, which alone writes.
        count: How many there are.
    """

    def __init__(self, strategy: Any = None, index: int = 0, count: int = 1):
        self._strategy, self._index, self._count = strategy, index, count
        if strategy is not None:
            import tensorflow as tf

            self._all_values = tf.function(functools.partial(strategy.gather, axis=0))

    @property
    def is_chief(self) -> bool:
        """Whether this is the worker that validates and writes."""
        return self._index == 0

    def share(self, batch_size: int) -> slice:
        """This worker's part of a batch.

        Raises:
            ConfigError: The workers' parts would differ in size, and their means could not be averaged.
        """
        if batch_size % self._count:
            raise ConfigError(
                f"batch_size must be a multiple of the number of workers. Received: batch_size={batch_size}, "
                f"{self._count} workers."
            )
        size = batch_size // self._count
        return slice(self._index * size, (self._index + 1) * size)

    def require_same(self, what: str) -> None:
        """Checks that all workers have the same text.

        Raises:
            ConfigError: They don't.
        """
        if len(set(self._gather(zlib.crc32(what.encode())))) > 1:
            raise ConfigError(
                "all workers must have the same options and see the same folder of the run. They differ. "
                "Give the same command on each, with a shared folder."
            )

    def any(self, flag: bool) -> bool:
        """Whether it is true for any worker. Waits until all have come here."""
        return max(self._gather(int(flag))) > 0

    def stop_together(self, model: keras.Model) -> None:
        """Ends all workers' `model.fit` where one of them ends it."""
        model.stop_training = self.any(model.stop_training)

    @contextlib.contextmanager
    def chief_first(self) -> Iterator[None]:
        """The chief works alone; then the others do, and find done what it did in a shared folder."""
        if not self.is_chief:
            self.any(False)
        yield
        if self.is_chief:
            self.any(False)

    @contextlib.contextmanager
    def losses_reported(self) -> Iterator[None]:
        """Reports that another worker ended.

        Raises:
            VadError: It did.
        """
        if self._strategy is None:
            yield
            return
        import tensorflow as tf

        try:
            yield
        except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError) as error:
            raise VadError(
                "another worker ended. Give the same command on every worker again: it continues the run."
            ) from error

    def connect(self, model: keras.Model) -> None:
        """Has `model.fit` train all workers' models as one, each on its share of a batch."""
        if self._strategy is not None:
            model.train_step = functools.partial(self._train_step, model)
            model.jit_compile = False  # XLA has no collective operations between processes

    def _train_step(self, model: keras.Model, batch: tuple[Any, Any]) -> dict[str, Any]:
        loss, *gradients = self._strategy.run(_reduced_loss_and_gradients, (model, *batch))
        # Outside of the strategy: the optimizer would clip the gradients before it adds them up.
        model.optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
        for metric in model.metrics:  # the loss is the only one
            metric.update_state(loss)
        return dict(model.get_metrics_result())

    def _gather(self, value: int) -> list[int]:
        if self._strategy is None:
            return [value]
        import tensorflow as tf

        with self.losses_reported():
            values: list[int] = self._all_values(tf.constant([value], tf.int64)).numpy().tolist()
        return values


def _reduced_loss_and_gradients(model: keras.Model, samples: Any, targets: Any) -> list[Any]:
    """Those of the whole batch, from one worker's share. The loss is divided by the number of workers already."""
    import tensorflow as tf

    with tf.GradientTape() as tape, _synchronized(model):
        loss = model.compute_loss(y=targets, y_pred=model(samples, training=True))
        scaled = model.optimizer.scale_loss(loss)
    gradients = tape.gradient(scaled, model.trainable_weights)
    reduced: list[Any] = tf.distribute.get_replica_context().all_reduce("SUM", [loss, *gradients])
    return reduced


@contextlib.contextmanager
def _synchronized(model: keras.Model) -> Iterator[None]:
    """Batch normalisation by the statistics of all shares, while a step is traced.

    No longer: a saved model that has it cannot be read under another backend.
    """
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for norm in norms:
        norm.synchronized = True
    yield
    for norm in norms:
        norm.synchronized = False


@functools.cache
def join_workers() -> Workers:
    """Joins the workers of the environment variable ``TF_CONFIG``, and waits until all have come.

    To be called before TensorFlow computes anything. Without the variable, or with one worker, this process is alone.

    Raises:
        ConfigError: The variable is wrong, or Keras computes with another backend than TensorFlow.
    """
    text = os.environ.get("TF_CONFIG", "{}")
    try:
        config = json.loads(text)
        cluster = config.get("cluster", {})
        tasks = [(job, index) for job in ("chief", "worker") for index in range(len(cluster.get(job, ())))]
        if len(tasks) < 2:
            return Workers()
        task = tasks.index((config["task"]["type"], int(config["task"]["index"])))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(
            'TF_CONFIG must be like {"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": '
            f"0}}}}, with a task of the cluster. Received: {text}."
        ) from error
    require_tensorflow("training over several workers")
    import tensorflow as tf

    print(f"worker {task} of {len(tasks)}: waiting for the others", file=sys.stderr)
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    if strategy.num_replicas_in_sync != len(tasks):
        raise ConfigError(
            f"a worker must have at most one GPU. Received: {strategy.num_replicas_in_sync} for {len(tasks)} workers. "
            "Start one for each GPU, with CUDA_VISIBLE_DEVICES."
        )
    if threading.current_thread() is threading.main_thread():
        # TensorFlow takes it. A handler in Python would have to wait until TensorFlow has heard from all others.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return Workers(strategy, task, len(tasks))
