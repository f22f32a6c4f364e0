"""Write files completely or not at all, and make their folders."""

import contextlib
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path

from vad.errors import ConfigError, VadError

__all__ = ["make_folder", "remove_unfinished", "require_writable", "write_text", "writing"]

_PREFIX = ".part-"
_UNFINISHED_S = 3600.0  # nothing is written for so long without a change
_numbers = itertools.count()


def make_folder(folder: Path) -> None:
    """Make a folder and check that files can be written to it, or raise a ConfigError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = None if os.access(folder, os.W_OK) else "Permission denied"
    except OSError as error:
        reason = error.strerror
    if reason is not None:
        raise _cannot_write(folder, reason)


def require_writable(folder: Path) -> None:
    """Check that a folder can be made and written to, without making it, or raise a ConfigError."""
    there = folder
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise _cannot_write(folder, f"{there} is no folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise _cannot_write(folder, "Permission denied")


@contextlib.contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to. It becomes `path` at the end, and is removed on an error.

    So there is never half a file, and two programs may write the same one. Links are followed. A terminal, a pipe or
    /dev/null is written to directly.

    Raises:
        ConfigError: The folder or the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    special = os.path.exists(target) and not os.path.isfile(target)
    # Short, because the real name may have the greatest length allowed. Some writers choose the format by the suffix.
    name = f"{_PREFIX}{os.getpid()}-{next(_numbers)}{target.suffix}"
    temporary = target if special else target.with_name(name)
    try:
        yield temporary
        if not special:
            temporary.replace(target)
    except VadError:
        raise
    except OSError as error:
        raise _cannot_write(path, error.strerror or str(error)) from error
    finally:
        if not special:
            with contextlib.suppress(OSError):  # it has become the file, or was never made
                temporary.unlink()


def remove_unfinished(folder: Path) -> None:
    """Remove the temporary files that killed programs left in a folder, an hour or more ago."""
    for path in folder.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _UNFINISHED_S:
                path.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file, as `writing` does. Bytes of a file name that are not UTF-8 are written as JSON escapes them.

    Raises:
        ConfigError: It cannot be written.
    """
    with writing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def _cannot_write(path: Path, reason: str) -> ConfigError:
    return ConfigError(f"cannot write {path}: {reason[0].lower()}{reason[1:]}. Write to another place.")
