"""The flags that say how speech is found, shared by every command that finds it.

Resolved in this order, the later over the earlier: the defaults of `SegmentOptions`, the model card's
operating point, the TOML file of `--config`, the flags.
"""

import argparse
import difflib
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vad.errors import ConfigError

if TYPE_CHECKING:
    from vad.detector import Detector

__all__ = [
    "SEGMENT_FLAGS",
    "DetectionSettings",
    "add_detection_arguments",
    "add_live_argument",
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
        live: Decide as soon as at a microphone.
    """

    model: str = "default"
    operating_point: str = "balanced"
    options: dict[str, Any] = field(default_factory=dict)
    live: bool = False

    def detector(self) -> "Detector":
        """Load the model.

        Raises:
            ModelError: There is no such model, or it is damaged.
            ConfigError: An option does not exist or is out of its range.
        """
        from vad.detector import Detector

        return Detector(self.model, self.operating_point, live=self.live, **self.options)


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


def add_live_argument(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add the flag of commands that hear recordings."""
    parser.add_argument(
        "--live",
        action="store_true",
        help="decide as soon as at a microphone, without the late decisions that files get from a model that has them",
    )


def resolve_detection(args: argparse.Namespace) -> DetectionSettings:
    """Put the configuration file and the flags together.

    Args:
        args: What a parser with `add_detection_arguments`, and perhaps `add_live_argument`, gave.

    Raises:
        ConfigError: The file cannot be read, or has a key that is no option.
    """
    chosen = {} if args.config is None else _read_config(args.config)
    flags = {name: getattr(args, name) for name in ("model", "operating_point", *SEGMENT_FLAGS)}
    chosen |= {name: value for name, value in flags.items() if value is not None}
    named = {name: chosen.pop(name) for name in ("model", "operating_point") if name in chosen}
    return DetectionSettings(**named, options=chosen, live=getattr(args, "live", False))


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
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
            raise ConfigError(
                f"{path}: a key must be one of {', '.join(known)}. Received: {name}. Did you mean {nearest}?"
            )
    for name in ("model", "operating_point"):
        if not isinstance(chosen.get(name, ""), str):
            raise ConfigError(f"{path}: {name} must be text. Received: {name}={chosen[name]!r}.")
    return chosen
