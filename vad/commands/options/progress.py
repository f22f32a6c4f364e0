"""A line on stderr that says how far the work is, where somebody watches."""

import sys
import time
from types import TracebackType
from typing import Self

__all__ = ["Progress"]


class Progress:
    """A bar on stderr while in its `with` statement; nothing where stderr is no terminal, or where hidden.

    Args:
        total: How many recordings there are; None where nobody knows.
        unit: What they are called.
        hidden: Show nothing.
    """

    def __init__(self, total: int | None, *, unit: str = "recordings", hidden: bool = False):
        self._bar = None
        self._duration = 0.0
        self._began = time.perf_counter()
        if not hidden and total not in (0, 1) and sys.stderr.isatty():
            from tqdm import tqdm

            # Without its thread, which would only redraw what has not changed.
            tqdm.monitor_interval = 0
            self._bar = tqdm(total=total, unit=f" {unit}", leave=False, mininterval=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wipe the bar away."""
        if self._bar is not None:
            self._bar.close()

    def advance(self, duration: float) -> None:
        """Count one more as done, of so many seconds of audio, and draw."""
        self._duration += duration
        if self._bar is None:
            return
        if self._duration:
            speed = self._duration / max(time.perf_counter() - self._began, 1e-3)
            self._bar.set_postfix_str(f"{speed:.0f} x real time", refresh=False)
        self._bar.update()

    def wipe(self) -> None:
        """Clear the line for words or data of others; the next `advance` draws again."""
        if self._bar is not None:
            self._bar.clear()
