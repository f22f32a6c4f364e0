"""What a command needs beyond the plain installation, said where it is missing."""

import contextlib
from collections.abc import Iterator

from vad.errors import MissingDependencyError

__all__ = ["benchmark_extra", "training_extra"]


@contextlib.contextmanager
def _extra(name: str, who: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{who} the {name} extra. Received: no {error.name} installed. "
            f"Install it with: pip install 'vad[{name}]'"
        ) from error


def training_extra() -> contextlib.AbstractContextManager[None]:
    """Stand around the imports of `vad.training`.

    Raises:
        MissingDependencyError: A package of the `train` extra is not installed.
    """
    return _extra("train", "training and export need")


def benchmark_extra() -> contextlib.AbstractContextManager[None]:
    """Stand around the imports of `vad.benchmark`.

    Raises:
        MissingDependencyError: scipy or matplotlib, of the `bench` extra, is not installed.
    """
    return _extra("bench", "the benchmark needs")
