"""One recording analysed by several threads. The result is that of one pass in whole chunks, to the bit.

    span 1  |------ thread 1 ------|
    span 2             |-- early --|------ thread 2 ------|
    span 3                                    |-- early --|------ thread 1 ------|

A network's memory is of two kinds. Convolutions remember a few seconds (`receptive_field_s` in the card): each span
begins so much earlier, without results. Gain control remembers minutes, but its part of the graph takes a twentieth of
the time: the calling thread runs it alone, over all samples (`Model.gain`). While LiteRT runs, Python's lock is free.

None of this is taken on trust. The network's state at the beginning of a span must equal that at the end of the span
before. Where it does not, the span is analysed again from the right state.
"""

import math
import queue
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from vad.detection.model import Model, State
from vad.detection.stream import ProbabilityStream
from vad.detection.threads import network_threads

__all__ = ["ParallelProbabilities", "SpanResult", "analyse_span", "can_run_in_parallel"]

Samples: TypeAlias = npt.NDArray[np.float32]
Probabilities: TypeAlias = npt.NDArray[np.float32]

_SPAN_S = 128.0  # 8 MB of samples


class _Span(NamedTuple):
    """A part of a recording.

    Attributes:
        state: The network's state before `early`; None is the beginning of the recording.
        early: Samples before the span.
        samples: Those of the span.
        is_last: The recording ends with it.
    """

    state: State | None
    early: Samples
    samples: Samples
    is_last: bool = False


class SpanResult(NamedTuple):
    """What a span gives.

    Attributes:
        before: The network's state before it.
        probabilities: The next ones after those of the span before. [shape=(frames,)]
        after: The state after it.
    """

    before: State
    probabilities: Probabilities
    after: State

    def follows(self, before: "SpanResult") -> bool:
        """Whether its first state is, to the bit, the last one of the span before it."""
        return all(np.array_equal(array, before.after[name]) for name, array in self.before.items())


_NOTHING: Samples = np.zeros(0, np.float32)


def analyse_span(
    stream: ProbabilityStream, early: Iterable[Samples], blocks: Iterable[Samples], *, is_last: bool
) -> SpanResult:
    """Analyse the blocks of a span. The stream begins with early ones, which count for the network's memory alone."""
    for block in early:
        stream.feed(block)
    before = stream.state
    probabilities = [_NOTHING, *map(stream.feed, blocks)]
    if is_last:
        probabilities.append(stream.finish())
    return SpanResult(before, np.concatenate(probabilities), stream.state)


def can_run_in_parallel(model: Model) -> bool:
    """Whether a network forgets, and its file has the signature for gain control."""
    return model.has_gain and model.card.get("receptive_field_s") is not None


class ParallelProbabilities(ProbabilityStream):
    """The same results as those of its base class, some minutes of audio later.

    Args:
        model: The network, for which `can_run_in_parallel` is true.
        lookahead: As for `ProbabilityStream`.
        n_threads: Spans that are analysed at a time.
    """

    def __init__(self, model: Model, n_threads: int, *, lookahead: bool):
        self._n_threads = n_threads
        self._chunk = model.chunk_frames * model.frame_length
        chunk_s = model.chunk_frames * model.frame_duration
        self._early = math.ceil(model.card["receptive_field_s"] / chunk_s) * self._chunk
        self._span = round(_SPAN_S / chunk_s) * self._chunk
        self._copies: queue.SimpleQueue[Model] = queue.SimpleQueue()  # of the model, that no thread uses now
        super().__init__(model, lookahead=lookahead)

    def reset(self) -> None:
        """Start a new recording."""
        self._blocks: list[Samples] = []
        self._n_samples = 0  # in the blocks
        self._next = _Span(None, _NOTHING, _NOTHING)
        self._gain = self.model.initial_state()  # that of gain control is true, before the blocks
        self._running: deque[tuple[_Span, Future[SpanResult]]] = deque()
        self._last: SpanResult | None = None

    def feed(self, samples: Samples) -> Probabilities:
        """Process the next samples, and return the probabilities of spans that are complete."""
        self._blocks.append(samples.copy())  # the caller may reuse its buffer
        self._n_samples += len(samples)
        ready = [_NOTHING]
        while self._n_samples >= self._span:
            joined = np.concatenate(self._blocks)
            self._blocks, self._n_samples = [joined[self._span :].copy()], len(joined) - self._span
            self._begin(self._next._replace(samples=joined[: self._span]))
            self._next = self._after_span(joined[: self._span])
            if len(self._running) > self._n_threads:
                ready.append(self._end())
        return np.concatenate(ready)

    def finish(self) -> Probabilities:
        """End the recording, and return all other probabilities."""
        self._begin(self._next._replace(samples=np.concatenate([_NOTHING, *self._blocks]), is_last=True))
        return np.concatenate([self._end() for _ in range(len(self._running))])

    def _begin(self, span: _Span) -> None:
        self._running.append((span, network_threads().submit(self._analyse, span)))

    def _after_span(self, samples: Samples) -> _Span:
        """Find where gain control is at the beginning of the next span."""
        state = self._gain
        for position in range(0, len(samples), self._chunk):
            if position == len(samples) - self._early:
                state = self._gain
            self._gain = self.model.gain(samples[position : position + self._chunk], self._gain)
        return _Span(state, samples[len(samples) - self._early :].copy(), _NOTHING)

    def _end(self) -> Probabilities:
        """Wait for the first span, and check the state at its beginning."""
        span, future = self._running.popleft()
        result = future.result()
        if self._last is not None and not result.follows(self._last):
            result = self._analyse(span._replace(state=self._last.after, early=_NOTHING))
        self._last = result
        return result.probabilities

    def _analyse(self, span: _Span) -> SpanResult:
        """Run the network over a span, in any thread."""
        try:
            model = self._copies.get_nowait()
        except queue.Empty:
            model = self.model.copy()
        stream = ProbabilityStream(model, lookahead=self._lookahead)
        if span.state is not None:
            stream.resume(span.state)
        result = analyse_span(stream, [span.early], [span.samples], is_last=span.is_last)
        self._copies.put(model)
        return result
