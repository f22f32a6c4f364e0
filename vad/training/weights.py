"""Finds trained weights, without loading Keras."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from vad.errors import ModelError, did_you_mean

__all__ = ["weights_of"]


def weights_of(name_or_path: str | Path, option: str = "init") -> Path:
    """Finds trained weights.

    Args:
        name_or_path: The name of a model that comes with the package, a run's folder, a ``.keras`` file, or a
            ``.tflite`` file with its ``.keras`` file beside it.
        option: Its name in messages.

    Returns:
        The ``.keras`` file.

    Raises:
        ModelError: There is none.
    """
    path, missing = Path(name_or_path), ""
    names = _names_of_weights()
    if str(name_or_path) in names:
        path = Path(str(resources.files("vad.models") / f"{name_or_path}.keras"))
        missing = f", whose weights are not installed: take models/{path.name} and {path.stem}.json from the source "
        missing += "distribution (pip download --no-deps --no-binary :all: openvad) and give the path"
    elif path.is_dir():
        missing = ", a folder without best.keras: a run must finish first"
        path = path / "best.keras"
    elif path.suffix == ".tflite":
        path = path.with_suffix(".keras")
        missing = f", without {path.name} beside it"
    if path.suffix == ".keras" and path.is_file():
        return path
    raise ModelError(
        f"{option} must be a model's name ({', '.join(names)}), a run's folder, or a .keras or .tflite file. "
        f"Received: {name_or_path}{missing}.{'' if missing else did_you_mean(str(name_or_path), names)}"
    )


def _names_of_weights() -> list[str]:
    """The models of the package, those without a .tflite file too."""
    files = (Path(file.name) for file in resources.files("vad.models").iterdir())
    return sorted({file.stem for file in files if file.suffix in (".keras", ".tflite")})
