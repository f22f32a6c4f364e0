"""A line on stderr that says how far the work is, where somebody watches."""

import sys
import time
from types import TracebackType
from typing import Self

__all__ = ["Progress"]

_BAR_WIDTH = 24


class Progress:
    """A bar on stderr while in its `with` statement; nothing where stderr is no terminal, or where hidden.

    Args:
        total: How many recordings there are; None where nobody knows.
        unit: What they are called.
        hidden: Show nothing.
    """

    def __init__(self, total: int | None, *, unit: str = "recordings", hidden: bool = False):
        self._total, self._unit = total, unit
        self._shown = not hidden and total not in (0, 1) and sys.stderr.isatty()
        self._done = 0
        self._seconds_heard = 0.0
        self._began = time.perf_counter()

    def __enter__(self) -> Self:
        """Draw the empty bar."""
        self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wipe the bar away."""
        self.wipe()

    def advance(self, seconds_heard: float) -> None:
        """Count one more as done, and draw."""
        self._done += 1
        self._seconds_heard += seconds_heard
        self._draw()

    def wipe(self) -> None:
        """Clear the line for words or data of others; the next `advance` draws again."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _draw(self) -> None:
        if not self._shown:
            return
        bar = ""
        if self._total is not None:
            filled = _BAR_WIDTH * self._done // self._total
            bar = f"[{'#' * filled}{'.' * (_BAR_WIDTH - filled)}] "
        done = str(self._done) if self._total is None else f"{self._done}/{self._total}"
        speed = self._seconds_heard / max(time.perf_counter() - self._began, 1e-3)
        pace = f", {speed:.0f} x real time" if self._seconds_heard else ""
        sys.stderr.write(f"\r\x1b[K{bar}{done} {self._unit}{pace}")
        sys.stderr.flush()
