"""What each operating point of a grid misses and falsely finds, exactly as the segmenter would, in arrays.

All recordings lie end to end on one clock. Hysteresis turns frames into runs of speech; filling, dropping and padding
then only choose among the runs' boundaries. What moves no time is left out: where two pads share a silence, and where
long speech is split.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vad.labels import merge
from vad.segments import SegmentOptions, frames_reaching
from vad.tuning.listened import Listened

__all__ = ["Timeline", "levels", "spans"]

_THRESHOLDS = (0.01, 0.02, 0.03, 0.05, 0.07, *(i / 20 for i in range(2, 19)), 0.93, 0.95, 0.97, 0.98, 0.99)
_DISTANCES = (0.0, 0.05, 0.1, 0.15, 0.25, 0.4)  # of neg_threshold below the threshold
_LOWEST_NEG_THRESHOLD = 0.005  # at 0 speech would never end
_DURATIONS_MS: dict[str, tuple[float, ...]] = {
    "min_silence_duration_ms": (0, 60, 100, 150, 250, 400, 600, 800),
    "min_speech_duration_ms": (0, 60, 100, 150, 250, 400),
    "speech_pad_ms": (0, 30, 60, 100, 150, 250),
}

_Frames = NDArray[np.intp]
_Seconds = NDArray[np.float64]


def levels(start: SegmentOptions, distances: Sequence[float] = _DISTANCES) -> list[list[SegmentOptions]]:
    """The start with every threshold, each with every distance of ``neg_threshold`` below it, the nearest first.

    Args:
        start: Where the search starts.
        distances: Tried beside the start's own.
    """
    own = round(start.threshold - start.release_threshold, 4)
    return [
        [
            replace(start, threshold=threshold, neg_threshold=neg_threshold)
            for neg_threshold in dict.fromkeys(
                round(min(threshold, max(_LOWEST_NEG_THRESHOLD, threshold - distance)), 4)
                for distance in _nearest_first(distances, own)
            )
        ]
        for threshold in _nearest_first(_THRESHOLDS, start.threshold)
    ]


def spans(start: SegmentOptions) -> list[SegmentOptions]:
    """The start with every combination of durations and padding, the nearest first."""
    values = (_nearest_first(tried, getattr(start, name)) for name, tried in _DURATIONS_MS.items())
    return [
        replace(start, **dict(zip(_DURATIONS_MS, one, strict=True))) for one in itertools.product(*values)
    ]


def _nearest_first(tried: Sequence[float], own: float) -> list[float]:
    return sorted({own, *map(float, tried)}, key=lambda value: (abs(value - own), value))


class _Runs(NamedTuple):
    """Runs of speech in order of time; what is made of them is told as indices of those it begins and ends with."""

    first: _Frames
    end: _Frames

    def joined(self, begins: _Frames, ends: _Frames, frames: float) -> tuple[_Frames, _Frames]:
        """Joins what has a silence of fewer frames between."""
        apart = np.ones(begins.size + 1, np.bool_)
        apart[1:-1] = self.first[begins[1:]] - self.end[ends[:-1]] >= frames
        return begins[apart[:-1]], ends[apart[1:]]


class Timeline:
    """Recordings end to end, in parts that are counted by themselves.

    Args:
        listened: The recordings.
        parts: To which part each belongs, 0 and up [shape=(recordings,)].
        frame_duration: Seconds a frame.
        spans: The durations and paddings to be measured.
    """

    def __init__(
        self,
        listened: Sequence[Listened],
        parts: Sequence[int],
        frame_duration: float,
        spans: Sequence[SegmentOptions],
    ):
        self._frame_duration, self._spans = frame_duration, spans
        # Between recordings lies a silence that nothing fills and no pads meet in.
        longest_ms = max(max(one.min_silence_duration_ms, 2 * one.speech_pad_ms) for one in spans)
        between = [-1.0] * (1 + math.ceil(longest_ms / 1000 / frame_duration))
        self._probabilities = np.array(
            [value for one in listened for value in (*one.probabilities, *between)]
        )
        lengths = [len(one.probabilities) + len(between) for one in listened]
        self._recording = np.repeat(np.arange(len(listened)), lengths)
        self._first_frame = np.cumsum([0, *lengths])
        self._durations = np.array([one.duration for one in listened])
        self._offsets = np.cumsum([0.0, *self._durations])
        self._part, self._n_parts = np.array(parts), max(parts) + 1
        edges, speech = [0.0], [0.0]  # on the clock of all recordings; seconds of speech until there
        self.speech = np.zeros(self._n_parts)
        for one, part, offset in zip(listened, parts, self._offsets, strict=False):
            for turn in merge(one.reference):
                edges += [offset + min(turn.start, one.duration), offset + min(turn.end, one.duration)]
                speech += [speech[-1], speech[-1] + edges[-1] - edges[-2]]
                self.speech[part] += edges[-1] - edges[-2]
        self._edges, self._speech_until = np.array(edges), np.array(speech)

    def measure(self, level: SegmentOptions) -> tuple[_Seconds, _Seconds]:
        """What is missed and falsely found at a threshold and neg_threshold, with each of the spans.

        Returns:
            Seconds missed, and seconds falsely found [shape=(spans, parts)].
        """
        runs = self._runs(level)
        part = self._part[self._recording[runs.first]]
        edges = {pad: self._edges_of(runs, pad / 1000) for pad in {one.speech_pad_ms for one in self._spans}}
        found = np.zeros((2, len(self._spans), self._n_parts))
        for row, (pad_ms, begins, ends) in enumerate(self._segments(runs)):
            starts, stops = edges[pad_ms]
            for kind in (0, 1):
                found[kind, row] = np.bincount(
                    part[begins], stops[kind, ends] - starts[kind, begins], minlength=self._n_parts
                )
        right, heard = found
        return self.speech - right, heard - right

    def _runs(self, level: SegmentOptions) -> _Runs:
        begins = self._probabilities >= level.threshold
        decides = begins | (self._probabilities < level.release_threshold)
        last = np.maximum.accumulate(np.where(decides, np.arange(begins.size), 0))
        changes = np.flatnonzero(np.diff(begins[last], prepend=False, append=False))
        return _Runs(changes[::2], changes[1::2])

    def _segments(self, runs: _Runs) -> Iterator[tuple[float, _Frames, _Frames]]:
        """For each span its padding, and the runs that its segments begin and end with."""
        every = np.arange(runs.first.size)
        for silence_ms, with_silence in itertools.groupby(
            self._spans, lambda one: one.min_silence_duration_ms
        ):
            begins, ends = runs.joined(every, every, self._frames(silence_ms))
            lengths = runs.end[ends] - runs.first[begins]
            for speech_ms, with_both in itertools.groupby(
                with_silence, lambda one: one.min_speech_duration_ms
            ):
                long = lengths >= self._frames(speech_ms)
                for one in with_both:
                    pads = 2 * one.speech_pad_ms / 1000 / self._frame_duration
                    yield one.speech_pad_ms, *runs.joined(begins[long], ends[long], pads)

    def _frames(self, duration_ms: float) -> int:
        return frames_reaching(duration_ms / 1000, self._frame_duration)

    def _edges_of(self, runs: _Runs, pad: float) -> tuple[_Seconds, _Seconds]:
        """Seconds of speech, and of audio, before each run's padded start and its padded end [shape=(2, runs)]."""
        recording = self._recording[runs.first]
        seconds = []
        for frames, padding in ((runs.first, -pad), (runs.end, pad)):
            time = (frames - self._first_frame[recording]) * self._frame_duration + padding
            clock = self._offsets[recording] + np.clip(time, 0.0, self._durations[recording])
            seconds.append(np.stack([np.interp(clock, self._edges, self._speech_until), clock]))
        return seconds[0], seconds[1]
