"""One time of listening: block after block until something ends it, and what it sums up to."""

import collections
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from vad.detection.segments import Event, SpeechEnd, SpeechStart
from vad.detection.stream import Stream
from vad.errors import EXIT_USAGE, AudioError, ConfigError

__all__ = ["Heard", "Listener", "Session"]

Heard: TypeAlias = tuple[npt.NDArray[Any], bool]  # samples, and whether audio was lost before them

_STEPS_KEPT = 100_000  # the last half hour of blocks of 20 ms


class Listener(Protocol):
    """What follows a session: a view of it, or something that keeps a part of it."""

    def heard(self, samples: npt.NDArray[Any], stream: Stream) -> None:
        """Take note of the block that the stream was fed last."""

    def told(self, event: Event, stream: Stream) -> None:
        """Take note of an event."""

    def close(self) -> None:
        """Nothing more will come; a second time does nothing."""


class Session:
    """Listens once.

    Args:
        view: What is shown on stdout; where it can no longer be written, listening ends.
        keepers: What else follows; one that raises a ConfigError is told of on stderr and left out from then on.
        duration: Seconds of audio after which it is over; None is without end.
        until_silence: Seconds of silence after speech at which it is over; None is never.
    """

    def __init__(
        self, view: Listener, keepers: Sequence[Listener], duration: float | None, until_silence: float | None
    ):
        self._view = view
        self._keepers = list(keepers)
        self._duration = duration
        self._until_silence = until_silence
        self._code = 0
        self._speaking = False
        self._last_end: float | None = None
        self._segments = 0
        self._speech_s = 0.0
        self._overflows = 0
        self._steps_s: collections.deque[float] = collections.deque(maxlen=_STEPS_KEPT)

    def listen(self, stream: Stream, blocks: Iterator[Heard], stop: Callable[[], None] | None = None) -> int:
        """Hear all blocks, whatever ends them; the exit code.

        Args:
            stream: What hears them.
            blocks: Without end, perhaps.
            stop: Ends the blocks after those that are recorded already: a signal loses none of them.

        Raises:
            AudioError: A block is no audio.
            OSError: The microphone went away (then a DeviceError), or stdout cannot be written.
        """
        failure: Exception | None = None
        with _Interruption() as interruption:
            try:
                self._hear_all(stream, blocks, interruption, stop)
            except (AudioError, OSError) as error:
                failure = error
            try:
                self._tell(stream.finish(), stream)
            except OSError as error:
                failure = failure or error
        self._view.close()
        self._sum_up(stream.duration)
        if failure is not None:
            raise failure
        return self._code

    def _hear_all(
        self,
        stream: Stream,
        blocks: Iterator[Heard],
        interruption: "_Interruption",
        stop: Callable[[], None] | None,
    ) -> None:
        waiting: Callable[[], contextlib.AbstractContextManager[None]] = interruption.allowed
        while not self._is_over(stream):
            try:
                with waiting():
                    block = next(blocks, None)
            except KeyboardInterrupt:
                self._code = interruption.exit_code
                if stop is None:
                    return
                stop()
                waiting = (
                    contextlib.nullcontext
                )  # what was recorded before the signal is heard, whatever comes
                continue
            if block is None:
                return
            self._hear(*block, stream)

    def _is_over(self, stream: Stream) -> bool:
        if self._duration is not None and stream.duration >= self._duration:
            return True
        if self._until_silence is None or self._last_end is None or self._speaking:
            return False
        return stream.duration - self._last_end >= self._until_silence

    def _hear(self, samples: npt.NDArray[Any], overflowed: bool, stream: Stream) -> None:
        if overflowed:
            if self._overflows == 0:
                print(
                    f"vad: audio was lost at {stream.duration:.1f} s: this computer is too busy. Close other "
                    "programs, or choose a larger --block-ms.",
                    file=sys.stderr,
                )
            self._overflows += 1
        began = time.perf_counter()
        events = stream.feed(samples)
        self._steps_s.append(time.perf_counter() - began)
        self._tell(events, stream)
        for keeper in list(self._keepers):
            with self._unless_it_fails(keeper):
                keeper.heard(samples, stream)
        self._view.heard(samples, stream)

    def _tell(self, events: list[Event], stream: Stream) -> None:
        """Tell the keepers first: nobody reading stdout any more must cost no recording."""
        for event in events:
            self._speaking = isinstance(event, SpeechStart)
            if isinstance(event, SpeechEnd):
                self._last_end = event.time
                self._segments += 1
                self._speech_s += event.segment.duration
            for keeper in list(self._keepers):
                with self._unless_it_fails(keeper):
                    keeper.told(event, stream)
        for event in events:
            self._view.told(event, stream)

    @contextlib.contextmanager
    def _unless_it_fails(self, keeper: Listener) -> Iterator[None]:
        """Leave a keeper out that can keep no more."""
        try:
            yield
        except ConfigError as error:
            print(f"vad: {error}", file=sys.stderr)
            self._keepers.remove(keeper)
            self._code = EXIT_USAGE

    def _sum_up(self, heard_s: float) -> None:
        segments = "1 segment" if self._segments == 1 else f"{self._segments} segments"
        steps = ""
        if self._steps_s:
            p50, p99 = np.percentile(self._steps_s, [50, 99]) * 1000
            steps = f"step p50 {p50:.2f} ms, p99 {p99:.2f} ms; "
        gap = "\n" if sys.stderr.isatty() else "; "  # for 80 columns
        print(
            f"heard {heard_s:.1f} s: {segments}, {self._speech_s:.1f} s of speech{gap}"
            f"{steps}overflows: {self._overflows}",
            file=sys.stderr,
        )


class _Interruption:
    """Ctrl-C and SIGTERM, let through only while waiting for audio: never amid a block's work."""

    def __enter__(self) -> "_Interruption":
        """Take the signals over."""
        self._received: int | None = None
        self._allowed = False
        self._before = {
            number: signal.signal(number, self._interrupt) for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *_: object) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def exit_code(self) -> int:
        """What a shell says of a program that the signal ended."""
        return 128 + (self._received or signal.SIGINT)

    @contextlib.contextmanager
    def allowed(self) -> Iterator[None]:
        """Let a signal through; one that came before is let through at once."""
        self._allowed = True
        try:
            if self._received is not None:
                raise KeyboardInterrupt
            yield
        finally:
            self._allowed = False

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        self._received = number
        if self._allowed:
            raise KeyboardInterrupt
