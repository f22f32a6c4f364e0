"""The flags that say how speech is found, shared by every command that finds it.

Resolved in this order, the later over the earlier: the defaults of `SegmentOptions`, the model card's
operating point, the TOML file of `--config`, the flags.
"""

import argparse
import sys
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vad.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from vad.detection.detector import Detector

__all__ = [
    "SEGMENT_FLAGS",
    "DetectionSettings",
    "add_detection_arguments",
    "add_lookahead_argument",
    "resolve_detection",
]

SEGMENT_FLAGS = {
    "threshold": ("P", "speech starts at this probability, 0 to 1 (default: 0.5)"),
    "neg_threshold": ("P", "speech ends below this probability (default: threshold - 0.15)"),
    "min_speech_duration_ms": ("MS", "shorter speech is dropped (default: 100)"),
    "min_silence_duration_ms": ("MS", "shorter silence is filled (default: 150)"),
    "speech_pad_ms": ("MS", "added on both sides of a segment (default: 10)"),
    "max_speech_duration_s": ("S", "longer segments are split (default: inf, which never splits)"),
}
"""The fields of `SegmentOptions`: what their values are called, what they do, and the default of balanced."""


@dataclass(frozen=True)
class DetectionSettings:
    """What a `Detector` is made of: small, and fit to be sent to another process.

    Attributes:
        model: A model's name, or the path of a .tflite file.
        operating_point: A name in the model card.
        options: Fields of `SegmentOptions` that replace the operating point's.
        lookahead: Use the model's lookahead output, where it has one.
    """

    model: str = "default"
    operating_point: str = "balanced"
    options: dict[str, Any] = field(default_factory=dict)
    lookahead: bool = True

    def detector(self) -> "Detector":
        """Load the model.

        Raises:
            ModelError: There is no such model, or it is damaged.
            ConfigError: An option does not exist or is out of its range.
        """
        from vad.detection.detector import Detector

        return Detector(self.model, self.operating_point, lookahead=self.lookahead, **self.options)


def add_detection_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; a value that was not given is None."""
    group = parser.add_argument_group(
        "how speech is detected",
        "The defaults are those of the operating point balanced of the models that ship.",
    )
    group.add_argument("--model", metavar="NAME|PATH", help="a name, or a .tflite file (default: default)")
    group.add_argument(
        "--operating-point", metavar="NAME", help="balanced, precise or eager (default: balanced)"
    )
    group.add_argument(
        "--config", metavar="TOML", help="a file with these options; a flag wins over it (default: none)"
    )
    for name, (metavar, purpose) in SEGMENT_FLAGS.items():
        group.add_argument(f"--{name.replace('_', '-')}", type=float, metavar=metavar, help=purpose)


def add_lookahead_argument(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add the flag of commands that process recordings."""
    parser.add_argument(
        "--no-lookahead",
        dest="lookahead",
        action="store_false",
        help="use the low-latency output that streams have, where the model has a lookahead output for recordings",
    )
    parser.add_argument("--live", dest="lookahead", action=_OldLookaheadFlag, nargs=0, help=argparse.SUPPRESS)


class _OldLookaheadFlag(argparse.Action):
    """The name that --no-lookahead had in version 0.1."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *_: object) -> None:
        print("vad: note: --live is now --no-lookahead.", file=sys.stderr)
        namespace.lookahead = False


def resolve_detection(args: argparse.Namespace) -> DetectionSettings:
    """Put the configuration file and the flags together.

    Args:
        args: What a parser with `add_detection_arguments`, and perhaps `add_lookahead_argument`, gave.

    Raises:
        ConfigError: The file cannot be read, or has a key that is no option.
    """
    chosen = {} if args.config is None else _read_config(args.config)
    flags = {name: getattr(args, name) for name in ("model", "operating_point", *SEGMENT_FLAGS)}
    chosen |= {name: value for name, value in flags.items() if value is not None}
    named = {name: chosen.pop(name) for name in ("model", "operating_point") if name in chosen}
    return DetectionSettings(**named, options=chosen, lookahead=getattr(args, "lookahead", True))


def _read_config(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            chosen = tomllib.load(file)
    except (OSError, ValueError) as error:  # no TOML, or not even UTF-8
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path}: a configuration must be a TOML file. Received: {reason}.") from error
    known = ["model", "operating_point", *SEGMENT_FLAGS]
    for name in chosen:
        if name not in known:
            raise ConfigError(
                f"{path}: a key must be one of {', '.join(known)}. Received: {name}."
                + did_you_mean(name, known)
            )
    for name in ("model", "operating_point"):
        if not isinstance(chosen.get(name, ""), str):
            raise ConfigError(f"{path}: {name} must be text. Received: {name}={chosen[name]!r}.")
    return chosen
