"""Samples to probabilities to events, as they come. How they are divided into calls does not matter.

    samples, any rate ─► validate ─► resample ─► [turn up] ─► frames ─► Model ─► probabilities ─► Segmenter ─► events
                                     └── ProbabilityStream keeps the partial frame, the state, the delay ──┘

`Detector.process` feeds a whole recording to such a stream.
"""

import contextlib
import copy
import functools
import math
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from vad.audio.resampling import LiveResampler, Resampler
from vad.audio.samples import MonoInput, sample_rate_problem
from vad.detection.audio_history import AudioHistory
from vad.detection.lookahead_gain import LookaheadGain
from vad.detection.model import Model, State
from vad.detection.options import SegmentOptions
from vad.detection.segmenter import Segmenter
from vad.detection.segments import Event
from vad.detection.threads import network_threads
from vad.errors import AudioError, ConfigError, ModelError, require_bool, require_number, shown

__all__ = ["ProbabilityStream", "Stream"]

Samples: TypeAlias = npt.NDArray[np.float32]
Probabilities: TypeAlias = npt.NDArray[np.float32]
_GAIN_LENGTH = 320_000  # samples: 20 s, as blocks of files
_Run: TypeAlias = Callable[..., tuple[Any, State]]


class ProbabilityStream:
    """Speech probabilities of a recording that comes in pieces, one per frame, in step with the recording.

    A recording of n samples has ceil(n / frame_length) frames. Zeros fill the last one.

    Args:
        model: The network; other streams may share it.
        lookahead: Give the model's lookahead output, where it has one.

    Attributes:
        delay_frames: Frames between a frame and its probability.
    """

    def __init__(self, model: Model, *, lookahead: bool = False):
        self.model = model
        self._lookahead = lookahead and model.lookahead_frames > 0
        self.delay_frames = model.lookahead_frames if self._lookahead else model.delay_frames
        self.reset()

    def reset(self) -> None:
        """Start a new recording."""
        self._state = self.model.initial_state()
        self._rest: Samples = np.zeros(0, np.float32)  # the beginning of a frame
        # The model's first outputs are about frames before the beginning.
        self._to_drop = self.delay_frames
        self._length = 0

    @property
    def state(self) -> State:
        """The network's state after the frames so far."""
        return self._state

    def resume(self, state: State) -> None:
        """Start inside a recording, after a whole frame, with the network's state there. No output is dropped."""
        self._state = state
        self._to_drop = 0
        self._length = self.model.frame_length

    def feed(self, samples: Samples) -> Probabilities:
        """Process the next samples.

        Args:
            samples: Mono, at the model's rate, in [-1, 1]; any number. [shape=(samples,)]

        Returns:
            The next probabilities, up to `delay_frames` before the last sample. [shape=(frames,)]
        """
        self._length += len(samples)
        return self._process(samples)

    def finish(self) -> Probabilities:
        """End the recording.

        Returns:
            The probabilities of its last frames. [shape=(frames,)]
        """
        if self._length == 0:
            return np.zeros(0, np.float32)
        frame_length = self.model.frame_length
        missing = -self._length % frame_length + self.delay_frames * frame_length
        return self._process(np.zeros(missing, np.float32))

    def _process(self, samples: Samples) -> Probabilities:
        """Give the model all whole frames, in chunks where possible, and keep the rest."""
        model = self.model
        if len(self._rest):
            samples = np.concatenate([self._rest, samples])
        position = 0
        outputs: list[npt.ArrayLike] = []
        chunk_length = model.chunk_frames * model.frame_length
        runs: list[tuple[_Run, int]] = [(model.chunk, chunk_length), (model.step, model.frame_length)]
        for run, length in runs:
            while len(samples) - position >= length:
                block = samples[position : position + length]
                output, self._state = run(block, self._state, lookahead=self._lookahead)
                outputs.append(output)
                position += length
        self._rest = samples[position:].copy()  # the caller may reuse its buffer
        probabilities = np.hstack([np.zeros(0, np.float32), *outputs]).astype(np.float32, copy=False)
        dropped = min(self._to_drop, len(probabilities))
        self._to_drop -= dropped
        return probabilities[dropped:]


