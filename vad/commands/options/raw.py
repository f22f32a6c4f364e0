"""The flags that say how samples without a header lie, shared by every command that reads stdin."""

import argparse

from vad.audio.raw_format import ENCODINGS, RawFormat
from vad.errors import ConfigError

__all__ = ["add_raw_arguments", "resolve_raw"]


def add_raw_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; a value that was not given is None."""
    group = parser.add_argument_group("raw samples, without a header")
    group.add_argument(
        "--sample-rate",
        type=int,
        metavar="HZ",
        help="their rate; says that there is no header (default: the header's)",
    )
    group.add_argument("--channels", type=int, metavar="N", help="how many, interleaved (default: 1)")
    group.add_argument("--encoding", choices=list(ENCODINGS), help="of a sample (default: s16le)")


def resolve_raw(args: argparse.Namespace) -> RawFormat | None:
    """Say how the samples lie; None where the audio has a header.

    Args:
        args: What a parser with `add_raw_arguments` gave.

    Raises:
        ConfigError: A value is out of its range, or the rate is missing.
    """
    given = {name: getattr(args, name) for name in ("sample_rate", "channels", "encoding")}
    given = {name: value for name, value in given.items() if value is not None}
    if not given:
        return None
    if "sample_rate" not in given:
        received = ", ".join(f"{name}={value!r}" for name, value in given.items())
        raise ConfigError(f"raw samples must have a sample rate. Received: {received}. Add --sample-rate.")
    return RawFormat(**given)
