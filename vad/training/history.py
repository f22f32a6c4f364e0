"""The CSV files of a run, a row an epoch."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean

from vad.errors import ConfigError
from vad.files import writing

__all__ = ["history_text", "mean_auc", "read_rows", "write_rows"]

# Columns of runs of vad 0.1.0.
_OLD_NAMES = {"val_late_auc": "val_lookahead_auc"}


def read_rows(path: Path) -> list[dict[str, float]]:
    """The rows of the epochs so far; none where there is no file.

    Raises:
        ConfigError: The file is damaged.
    """
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [
                {_OLD_NAMES.get(name, name): float(value) for name, value in row.items()}
                for row in csv.DictReader(file, strict=True)
            ]
    except (ValueError, TypeError, csv.Error) as error:
        raise ConfigError(f"{path} is damaged: {error}. Restore it, or train again.") from error


def write_rows(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Writes all rows anew; what the last row has and another has not is NaN there."""
    with writing(path) as unfinished, unfinished.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[-1]), restval="nan")
        writer.writeheader()
        writer.writerows({**row, "epoch": int(row["epoch"])} for row in rows)


def mean_auc(row: Mapping[str, float]) -> float:
    """The figure that chooses the best epoch: the mean validation AUC of the outputs."""
    return mean(row[name] for name in ("val_auc", "val_lookahead_auc") if name in row)


def history_text(rows: Sequence[Mapping[str, float]]) -> str:
    """What the validation says of a run with at least one epoch, in a sentence or two."""
    best = max(rows, key=mean_auc)
    text = f"validation: AUC {mean_auc(best):.4f} in epoch {best['epoch']:.0f} of {len(rows)}"
    if len(rows) > 1:
        text += f", {mean_auc(rows[0]):.4f} in the first"
        text += ". The last epoch is the best: more epochs may help" if best is rows[-1] else ""
    return text + "."
