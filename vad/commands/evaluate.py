"""`vad evaluate`: measure a model on labelled recordings.

Exit 0: all were measured; 1: some could not be read, one line each on stderr, and the figures are of the rest.
"""

import argparse
import json
import math
import sys
from dataclasses import asdict
from typing import Any

from vad.commands.detection_options import add_detection_arguments, resolve_detection
from vad.commands.progress import Progress
from vad.corpus import SPLITS, Item, read_corpus
from vad.detector import Detector
from vad.errors import AudioError, ConfigError, MissingDependencyError
from vad.evaluate import Metrics, Scored, pool, score_item

__all__ = ["add_arguments", "run"]

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
    ("DER", "detection_error_rate", "{:.4f}"),
)
_BOUNDARIES = """
segments: {missed_seconds:.2f} s missed, {false_alarm_seconds:.2f} s falsely found
onsets:   median {onset_median:+.3f} s, 90 % within {onset_p90:.3f} s, {unmatched_onsets} unmatched
offsets:  median {offset_median:+.3f} s, 90 % within {offset_p90:.3f} s, {unmatched_offsets} unmatched"""
_LEGEND = """
AUC, AP, balanced (least mean of miss and false alarm, at its threshold), FA@5%miss: frames of 10 ms, all thresholds.
miss, FA: frames, at the threshold of {threshold}. DER: segments, seconds in error by seconds of speech."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "corpus", metavar="PATH", help="manifest (.jsonl) or folder, as data/README.md describes"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    parser.add_argument("--split", choices=("all", *SPLITS), default="all", help="default: all")
    add_detection_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Measure; the exit code is in the module's docstring.

    Raises:
        LabelError: The corpus is none, or a label file breaks its rules.
        ConfigError: An option does not exist or is out of its range, or nothing is left to measure.
        ModelError: There is no such model, or it is damaged.
    """
    detector = resolve_detection(args).detector()
    items = [item for item in read_corpus(args.corpus) if args.split in ("all", item.split)]
    if not items:
        raise ConfigError(
            f"split must leave a recording to measure. Received: split={args.split}, which leaves none."
        )
    scored = _score_all(detector, items)
    threshold = detector.options.threshold
    files = [(name, one.metrics(threshold)) for name, one in scored]
    pooled = pool([one for _, one in scored]).metrics(threshold)
    show = _show_json if args.format == "json" else _show_text
    show(detector, files, pooled)
    return 0 if len(scored) == len(items) else 1


def _score_all(detector: Detector, items: list[Item]) -> list[tuple[str, Scored]]:
    """Every recording that can be read; of the others one line each."""
    scored: list[tuple[str, Scored]] = []
    with Progress(len(items)) as progress:
        for item in items:
            heard = 0.0
            try:
                scored.append((item.key, score_item(detector, item)))
                heard = scored[-1][1].duration
            except (AudioError, MissingDependencyError) as error:
                progress.wipe()
                print(f"vad: {error}", file=sys.stderr)
            progress.advance(heard)
    return scored


def _show_text(detector: Detector, files: list[tuple[str, Metrics]], pooled: Metrics) -> None:
    width = max(len(name) for name in ("pooled", *(name for name, _ in files)))
    print(" ".join([" " * width, *(f"{heading:>9}" for heading, _, _ in _COLUMNS)]))
    for name, metrics in [*files, ("pooled", pooled)]:
        cells = (form.format(getattr(metrics, field)) for _, field, form in _COLUMNS)
        print(" ".join([f"{name:<{width}}", *(f"{'-' if cell == 'nan' else cell:>9}" for cell in cells)]))
    print(_BOUNDARIES.format(**asdict(pooled)).replace("+nan", "-").replace("nan", "-"))
    print(_LEGEND.format(threshold=detector.options.threshold))


def _show_json(detector: Detector, files: list[tuple[str, Metrics]], pooled: Metrics) -> None:
    report = {
        "model": detector.model.name,
        "options": {name: _json_value(value) for name, value in asdict(detector.options).items()},
        "pooled": _json_object(pooled),
        "files": [{"path": name, **_json_object(metrics)} for name, metrics in files],
    }
    print(json.dumps(report, indent=2))


def _json_object(metrics: Metrics) -> dict[str, Any]:
    return {name: _json_value(value) for name, value in asdict(metrics).items()}


def _json_value(value: Any) -> Any:
    """JSON has neither nan nor infinity: both are null."""
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
