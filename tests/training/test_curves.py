"""The picture of a training run's curves."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from vad.training.curves import draw_curves
from vad.training.history import mean_auc, read_rows, write_rows


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


def test_rows_of_the_first_release_have_the_columns_of_today(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text("epoch,val_auc,val_late_auc\n1,0.8,0.9\n")
    (row,) = read_rows(path)
    assert row == {"epoch": 1, "val_auc": 0.8, "val_lookahead_auc": 0.9}
    assert mean_auc(row) == pytest.approx(0.85)
    write_rows(path, [row, {**row, "epoch": 2}])
    assert path.read_text().splitlines() == ["epoch,val_auc,val_lookahead_auc", "1,0.8,0.9", "2,0.8,0.9"]