class Stream:
    """A recording or a microphone, processed piece by piece. `Detector.stream` makes it and explains its options.

    Use a stream in one thread at a time. Any number of streams, in any threads, may share a model. Times are seconds of
    audio since the first sample.

    Attributes:
        sample_rate: As given, or the model's.
        frame_duration: Seconds of audio per probability.
        delay: Seconds between a frame and its probability, in the network.
        probabilities: New from the last `feed` or `finish`. [shape=(frames,)]

    Raises:
        AudioError: The sample rate is out of range.
        ModelError: `model` is not one.
        ConfigError: `keep_audio_s` is negative or not finite.
    """

    def __init__(
        self,
        model: Model,
        options: SegmentOptions,
        *,
        sample_rate: float | None = None,
        confirm_start: bool = False,
        keep_audio_s: float = 0.0,
        lookahead: bool = False,
        resampler: type[LiveResampler] | type[Resampler] = LiveResampler,
        frames: ProbabilityStream | None = None,
        turn_up: bool = False,
    ):
        if not isinstance(model, Model):
            raise ModelError(f"model must be a Model. Received: {shown(model)}. Load one with Model.load().")
        self.sample_rate = model.sample_rate if sample_rate is None else sample_rate
        self.frame_duration = model.frame_duration
        problem = sample_rate_problem(self.sample_rate)
        if problem is not None:
            raise AudioError(problem)
        require_bool("confirm_start", confirm_start)
        self._frames = frames or ProbabilityStream(model, lookahead=lookahead)
        self.delay = self._frames.delay_frames * model.frame_duration
        self._segmenter = Segmenter(
            options, model.frame_duration, confirm_start=confirm_start, delay=self.delay
        )
        self._keep_audio_s = keep_audio_s
        # LiveResampler delays audio by 3 ms at most. Resampler, which reads files, is faster and sharper, but delays it
        # by up to 115 ms and cannot be copied.
        self._make_resampler = resampler
        self._turns_up = turn_up
        self.reset()

    @property
    def duration(self) -> float:
        """Seconds of audio so far."""
        return self._history.length / self.sample_rate

    def reset(self) -> None:
        """Start a new recording."""
        self._input = MonoInput(self.sample_rate)
        self._resampler = self._make_resampler(self.sample_rate, self._frames.model.sample_rate)
        self._gain = LookaheadGain(self._frames.model) if self._turns_up else None
        self._history = AudioHistory(self.sample_rate, self._keep_audio_s)
        self._frames.reset()
        self._segmenter.reset()
        self._finished = False
        self.probabilities: Probabilities = np.zeros(0, np.float32)

    def feed(self, samples: npt.ArrayLike) -> list[Event]:
        """Process the next samples.

        Args:
            samples: Any number, at `sample_rate`: float in [-1, 1], or int16, int32 or uint8. Channels are mixed.
                [shape=(samples,), (samples, channels) or (1, samples)]

        Returns:
            The events that they decide, in order. There may be none.

        Raises:
            AudioError: The samples are not audio (then none of them was used), or the stream is finished.
        """
        if self._finished:
            raise AudioError("the stream is finished. Call reset() before the next recording.")
        mono = self._input.feed(samples)
        self._history.feed(mono)
        self.probabilities = self._analyse(self._resampler.feed(mono))
        return self._segmenter.feed(self.probabilities)

    def finish(self) -> list[Event]:
        """End the recording. A segment that is still open ends with it.

        Returns:
            The last events; none on a second call.
        """
        if self._finished:
            return []
        self._finished = True
        last = [self._analyse(self._resampler.finish())]
        if self._gain:
            last.append(self._frames.feed(self._gain.finish()))
        self.probabilities = np.concatenate([*last, self._frames.finish()])
        events = self._segmenter.feed(self.probabilities)
        events += self._segmenter.finish(self.duration)
        # The zeros after the end are no audio: they decide nothing later than the end.
        return [replace(event, decided_at=min(event.decided_at, self.duration)) for event in events]

    def _analyse(self, samples: Samples) -> Probabilities:
        """The probabilities of resampled audio. A long array is turned up piece by piece, which bounds memory."""
        if not self._gain:
            return self._frames.feed(samples)
        pieces = (samples[first : first + _GAIN_LENGTH] for first in range(0, len(samples), _GAIN_LENGTH))
        found = [self._frames.feed(self._gain.feed(piece)) for piece in pieces]
        return np.concatenate([np.zeros(0, np.float32), *found])

    def audio(self, start: float, end: float | None = None) -> Samples:
        """Return audio that was fed, such as a segment, or the time before it.

        Args:
            start: In seconds; before the beginning is the beginning.
            end: In seconds; None, or a later time than `duration`, is all there is.

        Returns:
            A copy, mono, at `sample_rate`. [shape=(samples,)]

        Raises:
            AudioError: `start` is before the last `keep_audio_s` seconds.
            ConfigError: `start` or `end` is not a time.
        """
        until = self.duration if end is None else require_number("end", end)
        if math.isnan(until) or not math.isfinite(require_number("start", start)):
            raise ConfigError(f"start and end must be seconds. Received: start={start}, end={end}.")
        return self._history.read(start, min(until, self.duration))

    def copy(self) -> "Stream":
        """Copy the stream as it is now; the two share only the model.

        Feed the copy later to resume here, or feed it other samples to try them.

        Raises:
            AudioError: It resamples with `lookahead=True`, whose resampler cannot be copied.
        """
        return copy.deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        """What a copy and a pickle take along: all of it."""
        if isinstance(self._resampler, Resampler) and self.sample_rate != self._frames.model.sample_rate:
            raise AudioError(
                "a stream that resamples with lookahead=True cannot be copied. Use lookahead=False."
            )
        return self.__dict__

    async def listen(
        self, source: Iterable[npt.ArrayLike] | AsyncIterable[npt.ArrayLike]
    ) -> AsyncIterator[Event]:
        """Process a source to its end in an asynchronous program: `async for event in stream.listen(source)`.

        Threads wait for the source and run the network, so the event loop is never blocked, and its default executor
        stays free. A cancelled task ends at once, even where the source waits; then the stream needs a `reset`.

        Args:
            source: Blocks as `feed` takes them, from an iterable, which may wait for them, or an asynchronous one. The
                caller closes it.

        Yields:
            The events, those of `finish` at the end.

        Raises:
            AudioError: The samples are not audio. Errors of the source pass through.
        """
        import asyncio  # here, because it takes longer to load than all of vad

        from vad.detection.waiting import as_asynchronous

        run = functools.partial(asyncio.get_running_loop().run_in_executor, network_threads())
        async with contextlib.aclosing(as_asynchronous(source)) as blocks:
            async for block in blocks:
                for event in await run(self.feed, block):
                    yield event
        for event in await run(self.finish):
            yield event
