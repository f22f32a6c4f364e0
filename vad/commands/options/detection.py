"""The options of how speech is detected, for every command that runs a detector.

The later wins: the defaults of `SegmentOptions`, the model card's operating point, the file of --config, the options.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vad.errors import ConfigError, did_you_mean
from vad.json_text import parse_toml

if TYPE_CHECKING:
    from vad.detection.detector import Detector

__all__ = [
    "DETECTION_OPTIONS",
    "SEGMENT_OPTIONS",
    "add_detection_arguments",
    "add_model_arguments",
    "chosen_options",
    "detector_maker",
]

SEGMENT_OPTIONS = {
    "threshold": ("P", "speech starts at this probability, 0 to 1 (default: 0.5)"),
    "neg_threshold": ("P", "speech ends below this probability (default: threshold - 0.15)"),
    "min_speech_duration_ms": ("MS", "shorter speech is dropped (default: 100)"),
    "min_silence_duration_ms": ("MS", "shorter silence is filled (default: 150)"),
    "speech_pad_ms": ("MS", "added on both sides of a segment (default: 10)"),
    "max_speech_duration_s": ("S", "longer segments are split (default: inf, which never splits)"),
}
"""The fields of `SegmentOptions`: metavar, and help with the default of the operating point balanced."""
DETECTION_OPTIONS = ("model", "operating_point", *SEGMENT_OPTIONS)
"""What the file of --config may have."""


def add_detection_arguments(parser: argparse.ArgumentParser, *, lookahead: bool) -> None:
    """Add the options; one that is not given is None.

    Args:
        parser: The command's.
        lookahead: Add --no-lookahead too: the command processes recordings.
    """
    group = parser.add_argument_group(
        "how speech is detected",
        "The defaults are those of the operating point balanced of the included models.",
    )
    add_model_arguments(group, lookahead=lookahead)
    group.add_argument(
        "--config", metavar="TOML", help="a file with these options; options given here win (default: none)"
    )
    for name, (metavar, purpose) in SEGMENT_OPTIONS.items():
        group.add_argument(f"--{name.replace('_', '-')}", type=float, metavar=metavar, help=purpose)


def add_model_arguments(group: argparse._ArgumentGroup, *, lookahead: bool) -> None:
    """Add the options that choose the model, its operating point and its output."""
    group.add_argument(
        "--model", metavar="NAME|PATH", help="a model's name, or a .tflite or .onnx file (default: default)"
    )
    group.add_argument(
        "--operating-point", metavar="NAME", help="balanced, precise or eager (default: balanced)"
    )
    if lookahead:
        group.add_argument(
            "--no-lookahead", dest="lookahead", action="store_false",
            help="process recordings as streams (default: turn quiet ones up, and use the lookahead output)",
        )  # fmt: skip
        group.add_argument(
            "--live", dest="lookahead", action=_OldLookaheadOption, nargs=0, help=argparse.SUPPRESS
        )


class _OldLookaheadOption(argparse.Action):
    """The name of --no-lookahead in version 0.1."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *_: object) -> None:
        print("vad: note: --live is now --no-lookahead.", file=sys.stderr)
        namespace.lookahead = False


def detector_maker(args: argparse.Namespace) -> "Callable[[], Detector]":
    """Give a function, fit to be sent to other processes, that loads the detector of the options.

    It raises ModelError if there is no such model, and ConfigError for an option that does not exist or is out of its
    range.

    Raises:
        ConfigError: The file of --config cannot be read, or has an unknown key.
    """
    from vad.detection.detector import Detector

    chosen = {name: value for name, (value, _) in chosen_options(args).items()}
    return partial(Detector, lookahead=getattr(args, "lookahead", True), **chosen)


def chosen_options(args: argparse.Namespace) -> dict[str, tuple[Any, str]]:
    """Give the options that are not left to the model: the value of each, and where it comes from.

    Raises:
        ConfigError: The file of --config cannot be read, or has an unknown key.
    """
    file = getattr(args, "config", None)
    chosen = {} if file is None else {name: (value, str(file)) for name, value in _read_config(file).items()}
    given = {name: getattr(args, name, None) for name in DETECTION_OPTIONS}
    return chosen | {name: (value, "command line") for name, value in given.items() if value is not None}


def _read_config(path: str) -> dict[str, Any]:
    try:
        chosen = parse_toml(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # ValueError: not TOML, or not UTF-8
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"cannot read the configuration {path}: {reason}. It must be a TOML file."
        ) from error
    for name, value in chosen.items():
        if name not in DETECTION_OPTIONS:
            raise ConfigError(
                f"{path}: a key must be one of {', '.join(DETECTION_OPTIONS)}. Received: {name}."
                + did_you_mean(name, DETECTION_OPTIONS)
            )
        if name not in SEGMENT_OPTIONS and not isinstance(value, str):
            raise ConfigError(f"{path}: {name} must be text. Received: {name}={value!r}.")
    return chosen
