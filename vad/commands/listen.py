"""`vad listen`: the events at the microphone, or in a pipe, as they happen.

stdout has one line an event: for people in a terminal, else a JSON object. Ctrl-C closes what is open, sums
up on stderr and exits with 130; the end of `--duration`, or of the pipe, exits with 0. Where the microphone
goes away, what is open is closed too, and the exit code is 1.
"""

import argparse
import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict
from types import FrameType
from typing import Any, TypeAlias

import numpy.typing as npt

from vad.cli import EXIT_INTERRUPTED
from vad.commands.detection_options import add_detection_arguments, resolve_detection
from vad.commands.raw_options import add_raw_arguments, resolve_raw
from vad.errors import AudioError, ConfigError, DeviceError
from vad.microphone import Device, Microphone, list_devices
from vad.pcm import PcmStream
from vad.segments import Event, SpeechEnd, SpeechRejected, SpeechStart
from vad.stream import Stream

__all__ = ["add_arguments", "run"]

Heard: TypeAlias = tuple[npt.NDArray[Any], bool]  # samples, and whether audio was lost before them


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `vad listen`."""
    parser.add_argument(
        "source", nargs="?", choices=["-"], help="- is WAV or raw PCM on stdin (default: a microphone)"
    )
    parser.add_argument("--device", metavar="N|NAME", help="the microphone's number, or a part of its name")
    parser.add_argument("--list-devices", action="store_true", help="list the microphones and stop")
    parser.add_argument("--duration", type=float, metavar="S", help="stop after this many seconds of audio")
    parser.add_argument(
        "--format", choices=["text", "jsonl"], help="of the events (default: text in a terminal, else jsonl)"
    )
    add_raw_arguments(parser)
    add_detection_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Listen until it is over; the exit code is in the module's docstring.

    Raises:
        DeviceError: There is no such microphone, or it went away.
        AudioError: stdin is no WAV stream, or holds what is no audio.
        ConfigError: An option does not exist or is out of its range.
        ModelError: There is no such model, or it is damaged.
    """
    style = args.format or ("text" if sys.stdout.isatty() else "jsonl")
    if args.list_devices:
        devices = list_devices()
        for found in devices:
            print(_device_line(found) if style == "text" else json.dumps(asdict(found)))
        if not devices:
            print("no device that can record: connect a microphone", file=sys.stderr)
        return 0
    if args.duration is not None and not args.duration > 0:
        raise ConfigError(f"duration must be more than 0 seconds. Received: duration={args.duration}.")
    detector = resolve_detection(args).detector()
    session = _Session(style, args.duration)
    if args.source == "-":
        pipe = _stdin(args)
        return session.listen(detector.stream(pipe.sample_rate), ((samples, False) for samples in pipe))
    device = int(args.device) if args.device is not None and args.device.isdecimal() else args.device
    with Microphone(device, sample_rate=detector.sample_rate) as microphone:
        print(f"listening to {microphone.device.name}; Ctrl-C stops", file=sys.stderr)
        blocks = ((block.samples, block.overflowed) for block in microphone)
        return session.listen(detector.stream(microphone.sample_rate), blocks)


class _Session:
    """One time of listening, and what it sums up to."""

    def __init__(self, style: str, duration: float | None):
        self._style = style
        self._duration = duration
        self._segments = 0
        self._speech_s = 0.0
        self._overflows = 0

    def listen(self, stream: Stream, blocks: Iterator[Heard]) -> int:
        """Tell the events of all blocks, whatever ends them."""
        code = 0
        failure: DeviceError | AudioError | None = None
        with _Interruption() as interruption:
            try:
                while self._duration is None or stream.duration < self._duration:
                    with interruption.allowed():
                        block = next(blocks, None)
                    if block is None:
                        break
                    samples, overflowed = block
                    self._overflows += overflowed
                    self._tell(stream.feed(samples))
            except KeyboardInterrupt:
                code = EXIT_INTERRUPTED
            except (DeviceError, AudioError) as error:
                failure = error
            self._tell(stream.finish())
            self._sum_up(stream.duration)
        if failure is not None:
            raise failure
        return code

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, SpeechEnd):
                self._segments += 1
                self._speech_s += event.segment.duration
            print(_event_line(event) if self._style == "text" else _event_json(event), flush=True)

    def _sum_up(self, heard_s: float) -> None:
        segments = "1 segment" if self._segments == 1 else f"{self._segments} segments"
        print(f"heard {heard_s:.1f} s: {segments}, {self._speech_s:.1f} s of speech", file=sys.stderr)
        if self._overflows:
            print(
                f"overflows: {self._overflows} (audio was lost, this computer was too busy)", file=sys.stderr
            )


class _Interruption:
    """Ctrl-C, let through only while waiting for audio: never between two halves of a block's work."""

    def __enter__(self) -> "_Interruption":
        """Take Ctrl-C over."""
        self._asked = False
        self._allowed = False
        self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        """Give Ctrl-C back."""
        signal.signal(signal.SIGINT, self._before)

    @contextlib.contextmanager
    def allowed(self) -> Iterator[None]:
        """Let Ctrl-C through; one that came before is let through at once."""
        self._allowed = True
        try:
            if self._asked:
                raise KeyboardInterrupt
            yield
        finally:
            self._allowed = False

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        self._asked = True
        if self._allowed:
            raise KeyboardInterrupt


def _stdin(args: argparse.Namespace) -> PcmStream:
    if sys.stdin.isatty():
        raise ConfigError("- (stdin) must have audio piped in. Received: a terminal.")
    return PcmStream(open(sys.stdin.fileno(), "rb", closefd=False), raw=resolve_raw(args))


def _event_line(event: Event) -> str:
    if isinstance(event, SpeechStart):
        return f"{event.time:9.2f} s  speech starts"
    if isinstance(event, SpeechEnd):
        return f"{event.time:9.2f} s  speech ends, {event.segment.duration:.2f} s long"
    return f"{event.time:9.2f} s  was no speech"


def _event_json(event: Event) -> str:
    times = {"time": event.time, "decided_at": event.decided_at}
    if isinstance(event, SpeechEnd):
        times = {"start": event.segment.start, **times}
    kind = {SpeechStart: "start", SpeechEnd: "end", SpeechRejected: "rejected"}[type(event)]
    return json.dumps({"event": kind, **{name: round(time, 3) for name, time in times.items()}})


def _device_line(device: Device) -> str:
    mark = "*" if device.is_default else " "
    return f"{mark} {device.index:3d}  {device.name}  ({device.channels} channels, {device.sample_rate} Hz)"
