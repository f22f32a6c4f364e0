"""An evaluation as text and as JSON."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from vad.corpus import CorpusItem
from vad.evaluate import Metrics, Scored
from vad.json_text import json_text
from vad.segments import SegmentOptions

__all__ = ["Evaluation", "show_json", "show_text", "worst_first"]

# A column of the table: its heading, the field of Metrics, how a value is written.
_COLUMNS = (
    ("seconds", "duration", "{:.1f}"),
    ("speech", "speech", "{:.3f}"),
    ("AUC", "auc", "{:.4f}"),
    ("AP", "average_precision", "{:.4f}"),
    ("balanced", "best_balanced_error", "{:.4f}"),
    ("at", "best_threshold", "{:.3f}"),
    ("FA@5%miss", "false_alarm_at_5_miss", "{:.4f}"),
    ("miss", "miss", "{:.4f}"),
    ("FA", "false_alarm", "{:.4f}"),
    ("ECE", "calibration_error", "{:.4f}"),
    ("DER", "detection_error_rate", "{:.4f}"),
)
_BOUNDARIES = """
segments: {missed_seconds:.2f} s missed, {false_alarm_seconds:.2f} s falsely found
onsets:   median {onset_median:+.3f} s, 90 % within {onset_p90:.3f} s, {unmatched_onsets} unmatched
offsets:  median {offset_median:+.3f} s, 90 % within {offset_p90:.3f} s, {unmatched_offsets} unmatched
pauses:   {pause_recall:.3f} of {pauses} found (0.2 s or more between two turns)"""
_LEGEND = """
Recordings are in the order of their share of time in error, the worst first.
AUC, AP, balanced (least mean of miss and false alarm, at its threshold), FA@5%miss: frames of 10 ms, all thresholds.
miss, FA: frames, {frames}. ECE: expected calibration error.
DER: segments, seconds in error by seconds of speech."""


@dataclass(frozen=True)
class Evaluation:
    """What came of a measurement.

    Attributes:
        name: The model's, or the folder of the label files.
        options: The detector's; None for label files.
        scored: The recordings, the worst first.
        pooled: All of them together.
        groups: Some of them together, by what the manifest tells of them.
    """

    name: str
    options: SegmentOptions | None
    scored: list[tuple[CorpusItem, Scored]]
    pooled: Scored
    groups: dict[str, dict[str, Scored]]

    def metrics(self, scored: Scored) -> Metrics:
        """Sum something up, at the detector's threshold."""
        return scored.metrics(math.nan if self.options is None else self.options.threshold)


def worst_first(scored: Iterable[tuple[CorpusItem, Scored]]) -> list[tuple[CorpusItem, Scored]]:
    """Order recordings by the share of their time that is missed or falsely found."""

    def wrong(pair: tuple[CorpusItem, Scored]) -> float:
        detection, duration = pair[1].detection, pair[1].duration
        return (detection.miss + detection.false_alarm) / duration if duration > 0 else 0.0

    return sorted(scored, key=wrong, reverse=True)


def show_text(evaluation: Evaluation) -> None:
    """Print tables: the recordings, all of them, and the groups."""
    pooled = evaluation.metrics(evaluation.pooled)
    files = [(item.key, evaluation.metrics(one)) for item, one in evaluation.scored]
    tables = [[*files, ("pooled", pooled)]]
    for name, groups in evaluation.groups.items():
        tables.append([(f"{name} {value}", evaluation.metrics(one)) for value, one in groups.items()])
    width = max(len(name) for table in tables for name, _ in table)
    for number, table in enumerate(tables):
        if number:
            print()
        print(" ".join([" " * width, *(f"{heading:>9}" for heading, _, _ in _COLUMNS)]))
        for name, metrics in table:
            cells = (form.format(getattr(metrics, field)) for _, field, form in _COLUMNS)
            print(" ".join([f"{name:<{width}}", *(f"{'-' if cell == 'nan' else cell:>9}" for cell in cells)]))
    print(_BOUNDARIES.format(**asdict(pooled)).replace("+nan", "-").replace("nan", "-"))
    options = evaluation.options
    frames = "of the segments" if options is None else f"at the threshold of {options.threshold}"
    print(_LEGEND.format(frames=frames))


def show_json(evaluation: Evaluation) -> None:
    """Print one object with the same figures, in full."""
    options = evaluation.options
    report = {
        **({"hypothesis": evaluation.name} if options is None else {"model": evaluation.name}),
        "options": None if options is None else asdict(options),
        "pooled": asdict(evaluation.metrics(evaluation.pooled)),
        "groups": {
            name: {value: asdict(evaluation.metrics(one)) for value, one in groups.items()}
            for name, groups in evaluation.groups.items()
        },
        "files": [{"path": item.key, **asdict(evaluation.metrics(one))} for item, one in evaluation.scored],
    }
    print(json_text(report, digits=6, indent=2))
