"""What C libraries write to stderr, kept out of a program's own messages. For the program alone, never the library."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

__all__ = ["native_lines_dropped"]

# None of these libraries has a switch for it. What an error needs to say is in the exception that is raised.
_DROPPED = (
    b"INFO: ",  # LiteRT: https://github.com/google-ai-edge/LiteRT/issues/7420
    *(b"[src/libmpg123/", b"Note: ", b"Warning: ", b"\n"),  # libmpg123, of a damaged MP3
    *(b"ALSA lib ", b"Cannot connect to server", b"jack server", b"JackShm", b"Expression '"),  # PortAudio
    *(b"WARNING: All log messages before", b"I0000", b"W0000", b"E0000"),  # TensorFlow
    b"To enable the following",  # TensorFlow
)


@contextlib.contextmanager
def native_lines_dropped() -> Iterator[None]:
    """Drop the known lines of C libraries for as long as a program runs; its own messages go out at once.

    Such libraries write to file descriptor 2 itself. It leads to a file meanwhile, and `sys.stderr` to where the
    descriptor led. Other lines in that file are passed on at the end. Processes that start meanwhile inherit the
    file. Where `sys.stderr` is not file descriptor 2, nothing is changed.
    """
    with contextlib.ExitStack() as stack:
        try:
            is_descriptor_2 = sys.stderr.fileno() == 2
            written = stack.enter_context(tempfile.TemporaryFile())
        except (AttributeError, OSError):  # no stderr, another one, or no place for a file
            is_descriptor_2 = False
        if not is_descriptor_2:
            yield
            return
        before = sys.stderr
        before.flush()
        own = stack.enter_context(
            open(os.dup(2), "w", buffering=1, encoding=before.encoding, errors=before.errors)
        )
        os.dup2(written.fileno(), 2)
        sys.stderr = own
        try:
            yield
        finally:
            sys.stderr = before
            os.dup2(own.fileno(), 2)
            written.seek(0)
            for line in written:
                if not line.startswith(_DROPPED):
                    os.write(2, line)
