"""Detectors for other programs, one module for each, which needs that program: `vad.adapters.pipecat` and others."""

import contextlib
from collections.abc import Iterator

from vad.detection.default import default_model
from vad.detection.detector import Detector
from vad.errors import MissingDependencyError

__all__ = ["client", "given_or_default"]


@contextlib.contextmanager
def client(package: str) -> Iterator[None]:
    """Import the program of an adapter, or raise a MissingDependencyError that names its package."""
    try:
        yield
    except ImportError as error:
        raise MissingDependencyError(
            f"this adapter needs {package}: {error}. Install it with: pip install {package}"
        ) from error


def given_or_default(detector: Detector | None) -> Detector:
    """The detector, or for None one with the default model, which is loaded once in a process."""
    return Detector(default_model()) if detector is None else detector
