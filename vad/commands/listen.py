"""`vad listen`: the events at the microphone, or in a pipe, as they happen.

In a terminal stdout shows a level meter, the probability of speech, how long was spoken, and each segment as it
ends; elsewhere it has one JSON object an event and nothing else. Ctrl-C and SIGTERM close what is open, sum up on
stderr and exit with 130 and 143; the end of `--duration`, of `--until-silence` or of the pipe exits with 0. Where
the microphone goes away, or stdout is closed, what is open is closed too, and the exit code is 1 or 141; where a
recording can no longer be written, listening goes on, and the exit code is 2.
"""

import argparse
import contextlib
import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

from vad.audio.microphone import Device, Microphone, list_devices
from vad.audio.pipe import PcmStream
from vad.commands.listening.files import SegmentFiles, SessionFile, longest_wait_s
from vad.commands.listening.hook import SegmentCommand
from vad.commands.listening.session import Heard, Listener, Session
from vad.commands.listening.views import make_view
from vad.commands.options.detection import add_detection_arguments, resolve_detection
from vad.commands.options.raw import add_raw_arguments, resolve_raw
from vad.errors import ConfigError, require

__all__ = ["add_arguments", "run"]

_LONGEST_SAVED_S = 3600  # so much is held in memory: where a long segment is split is known only at its end


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `vad listen`."""
    parser.add_argument(
        "source", nargs="?", choices=["-"], help="- is WAV or raw PCM on stdin (default: a microphone)"
    )
    parser.add_argument(
        "--device",
        metavar="N|NAME",
        help="the microphone's number, or a part of its name (default: the system's choice)",
    )
    parser.add_argument("--list-devices", action="store_true", help="list the microphones and stop")
    parser.add_argument(
        "--block-ms",
        type=float,
        default=20.0,
        metavar="MS",
        help="audio to process at a time, 10 to 100 (default: 20)",
    )
    parser.add_argument(
        "--duration", type=float, metavar="S", help="stop after this many seconds of audio (default: never)"
    )
    parser.add_argument(
        "--until-silence",
        type=float,
        metavar="S",
        help="stop after S seconds without speech, once there was some (default: never)",
    )
    parser.add_argument(
        "--format", choices=["text", "jsonl"], help="of the events (default: text in a terminal, else jsonl)"
    )
    kept = parser.add_argument_group("what is kept")
    kept.add_argument("--save", metavar="DIR", help="each segment as a WAV file (default: not written)")
    kept.add_argument(
        "--pre-roll-ms", type=float, default=300.0, metavar="MS",
        help="begin those files this long before the segment (default: 300)",
    )  # fmt: skip
    kept.add_argument(
        "--record", metavar="FILE", help="the whole session, as a new WAV file (default: not written)"
    )
    kept.add_argument(
        "--exec", metavar="CMD",
        help="run a shell command for each segment, one after the other, with VAD_START and VAD_END in seconds and, "
        "with --save, VAD_PATH in its environment (default: none)",
    )  # fmt: skip
    add_raw_arguments(parser)
    add_detection_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Listen until it is over; the exit code is in the module's docstring.

    Raises:
        DeviceError: There is no such microphone, or it went away.
        AudioError: stdin is no WAV stream, or holds what is no audio.
        ConfigError: An option does not exist or is out of its range, or a file cannot be written.
        ModelError: There is no such model, or it is damaged.
    """
    style = args.format or ("text" if sys.stdout.isatty() else "jsonl")
    if args.list_devices:
        return _list_devices(style)
    _check(args)
    detector = resolve_detection(args).detector()
    longest_s = detector.options.max_speech_duration_s
    require(
        args.save is None or longest_s <= _LONGEST_SAVED_S or math.isinf(longest_s),
        f"max_speech_duration_s must be at most {_LONGEST_SAVED_S}, or none, where segments are saved",
        max_speech_duration_s=longest_s,
    )
    with contextlib.ExitStack() as stack:
        sample_rate, source, stop = _open_source(args, detector.sample_rate, stack)
        wait_s = longest_wait_s(detector.options) if args.save is not None else 0.0
        keepers = _open_keepers(args, sample_rate, wait_s, stack)
        stream = detector.stream(sample_rate, keep_audio_s=wait_s + args.pre_roll_ms / 1000 + 1.0)
        blocks = stack.enter_context(source)
        view = stack.enter_context(contextlib.closing(make_view(style)))
        return Session(view, keepers, args.duration, args.until_silence).listen(stream, blocks, stop)


