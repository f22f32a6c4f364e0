"""A long recording in pieces, for several processes or machines. The result is that of the whole, to the bit.

    piece 1  |-- analysed -----------|
    piece 2          |-- overlap ----|-- analysed ------------|
    piece 3                                   |-- overlap ----|-- analysed ---|

A network remembers the audio before: convolutions a few seconds of it, gain control until a loud sound has been
forgotten (its peak falls by 0.5 dB/s: at most 180 s after the loudest sound that float samples can have). So each piece
begins `OVERLAP_S` early, without results. That is no proof, and a recurrent network never forgets for sure. Therefore
`join` refuses pieces whose states do not follow from each other, as threads do (`vad.detection.parallel`). Threads
share the decoded samples, and need no such overlap, because gain control has run before.

Each piece decodes the recording from its beginning, because resamplers and most formats cannot begin in the middle with
the same samples. So the gain of quiet recordings (`vad.detection.lookahead_gain`) has its true state too. Decoding
takes 5 to 45 % of the time of the network `default`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np

from vad.audio.reading import AudioBlocks
from vad.detection.detection import Detection
from vad.detection.detector import Detector
from vad.detection.lookahead_gain import LookaheadGain
from vad.detection.parallel import SpanResult, analyse_span
from vad.detection.segmenter import segments_from_probabilities
from vad.detection.stream import ProbabilityStream

__all__ = ["OVERLAP_S", "PieceResult", "Span", "analyse_piece", "join", "spans_of"]

OVERLAP_S = 200.0


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a recording.

    Attributes:
        first: Its first block, of `Detector.block_duration` seconds.
        end: The block after its last one; None is the end of the recording.
    """

    first: int
    end: int | None


@dataclass(frozen=True, eq=False, slots=True)
class PieceResult:
    """What a piece gives.

    Attributes:
        span: Its probabilities, and the network's states at its ends.
        samples: Number of samples of the recording so far, at the model's rate.
        duration: Seconds of the recording, as the header states them; of the last piece, as they were decoded.
    """

    span: SpanResult
    samples: int
    duration: float


def spans_of(duration: float, detector: Detector, n_pieces: int) -> list[Span]:
    """Divide a recording into pieces of equal length, which are at least twice as long as the overlap.

    Args:
        duration: Seconds, as the header states them.
        detector: The detector.
        n_pieces: The greatest number of pieces.
    """
    n_blocks = math.ceil(duration / detector.block_duration)
    n_pieces = max(1, min(n_pieces, int(duration // (2 * OVERLAP_S))))
    edges = [round(index * n_blocks / n_pieces) for index in range(n_pieces)]
    return [Span(first, end) for first, end in pairwise([*edges, None]) if first is not None]


def analyse_piece(detector: Detector, recording: AudioBlocks, span: Span) -> PieceResult:
    """Analyse a piece of a recording.

    Args:
        detector: The detector.
        recording: All of it, as `open_recording` gives it.
        span: The piece.

    Raises:
        AudioError: The recording is damaged.
    """
    n_early = min(span.first, math.ceil(OVERLAP_S / detector.block_duration))
    blocks = iter(recording)
    if detector.lookahead:
        length = round(detector.block_duration * detector.sample_rate)
        blocks = LookaheadGain(detector.model).blocks(blocks, length)
    for _ in islice(blocks, span.first - n_early):
        pass
    stream = ProbabilityStream(detector.model, lookahead=detector.lookahead)
    own = blocks if span.end is None else islice(blocks, span.end - span.first)
    result = analyse_span(stream, islice(blocks, n_early), own, is_last=span.end is None)
    return PieceResult(result, recording.samples, recording.duration or 0.0)


def join(detector: Detector, pieces: Sequence[PieceResult]) -> Detection | None:
    """Join all pieces of a recording, in order. None if the network remembered more than the overlap."""
    if not all(after.span.follows(before.span) for before, after in pairwise(pieces)):
        return None
    probabilities = np.concatenate([piece.span.probabilities for piece in pieces])
    duration = pieces[-1].samples / detector.sample_rate
    segments = segments_from_probabilities(probabilities, detector.frame_duration, detector.options, duration)
    return Detection(duration, detector.frame_duration, probabilities, segments)
