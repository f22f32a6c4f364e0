"""What a command needs beyond the plain installation, said where it is missing."""

import contextlib
import importlib.util
from collections.abc import Iterator

from vad.errors import MissingDependencyError

__all__ = ["require_matplotlib", "training_extra"]


@contextlib.contextmanager
def training_extra() -> Iterator[None]:
    """Stand around the imports of `vad.training`.

    Raises:
        MissingDependencyError: A package of the `train` extra is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"training, export and inspection need the train extra. Received: no {error.name} installed. "
            "Install it with: pip install 'vad[train]'"
        ) from error


def require_matplotlib() -> None:
    """Say now, and not after hours of work, that pictures cannot be drawn.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingDependencyError(
            "--plot needs the plot extra. Received: no matplotlib installed. "
            "Install it with: pip install 'vad[plot]'. --report needs no extra."
        )
