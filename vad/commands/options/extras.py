"""What a command needs beyond the plain installation, said where it is missing."""

import contextlib
import importlib.util
from collections.abc import Iterator

from vad.errors import MissingDependencyError, install_hint

__all__ = ["benchmark_extra", "require_matplotlib", "training_extra"]


@contextlib.contextmanager
def _extra(name: str, who: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{who} the {name} extra. Received: no {error.name} installed. " + install_hint(name)
        ) from error


def training_extra() -> contextlib.AbstractContextManager[None]:
    """Stand around the imports of `vad.training`.

    Raises:
        MissingDependencyError: A package of the `train` extra is not installed.
    """
    return _extra("train", "training, export and inspection need")


def benchmark_extra() -> contextlib.AbstractContextManager[None]:
    """Stand around the imports of `vad.evaluation.benchmark`.

    Raises:
        MissingDependencyError: scipy or matplotlib, of the `bench` extra, is not installed.
    """
    return _extra("bench", "the benchmark needs")


def require_matplotlib() -> None:
    """Say now, and not after hours of work, that pictures cannot be drawn.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingDependencyError(
            f"--plot needs the plot extra. Received: no matplotlib installed. {install_hint('plot')}."
        )
