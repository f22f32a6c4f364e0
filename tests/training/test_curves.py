"""The picture of a training run's curves."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from vad.training.curves import draw_curves


@pytest.mark.parametrize("epochs", [1, 3, 40])
def test_epochs_are_whole_numbers(epochs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []
    save = Figure.savefig

    def saving(figure: Figure, *arguments: object, **settings: object) -> None:
        drawn.append(figure)
        save(figure, *arguments, **settings)

    monkeypatch.setattr(Figure, "savefig", saving)
    figures = {"loss": 0.5, "val_loss": 0.5, "val_auc": 0.9}
    draw_curves([{"epoch": epoch, **figures} for epoch in range(1, epochs + 1)], tmp_path / "curves.png")
    (figure,) = drawn
    for axes in figure.axes:
        assert all(float(tick).is_integer() for tick in axes.get_xticks())
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
