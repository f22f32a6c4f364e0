"""The size of training steps against the weights they change: one figure per layer and epoch.

About a thousandth is the rule of thumb (A. Karpathy, "Neural networks, part 3", CS231n notes): far less, and a layer
hardly learns; far more, and it forgets.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vad.training.backend import keras
from vad.training.history import read_rows, write_rows
from vad.training.networks.kernels import kernels

__all__ = ["UpdateRatios", "update_ratios"]


def update_ratios(model: keras.Model) -> dict[str, float]:
    """The norm of the optimizer's last step by the norm of the weights, for every kernel.

    AdamW's last step follows from the moments that it keeps (Loshchilov and Hutter, "Decoupled weight decay
    regularization", 2019).

    Args:
        model: Compiled with AdamW, after at least one step.

    Returns:
        The ratio by the kernel's name (`vad.training.networks.kernels`), without those that are frozen.
    """
    optimizer = model.optimizer
    state = {variable.path: _numpy(variable) for variable in optimizer.variables}
    steps, rate = float(_numpy(optimizer.iterations)), float(_numpy(optimizer.learning_rate))
    unbiased = rate * np.sqrt(1 - optimizer.beta_2**steps) / (1 - optimizer.beta_1**steps)

    def last_step(kernel: Any) -> Any:
        name = f"{optimizer.name}/{kernel.path.replace('/', '_')}"
        if f"{name}_momentum" not in state:
            return np.full(kernel.shape, -np.inf)  # frozen; no step has this value
        first, second = state[f"{name}_momentum"], state[f"{name}_velocity"]
        decay = rate * (optimizer.weight_decay or 0.0)
        return unbiased * first / (np.sqrt(second) + optimizer.epsilon) + decay * _numpy(kernel)

    moved = kernels(model, last_step)
    return {
        name: float(np.linalg.norm(moved[name]) / np.linalg.norm(weights))
        for name, weights in kernels(model).items()
        if not np.isneginf(moved[name]).all()
    }


class UpdateRatios(keras.callbacks.Callback):
    """Writes the ratios after each epoch.

    Args:
        path: The CSV file, a row an epoch. Rows of epochs that a resumed run repeats are replaced.
    """

    def __init__(self, path: Path):
        super().__init__()
        self._path = path

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Adds the epoch's row."""
        write_rows(
            self._path, [*read_rows(self._path)[:epoch], {"epoch": epoch + 1, **update_ratios(self.model)}]
        )


def _numpy(variable: Any) -> Any:
    return keras.ops.convert_to_numpy(variable)
