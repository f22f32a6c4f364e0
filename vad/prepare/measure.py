"""One pass over each recording: its duration, its levels and, if asked for, the speech that a model detects."""

from __future__ import annotations

import collections
import math
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from vad.audio.reading import open_audio
from vad.detection.detector import Detector
from vad.detection.segments import Segment
from vad.errors import VadError
from vad.labels import Entry
from vad.labels.cells import CELL_DURATION, labels_to_frames
from vad.prepare.inputs import Candidate
from vad.processes import in_order

__all__ = ["Measured", "measure_all"]

_RATE = 16_000
_CELL = 160
_BLOCK_DURATION_S = 20.0
_SILENCE_DB = -120.0

Levels = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Measured:
    """A recording with its measurements.

    Attributes:
        recording: The recording; its turns are a model's where it had none.
        duration: Seconds.
        sample_rate: That of the file, Hz.
        levels_db: Level of each 10 ms, dBFS [shape=(cells,)].
        probabilities: The model's probabilities, where it labelled the recording [shape=(frames,)].
        frame_duration: Seconds per frame.
        error: Why it cannot be read; "" where it can.
    """

    recording: Candidate
    duration: float = 0.0
    sample_rate: int = 0
    levels_db: Levels = field(default_factory=lambda: np.zeros(0, np.float32))
    probabilities: Levels = field(default_factory=lambda: np.zeros(0, np.float32))
    frame_duration: float = 0.02
    error: str = ""

    @property
    def is_speech(self) -> npt.NDArray[np.bool_]:
        """True where the labels have speech, every 10 ms [shape=(cells,)]."""
        turns = (Segment(turn.start, turn.end) for turn in self.recording.turns or ())
        return labels_to_frames(turns, len(self.levels_db), CELL_DURATION)

    @property
    def speech_db(self) -> float:
        """Level of its speech, dBFS; nan where there is none."""
        return _mean_db(self.levels_db[self.is_speech])

    @property
    def background_db(self) -> float:
        """Level of its non-speech, dBFS; nan where all is speech."""
        return _mean_db(self.levels_db[~self.is_speech])

    @property
    def speech_over_background_db(self) -> float:
        """Level of its speech over its non-speech, dB; nan where either is missing."""
        return self.speech_db - self.background_db

    @property
    def range_db(self) -> float:
        """Loud minus quiet cells (95th and 10th percentile), dB: how clean it is."""
        high, low = np.percentile(self.levels_db, [95, 10]) if len(self.levels_db) else (0.0, 0.0)
        return float(high - low)


def measure_all(
    recordings: Sequence[Candidate], jobs: int, label_with: str | None = None
) -> Generator[Measured, None, None]:
    """Decodes and measures recordings.

    Args:
        recordings: The recordings.
        jobs: Number of processes.
        label_with: The model that labels speech without labels: a name or a .tflite file.

    Yields:
        The measured recordings, in order. One that cannot be read has an ``error``.

    Raises:
        ModelError: There is no such model, or it is damaged.
    """
    with closing(
        in_order(partial(_Measurer, label_with), recordings, jobs, crashed=_crashed)
    ) as all_measured:
        yield from map(_with_ends, all_measured)


def _with_ends(measured: Measured) -> Measured:
    """Ends turns at the end of their recording where Kaldi's labels do not say when."""
    turns = tuple(
        replace(turn, end=max(turn.start, measured.duration)) if turn.end == math.inf else turn
        for turn in measured.recording.turns or ()
    )
    return replace(measured, recording=replace(measured.recording, turns=turns)) if turns else measured


class _Measurer:
    def __init__(self, label_with: str | None):
        self._detector = None if label_with is None else Detector(label_with)

    def __call__(self, recording: Candidate) -> Measured:
        try:
            with open_audio(recording.path, sample_rate=_RATE, block_duration=_BLOCK_DURATION_S) as audio:
                meter = _Meter(audio)
                if recording.turns is None and self._detector is not None:
                    labelled = _labelled(recording, self._detector, meter)
                else:
                    collections.deque(meter, maxlen=0)
                    labelled = Measured(recording)
            return replace(
                labelled,
                duration=audio.duration or 0.0,
                sample_rate=audio.source_sample_rate,
                levels_db=np.concatenate(meter.levels_db),
            )
        except VadError as error:
            return Measured(recording, error=str(error))


def _labelled(recording: Candidate, detector: Detector, blocks: Iterable[Levels]) -> Measured:
    """Labels a recording with a model."""
    detection = detector.process(blocks, _RATE)
    turns = tuple(Entry(0, one.start, one.end) for one in detection.segments)
    origin = f"model {detector.model.name}, threshold {detector.options.threshold:g}"
    return Measured(
        replace(recording, turns=turns, label=origin),
        probabilities=detection.probabilities,
        frame_duration=detection.frame_duration,
    )


class _Meter:
    """Passes blocks on unchanged, and measures their levels."""

    def __init__(self, blocks: Iterable[Levels]):
        self._blocks = blocks
        self.levels_db: list[Levels] = []

    def __iter__(self) -> Iterator[Levels]:
        rest = np.zeros(0, np.float32)
        for block in self._blocks:
            joined = np.concatenate([rest, block])
            whole = len(joined) // _CELL * _CELL
            power = np.square(joined[:whole].reshape(-1, _CELL), dtype=np.float64).mean(axis=1)
            self.levels_db.append((10 * np.log10(power + 10 ** (_SILENCE_DB / 10))).astype(np.float32))
            rest = joined[whole:]
            yield block


def _mean_db(levels_db: Levels) -> float:
    """The mean power of cells, in dB."""
    if not len(levels_db):
        return float("nan")
    return float(10 * np.log10(np.mean(10 ** (levels_db.astype(np.float64) / 10))))


def _crashed(recording: Candidate) -> Measured:
    reason = "the process that read it crashed (a fault of the decoder, or no memory left)"
    return Measured(recording, error=f"{recording.where}: cannot read the recording: {reason}.")
