"""A long recording in pieces, for several processes or machines. The result is that of the whole, to the bit.

    piece 1  |-- analysed -----------|
    piece 2          |-- overlap ----|-- analysed ------------|
    piece 3                                   |-- overlap ----|-- analysed ---|

A network remembers the audio before: convolutions a few seconds of it, gain control until a loud sound has been
forgotten (its peak falls by 0.5 dB/s: at most 180 s after the loudest sound that float samples can have). So each piece
begins `OVERLAP_S` early, without results. That is no proof, and a recurrent network never forgets for sure. Therefore
each piece gives a digest of the network's state at its two ends. Where the state before a piece is that after the piece
before, the network computes the same numbers as in one pass. `join` refuses pieces of which this is not true.

`vad.detection.parallel` does the like with threads, which share the decoded samples.

Each piece decodes the recording from its beginning, because resamplers and most formats cannot begin in the middle with
the same samples. Decoding takes 5 to 45 % of the time of the network `default`.
"""

import hashlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vad.audio.reading import AudioBlocks
from vad.detection.detector import Detection, Detector, Probabilities
from vad.detection.model import State
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
        probabilities: The next ones after those of the piece before. [shape=(frames,)]
        before: A digest of the network's state before the piece; empty if the recording ends before.
        after: That after it.
        samples: Number of samples of the recording so far, at the model's rate.
        duration: Seconds of the recording, as the header states them; of the last piece, as they were decoded.
    """

    probabilities: Probabilities
    before: str
    after: str
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
    return [Span(first, end) for first, end in itertools.pairwise([*edges, None]) if first is not None]


def analyse_piece(detector: Detector, recording: AudioBlocks, span: Span) -> PieceResult:
    """Analyse a piece of a recording.

    Args:
        detector: The detector.
        recording: All of it, as `open_recording` gives it.
        span: The piece.

    Raises:
        AudioError: The recording is damaged.
    """
    overlap = math.ceil(OVERLAP_S / detector.block_duration)
    begin = max(0, span.first - overlap)
    stream = ProbabilityStream(detector.model, lookahead=detector.lookahead)
    probabilities: list[Probabilities] = []
    before, samples, n_early = "", 0, 0
    for index, block in enumerate(recording):
        if index == span.end:
            break
        samples += len(block)
        if index == span.first:
            before = _digest(stream.state)
            n_early = sum(map(len, probabilities))
        if index >= begin:
            probabilities.append(stream.feed(block))
    after = _digest(stream.state)
    if span.end is None:
        probabilities.append(stream.finish())
    joined = np.concatenate([np.zeros(0, np.float32), *probabilities])
    return PieceResult(joined[n_early:], before, after, samples, recording.duration or 0.0)


def join(detector: Detector, pieces: Sequence[PieceResult]) -> Detection | None:
    """Join all pieces of a recording, in order. None if the network remembered more than the overlap."""
    if any(one.after != other.before for one, other in itertools.pairwise(pieces)):
        return None
    probabilities = np.concatenate([piece.probabilities for piece in pieces])
    duration = pieces[-1].samples / detector.sample_rate
    segments = segments_from_probabilities(probabilities, detector.frame_duration, detector.options, duration)
    return Detection(duration, detector.frame_duration, probabilities, segments)


def _digest(state: State) -> str:
    """Identify a network's state. Between whole chunks, nothing else decides what follows."""
    content = hashlib.sha256()
    for name, array in sorted(state.items()):
        content.update(name.encode() + np.ascontiguousarray(array).tobytes())
    return content.hexdigest()
