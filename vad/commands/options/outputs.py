"""Outputs, checked before the work starts."""

from pathlib import Path

from vad.errors import ConfigError
from vad.files import make_folder

__all__ = ["check_output"]


def check_output(path: Path, option: str, suffixes: tuple[str, ...], *, or_folder: bool = False) -> None:
    """Check the extension of an output file, and make its folder.

    Args:
        path: The file.
        option: The option that names it, such as "--report".
        suffixes: The extensions that are allowed.
        or_folder: The option would take a folder too: the message says so.

    Raises:
        ConfigError: The extension is another one, or the folder cannot be made or written to.
    """
    if path.suffix.lower() not in suffixes:
        folder = ", or be a folder (end it with /)" if or_folder else ""
        known = " or ".join(suffixes) if len(suffixes) < 4 else f"one of {', '.join(suffixes)}"
        raise ConfigError(f"{option} must end in {known}{folder}. Received: {path}.")
    make_folder(path.parent)
