"""`vad listen`: prints the events at the microphone, or in a pipe, as they happen.

In a terminal stdout has a level meter, and each segment as it ends; elsewhere one JSON object for each event. What ends
the session closes the open segment and prints a summary on stderr. The exit codes:

    0         the end of --duration, of --until-silence, or of the pipe
    1         the microphone was disconnected
    2         a file could not be written to the end; listening went on without it
    130, 143  Ctrl-C, SIGTERM
    141       stdout was closed
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

from vad.audio.decoding import decoded_blocks
from vad.audio.microphone import Microphone, list_devices
from vad.audio.pipe import Decoder, Pipe, open_arriving
from vad.commands.listening.files import SegmentFiles, SessionFile, longest_wait_s
from vad.commands.listening.hook import SegmentCommand
from vad.commands.listening.session import Session, Sink, SourceBlock
from vad.commands.listening.views import TemplateLines, make_view
from vad.commands.options.detection import add_detection_arguments, detector_maker
from vad.commands.options.raw import add_raw_arguments, piped_stdin, raw_format
from vad.commands.options.templates import TIME_FORMAT_HELP
from vad.errors import AudioError, ConfigError, require

__all__ = ["add_arguments", "run"]

_EXAMPLES = """\
examples:
  vad listen                                         the microphone
  vad listen --save words/ --exec 'play "$VAD_PATH"'  a file for each segment
  arecord -f S16_LE -r 16000 | vad listen -          standard input
