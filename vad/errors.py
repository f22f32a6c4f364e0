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

__all__ = [
    "AudioError",
    "ConfigError",
    "DeviceError",
    "LabelError",
    "MissingDependencyError",
    "ModelError",
    "VadError",
    "install_hint",
]


class VadError(Exception):
    """Base of every error this package raises on purpose."""


class AudioError(VadError, ValueError):
    """Audio that cannot be read, or samples that are no audio."""


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


def install_hint(extra: str) -> str:
    """Say how what is missing is installed.

    Args:
        extra: A name among the optional dependencies.
    """
    return f"Install it with: pip install 'openvad[{extra}]'"
