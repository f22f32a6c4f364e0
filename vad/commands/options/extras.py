"""The extras that commands need, checked before the work starts."""

import importlib.util
import os

from vad.errors import MissingDependencyError, install_hint

__all__ = ["require_extra"]

_TRAIN = ("keras", "librosa", "scipy", "matplotlib")
_PACKAGES = {
    "train": _TRAIN,
    "export-onnx": (*_TRAIN, "onnxruntime", "onnx", "tf2onnx"),
    "bench": ("scipy", "matplotlib"),
    "plot": ("matplotlib",),
    "parquet": ("pyarrow",),
    "ray": ("ray",),
}


def require_extra(extra: str, feature: str) -> None:
    """Check that the packages of an extra are installed, without loading them.

    Args:
        extra: A key of the optional dependencies.
        feature: What needs it, such as "vad train".

    Raises:
        MissingDependencyError: At least one is not installed.
    """
    # What Keras computes with.
    needed = _PACKAGES[extra]
    backend = (os.environ.get("KERAS_BACKEND") or "tensorflow",) if "keras" in needed else ()
    missing = [name for name in (*backend, *needed) if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingDependencyError(f"{feature} needs {' and '.join(missing)}. {install_hint(extra)}")
