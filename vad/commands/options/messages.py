"""How much a command tells on stderr: --quiet, --verbose, and the lines that end a command.

Errors and notes are always printed. --quiet hides progress and closing lines. --verbose adds what the library logs
(`logging`, level DEBUG): the model, its options and the decoder of each recording; and where an error comes from.
"""

import argparse
import contextlib
import io
import logging
import os
import shlex
import sys
import traceback
from collections.abc import Iterator

__all__ = [
    "add_message_arguments",
    "close_with",
    "is_quiet",
    "is_verbose",
    "messages",
    "next_command",
    "silenced",
]

_log = logging.getLogger("vad")
_level = logging.INFO


def add_message_arguments(parser: argparse.ArgumentParser, version: str) -> None:
    """Add --quiet, --verbose and --version."""
    group = parser.add_argument_group("messages, on stderr")
    either = group.add_mutually_exclusive_group()
    either.add_argument(
        "--quiet", "-q", action="store_true", help="no progress, no closing line; only errors and notes"
    )
    either.add_argument(
        "--verbose", "-v", action="store_true",
        help="also the model, its options, how each recording is decoded, and where an error comes from",
    )  # fmt: skip
    group.add_argument(
        "--version", "-V", action="version", version=version, help="print the version, and stop"
    )


@contextlib.contextmanager
def messages(args: argparse.Namespace) -> Iterator[None]:
    """Tell as much as the arguments say, for the time of a `with` statement."""
    global _level
    _level = logging.WARNING if args.quiet else logging.DEBUG if args.verbose else logging.INFO
    handler, level = logging.StreamHandler(sys.stderr), _log.level
    handler.setFormatter(logging.Formatter("vad: %(message)s"))
    _log.addHandler(handler)
    if args.verbose:
        _log.setLevel(logging.DEBUG)
    try:
        yield
    except Exception:
        if args.verbose:
            traceback.print_exc()
        raise
    finally:
        _log.removeHandler(handler)
        _log.setLevel(level)
        _level = logging.INFO


def is_quiet() -> bool:
    """Whether progress and closing lines are hidden."""
    return _level > logging.INFO


def is_verbose() -> bool:
    """Whether details are printed."""
    return _level < logging.INFO


def close_with(text: str) -> None:
    """Print a closing line, unless --quiet was given."""
    if not is_quiet():
        print(f"vad: {text}", file=sys.stderr)


def next_command(*words: str | os.PathLike[str]) -> None:
    """Print the command that comes next, quoted for a shell, unless --quiet was given."""
    close_with(f"next: {shlex.join(['vad', *(os.fspath(word) for word in words)])}")


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """With --quiet, drop what a library prints on stderr. Its errors are exceptions."""
    with contextlib.redirect_stderr(io.StringIO()) if is_quiet() else contextlib.nullcontext():
        yield
