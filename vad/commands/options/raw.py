"""The options for raw samples, and standard input, for every command that reads it."""

import argparse
import sys
from typing import IO

from vad.audio.raw_format import ENCODINGS, RawFormat
from vad.errors import ConfigError

__all__ = ["add_raw_arguments", "piped_stdin", "raw_format"]


def add_raw_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options; one that is not given is None."""
    group = parser.add_argument_group("raw samples (audio without a header)")
    group.add_argument(
        "--sample-rate",
        type=int,
        metavar="HZ",
        help="sample rate; says that there is no header (default: the header has it)",
    )
    group.add_argument(
        "--channels", type=int, metavar="N", help="number of interleaved channels (default: 1)"
    )
    group.add_argument(
        "--encoding", choices=list(ENCODINGS), metavar="NAME", help=f"{', '.join(ENCODINGS)} (default: s16le)"
    )


def raw_format(args: argparse.Namespace) -> RawFormat | None:
    """Give the format of raw samples; None if the options say that the audio has a header.

    Raises:
        ConfigError: A value is out of its range, or the sample rate is missing.
    """
    given = {
        name: value
        for name in ("sample_rate", "channels", "encoding")
        if (value := getattr(args, name)) is not None
    }
    if given and "sample_rate" not in given:
        flags = " and ".join(f"--{name}" for name in given)
        raise ConfigError(f"{flags} describes raw samples, which also need --sample-rate.")
    return RawFormat(**given) if given else None


def piped_stdin() -> IO[bytes]:
    """Give standard input as bytes.

    Raises:
        ConfigError: It is a terminal: nobody would type audio.
    """
    if sys.stdin.isatty():
        raise ConfigError(
            "`-` reads standard input, but nothing is piped in. Pipe audio in: ffmpeg -i FILE -f wav - | vad ... -"
        )
    try:
        # Not sys.stdin.buffer: the interpreter would wait for its lock at exit.
        return open(sys.stdin.fileno(), "rb", closefd=False)
    except OSError:  # it was replaced by an object without a file
        return sys.stdin.buffer
