"""What was prepared, written: the manifest, and a review sheet of what a model labelled."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from vad.detection.segments import Segment
from vad.labels import merge
from vad.prepare.measure import Measured

__all__ = ["manifest_text", "relative_path", "review_text", "speech_of"]

_ABOUT = ("language", "source", "original", "license", "commit", "label", "snr_db")


def manifest_text(recordings: Sequence[Measured], splits: Sequence[str], folder: Path) -> str:
    """Writes the rows that `vad.corpus.manifest.read_corpus` reads.

    Args:
        recordings: The recordings.
        splits: The split of each.
        folder: Where the manifest will lie: paths are relative to it.
    """
    rows = []
    for measured, split in zip(recordings, splits, strict=True):
        recording = measured.recording
        row = {
            "audio_filepath": relative_path(recording.path, folder),
            "kind": recording.kind,
            "duration": round(measured.duration, 3),
            "split": split,
            "range_db": round(measured.range_db, 1),
            **({"speaker": recording.speaker} if recording.speaker else {}),
            **{name: value for name in _ABOUT if (value := getattr(recording, name)) not in ("", None)},
        }
        over_rest_db = measured.speech_db - measured.background_db
        if math.isfinite(over_rest_db):
            row.setdefault("snr_db", round(over_rest_db, 1))
        if recording.kind == "speech":
            row["segments"] = [[round(one.start, 3), round(one.end, 3)] for one in speech_of(measured)]
        rows.append(json.dumps(row, ensure_ascii=False) + "\n")
    return "".join(rows)


def speech_of(measured: Measured) -> list[Segment]:
    """Where anybody speaks, within the recording."""
    turns = (Segment(turn.start, min(turn.end, measured.duration)) for turn in measured.recording.turns or ())
    return merge(turn for turn in turns if turn.start < turn.end)


def review_text(recordings: Iterable[Measured]) -> str:
    """Writes a CSV with a row a segment that a model found, recordings and segments with most doubt first.

    Correct it (delete rows, change times) and give it back with ``--labels``. A recording in which nobody speaks has
    one row, without times.
    """
    sheet = io.StringIO()
    rows = csv.writer(sheet, lineterminator="\n")
    rows.writerow(["file", "start", "end", "mean_probability", "doubtful_share_of_recording"])
    for measured in sorted(recordings, key=_doubt, reverse=True):
        found = []
        for segment in speech_of(measured):
            first, last = (round(time / measured.frame_duration) for time in (segment.start, segment.end))
            mean = float(np.mean(measured.probabilities[first : max(last, first + 1)]))
            found.append((f"{segment.start:.3f}", f"{segment.end:.3f}", f"{mean:.3f}"))
        for cells in sorted(found, key=lambda row: row[2]) or [("", "", "")]:
            rows.writerow([str(measured.recording.path), *cells, f"{_doubt(measured):.3f}"])
    return sheet.getvalue()


def _doubt(measured: Measured) -> float:
    """Share of the frames of which the model is unsure."""
    unsure = np.abs(measured.probabilities - 0.5) < 0.3
    return float(np.mean(unsure)) if unsure.size else 0.0


def relative_path(path: Path, folder: Path) -> str:
    """A path as it is seen from a folder, with slashes."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return path.resolve().as_posix()
