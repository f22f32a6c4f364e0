"""The end of fine-tuning: weights between those of the start and those of its best epoch (WiSE-FT)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy.typing as npt

from vad.files import writing
from vad.training.backend import keras
from vad.training.provenance import load_network

__all__ = ["TUNED", "interpolate", "least_share"]

TUNED = "tuned.keras"
_SHARES = tuple(tenths / 10 for tenths in range(11))
_GAIN_KEPT = 0.98

Weights = npt.NDArray[Any]


def interpolate(model: keras.Model, start: Path, run: Path, measure: Callable[[], dict[str, float]]) -> None:
    """Interpolates from the tuned weights back towards those of the start, as far as that costs next to nothing.

    Networks between the two keep nearly all of what was learned and forget less (Wortsman et al., "Robust fine-tuning
    of zero-shot models", 2022). Every tenth of the way is measured on the validation scenes.

    Args:
        model: Of the same network; it gets the chosen weights.
        start: The ``.keras`` file that the run started from.
        run: Its folder, with ``tuned.keras``. It receives ``best.keras`` and ``blend.json``: the chosen share with its
            figures, and those of all shares.
        measure: Measures the model as it is: "val_loss" decides.
    """
    before, after = (load_network(path).get_weights() for path in (start, run / TUNED))
    tried: dict[float, dict[str, float]] = {}
    for share in _SHARES:
        _set(model, before, after, share)
        tried[share] = measure()
    share = least_share(list(tried), [figures["val_loss"] for figures in tried.values()])
    _set(model, before, after, share)
    print(f"weights: {share:.0%} of the way from the start to the best epoch", file=sys.stderr)
    rows = [{"share": one, **figures} for one, figures in tried.items()]
    with writing(run / "blend.json") as unfinished:
        result = {"share": share, **tried[share], "tried": rows}
        unfinished.write_text(json.dumps(result, indent=1), encoding="utf-8")
    with writing(run / "best.keras") as unfinished:
        model.save(unfinished)


def least_share(shares: list[float], losses: list[float]) -> float:
    """The least share that keeps 98 % of the best one's gain over the first, which is the start."""
    wanted = losses[0] - _GAIN_KEPT * (losses[0] - min(losses))
    return next(share for share, loss in zip(shares, losses, strict=True) if loss <= wanted)


def _set(model: keras.Model, before: list[Weights], after: list[Weights], share: float) -> None:
    """Counters, which are whole numbers, stay whole."""
    pairs = zip(before, after, strict=True)
    model.set_weights([(old + share * (new - old)).astype(old.dtype) for old, new in pairs])
