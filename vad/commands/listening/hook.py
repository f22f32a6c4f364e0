"""`vad listen --exec`: runs a shell command for every segment."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from vad.commands.listening.session import Sink
from vad.detection.segments import Event, Segment, SpeechEnd
from vad.detection.stream import Stream

__all__ = ["SegmentCommand"]

_OUTPUT_WAIT_S = 0.2  # a process that the command left in the background can hold the pipe open for ever


class SegmentCommand(Sink):
    """Runs a shell command for each segment, one at a time, while listening goes on.

    Its environment has VAD_START and VAD_END, in seconds, and VAD_PATH. Its output goes to stderr line by line, because
    stdout is for data. The Ctrl-C that ends the session does not reach it.

    Args:
        command: The command line.
        path_of_last: Gives the file of the last segment, or None.
    """

    def __init__(self, command: str, path_of_last: Callable[[], Path | None]):
        self._command = command
        self._path_of_last = path_of_last
        self._worker = ThreadPoolExecutor(1)

    def on_event(self, event: Event, stream: Stream) -> None:
        """Queue the command for a segment."""
        if isinstance(event, SpeechEnd):
            self._worker.submit(self._run, event.segment, self._path_of_last())

    def close(self) -> None:
        """Wait until all have run."""
        try:
            self._worker.shutdown()
        except KeyboardInterrupt:
            self._worker.shutdown(wait=False, cancel_futures=True)
            raise

    def _run(self, segment: Segment, path: Path | None) -> None:
        environment = os.environ | {"VAD_START": f"{segment.start:.3f}", "VAD_END": f"{segment.end:.3f}"}
        if path is not None:
            environment["VAD_PATH"] = str(path)
        process = subprocess.Popen(
            self._command,
            shell=True,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        output = threading.Thread(target=_print_lines, args=[process.stdout], daemon=True)
        output.start()
        code = process.wait()
        output.join(_OUTPUT_WAIT_S)
        if code != 0:
            print(
                f"vad: the --exec command failed with exit code {code} for the segment from {segment.start:.3f} to "
                f"{segment.end:.3f} s: {self._command}",
                file=sys.stderr,
            )


def _print_lines(output: IO[bytes]) -> None:
    """Print through `sys.stderr`, which a level meter replaces to keep its line intact."""
    with output:
        for line in output:
            print(line.decode(errors="replace").rstrip("\r\n"), file=sys.stderr, flush=True)
