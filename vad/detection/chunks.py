"""Chunks: segments joined up to a length, as speech recognition takes them (30 s for Whisper).

A chunk is a piece of the recording, pauses included, from the start of its first segment to the end of its last one.
So a time in the chunk, plus the chunk's start, is a time in the recording. WhisperX joins segments by the same rule
(Bain et al., 2023, "Cut & Merge"). A segment that is longer than a chunk is cut as `max_speech_duration_s` says: before
its least probable frame.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from vad.detection.options import SegmentOptions
from vad.detection.segmenter import segments_from_probabilities
from vad.detection.segments import Segment
from vad.errors import require, require_number

__all__ = [
    "Chunk",
    "Chunker",
    "check_chunk_duration",
    "chunk_options",
    "chunks_from_probabilities",
    "chunks_of",
]

_ROUNDING_S = 1e-9


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a recording.

    Attributes:
        start: Seconds from the beginning of the recording. A time in the chunk plus this is a time in the recording.
        end: Seconds from the beginning of the recording.
        segments: The speech in it, in seconds from the beginning of the recording.
    """

    start: float
    end: float
    segments: tuple[Segment, ...]

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start


class Chunker:
    """Joins segments as they come.

    Args:
        max_duration_s: Of a chunk. No segment may be longer; see `chunk_options`.
    """

    def __init__(self, max_duration_s: float):
        self._limit = max_duration_s + _ROUNDING_S
        self._segments: list[Segment] = []

    def feed(self, segment: Segment) -> list[Chunk]:
        """Take the next segment, and give the chunk that it ends, if any."""
        ended = []
        if self._segments and segment.end - self._segments[0].start > self._limit:
            ended = self.finish()
        self._segments.append(segment)
        return ended

    def finish(self) -> list[Chunk]:
        """Give the last chunk, if there is any speech in it."""
        segments, self._segments = tuple(self._segments), []
        return [Chunk(segments[0].start, segments[-1].end, segments)] if segments else []


def chunk_options(options: SegmentOptions, max_duration_s: float) -> SegmentOptions:
    """Give the options with which no segment is longer than a chunk.

    Raises:
        ConfigError: `max_duration_s` is less than 1 second, or infinite.
    """
    check_chunk_duration(max_duration_s)
    return options.replace(max_speech_duration_s=min(options.max_speech_duration_s, max_duration_s))


def check_chunk_duration(seconds: float) -> None:
    """Refuse a length of chunks that is less than 1 second, or infinite, with a ConfigError."""
    rule = "a chunk must have at least 1 second, and an end"
    require(1 <= require_number("chunks", seconds) < math.inf, rule, chunks=seconds)


def chunks_from_probabilities(
    probabilities: Iterable[float],
    frame_duration: float,
    options: SegmentOptions,
    duration: float | None = None,
    *,
    max_duration_s: float = 30.0,
) -> list[Chunk]:
    """Turn the probabilities of a whole recording into chunks for speech recognition.

    Args:
        probabilities: Of speech, one per frame, 0 to 1. [shape=(frames,)]
        frame_duration: Seconds of audio per probability, above 0.
        options: Thresholds and durations.
        duration: Seconds of audio, which end inside the last frame; None is all frames in full.
        max_duration_s: Of a chunk, at least 1.

    Returns:
        The chunks in order. They do not overlap, and each segment is in one of them.

    Raises:
        ModelError: A value is not a probability.
        ConfigError: `frame_duration` is not above 0, `duration` does not end inside the last frame, or
            `max_duration_s` is less than 1 or infinite.
    """
    fitting = chunk_options(options, max_duration_s)
    return chunks_of(
        segments_from_probabilities(probabilities, frame_duration, fitting, duration), max_duration_s
    )


def chunks_of(segments: Iterable[Segment], max_duration_s: float) -> list[Chunk]:
    """Join all segments of a recording to chunks; see `Chunker`."""
    chunker = Chunker(max_duration_s)
    chunks = [chunk for segment in segments for chunk in chunker.feed(segment)]
    return chunks + chunker.finish()
