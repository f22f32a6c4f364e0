"""The `vad` program: finds the command, runs it, and turns what went wrong into one line and an exit code.

    0    fine
    1    some input failed: one line each on stderr, the rest is done
    2    usage: an unknown option or value, a model that is missing or damaged, training without its extra,
         an output that cannot be written
    130  stopped by Ctrl-C (143: by SIGTERM, `vad listen`)
    141  the reader of stdout went away (`vad detect ... | head`)

stdout carries data only; words and progress go to stderr.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from vad import __version__
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

# A command's module is imported only when it is the one that runs: no command waits for another's imports.
# It offers add_arguments(parser: argparse.ArgumentParser) -> None and run(args: argparse.Namespace) -> int.
COMMANDS = {
    "detect": ("vad.commands.detect", "find speech in files, folders or stdin"),
    "listen": ("vad.commands.listen", "find speech at the microphone as it is spoken"),
    "prepare": ("vad.commands.prepare", "make a corpus of your recordings and their labels"),
    "train": ("vad.commands.train", "train a network on your own sound"),
    "evaluate": ("vad.commands.evaluate", "measure a model on labelled recordings"),
    "benchmark": ("vad.commands.benchmark", "measure models beside other detectors, under many conditions"),
    "tune": ("vad.commands.tune", "find the threshold and durations that serve a goal"),
    "inspect": ("vad.commands.inspect", "look into a trained network and its answers"),
    "export": ("vad.commands.export", "write a trained network as a model file"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the `vad` program.

    Args:
        argv: The words after `vad`; None takes the process's own.

    Returns:
        The exit code, as listed at the top of this module.
    """
    _open_closed_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        parser, command = _parsers_for(words)
        args, unknown = parser.parse_known_args(words)
        if unknown:
            command.refuse(unknown)
        with native_lines_dropped():
            code: int = args.run(args)
        sys.stdout.flush()
        return code
    except SystemExit as stop:  # argparse has already said why
        return stop.code if isinstance(stop.code, int) else EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _give_up_stdout()
        return EXIT_BROKEN_PIPE
    except VadError as error:
        print(f"vad: {error}", file=sys.stderr)
        return EXIT_INPUT_FAILED if isinstance(error, AudioError | DeviceError | LabelError) else EXIT_USAGE
    except OSError as error:  # a full disk, say, met outside of any room that would explain it
        _give_up_stdout()
        print(
            f"vad: files and stdout must be there to be read and written. Received: {error}. "
            "Make room, or read and write elsewhere.",
            file=sys.stderr,
        )
        return EXIT_USAGE


def _open_closed_streams() -> None:
    """Put nothing in the place of a closed standard stream: `print` would take stdout for stderr."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # The lowest number that is free is the stream's own.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _give_up_stdout() -> None:
    """Let what cannot be written go: the interpreter would try again on its way out, and complain."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    """Complains in one line, as everything else does; argparse's own way is a screen of usage before it.

    Takes no option by its beginning: what that means would change with every option that is added.
    """

    def __init__(self, **settings: Any):
        super().__init__(**settings, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        ended = message if message.endswith((".", "?")) else f"{message}."
        self.exit(EXIT_USAGE, f"{self.prog}: {ended} See `{self.prog} --help`.\n")

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """Complain of words that the parser does not know, and name the option that the first of them is nearest to."""
        message = f"unrecognized arguments: {' '.join(unknown)}"
        known = [option for action in self._actions for option in action.option_strings]
        option = next((word.partition("=")[0] for word in unknown if word.startswith("-")), None)
        if option is not None:
            message += f".{did_you_mean(option, known)}"
        self.error(message)


def _parsers_for(words: list[str]) -> tuple[_Parser, _Parser]:
    """Build the parser; only the command in `words` brings its own arguments.

    Returns:
        The parser of all words, and that of the command; the same again where there is none.
    """
    parser = chosen = _Parser(prog="vad", description="Find the speech in audio.")
    parser.add_argument("--version", action="version", version=f"vad {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, (module_name, purpose) in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
        if words[:1] == [name]:
            module = importlib.import_module(module_name)
            module.add_arguments(command)
            command.set_defaults(run=module.run)
            chosen = command
    return parser, chosen
