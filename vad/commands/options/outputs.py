"""Inputs and outputs, checked before the work starts. Nothing that exists is replaced without --overwrite."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from vad.errors import ConfigError, VadError
from vad.files import make_folder

__all__ = ["add_overwrite_argument", "check_all", "check_output", "refuse_existing", "require_file"]

_MAX_NAMED = 3


def add_overwrite_argument(parser: argparse._ActionsContainer) -> None:
    """Add --overwrite."""
    parser.add_argument("--overwrite", action="store_true", help="replace output files that exist")


def check_all(*checks: Callable[[], object]) -> None:
    """Make all checks, and report all errors: a line on stderr for each, and the last one is raised.

    Raises:
        VadError: The last error.
    """
    errors = []
    for check in checks:
        try:
            check()
        except VadError as error:
            errors.append(error)
    for earlier in errors[:-1]:
        print(f"vad: {earlier}", file=sys.stderr)
    if errors:
        raise errors[-1]


def check_output(path: Path, option: str, suffixes: tuple[str, ...], *, or_folder: bool = False) -> None:
    """Check the extension of an output file, and make its folder.

    Args:
        path: The file.
        option: The option that names it, such as "--report".
        suffixes: The extensions that are allowed.
        or_folder: The option would take a folder too: the message says so.

    Raises:
        ConfigError: The extension is another one, the path is a folder, or its folder cannot be made or written to.
    """
    if path.suffix.lower() not in suffixes:
        folder = ", or be a folder (end it with /)" if or_folder else ""
        known = " or ".join(suffixes) if len(suffixes) < 4 else f"one of {', '.join(suffixes)}"
        raise ConfigError(f"{option} must end in {known}{folder}. Received: {path}.")
    if os.path.isdir(path):
        raise ConfigError(f"{option} must be a file. Received: {path}, a folder.")
    make_folder(path.parent)


def refuse_existing(paths: Iterable[Path]) -> None:
    """Refuse to replace files: somebody may have made them by hand.

    Raises:
        ConfigError: Some exist. Pipes and devices such as /dev/null do not count.
    """
    existing = [path for path in paths if os.path.isfile(path)]
    if existing:
        named = ", ".join(map(str, existing[:_MAX_NAMED]))
        more = f" and {len(existing) - _MAX_NAMED} more" if len(existing) > _MAX_NAMED else ""
        raise ConfigError(
            f"{len(existing)} output file{'s' * (len(existing) > 1)} would be replaced: {named}{more}. "
            "Add --overwrite to replace, or choose another place."
        )


def require_file(path: str, error: type[VadError]) -> None:
    """Require that a file to read exists, or raise this error."""
    if not os.path.exists(path):
        raise error(f"cannot read {path}: there is no such file.")
