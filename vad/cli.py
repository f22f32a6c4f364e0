"""The `vad` program: runs a command, and turns errors into one line and an exit code.

    0    success
    1    some inputs failed: one line for each on stderr; the others were processed
    2    usage: an unknown option or value, a missing or damaged model, an extra that is not installed, an output that
         cannot be written
    130  stopped by Ctrl-C (143 by SIGTERM, 129 by SIGHUP)
    141  the reader of stdout ended (`vad detect ... | head`)

stdout has data only; messages and progress go to stderr.
"""

import argparse
import contextlib
import glob
import importlib
import itertools
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any, NoReturn

from vad import __version__
from vad.commands.options.messages import add_message_arguments, messages
from vad.errors import (
    EXIT_BROKEN_PIPE,
    EXIT_INPUT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    AudioError,
    DeviceError,
    LabelError,
    VadError,
    did_you_mean,
)
from vad.native_stderr import native_lines_dropped

__all__ = ["COMMANDS", "main"]

# Only the module of the command that runs is imported. It has add_arguments(parser: argparse.ArgumentParser) -> None
# and run(args: argparse.Namespace) -> int.
COMMANDS = {
    "detect": ("vad.commands.detect", "detect speech in files, folders or standard input"),
    "trim": ("vad.commands.trim", "remove the silence of recordings, at their ends or inside"),
    "listen": ("vad.commands.listen", "detect speech at the microphone, or in a pipe, as it is spoken"),
    "prepare": ("vad.commands.prepare", "make a corpus from your recordings and their labels"),
    "train": ("vad.commands.train", "train a network on your own sound"),
    "evaluate": ("vad.commands.evaluate", "measure a model on labelled recordings"),
    "benchmark": ("vad.commands.benchmark", "compare models with other detectors, under many conditions"),
    "tune": ("vad.commands.tune", "find the best threshold and durations for a goal"),
    "inspect": ("vad.commands.inspect", "show what a trained network learned, and why it reports speech"),
    "export": ("vad.commands.export", "write a trained network as a model file"),
    "models": ("vad.commands.models", "list the models of the package"),
    "config": ("vad.commands.config", "print the options in force, and where each comes from"),
    "completion": ("vad.commands.completion", "print a script that completes commands in a shell"),
}

_MAIN_OPTIONS = ("-h", "--help", "-V", "--version")

_EXAMPLES = """\
examples:
  vad meeting.wav                            start and end of each segment
  vad detect recordings/ -f rttm -o labels/  a label file for each recording
  vad listen                                 the microphone, live

`vad FILE` is short for `vad detect FILE`. `vad COMMAND --help` has the options."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the `vad` program.

    Args:
        argv: The arguments; None takes those of the process.

    Returns:
        The exit code: see the module.
    """
    _open_closed_streams()
    arguments = _with_command(list(sys.argv[1:] if argv is None else argv))
    try:
        parser, command = _parsers_for(arguments)
        if not arguments:
            parser.print_help()
            sys.stdout.flush()
            return 0
        args, unknown = parser.parse_known_args(arguments)
        if unknown:
            command.refuse(unknown)
        with native_lines_dropped(), _clean_end(), messages(args):
            code: int = args.run(args)
        sys.stdout.flush()
        return code
    except SystemExit as stop:  # argparse has printed why
        return stop.code if isinstance(stop.code, int) else EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _drop_stdout()
        return EXIT_BROKEN_PIPE
    except VadError as error:
        print(f"vad: {error}", file=sys.stderr)
        return EXIT_INPUT_FAILED if isinstance(error, AudioError | DeviceError | LabelError) else EXIT_USAGE
    except OSError as error:  # such as a full disk behind stdout
        _drop_stdout()
        place = f" {error.filename}" if error.filename else ""
        reason = (error.strerror or str(error)).lower()
        print(
            f"vad: cannot read or write{place}: {reason}. Make room, or use another place.", file=sys.stderr
        )
        return EXIT_USAGE


def _with_command(words: list[str]) -> list[str]:
    """Put the command first: before --quiet and --verbose, and `detect` where a recording is given without one."""
    leading = [*itertools.takewhile(("-q", "--quiet", "-v", "--verbose").__contains__, words)]
    rest = words[len(leading) :]
    option = len(rest) > 1 and rest[0].startswith("-") and not {*rest} & {*COMMANDS, *_MAIN_OPTIONS}
    if option or (rest and _is_recording(rest[0])):
        rest.insert(0, "detect")
    return rest[:1] + leading + rest[1:]


