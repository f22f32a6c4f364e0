"""`vad listen --exec`: a command of the user's for every segment."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import numpy.typing as npt

from vad.detection.segments import Event, Segment, SpeechEnd
from vad.detection.stream import Stream

__all__ = ["SegmentCommand"]

_LAST_WORDS_S = 0.2  # a child that it left running in the background may say more at any time


class SegmentCommand:
    """Runs a shell command for each segment, one after the other, while listening goes on.

    The command finds VAD_START and VAD_END, in seconds, and VAD_PATH in its environment. What it prints goes to
    stderr, line by line, for stdout is data; the Ctrl-C that ends listening does not reach it.

    Args:
        command: What the shell runs.
        path_of_last: The file of the last segment, if it was saved.
    """

    def __init__(self, command: str, path_of_last: Callable[[], Path | None]):
        self._command = command
        self._path_of_last = path_of_last
        self._worker = ThreadPoolExecutor(1)

    def heard(self, samples: npt.NDArray[Any], stream: Stream) -> None:
        """Blocks change nothing."""

    def told(self, event: Event, stream: Stream) -> None:
        """Have the command run for a segment."""
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
        words = threading.Thread(target=_pass_on, args=[process.stdout], daemon=True)
        words.start()
        code = process.wait()
        words.join(_LAST_WORDS_S)
        if code != 0:
            print(
                f"vad: a command must succeed. Received: exit code {code} of {self._command!r} for the "
                f"segment from {segment.start:.3f} to {segment.end:.3f} s.",
                file=sys.stderr,
            )


def _pass_on(output: IO[bytes]) -> None:
    """Print what a command says: where a terminal shows a meter, `sys.stderr` knows how to write above it."""
    with output:
        for line in output:
            print(line.decode(errors="replace").rstrip("\r\n"), file=sys.stderr, flush=True)
