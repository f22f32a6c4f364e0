"""A progress bar on stderr, and error lines that do not damage it."""

import sys
import time
from types import TracebackType
from typing import Self

__all__ = ["Progress"]


class Progress:
    """A bar on stderr within a `with` statement; invisible if stderr is no terminal, or for a single recording.

    Args:
        total: Number of recordings; None if unknown.
        unit: The name of what is counted.
        hidden: Show nothing.
    """

    def __init__(self, total: int | None, *, unit: str = "recordings", hidden: bool = False):
        self._bar = None
        self._audio_s = 0.0
        self._started = time.perf_counter()
        if not hidden and total not in (0, 1) and sys.stderr.isatty():
            from tqdm import tqdm

            tqdm.monitor_interval = 0  # without a thread
            self._bar = tqdm(total=total, unit=f" {unit}", leave=False, mininterval=0)

    def __enter__(self) -> Self:
        """Give the bar."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Erase the bar."""
        if self._bar is not None:
            self._bar.close()

    def advance(self, duration: float = 0.0) -> None:
        """Count one more, with so many seconds of audio."""
        self._audio_s += duration
        if self._bar is None:
            return
        if self._audio_s:
            speed = self._audio_s / max(time.perf_counter() - self._started, 1e-3)
            self._bar.set_postfix_str(f"{speed:.0f} x real time", refresh=False)
        self._bar.update()

    def clear(self) -> None:
        """Clear the line for other output; the next `advance` draws the bar again."""
        if self._bar is not None:
            self._bar.clear()

    def report(self, problem: object) -> None:
        """Print one line about what went wrong."""
        self.clear()
        print(f"vad: {problem}", file=sys.stderr)
