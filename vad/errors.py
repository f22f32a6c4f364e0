"""What can go wrong, as one tree.

    VadError
    ├── AudioError              (ValueError)   audio that cannot be read, or samples that are no audio
    ├── DeviceError             (OSError)      a microphone that is missing, busy or gone
    ├── ModelError              (ValueError)   a model that is missing, damaged or not what its card says
    ├── LabelError              (ValueError)   a label file that breaks its format's rules
    ├── ConfigError             (ValueError)   an option that does not exist or a value out of its range
    └── MissingDependencyError  (ImportError)  a feature whose extra is not installed

A message is rule, what came, remedy: ``threshold must be between 0 and 1. Received: threshold=1.5.``
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

_ALIKE = 0.35  # by difflib's ratio: "pad" is near "speech_pad_ms", and "x" near nothing


class VadError(Exception):
    """Base of every error this package raises on purpose."""


class AudioError(VadError, ValueError):
    """Audio that cannot be read, or samples that are no audio.

    Attributes:
        partial: Where `Detector.process` raised it: the `Detection` of what came before the damage. None where nothing
            did, and everywhere else.
    """

    partial: Any = None


class DeviceError(VadError, OSError):
    """A microphone that is missing, busy or gone."""


class ModelError(VadError, ValueError):
    """A model that is missing, damaged or not what its card says."""


class LabelError(VadError, ValueError):
    """A label file that breaks its format's rules.

    Attributes:
        problems: All that is wrong, each with its file and line; the message has the first, and how many more.
    """

    def __init__(self, *problems: str) -> None:
        first, *more = problems
        super().__init__(f"{first} And {len(more)} more." if more else first)
        self.problems = problems


class ConfigError(VadError, ValueError):
    """An option that does not exist or a value out of its range."""


class MissingDependencyError(VadError, ImportError):
    """A feature whose optional dependency is not installed."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the known one that is nearest, or "" where none is near."""
    import difflib  # only where something went wrong

    names = {one.lstrip("-"): one for one in known}  # dashes would make all options alike
    nearest = difflib.get_close_matches(word.lstrip("-"), names, n=1, cutoff=_ALIKE)
    return "".join(f" Did you mean {names[one]}?" for one in nearest)


def shown(value: object) -> str:
    """A value as a message shows it: on one line, and cut where it is long."""
    return " ".join(reprlib.repr(value).split())


def require(holds: bool, rule: str, **received: object) -> None:
    """Raise a ConfigError that says the rule and what came instead, unless the rule holds."""
    if not holds:
        what = ", ".join(f"{name}={value!r}" for name, value in received.items())
        raise ConfigError(f"{rule}. Received: {what}.")


def require_bool(name: str, value: object) -> bool:
    """Give a truth value.

    Raises:
        ConfigError: It is none.
    """
    if not isinstance(value, bool):
        raise ConfigError(f"{name} must be True or False. Received: {name}={shown(value)}.")
    return value


def require_number(name: str, value: object) -> float:
    """Give a number as a float.

    Raises:
        ConfigError: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ConfigError(f"{name} must be a number. Received: {name}={shown(value)}.")
    return float(value)


def install_hint(extra: str) -> str:
    """Say how what is missing is installed.

    Args:
        extra: A name among the optional dependencies.
    """
    return f"Install it with: pip install 'openvad[{extra}]'"