def _check(args: argparse.Namespace) -> None:
    """Refuse values out of their range before anything is opened.

    Raises:
        ConfigError: One is.
    """
    for name in ("duration", "until_silence"):
        value = getattr(args, name)
        require(value is None or value > 0, f"{name} must be more than 0 seconds", **{name: value})
    require(10 <= args.block_ms <= 100, "block_ms must be between 10 and 100", block_ms=args.block_ms)
    require(
        0 <= args.pre_roll_ms <= 10_000,
        "pre_roll_ms must be between 0 and 10000",
        pre_roll_ms=args.pre_roll_ms,
    )
    if args.source is not None and args.device is not None:
        raise ConfigError(f"device must be left out where - is heard. Received: device={args.device!r}.")


def _open_source(
    args: argparse.Namespace, sample_rate: int, stack: contextlib.ExitStack
) -> tuple[int, contextlib.AbstractContextManager[Iterator[Heard]], Callable[[], None] | None]:
    """Open stdin or the microphone: the rate in Hz, what is heard in a `with` statement, and what ends it."""
    block_duration = args.block_ms / 1000
    if args.source == "-":
        pipe = _stdin(args, block_duration)
        return pipe.sample_rate, contextlib.nullcontext((samples, False) for samples in pipe), None
    device = int(args.device) if args.device is not None and args.device.isdecimal() else args.device
    microphone = Microphone(device, sample_rate=sample_rate, block_duration=block_duration)
    return microphone.sample_rate, _recording(microphone), microphone.stop


@contextlib.contextmanager
def _recording(microphone: Microphone) -> Iterator[Iterator[Heard]]:
    with microphone:
        print(f"listening to {microphone.device.name}; Ctrl-C stops", file=sys.stderr)
        yield _without_gaps(microphone)


def _stdin(args: argparse.Namespace, block_duration: float) -> PcmStream:
    if sys.stdin.isatty():
        raise ConfigError("- (stdin) must have audio piped in. Received: a terminal.")
    stdin = sys.stdin.fileno()
    return PcmStream(open(stdin, "rb", closefd=False), raw=resolve_raw(args), block_duration=block_duration)


def _without_gaps(microphone: Microphone) -> Iterator[Heard]:
    """Silence stands for blocks that were lost, so that times stay those of the clock on the wall."""
    given = 0
    for block in microphone:
        began = round(block.time * microphone.sample_rate)
        while given < began:
            silence = np.zeros(min(len(block.samples), began - given), np.float32)
            yield silence, False
            given += len(silence)
        yield block.samples, block.overflowed
        given += len(block.samples)


def _open_keepers(
    args: argparse.Namespace, sample_rate: int, wait_s: float, stack: contextlib.ExitStack
) -> list[Listener]:
    """Open what the flags ask to keep, to be closed with the stack; segments are saved before commands run."""
    keepers: list[Listener] = []

    def keep(keeper: Listener) -> None:
        keepers.append(stack.enter_context(contextlib.closing(keeper)))

    files: SegmentFiles | None = None
    if args.record is not None:
        keep(SessionFile(Path(args.record), sample_rate))
    if args.save is not None:
        files = SegmentFiles(Path(args.save), sample_rate, pre_roll_s=args.pre_roll_ms / 1000, wait_s=wait_s)
        keep(files)
    if args.exec is not None:
        keep(SegmentCommand(args.exec, lambda: files.last_path if files is not None else None))
    return keepers


def _list_devices(style: str) -> int:
    devices = list_devices()
    for device in devices:
        print(_device_line(device) if style == "text" else json.dumps(asdict(device)))
    if not devices:
        print("no device that can record: connect a microphone", file=sys.stderr)
    return 0


def _device_line(device: Device) -> str:
    mark = "*" if device.is_default else " "
    return f"{mark} {device.index:3d}  {device.name}  ({device.channels} channels, {device.sample_rate} Hz)"
