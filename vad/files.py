"""Files that are there whole or not at all, and the folders they lie in."""

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from vad.errors import ConfigError, VadError

__all__ = ["make_folder", "writing"]

_numbers = itertools.count()


def make_folder(folder: Path) -> None:
    """Make a folder, and make sure now that results can be written to it later.

    Raises:
        ConfigError: They cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = None if os.access(folder, os.W_OK) else "Permission denied"
    except OSError as error:
        reason = error.strerror
    if reason is not None:
        raise _cannot_write(folder, reason)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to, which becomes ``path`` at the end and vanishes on an error.

    So a kill leaves no half of it, and two programs may write the same file. A link is followed; what is no regular
    file (a terminal, a pipe, /dev/null) is written to as it is.

    Raises:
        ConfigError: The folder or the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    special = target.exists() and not target.is_file()
    # Short, for the name itself may be as long as names may be; the extension, for it decides what some writers write.
    name = f".part-{os.getpid()}-{next(_numbers)}{target.suffix}"
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
            with contextlib.suppress(OSError):  # it is the finished file now, or was never there
                temporary.unlink()


def _cannot_write(path: Path, reason: str) -> ConfigError:
    return ConfigError(
        f"cannot write {path}: {reason[0].lower()}{reason[1:]}. Make room, or write elsewhere."
    )