"""

_LONGEST_SAVED_S = 3600  # kept in memory: where a long segment is split is known only at its end


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "source", nargs="?", type=_source, metavar="-",
        help="read WAV or raw samples from standard input (default: the microphone)",
    )  # fmt: skip
    parser.add_argument(
        "--device", metavar="N|NAME",
        help="number of the microphone, or a part of its name (default: the system's choice)",
    )  # fmt: skip
    parser.add_argument("--list-devices", action="store_true", help="list the microphones, and stop")
    parser.add_argument(
        "--block-ms", type=float, default=20.0, metavar="MS",
        help="length of the audio blocks to process, 10 to 100 (default: 20)",
    )  # fmt: skip
    parser.add_argument(
        "--duration", type=float, metavar="S", help="stop after S seconds of audio (default: never)"
    )
    parser.add_argument(
        "--until-silence", type=float, metavar="S",
        help="stop S seconds after the end of speech, if no more speech starts (default: never)",
    )  # fmt: skip
    parser.add_argument(
        "--format", choices=["text", "jsonl"],
        help="format of the events (default: text in a terminal, else jsonl)",
    )  # fmt: skip
    parser.add_argument(
        "--printf", metavar="TEMPLATE",
        help="print a line for each segment that ends: {id} {start} {end} {duration} {timestamp}, as in "
        "'[{id}] {timestamp:%%H:%%M:%%S}, {duration:.1f} s' (default: the events)",
    )  # fmt: skip
    parser.add_argument(
        "--time-format", metavar="FORMAT", help=f"{TIME_FORMAT_HELP}; for --printf (default: %%S)"
    )
    files = parser.add_argument_group("what is saved and run")
    files.add_argument("--save", metavar="DIR", help="save each segment as a WAV file (default: not saved)")
    files.add_argument(
        "--pre-roll-ms", type=float, default=300.0, metavar="MS",
        help="start these files so long before the segment (default: 300)",
    )  # fmt: skip
    files.add_argument(
        "--record", metavar="FILE", help="save the whole session as a new WAV file (default: not saved)"
    )
    files.add_argument(
        "--exec", metavar="CMD",
        help="run a shell command for each segment, one at a time; its environment has VAD_START and VAD_END, in "
        "seconds, and, with --save, VAD_PATH (default: none)",
    )  # fmt: skip
    add_raw_arguments(parser)
    add_detection_arguments(parser, lookahead=False)


def run(args: argparse.Namespace) -> int:
    """Listen; the exit code is in the module's docstring.

    Raises:
        DeviceError: There is no such microphone, or it was disconnected.
        AudioError: Standard input is not audio.
        ConfigError: An option does not exist or is out of its range, or a file cannot be written.
        ModelError: There is no such model, or it is damaged.
    """
    style = args.format or ("text" if sys.stdout.isatty() else "jsonl")
    if args.list_devices:
        return _list_devices(style)
    _check_ranges(args)
    if args.source is not None and args.device is not None:
        raise ConfigError("--device is for a microphone, and `-` is standard input. Give one of the two.")
    template = _template_lines(args)
    detector = detector_maker(args)()
    longest_s = detector.options.max_speech_duration_s
    require(
        args.save is None or longest_s <= _LONGEST_SAVED_S or math.isinf(longest_s),
        f"max_speech_duration_s must be at most {_LONGEST_SAVED_S}, or inf, with --save",
        max_speech_duration_s=longest_s,
    )
    with contextlib.ExitStack() as stack:
        sample_rate, source, stop = _open_source(args, detector.sample_rate, stack)
        wait_s = longest_wait_s(detector.options) if args.save is not None else 0.0
        sinks = _open_sinks(args, sample_rate, wait_s, stack)
        stream = detector.stream(sample_rate, keep_audio_s=wait_s + args.pre_roll_ms / 1000 + 1.0)
        blocks = stack.enter_context(source)
        view = stack.enter_context(contextlib.closing(template or make_view(style)))
        return Session(view, sinks, args.duration, args.until_silence).listen(stream, blocks, stop)


def _source(text: str) -> str:
    if text != "-":
        raise argparse.ArgumentTypeError(
            f"must be -, which is standard input. Use `vad detect {text}` for a file"
        )
    return text


def _check_ranges(args: argparse.Namespace) -> None:
    for name in ("duration", "until_silence"):
        value = getattr(args, name)
        require(value is None or value > 0, f"{name} must be more than 0 seconds", **{name: value})
    for name, least, most in (("block_ms", 10, 100), ("pre_roll_ms", 0, 10_000)):
        value = getattr(args, name)
        require(least <= value <= most, f"{name} must be between {least} and {most}", **{name: value})


def _template_lines(args: argparse.Namespace) -> TemplateLines | None:
    """Give the view of --printf; None if it is not given."""
    if args.printf is not None:
        if args.format is not None:
            raise ConfigError("--printf and --format exclude each other. Give one of the two.")
        return TemplateLines(args.printf, args.time_format or "%S")
    if args.time_format is not None:
        raise ConfigError("--time-format is for --printf. Give both.")
    return None


def _open_source(
    args: argparse.Namespace, sample_rate: int, stack: contextlib.ExitStack
) -> tuple[int, contextlib.AbstractContextManager[Iterator[SourceBlock]], Callable[[], None] | None]:
    """Open standard input or the microphone: its rate in Hz, its blocks in a `with` statement, and what stops them."""
    block_duration = args.block_ms / 1000
    if args.source == "-":
        decoder = _open_stdin(args, stack)
        blocks = ((samples, False) for samples in decoded_blocks(decoder, block_duration))
        return decoder.sample_rate, contextlib.nullcontext(blocks), None
    device = int(args.device) if args.device is not None and args.device.isdecimal() else args.device
    microphone = Microphone(device, sample_rate=sample_rate, block_duration=block_duration)
    return microphone.sample_rate, _recording(microphone), microphone.stop


def _open_stdin(args: argparse.Namespace, stack: contextlib.ExitStack) -> Decoder:
    pipe = stack.enter_context(Pipe(piped_stdin(), "stdin"))
    decoder = open_arriving(pipe, "stdin", raw_format(args), stack)
    if decoder is not None:
        return decoder
    head = pipe.head()
    if not head:
        raise AudioError("stdin ended before any audio. Check the program that writes to the pipe.")
    raise AudioError(
        "stdin must be a stream of uncompressed WAV, FLAC, Ogg or MP3, or raw samples of a --sample-rate. "
        f"Received: {head!r} at its beginning. Other formats: vad detect -."
    )


@contextlib.contextmanager
def _recording(microphone: Microphone) -> Iterator[Iterator[SourceBlock]]:
    with microphone:
        print(f"listening to {microphone.device.name}. Stop with Ctrl-C.", file=sys.stderr)
        yield _without_gaps(microphone)


def _without_gaps(microphone: Microphone) -> Iterator[SourceBlock]:
    """Replace lost blocks by silence, so that times stay those of the clock."""
    position = 0
    for block in microphone:
        start = round(block.time * microphone.sample_rate)
        while position < start:
            silence = np.zeros(min(len(block.samples), start - position), np.float32)
            yield silence, False
            position += len(silence)
        yield block.samples, block.overflowed
        position += len(block.samples)


def _open_sinks(
    args: argparse.Namespace, sample_rate: int, wait_s: float, stack: contextlib.ExitStack
) -> list[Sink]:
    """Open the files and the command; the stack closes them. Files come first: commands get their paths."""
    sinks: list[Sink] = []
    files: SegmentFiles | None = None
    if args.record is not None:
        sinks.append(stack.enter_context(contextlib.closing(SessionFile(Path(args.record), sample_rate))))
    if args.save is not None:
        files = SegmentFiles(Path(args.save), sample_rate, pre_roll_s=args.pre_roll_ms / 1000, wait_s=wait_s)
        sinks.append(stack.enter_context(contextlib.closing(files)))
    if args.exec is not None:
        command = SegmentCommand(args.exec, lambda: files.last_path if files is not None else None)
        sinks.append(stack.enter_context(contextlib.closing(command)))
    return sinks


def _list_devices(style: str) -> int:
    devices = list_devices()
    for device in devices:
        if style == "jsonl":
            print(json.dumps(asdict(device)))
            continue
        mark = "*" if device.is_default else " "
        channels = "1 channel" if device.channels == 1 else f"{device.channels} channels"
        print(f"{mark} {device.index:3d}  {device.name}  ({channels}, {device.sample_rate} Hz)")
    if not devices:
        print("vad: note: no microphone found. Connect one.", file=sys.stderr)
    return 0
