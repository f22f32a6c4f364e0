"""A session of `vad listen`: it feeds the stream block by block until something ends it, and prints a summary."""

import collections
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from vad.detection.segments import Event, SpeechEnd, SpeechStart
from vad.detection.stream import Stream
from vad.errors import EXIT_USAGE, AudioError, ConfigError

__all__ = ["Session", "Sink", "SourceBlock"]

SourceBlock: TypeAlias = tuple[npt.NDArray[Any], bool]
"""Samples, and whether audio was lost before them."""

_STEPS_KEPT = 100_000  # half an hour of blocks of 20 ms


class Sink:
    """Follows a session, to show it or to save a part of it."""

    def on_block(self, samples: npt.NDArray[Any], stream: Stream) -> None:
        """Handle the block that the stream was fed."""

    def on_event(self, event: Event, stream: Stream) -> None:
        """Handle an event."""

    def close(self) -> None:
        """Handle the end; can be called twice."""


class Session:
    """One run of listening.

    Args:
        view: Shows events on stdout. If it cannot write, the session ends.
        sinks: What else follows the session. One that raises a ConfigError is reported and left out.
        duration: End after so many seconds of audio; None never does.
        until_silence: End after so many seconds of silence after speech; None never does.
    """

    def __init__(
        self, view: Sink, sinks: Sequence[Sink], duration: float | None, until_silence: float | None
    ):
        self._view = view
        self._sinks = list(sinks)
        self._duration = duration
        self._until_silence = until_silence
        self._code = 0
        self._speaking = False
        self._last_end: float | None = None
        self._segments = 0
        self._speech_s = 0.0
        self._overflows = 0
        self._steps_s: collections.deque[float] = collections.deque(maxlen=_STEPS_KEPT)

    def listen(
        self, stream: Stream, blocks: Iterator[SourceBlock], stop: Callable[[], None] | None = None
    ) -> int:
        """Process all blocks, and close what is open whatever ended them.

        Args:
            stream: The detector's stream.
            blocks: The audio, perhaps endless.
            stop: Ends the blocks after those already recorded, so that a signal loses none.

        Returns:
            The exit code.

        Raises:
            AudioError: A block is not audio.
            OSError: The microphone was disconnected (a DeviceError), or stdout cannot be written.
        """
        failure: Exception | None = None
        with _Signals() as signals:
            try:
                self._process_all(stream, blocks, signals, stop)
            except (AudioError, OSError) as error:
                failure = error
            try:
                self._handle(stream.finish(), stream)
            except OSError as error:
                failure = failure or error
        self._view.close()
        self._print_summary(stream.duration)
        if failure is not None:
            raise failure
        return self._code

    def _process_all(
        self,
        stream: Stream,
        blocks: Iterator[SourceBlock],
        signals: "_Signals",
        stop: Callable[[], None] | None,
    ) -> None:
        waiting: Callable[[], contextlib.AbstractContextManager[None]] = signals.allowed
        while not self._is_over(stream):
            try:
                with waiting():
                    block = next(blocks, None)
            except KeyboardInterrupt:
                self._code = signals.exit_code
                if stop is None:
                    return
                stop()
                waiting = contextlib.nullcontext  # what was recorded before the signal is processed
                continue
            if block is None:
                return
            self._process(*block, stream)

    def _is_over(self, stream: Stream) -> bool:
        if self._duration is not None and stream.duration >= self._duration:
            return True
        if self._until_silence is None or self._last_end is None or self._speaking:
            return False
        return stream.duration - self._last_end >= self._until_silence

    def _process(self, samples: npt.NDArray[Any], overflowed: bool, stream: Stream) -> None:
        if overflowed:
            if self._overflows == 0:
                print(
                    f"vad: audio was lost at {stream.duration:.1f} s: this computer is too busy. Close other "
                    "programs, or choose a larger --block-ms.",
                    file=sys.stderr,
                )
            self._overflows += 1
        started = time.perf_counter()
        events = stream.feed(samples)
        self._steps_s.append(time.perf_counter() - started)
        self._handle(events, stream)
        self._for_sinks(lambda sink: sink.on_block(samples, stream))
        self._view.on_block(samples, stream)

    def _handle(self, events: list[Event], stream: Stream) -> None:
        """Give events to the sinks before the view: a closed stdout must not cost a recording."""
        for event in events:
            self._speaking = isinstance(event, SpeechStart)
            if isinstance(event, SpeechEnd):
                self._last_end = event.time
                self._segments += 1
                self._speech_s += event.segment.duration
            self._for_sinks(lambda sink, event=event: sink.on_event(event, stream))  # type: ignore[misc]
        for event in events:
            self._view.on_event(event, stream)

    def _for_sinks(self, act: Callable[[Sink], None]) -> None:
        for sink in list(self._sinks):
            try:
                act(sink)
            except ConfigError as error:
                print(f"vad: {error}", file=sys.stderr)
                self._sinks.remove(sink)
                self._code = EXIT_USAGE

    def _print_summary(self, duration: float) -> None:
        segments = "1 segment" if self._segments == 1 else f"{self._segments} segments"
        steps = ""
        if self._steps_s:
            p50, p99 = np.percentile(self._steps_s, [50, 99]) * 1000
            steps = f"time per block: p50 {p50:.2f} ms, p99 {p99:.2f} ms; "
        gap = "\n" if sys.stderr.isatty() else "; "  # two lines fit 80 columns
        print(
            f"processed {duration:.1f} s: {segments}, {self._speech_s:.1f} s of speech{gap}"
            f"{steps}overflows: {self._overflows}",
            file=sys.stderr,
        )


class _Signals:
    """Turns Ctrl-C and SIGTERM into KeyboardInterrupt, but only while the session waits for audio."""

    def __enter__(self) -> "_Signals":
        self._received: int | None = None
        self._allowed = False
        self._before = {
            number: signal.signal(number, self._receive) for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def exit_code(self) -> int:
        """The exit code of a shell for a program that the signal ended."""
        return 128 + (self._received or signal.SIGINT)

    @contextlib.contextmanager
    def allowed(self) -> Iterator[None]:
        """Raise KeyboardInterrupt for a signal that comes now or came before."""
        self._allowed = True
        try:
            if self._received is not None:
                raise KeyboardInterrupt
            yield
        finally:
            self._allowed = False

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        self._received = number
        if self._allowed:
            raise KeyboardInterrupt
