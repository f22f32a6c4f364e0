"""A progress bar on stderr, and error lines that do not damage it."""

import sys
import time
from types import TracebackType
from typing import Any, Self

from vad.commands.options.messages import is_quiet, is_verbose

__all__ = ["Progress"]


_SHOWN_AFTER_S = 0.3  # a bar for less would only flash
_LINE_EVERY_S = 60.0
_BYTES_LAYOUT = "{percentage:3.0f}%|{bar}| {desc} [{elapsed}<{remaining}]"


def _bar(**settings: Any) -> Any:
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # without a thread
    return tqdm(leave=False, mininterval=0, **settings)


class Progress:
    """A bar on stderr within a `with` statement; invisible if stderr is no terminal, and with --quiet and --verbose.

    For a single recording it counts seconds of audio, if its position is shown.

    Args:
        total: Number of recordings; None if unknown.
        unit: The name of what is counted.
        total_bytes: Of all recordings, from which the time left is estimated; None if unknown.
        in_lines: Without a terminal, print a line every minute.
    """

    def __init__(
        self,
        total: int | None,
        *,
        unit: str = "recordings",
        total_bytes: int | None = None,
        in_lines: bool = False,
    ):
        self._bar: Any = None
        self._total = total
        self._total_bytes = total_bytes or 0
        self._count = 0
        self._bytes = 0
        self._audio_s = 0.0
        self._started = self._printed = time.perf_counter()
        is_wanted = not is_quiet() and not is_verbose()
        self._is_shown = sys.stderr.isatty() and is_wanted
        self._in_lines = in_lines and not sys.stderr.isatty() and is_wanted
        self._is_single = total in (0, 1)
        if self._is_shown and not self._is_single:
            layout = {"bar_format": _BYTES_LAYOUT, "smoothing": 0, "desc": self._of_all()}
            self._bar = _bar(total=total_bytes or total, **layout if total_bytes else {"unit": f" {unit}"})

    def __enter__(self) -> Self:
        """Give the bar."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Erase the bar."""
        if self._bar is not None:
            self._bar.close()

    def advance(self, duration: float = 0.0, n_bytes: int = 0, *, count: int = 1) -> None:
        """Count one more recording, or a part of one.

        Args:
            duration: Seconds of audio.
            n_bytes: Size of the file, or of the part.
            count: 0 for a part.
        """
        self._audio_s += duration
        self._count += count
        self._bytes = min(self._bytes + n_bytes, self._total_bytes)
        if self._in_lines and time.perf_counter() - self._printed >= _LINE_EVERY_S:
            self._printed = time.perf_counter()
            print(f"vad: {self._of_all()}, {self._time_left()} left", file=sys.stderr, flush=True)
        if self._bar is None or self._is_single:
            return
        if self._total_bytes:
            self._bar.n = self._bytes
            self._bar.set_description_str(self._of_all())
            return
        if self._audio_s:
            self._bar.set_postfix_str(self._speed(self._audio_s), refresh=False)
        self._bar.update(count)

    def _of_all(self, seconds: float = 0.0) -> str:
        """What is done, with so many seconds of the present recording, and how fast."""
        audio_s = self._audio_s + seconds
        hours = f"{audio_s / 3600:.1f}"
        if self._bytes:
            hours += f" of about {self._audio_s * self._total_bytes / self._bytes / 3600:.1f}"
        return f"{self._count}/{self._total} recordings, {hours} h of audio, {self._speed(audio_s)}"

    def _time_left(self) -> str:
        """The time for the rest at the speed so far, as h:mm:ss."""
        elapsed = time.perf_counter() - self._started
        seconds = round(elapsed * (self._total_bytes / max(1, self._bytes) - 1))
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    def show_position(self, seconds: float, duration: float | None, stage: str = "") -> None:
        """Show the position in the present recording.

        Args:
            seconds: Audio of it that was processed.
            duration: All of it; None if unknown.
            stage: What the recording is read for; "" is detection.
        """
        of_all = "{bar}| {n:.0f}/{total:.0f}" if duration else "{desc} {n:.0f}"
        layout = "{l_bar}" * bool(duration) + of_all + " s of audio [{elapsed}{postfix}]"
        if not self._show(layout, duration):
            return
        speed = self._speed(self._audio_s + seconds)
        if self._total_bytes and not self._is_single:
            self._bar.set_description_str(self._of_all(seconds))
            return
        if not self._is_single:
            self._bar.set_description_str("", refresh=False)
            self._bar.set_postfix_str(f"{seconds:.0f} s of this one, {speed}")
            return
        self._bar.bar_format, self._bar.total = layout, duration
        self._bar.set_description_str(stage, refresh=False)
        self._bar.n = min(seconds, duration or seconds)
        self._bar.set_postfix_str(speed)

    def show_received(self, n_bytes: int) -> None:
        """Show how much of a recording has come from a pipe that must end first."""
        if self._show("{desc} [{elapsed}]"):
            self._bar.set_description_str(f"{n_bytes / 1e6:.0f} MB received")

    def _show(self, layout: str, total: float | None = None) -> bool:
        """Whether a bar is shown; a short time after the start, also for a single recording."""
        is_late = time.perf_counter() - self._started >= _SHOWN_AFTER_S
        if self._bar is None and self._is_shown and is_late:
            self._bar = _bar(total=total, bar_format=layout)
        return self._bar is not None and is_late

    def _speed(self, audio_s: float) -> str:
        return f"{audio_s / max(time.perf_counter() - self._started, 1e-3):.0f} x real time"

    def clear(self) -> None:
        """Clear the line for other output; the next `advance` draws the bar again."""
        if self._bar is not None:
            self._bar.clear()

    def report(self, problem: object) -> None:
        """Print one line about what went wrong."""
        self.clear()
        print(f"vad: {problem}", file=sys.stderr)
