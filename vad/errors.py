"""All errors of the package, under `VadError`, and the checks of arguments that raise them.

A message says what happened, then what to do. For wrong values it gives the rule and the value: ``threshold must be
between 0 and 1. Received: threshold=1.5.``
"""

import reprlib
from collections.abc import Iterable
from numbers import Real
from typing import Any

__all__ = [
    "EXIT_BROKEN_PIPE",
    "EXIT_INPUT_FAILED",
    "EXIT_INTERRUPTED",
    "EXIT_USAGE",
    "AudioError",
    "ConfigError",
    "DeviceError",
    "LabelError",
    "MissingDependencyError",
    "ModelError",
    "VadError",
    "did_you_mean",
    "install_hint",
    "require",
    "require_bool",
    "require_number",
    "shown",
]

# Exit codes of the `vad` program, as `vad.cli` lists them.
EXIT_INPUT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_SIMILAR = 0.6  # difflib's ratio: a typing mistake or two
_SHORTEST_PART = 3  # letters: "pad" is a part of "speech_pad_ms"


class VadError(Exception):
    """Base of all errors of this package."""


class AudioError(VadError, ValueError):
    """Audio cannot be read, or samples are not audio.

    Attributes:
        partial: The `Detection` of the audio before the damage, where `Detector.process` raised the error and there was
            any; else None.
    """

    partial: Any = None


class DeviceError(VadError, OSError):
    """A microphone is missing, busy or gone."""


class ModelError(VadError, ValueError):
    """A model is missing, damaged or does not match its card."""


class LabelError(VadError, ValueError):
    """A label file breaks the rules of its format.

    Attributes:
        problems: All of them, each with its file and line. The message has the first, and the number of the others.
    """

    def __init__(self, *problems: str) -> None:
        first, *more = problems
        super().__init__(f"{first} And {len(more)} more." if more else first)
        self.problems = problems


class ConfigError(VadError, ValueError):
    """An option does not exist, or a value is out of its range."""


class MissingDependencyError(VadError, ImportError):
    """A feature needs an optional dependency that is not installed."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: a known one that is similar or has it as a part, or ""."""
    import difflib  # slow to load, and needed only for errors

    names = {one.lstrip("-"): one for one in known}  # dashes would make all options similar
    bare = word.lstrip("-")
    nearest = difflib.get_close_matches(bare, names, n=1, cutoff=_SIMILAR)
    if not nearest and len(bare) >= _SHORTEST_PART:
        holding = [name for name in names if bare in name]
        nearest = difflib.get_close_matches(bare, holding, n=1, cutoff=0.0)
    return "".join(f" Did you mean {names[one]}?" for one in nearest)


def shown(value: object) -> str:
    """A value for a message: on one line, and cut where it is long."""
    return " ".join(_SHORT.repr(value).split())


def require(holds: bool, rule: str, **received: object) -> None:
    """Raise a ConfigError with the rule and the received values, unless the rule holds."""
    if not holds:
        values = ", ".join(f"{name}={shown(value)}" for name, value in received.items())
        raise ConfigError(f"{rule}. Received: {values}.")


def require_bool(name: str, value: object) -> bool:
    """Return a truth value, or raise a ConfigError for anything else."""
    if not isinstance(value, bool):
        raise ConfigError(f"{name} must be True or False. Received: {name}={shown(value)}.")
    return value


def require_number(name: str, value: object) -> float:
    """Return a number as a float, or raise a ConfigError for anything else."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ConfigError(f"{name} must be a number. Received: {name}={shown(value)}.")
    try:
        return float(value)
    except OverflowError as error:
        raise ConfigError(
            f"{name} must be a number that fits a float. Received: {name}={shown(value)}."
        ) from error


def install_hint(extra: str) -> str:
    """The sentence that says how to install an optional dependency, by the name of its extra."""
    return f"Install it with: pip install 'openvad[{extra}]'"
