"""The latency of starts in a live stream, and the number of false starts.

Every recording is processed once, block by block; each operating point then segments the same probabilities.

- An onset is where labelled speech of any speaker begins after 300 ms without speech. A recording's first 300 ms hold
  none.
- Its start is the first one at most 250 ms before it and before its speech ends, unless that start was over or taken
  back before the onset. Latency lasts from the onset until the deciding block was full, plus the processor time of that
  block.
- Where a segment that began earlier goes on over the onset, speech was already open: neither reported nor missed.
- A start delivered more than 250 ms from any labelled speech is false, even if it is taken back later or its segment
  begins elsewhere: a program would have acted on it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from vad.audio.reading import OnPosition, read_audio
from vad.corpus.manifest import CorpusItem
from vad.detection.detector import Detector
from vad.detection.options import SegmentOptions
from vad.detection.segmenter import Segmenter
from vad.detection.segments import Segment, SpeechStart
from vad.evaluation.benchmark.tables import table
from vad.labels.merge import merge

__all__ = ["Onsets", "StreamRun", "measure_onsets", "onset_table", "run_stream"]

BLOCK_MS = 20.0
_SILENCE_BEFORE_S = 0.3
_EARLY_S = 0.25
_BESIDE_S = 0.25
_HEADINGS = (
    *("model", "operating point", "reported", "median ms", "p95 ms", "missed", "already open"),
    *("false starts a minute", "of other sound", "CPU ms a block, p99", "streams a core"),
)


@dataclass(frozen=True)
class StreamRun:
    """A recording processed as a live stream.

    Attributes:
        item: The recording and its labels.
        duration: Seconds.
        frame_duration: Seconds per frame.
        delay: Seconds of audio after a frame that its probability needs.
        blocks: For each block, the time in seconds when its probabilities were delivered, and these.
        costs: Processor time of each block in seconds.
    """

    item: CorpusItem
    duration: float
    frame_duration: float
    delay: float
    blocks: Sequence[tuple[float, npt.NDArray[np.float32]]]
    costs: Sequence[float] = ()

    @property
    def speech(self) -> list[Segment]:
        """The labelled speech, all speakers together."""
        return merge(self.item.segments)

    @property
    def onsets(self) -> list[Segment]:
        """Labelled speech after enough silence, with the shorter pauses in it."""
        joined: list[Segment] = []
        for one in self.speech:
            if joined and one.start - joined[-1].end < _SILENCE_BEFORE_S:
                joined[-1] = Segment(joined[-1].start, one.end)
            else:
                joined.append(one)
        return [one for one in joined if one.start >= _SILENCE_BEFORE_S]


@dataclass
class Onsets:
    """The onsets of some recordings.

    Attributes:
        latencies_s: Seconds from each reported onset to its delivery.
        missed: Number of onsets whose speech was never reported.
        open: Number of onsets at which a segment was already open.
        false_starts: Number in recordings of speech, and in others.
        silence_s: Seconds without speech in recordings of speech, and in others.
    """

    latencies_s: list[float] = field(default_factory=list)
    missed: int = 0
    open: int = 0
    false_starts: list[int] = field(default_factory=lambda: [0, 0])
    silence_s: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def quantiles_ms(self) -> tuple[float, float]:
        """Median and 95th percentile of the latencies; nan where there are none."""
        if not self.latencies_s:
            return np.nan, np.nan
        median, p95 = np.percentile(self.latencies_s, [50, 95]) * 1000
        return float(median), float(p95)

    def false_a_minute(self) -> tuple[float, float]:
        """False starts a minute without speech, in recordings of speech and in others; nan where there are none."""
        speech, other = (
            60 * count / seconds if seconds else np.nan
            for count, seconds in zip(self.false_starts, self.silence_s, strict=True)
        )
        return speech, other


@dataclass(frozen=True)
class _Start:
    """A reported start: its time, its delivery, and the end of its segment or the time it was taken back."""

    time: float
    delivered: float
    until: float


def run_stream(detector: Detector, item: CorpusItem, on_position: OnPosition | None = None) -> StreamRun:
    """Process a recording as a live stream, in blocks of 20 ms.

    Args:
        detector: The detector.
        item: The recording.
        on_position: Called with the position, at every second of audio.

    Raises:
        AudioError: It cannot be read.
    """
    stream = detector.stream()
    samples = read_audio(item.path, sample_rate=detector.sample_rate)
    length = round(BLOCK_MS / 1000 * detector.sample_rate)
    blocks, costs = [], []
    for position in range(0, len(samples), length):
        if on_position is not None and position % detector.sample_rate == 0:
            on_position(position / detector.sample_rate, len(samples) / detector.sample_rate)
        began = time.thread_time()
        stream.feed(samples[position : position + length])
        costs.append(time.thread_time() - began)
        blocks.append((stream.duration + costs[-1], stream.probabilities))
    stream.finish()
    blocks.append((stream.duration, stream.probabilities))
    delay = detector.model.delay_frames * detector.frame_duration
    return StreamRun(item, stream.duration, detector.frame_duration, delay, blocks, costs)


def measure_onsets(runs: Iterable[StreamRun], options: SegmentOptions, *, confirm_start: bool) -> Onsets:
    """Sort the onsets of all recordings by what some options make of them."""
    onsets = Onsets()
    for run in runs:
        starts = list(_starts(run, options, confirm_start))
        speech = run.speech
        other = int(run.item.kind != "speech")
        onsets.silence_s[other] += run.duration - sum(segment.duration for segment in speech)
        onsets.false_starts[other] += sum(_is_false(start, speech) for start in starts)
        for onset in run.onsets:
            _settle(onsets, onset, starts)
    return onsets


def onset_table(runs: Sequence[tuple[str, Detector, Sequence[StreamRun]]]) -> str:
    """A Markdown table: every model at each of its operating points, with and without `confirm_start`."""
    rows = []
    for name, detector, of_model in runs:
        costs = [cost for run in of_model for cost in run.costs]
        cost = [f"{1000 * np.percentile(costs, 99):.2f}", f"{BLOCK_MS / 1000 / np.mean(costs):.0f}"]
        for point in detector.model.card["segment_options"]:
            options = Detector(detector.model, point).options
            for confirm_start in (False, True):
                onsets = measure_onsets(of_model, options, confirm_start=confirm_start)
                shown = [
                    f"{value:.{digits}f}" if np.isfinite(value) else ""
                    for values, digits in ((onsets.quantiles_ms(), 0), (onsets.false_a_minute(), 1))
                    for value in values
                ]
                rows.append([
                    *(name, f"{point}, confirm_start" if confirm_start else point),
                    *(str(len(onsets.latencies_s)), *shown[:2], str(onsets.missed), str(onsets.open)),
                    *(*shown[2:], *cost),
                ])  # fmt: skip
    return table(_HEADINGS, rows)


def _starts(run: StreamRun, options: SegmentOptions, confirm_start: bool) -> Iterator[_Start]:
    segmenter = Segmenter(options, run.frame_duration, confirm_start=confirm_start, delay=run.delay)
    events = [(event, at) for at, decided in run.blocks for event in segmenter.feed(decided)]
    events += [(event, run.duration) for event in segmenter.finish(run.duration)]
    for (event, delivered), (after, _) in pairwise(events):
        if isinstance(event, SpeechStart):
            yield _Start(event.time, delivered, after.time if after.time > event.time else after.decided_at)


def _is_false(start: _Start, speech: Sequence[Segment]) -> bool:
    return not any(one.start - _BESIDE_S <= start.delivered <= one.end + _BESIDE_S for one in speech)


def _settle(onsets: Onsets, onset: Segment, starts: Sequence[_Start]) -> None:
    lasting = [start for start in starts if start.until > onset.start and start.time < onset.end]
    if lasting and lasting[0].time < onset.start - _EARLY_S:
        onsets.open += 1
    elif lasting:
        onsets.latencies_s.append(lasting[0].delivered - onset.start)
    else:
        onsets.missed += 1
