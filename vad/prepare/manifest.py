"""The outputs of `vad prepare`: the manifest, and the review sheet of a model's labels."""

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
from vad.labels.reading import path_to_cell
from vad.prepare.measure import Measured

__all__ = ["manifest_text", "review_text", "speech_of"]

_OPTIONAL_KEYS = ("language", "source", "original", "license", "commit", "label", "snr_db")


def manifest_text(recordings: Sequence[Measured], folder: Path) -> str:
    """Writes the rows that `vad.corpus.manifest.read_corpus` reads.

    Args:
        recordings: With their splits.
        folder: The manifest's folder; paths are relative to it.
    """
    rows = []
    for one in recordings:
        recording = one.recording
        row = {
            "audio_filepath": _relative(recording.path, folder),
            "kind": recording.kind,
            "duration": round(one.duration, 3),
            "split": recording.split,
            "range_db": round(one.range_db, 1),
            **({"speaker": recording.speaker} if recording.speaker else {}),
            **{key: value for key in _OPTIONAL_KEYS if (value := getattr(recording, key)) not in ("", None)},
        }
        if math.isfinite(one.speech_over_background_db):
            row.setdefault("snr_db", round(one.speech_over_background_db, 1))
        if recording.kind == "speech":
            row["segments"] = [[round(part.start, 3), round(part.end, 3)] for part in speech_of(one)]
        rows.append(json.dumps(row, ensure_ascii=False) + "\n")
    return "".join(rows)


def speech_of(measured: Measured) -> list[Segment]:
    """The union of its turns, cut at the end of the recording."""
    turns = (Segment(turn.start, min(turn.end, measured.duration)) for turn in measured.recording.turns or ())
    return merge(turn for turn in turns if turn.start < turn.end)


def review_text(recordings: Iterable[Measured]) -> str:
    """Writes a CSV with a row for each segment that a model detected, the most doubtful first.

    Correct it (delete rows, change times) and give it back with ``--labels``. A recording in which nobody speaks has
    one row, without times.
    """
    sheet = io.StringIO()
    rows = csv.writer(sheet, lineterminator="\n")
    rows.writerow(["file", "start", "end", "mean_probability", "doubtful_share_of_recording"])
    for one in sorted(recordings, key=_doubt, reverse=True):
        segments = []
        for segment in speech_of(one):
            first, last = (round(time / one.frame_duration) for time in (segment.start, segment.end))
            mean = float(np.mean(one.probabilities[first : max(last, first + 1)]))
            segments.append((f"{segment.start:.3f}", f"{segment.end:.3f}", f"{mean:.3f}"))
        for cells in sorted(segments, key=lambda row: row[2]) or [("", "", "")]:
            rows.writerow([path_to_cell(str(one.recording.path)), *cells, f"{_doubt(one):.3f}"])
    return sheet.getvalue()


def _doubt(measured: Measured) -> float:
    """Share of the frames with a probability between 0.2 and 0.8."""
    doubtful = np.abs(measured.probabilities - 0.5) < 0.3
    return float(np.mean(doubtful)) if doubtful.size else 0.0


def _relative(path: Path, folder: Path) -> str:
    """A path relative to a folder, with slashes."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return path.resolve().as_posix()
