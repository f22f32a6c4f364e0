"""Samples to probabilities to events, fed as they come: whatever the cutting, the same result.

    samples, any rate ─► validate ─► resample ─► frames ─► Model ─► probabilities ─► Segmenter ─► events
                                     └── ProbabilityStream carries the partial frame, the state, the delay ──┘

A file is this stream fed everything.
"""

import asyncio
import copy
import math
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import replace
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from vad.audio.live_resampling import LiveResampler
from vad.audio.reading import Resampler
from vad.audio.samples import MonoInput, sample_rate_problem
from vad.detection.model import Model
from vad.detection.options import SegmentOptions
from vad.detection.segmenter import Segmenter
from vad.detection.segments import Event
from vad.errors import AudioError, ConfigError, require_bool, require_number, shown

__all__ = ["ProbabilityStream", "Stream"]

Samples: TypeAlias = npt.NDArray[np.float32]
Probabilities: TypeAlias = npt.NDArray[np.float32]
Block = TypeVar("Block", bound=npt.ArrayLike)


class ProbabilityStream:
    """Speech probabilities of a recording that comes in pieces, one a frame and on the recording's own clock.

    A recording of n samples has ceil(n / frame_length) frames, the last one filled up with zeros.

    Args:
        model: What hears the frames; it may serve other streams too.
        lookahead: Give the model's lookahead output, where it has one.

    Attributes:
        delay_frames: How many frames are heard past the one that is decided.
    """

    def __init__(self, model: Model, *, lookahead: bool = False):
        self.model = model
        self._lookahead = lookahead and model.lookahead_frames > 0
        self.delay_frames = model.lookahead_frames if self._lookahead else model.delay_frames
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next sample is the first of a recording."""
        self._state = self.model.initial_state()
        self._rest: Samples = np.zeros(0, np.float32)  # the beginning of a frame
        # The model's first outputs speak of frames before the beginning.
        self._to_drop = self.delay_frames
        self._heard = 0

    def feed(self, samples: Samples) -> Probabilities:
        """Hear the next samples.

        Args:
            samples: Mono, at the model's rate, in [-1, 1]; any number. [shape=(samples,)]

        Returns:
            The probabilities of the frames that are now certain: ``delay_frames`` behind what was heard.
            [shape=(frames,)]
        """
        self._heard += len(samples)
        return self._hear(np.concatenate([self._rest, samples]) if len(self._rest) else samples)

    def finish(self) -> Probabilities:
        """End the recording.

        Returns:
            The probabilities of its last frames. [shape=(frames,)]
        """
        if self._heard == 0:
            return np.zeros(0, np.float32)
        frame_length = self.model.frame_length
        missing = -self._heard % frame_length + self.delay_frames * frame_length
        return self._hear(np.concatenate([self._rest, np.zeros(missing, np.float32)]))

    def _hear(self, samples: Samples) -> Probabilities:
        """Give the model all frames there are, most of them in chunks, and keep the rest."""
        model = self.model
        position = 0
        probabilities = []
        chunk_length = model.chunk_frames * model.frame_length
        while len(samples) - position >= chunk_length:
            block = samples[position : position + chunk_length]
            chunk, self._state = model.chunk(block, self._state, lookahead=self._lookahead)
            probabilities.append(chunk)
            position += chunk_length
        steps = []
        while len(samples) - position >= model.frame_length:
            block = samples[position : position + model.frame_length]
            step, self._state = model.step(block, self._state, lookahead=self._lookahead)
            steps.append(step)
            position += model.frame_length
        probabilities.append(np.array(steps, np.float32))
        self._rest = samples[position:].copy()  # the caller may use its buffer again
        outputs = np.concatenate(probabilities)
        dropped = min(self._to_drop, len(outputs))
        self._to_drop -= dropped
        return outputs[dropped:]


class Stream:
    """A recording, or a microphone, heard piece by piece. Made by `Detector.stream`.

    A stream belongs to one thread at a time; any number of streams, in any threads, may share a model. Times
    are seconds of audio since the first sample fed.

    Args:
        model: What hears the frames.
        options: Thresholds and durations of the segments.
        sample_rate: Rate of the samples that will be fed, in Hz; None is the model's.
        confirm_start: Withhold `SpeechStart` until it is certain that it will not be taken back.
        keep_audio_s: Seconds of the latest audio that `audio` can give back: 4 bytes a sample, always.
        lookahead: Give the model's lookahead output, where it has one: more accurate, and later by what the model's
            `lookahead_frames` say.
        resampler: `LiveResampler` brings samples to the model's rate within 3 ms. `Resampler` is the files',
            faster and sharper, but events come up to 115 ms later and the stream cannot be copied.

    Attributes:
        sample_rate: As given, or the model's.
        frame_duration: Seconds of audio that one probability speaks of.
        delay: Seconds that are heard past a frame before it is decided.
        probabilities: Those of the frames that the last `feed` or `finish` decided. [shape=(frames,)]

    Raises:
        AudioError: Nobody records at such a sample rate.
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
    ):
        self.sample_rate = model.sample_rate if sample_rate is None else sample_rate
        self.frame_duration = model.frame_duration
        problem = sample_rate_problem(self.sample_rate)
        if problem is not None:
            raise AudioError(problem)
        require_bool("confirm_start", confirm_start)
        self._frames = ProbabilityStream(model, lookahead=lookahead)
        self.delay = self._frames.delay_frames * model.frame_duration
        self._segmenter = Segmenter(
            options, model.frame_duration, confirm_start=confirm_start, delay=self.delay
        )
        self._keep_audio_s = keep_audio_s
        self._make_resampler = resampler
        self.reset()

    @property
    def duration(self) -> float:
        """Seconds of audio fed so far."""
        return self._samples_fed / self.sample_rate

    def reset(self) -> None:
        """Forget everything: the next sample is the first of a recording."""
        self._input = MonoInput(self.sample_rate)
        self._resampler = self._make_resampler(self.sample_rate, self._frames.model.sample_rate)
        self._history = _AudioHistory(self.sample_rate, self._keep_audio_s)
        self._frames.reset()
        self._segmenter.reset()
        self._samples_fed = 0
        self._finished = False
        self.probabilities: Probabilities = np.zeros(0, np.float32)

    def feed(self, samples: npt.ArrayLike) -> list[Event]:
        """Hear the next samples.

        Args:
            samples: Any number, at `sample_rate`: float in [-1, 1], or int16, int32, uint8; channels are
                mixed. [shape=(samples,), (samples, channels) or (1, samples)]

        Returns:
            The events they decided, in order; often none.

        Raises:
            AudioError: The samples are no audio's (then none of them was heard), or the stream is finished.
        """
        if self._finished:
            raise AudioError(
                "a finished stream takes no more samples. Call reset() before the next recording."
            )
        mono = self._input.feed(samples)
        self._samples_fed += len(mono)
        self._history.feed(mono)
        self.probabilities = self._frames.feed(self._resampler.feed(mono))
        return self._segmenter.feed(self.probabilities)

    def finish(self) -> list[Event]:
        """End the recording: fill up its last frame, hear out the model's delay, close what is open.

        Returns:
            The last events; a segment that is still open ends with the recording. Nothing on a second call.
        """
        if self._finished:
            return []
        self._finished = True
        last = self._frames.feed(self._resampler.finish())
        self.probabilities = np.concatenate([last, self._frames.finish()])
        events = self._segmenter.feed(self.probabilities)
        events += self._segmenter.finish(self.duration)
        # What the padding at the end decided was known when the recording ended.
        return [replace(event, decided_at=min(event.decided_at, self.duration)) for event in events]

    def audio(self, start: float, end: float | None = None) -> Samples:
        """Give back audio that was fed, such as that of a segment, or what led up to a start.

        Args:
            start: From when, in seconds; before the beginning is the beginning.
            end: Until when; None, or what was not fed yet, is all that was.

        Returns:
            Mono samples at `sample_rate`, the caller's to keep. [shape=(samples,)]

        Raises:
            AudioError: It begins before the last `keep_audio_s` seconds.
            ConfigError: `start` or `end` is no time.
        """
        until = self.duration if end is None else require_number("end", end)
        if math.isnan(until) or not math.isfinite(require_number("start", start)):
            raise ConfigError(f"start and end must be seconds. Received: start={start}, end={end}.")
        return self._history.read(start, min(until, self.duration))

    def copy(self) -> "Stream":
        """A second stream at the same point, which shares nothing with this one but the model.

        Keep it and feed it later to resume, or feed it something else to see what would come of it.

        Raises:
            AudioError: It resamples as recordings are resampled (`lookahead=True`), by what has no copies.
        """
        if isinstance(self._resampler, Resampler) and self.sample_rate != self._frames.model.sample_rate:
            raise AudioError(
                "a stream that resamples must not have lookahead=True to be copied. Received: one."
            )
        return copy.deepcopy(self, {id(self._frames.model): self._frames.model})

    async def listen(
        self, source: Iterable[npt.ArrayLike] | AsyncIterable[npt.ArrayLike]
    ) -> AsyncIterator[Event]:
        """Hear a source to its end, as an asynchronous program does: `async for event in stream.listen(source)`.

        Waiting and hearing happen in threads, so the event loop is never held up.

        Args:
            source: Blocks as `feed` takes them, from an iterable, which may wait for them, or an asynchronous
                one. Whoever made it closes it.

        Yields:
            The events, those of `finish` at last.

        Raises:
            AudioError: The samples are no audio's; and whatever the source raises.
        """
        async for block in _as_asynchronous(source):
            for event in await asyncio.to_thread(self.feed, block):
                yield event
        for event in await asyncio.to_thread(self.finish):
            yield event


