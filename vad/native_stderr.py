"""Keep the lines that C libraries write to stderr out of the messages of the `vad` program. The library never does."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

__all__ = ["native_lines_dropped"]

# These libraries have no option for it. All that matters about an error is in its exception.
_DROPPED = (
    b"INFO: ",  # LiteRT: https://github.com/google-ai-edge/LiteRT/issues/7420
    *(b"[src/libmpg123/", b"Note: ", b"Warning: ", b"\n"),  # libmpg123, for a damaged MP3
    *(b"ALSA lib ", b"Cannot connect to server", b"jack server", b"JackShm", b"Expression '"),  # PortAudio
    *(b"WARNING: All log messages before", b"I0000", b"W0000", b"E0000"),  # TensorFlow
    b"To enable the following",  # TensorFlow
)


@contextlib.contextmanager
def native_lines_dropped() -> Iterator[None]:
    """Drop known lines of C libraries, and write all others at the end; `sys.stderr` works as before.

    The libraries write to file descriptor 2, which is a temporary file in the meantime, also for child processes.
    Where `sys.stderr` is not file descriptor 2, nothing changes.
    """
    with contextlib.ExitStack() as stack:
        try:
            is_descriptor_2 = sys.stderr.fileno() == 2
            written = stack.enter_context(tempfile.TemporaryFile())
        except (AttributeError, OSError):  # no stderr, another kind of stderr, or no space for a file
            is_descriptor_2 = False
        if not is_descriptor_2:
            yield
            return
        before = sys.stderr
        before.flush()
        direct = stack.enter_context(
            open(os.dup(2), "w", buffering=1, encoding=before.encoding, errors=before.errors)
        )
        os.dup2(written.fileno(), 2)
        sys.stderr = direct
        try:
            yield
        finally:
            sys.stderr = before
            os.dup2(direct.fileno(), 2)
            written.seek(0)
            for line in written:
                if not line.startswith(_DROPPED):
                    os.write(2, line)
