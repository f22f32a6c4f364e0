"""C libraries that talk to stderr while they are opened, kept quiet: stderr is for our words."""

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator

__all__ = ["without_chatter"]

_lock = threading.Lock()


@contextlib.contextmanager
def without_chatter(*beginnings: bytes) -> Iterator[None]:
    """Drop the lines that a C library writes to stderr meanwhile.

    Such libraries write to file descriptor 2 itself and offer no switch, so it leads to a file for as long.
    Lines that begin otherwise are passed on afterwards. One caller at a time; the others wait.

    Args:
        *beginnings: What the lines to drop begin with.
    """
    with _lock, contextlib.ExitStack() as stack:
        try:
            said = stack.enter_context(tempfile.TemporaryFile())
            stderr = os.dup(2)
        except OSError:  # no stderr, or no place for a file: then the lines may show
            yield
            return
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            said.seek(0)
            for line in said:
                if not line.startswith(beginnings):
                    os.write(2, line)