class _AudioHistory:
    """A ring of samples: feeding overwrites the oldest, and memory never grows.

    Args:
        sample_rate: Of the samples, in Hz.
        seconds: How much is kept; 0 keeps nothing.

    Raises:
        ConfigError: `seconds` is negative or not finite.
    """

    def __init__(self, sample_rate: float, seconds: float):
        if not 0 <= require_number("keep_audio_s", seconds) < math.inf:
            raise ConfigError(f"keep_audio_s must be finite and 0 or more. Received: keep_audio_s={seconds}.")
        self._sample_rate = sample_rate
        self._seconds = seconds
        self._ring: Samples = np.zeros(math.ceil(seconds * sample_rate), np.float32)
        self._heard = 0

    def feed(self, samples: Samples) -> None:
        """Keep the next samples, [shape=(samples,)]."""
        self._heard += len(samples)
        kept = samples[max(0, len(samples) - len(self._ring)) :]
        self._ring[self._places(self._heard - len(kept), self._heard)] = kept

    def read(self, start: float, end: float) -> Samples:
        """Give a copy of what was heard from `start` to `end`, in seconds; what does not exist is left out.

        Raises:
            AudioError: Some of it is no longer kept.
        """
        first = max(0, round(start * self._sample_rate))
        stop = min(self._heard, round(end * self._sample_rate))
        if first < stop and first < self._heard - len(self._ring):
            raise AudioError(
                f"audio must be of the last {self._seconds:g} s, which the stream keeps. Received: "
                f"start={start:.3f} at {self._heard / self._sample_rate:.3f} s. Give the stream more keep_audio_s."
            )
        return self._ring[self._places(first, max(first, stop))]

    def _places(self, first: int, stop: int) -> npt.NDArray[np.intp]:
        """Where in the ring the samples from `first` to `stop` lie."""
        return np.arange(first, stop) % max(1, len(self._ring))


async def _as_asynchronous(source: Iterable[Block] | AsyncIterable[Block]) -> AsyncIterator[Block]:
    if isinstance(source, AsyncIterable):
        async for block in source:
            yield block
        return
    if not isinstance(source, Iterable):
        raise AudioError(f"a source must be an iterable of blocks of samples. Received: {shown(source)}.")
    blocks = iter(source)

    def wait() -> Block | None:
        return next(blocks, None)

    while (waited_for := await asyncio.to_thread(wait)) is not None:
        yield waited_for
