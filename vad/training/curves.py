"""The picture of a training run, drawn again after each epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from vad.files import writing

__all__ = ["draw_curves"]

_PANELS = (("cross-entropy", ("loss", "val_loss")), ("validation AUC", ("val_auc", "val_lookahead_auc")))


def draw_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draws the rows of ``history.csv`` as a PNG; nothing where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ModuleNotFoundError:
        return
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    epochs = [row["epoch"] for row in history]
    for axes, (label, names) in zip(figure.subplots(1, len(_PANELS)), _PANELS, strict=True):
        for name in (name for name in names if name in history[-1]):
            axes.plot(epochs, [row[name] for row in history], marker=".", label=name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.set(xlabel="epoch", ylabel=label)
        axes.grid(alpha=0.3)
        axes.legend()
    with writing(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=110)
