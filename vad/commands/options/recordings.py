"""The options of the commands that process recordings: `vad detect` and `vad trim`."""

import argparse
from collections.abc import Sequence
from functools import partial

__all__ = ["add_recording_arguments"]


def add_recording_arguments(parser: argparse.ArgumentParser, *, each: bool) -> None:
    """Add the options.

    Args:
        parser: The command's.
        each: The command can analyse each channel by itself.
    """
    parser.add_argument(
        "inputs", nargs="+", metavar="FILE|DIR|PATTERN|URL|-",
        help="recordings, or a manifest of them (.jsonl); URLs, such as s3://bucket/calls/, need the extra remote; "
        "- is a recording or raw samples on standard input",
    )  # fmt: skip
    parser.add_argument("--recursive", "-r", action="store_true", help="search subfolders too")
    names = ("mix", "each") if each else ("mix",)
    purpose = "the mean of all channels, each channel by itself, or one channel"
    if not each:
        purpose = "where speech is detected: in the mean of all channels, or in one"
    parser.add_argument(
        "--channel", type=partial(_channel, names=names), default="mix", metavar="|".join((*names, "N")),
        help=f"{purpose}, counted from 0 (default: mix)",
    )  # fmt: skip
    parser.add_argument(
        "--jobs", "-j", type=_jobs, metavar="N", help="number of processes (default: by the amount of audio)"
    )


def _channel(text: str, names: Sequence[str]) -> int | str:
    if text in names:
        return text
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(
        f"must be {', '.join(names)}, or a number counted from 0. Received: {text!r}"
    )


def _jobs(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"must be a number of at least 1. Received: {text!r}")
