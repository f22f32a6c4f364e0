"""A recording of three bursts, and a stream fed with it: what the tests of streams and detectors share."""

import numpy as np

from vad.detection.segments import Event, Segment, SpeechEnd
from vad.detection.stream import Stream

RATE = 16000

# Bursts of a tone, in seconds: an ordinary one, one too short, one that the recording's end cuts.
BURSTS = [(0.3, 0.7), (1.2, 1.22), (1.5, 1.77)]
DURATION = 1.77


def bursts(sample_rate: int = RATE, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    time = np.arange(round(DURATION * sample_rate)) / sample_rate
    samples = 0.005 * random.standard_normal(len(time))
    for start, end in BURSTS:
        within = (start <= time) & (time < end)
        samples[within] += 0.3 * np.sin(2 * np.pi * (400 + 30 * seed) * time[within])
    return samples.astype(np.float32)


def streamed(stream: Stream, blocks: list[np.ndarray]) -> tuple[list[Event], np.ndarray]:
    events: list[Event] = []
    probabilities = []
    for block in blocks:
        events += stream.feed(block)
        probabilities.append(stream.probabilities)
    events += stream.finish()
    return events, np.concatenate([*probabilities, stream.probabilities])


def ends(events: list[Event]) -> list[Segment]:
    return [event.segment for event in events if isinstance(event, SpeechEnd)]
