"""C libraries that talk to stderr while they are opened, kept quiet: stderr is for our words."""

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import IO

__all__ = ["own_stderr", "without_chatter"]

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
            _pass_on(said, beginnings)


@contextlib.contextmanager
def own_stderr(*beginnings: bytes) -> Iterator[None]:
    """Drop what C libraries write to stderr for as long as a program runs; its own words go out at once.

    `sys.stderr` leads to where file descriptor 2 led, and the descriptor to a file. Lines that begin otherwise are
    passed on at the end. For a whole program only: `sys.stderr` is everybody's.

    Args:
        *beginnings: What the lines to drop begin with.
    """
    with contextlib.ExitStack() as stack:
        try:
            ours = sys.stderr.fileno() == 2
            said = stack.enter_context(tempfile.TemporaryFile())
        except (AttributeError, OSError):  # no stderr, another one, or no place for a file
            ours = False
        if not ours:
            yield
            return
        before = sys.stderr
        before.flush()
        own = stack.enter_context(
            open(os.dup(2), "w", buffering=1, encoding=before.encoding, errors=before.errors)
        )
        os.dup2(said.fileno(), 2)
        sys.stderr = own
        try:
            yield
        finally:
            sys.stderr = before
            os.dup2(own.fileno(), 2)
            _pass_on(said, beginnings)


def _pass_on(said: IO[bytes], beginnings: tuple[bytes, ...]) -> None:
    said.seek(0)
    for line in said:
        if not line.startswith(beginnings):
            os.write(2, line)