def _is_recording(word: str) -> bool:
    """Whether an argument is a recording in place of a command: it exists, or looks like a path to one."""
    if word in COMMANDS or word.startswith("-"):
        return word == "-"
    if os.path.exists(word) or glob.has_magic(word) or os.path.dirname(word):
        return True
    suffix = os.path.splitext(word)[1].lower()
    if not suffix:
        return False
    from vad.audio.decoding import KNOWN_SUFFIXES

    return suffix in KNOWN_SUFFIXES


def _open_closed_streams() -> None:
    """Open closed standard streams as the null device: else the next file would get their number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # The lowest free number is that of the stream.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


@contextlib.contextmanager
def _clean_end() -> Iterator[None]:
    """On SIGTERM and SIGHUP, remove temporary files and end other processes, as Ctrl-C does."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        signal.signal(number, signal.SIG_IGN)  # a second one must not interrupt the clean-up
        raise SystemExit(128 + number)

    here = threading.current_thread() is threading.main_thread()
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if here and hasattr(signal, name)]
    taken = [number for number in numbers if signal.getsignal(number) == signal.SIG_DFL]
    for number in taken:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _drop_stdout() -> None:
    """Drop what cannot be written: at its exit the interpreter would try again, and print an error."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Help(argparse.HelpFormatter):
    """Wraps texts, but not those of several lines."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)


class _Parser(argparse.ArgumentParser):
    """Reports errors in one line, without the usage. Options cannot be abbreviated: new options would break that."""

    def __init__(self, **settings: Any):
        super().__init__(**settings, allow_abbrev=False, formatter_class=_Help)

    def format_help(self) -> str:
        """Give the help. Its usage has no options: they are listed below."""
        needed = [one for one in self._actions if one.required and one.option_strings]
        words = [self.prog, "[options]", *(f"{one.option_strings[0]} {one.dest.upper()}" for one in needed)]
        for one in self._get_positional_actions():
            word = str(one.metavar)
            words.append(
                {"+": f"{word} ...", "?": f"[{word}]", "A...": f"{word} ..."}.get(str(one.nargs), word)
            )
        self.usage = " ".join(words)
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        wrong = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)$", message)
        if wrong and message.startswith("argument COMMAND"):
            near = did_you_mean(wrong[1], COMMANDS)
            message = f"{wrong[1]!r} is no command, file or folder.{near}"
        elif wrong and (near := did_you_mean(wrong[1], [one.strip("' ") for one in wrong[2].split(",")])):
            message = f"{message.partition(' (choose from ')[0]}.{near}"
        ended = message if message.endswith((".", "?")) else f"{message}."
        self.exit(EXIT_USAGE, f"{self.prog}: {ended} See `{self.prog} --help`.\n")

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """Report unknown arguments, with the option that is nearest to the first unknown one."""
        message = f"unrecognized arguments: {' '.join(unknown)}"
        known = [option for action in self._actions for option in action.option_strings]
        option = next((word.partition("=")[0] for word in unknown if word.startswith("-")), None)
        if option is not None:
            message += f".{did_you_mean(option, known)}"
        self.error(message)


def _parsers_for(arguments: list[str]) -> tuple[_Parser, _Parser]:
    """Build the main parser, and that of the command, which alone gets its arguments (or the main one again)."""
    parser = chosen = _Parser(
        prog="vad",
        description="Detect speech in audio.",
        epilog=_EXAMPLES,
    )
    version = f"vad {__version__}"
    parser.add_argument(
        "--version", "-V", action="version", version=version, help="print the version, and stop"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, (module_name, purpose) in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
        if arguments[:1] == [name]:
            module = importlib.import_module(module_name)
            module.add_arguments(command)
            add_message_arguments(command, version)
            command.set_defaults(run=module.run, all_parsers=_all_parsers)
            chosen = command
    return parser, chosen


def _all_parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of every command, for `vad completion`."""
    return {name: _parsers_for([name])[1] for name in COMMANDS}
