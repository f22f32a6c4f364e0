"""`vad listen --exec`: a command of the user's for every segment."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy.typing as npt

from vad.segments import Event, Segment, SpeechEnd
from vad.stream import Stream

__all__ = ["SegmentCommand"]


class SegmentCommand:
    """Runs a shell command for each segment, one after the other, while listening goes on.

    The command finds VAD_START and VAD_END, in seconds, and VAD_PATH in its environment. What it prints goes to
    stderr, for stdout is data; the Ctrl-C that ends listening does not reach it.

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
        done = subprocess.run(
            self._command,
            shell=True,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            stderr=sys.stderr,
            start_new_session=True,
        )
        if done.returncode != 0:
            print(
                f"vad: a command must succeed. Received: exit code {done.returncode} of {self._command!r} for the "
                f"segment from {segment.start:.3f} to {segment.end:.3f} s.",
                file=sys.stderr,
            )
