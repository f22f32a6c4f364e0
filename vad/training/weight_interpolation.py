"""Where fine-tuning ends: between the weights it started from and those it arrived at."""

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

__all__ = ["TUNED", "blend", "least_share"]

TUNED = "tuned.keras"
_SHARES = tuple(tenths / 10 for tenths in range(11))
_GAIN_KEPT = 0.98

Weights = npt.NDArray[Any]


def blend(model: keras.Model, start: Path, run: Path, measure: Callable[[], dict[str, float]]) -> None:
    """Goes back from the tuned weights towards those of the start, as far as that costs next to nothing.

    Between the two lie networks that know nearly all of the new sound and have forgotten less of all other (WiSE-FT:
    Wortsman et al., "Robust fine-tuning of zero-shot models", 2022). Every tenth of the way is measured on the user's
    validation scenes.

    Args:
        model: Of the same network; it is left with the weights that were chosen.
        start: The ``.keras`` file that the run started from.
        run: Its folder, with what its epochs came to as ``tuned.keras``. It receives ``best.keras`` and ``blend.json``:
            the chosen share with what it was measured to do, and all that were tried.
        measure: Measures the model as it stands: "val_loss" counts.
    """
    before, after = (load_network(path).get_weights() for path in (start, run / TUNED))
    tried: dict[float, dict[str, float]] = {}
    for share in _SHARES:
        _set(model, before, after, share)
        tried[share] = measure()
    share = least_share(list(tried), [figures["val_loss"] for figures in tried.values()])
    _set(model, before, after, share)
    print(f"weights: {share:.0%} of the way from the start to where training came", file=sys.stderr)
    rows = [{"share": one, **figures} for one, figures in tried.items()]
    told = {"share": share, **tried[share], "tried": rows}
    with writing(run / "blend.json") as unfinished:
        unfinished.write_text(json.dumps(told, indent=1), encoding="utf-8")
    with writing(run / "best.keras") as unfinished:
        model.save(unfinished)


def least_share(shares: list[float], losses: list[float]) -> float:
    """The least share that keeps 98 % of what the best one gains over the first, which is the start."""
    wanted = losses[0] - _GAIN_KEPT * (losses[0] - min(losses))
    return next(share for share, loss in zip(shares, losses, strict=True) if loss <= wanted)


def _set(model: keras.Model, before: list[Weights], after: list[Weights], share: float) -> None:
    """Counters, which are whole numbers, stay whole."""
    pairs = zip(before, after, strict=True)
    model.set_weights([(old + share * (new - old)).astype(old.dtype) for old, new in pairs])
