"""An evaluation as text and as JSON, on stdout."""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict

from vad.evaluation.breakdown import Evaluation
from vad.evaluation.scoring import Metrics
from vad.json_text import json_text

__all__ = ["show_json", "show_text"]

# A column of the table: its heading, the field of Metrics, how a value is written.
_COLUMNS = (
    ("seconds", "duration", "{:.1f}"),
    ("speech", "speech", "{:.3f}"),
    ("AUC", "auc", "{:.4f}"),
    ("AP", "average_precision", "{:.4f}"),
    ("balanced", "best_balanced_error", "{:.4f}"),
    ("at", "best_threshold", "{:.3f}"),
    ("FA@5%", "false_alarm_at_5_miss", "{:.4f}"),
    ("miss", "miss", "{:.4f}"),
    ("FA", "false_alarm", "{:.4f}"),
    ("ECE", "calibration_error", "{:.4f}"),
    ("DER", "detection_error_rate", "{:.4f}"),
)
_BOUNDARIES = """
segments: {missed_seconds:.2f} s missed, {false_alarm_seconds:.2f} s of false alarm
onsets:   median {onset_median:+.3f} s, 90 % within {onset_p90:.3f} s, {unmatched_onsets} unmatched
offsets:  median {offset_median:+.3f} s, 90 % within {offset_p90:.3f} s, {unmatched_offsets} unmatched
pauses:   {pause_recall:.3f} of {pauses} found (0.2 s or more between two turns)"""
_LEGEND = """
Recordings are in order of their share of time in error, the worst first.
AUC, AP: frames of 10 ms, all thresholds. balanced: the least mean of miss and
false alarm, at its threshold. FA@5%: false alarm where 5 % of speech is missed.
miss, FA: frames, {frames}. ECE: expected calibration error.
DER: segments, seconds in error by seconds of speech."""


def show_text(evaluation: Evaluation) -> None:
    """Print tables of the recordings, all of them together, and the groups."""
    tables = [[*evaluation.files, ("pooled", evaluation.figures)]]
    for name, table in evaluation.groups.items():
        tables.append([(f"{name} {value}", metrics) for value, metrics in table])
    _print_tables([[(name, _cells(metrics)) for name, metrics in table] for table in tables])
    print(_BOUNDARIES.format(**asdict(evaluation.figures)).replace("+nan", "-").replace("nan", "-"))
    options = evaluation.options
    frames = "of the segments" if options is None else f"at the threshold of {options.threshold}"
    print(_LEGEND.format(frames=frames))


def _cells(metrics: Metrics) -> list[str]:
    cells = (form.format(getattr(metrics, field)) for _, field, form in _COLUMNS)
    return ["-" if cell == "nan" else cell for cell in cells]


def _print_tables(tables: Sequence[Sequence[tuple[str, list[str]]]]) -> None:
    """Print tables in the same columns. In a terminal that is too narrow, each name has a line of its own."""
    headings = [heading for heading, _, _ in _COLUMNS]
    rows = [cells for table in tables for _, cells in table]
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    width = max(len(name) for table in tables for name, _ in table)
    whole = width + sum(widths) + len(widths)
    folds = sys.stdout.isatty() and whole > shutil.get_terminal_size().columns
    for number, table in enumerate(tables):
        if number:
            print()
        for name, cells in [("", headings), *table]:
            figures = " ".join(f"{cell:>{size}}" for cell, size in zip(cells, widths, strict=True))
            if not folds:
                print(f"{name:<{width}} {figures}")
            else:
                print(*filter(None, [name]), figures, sep="\n")


def show_json(evaluation: Evaluation) -> None:
    """Print one JSON object with the same metrics, rounded less."""
    options = evaluation.options
    report = {
        **({"hypothesis": evaluation.name} if options is None else {"model": evaluation.name}),
        "options": None if options is None else asdict(options),
        "pooled": asdict(evaluation.figures),
        "groups": {
            name: {value: asdict(metrics) for value, metrics in table}
            for name, table in evaluation.groups.items()
        },
        "files": [{"path": name, **asdict(metrics)} for name, metrics in evaluation.files],
    }
    print(json_text(report, digits=6, indent=2))
