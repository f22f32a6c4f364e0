"""What `vad listen` shows on stdout: JSON for programs; for people lines, with a meter below where rich is there."""

import json
import math
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from vad.commands.listening.session import Listener
from vad.detection.segments import Event, SpeechEnd, SpeechRejected, SpeechStart
from vad.detection.stream import Stream
from vad.errors import install_hint

__all__ = ["make_view"]

_REFRESH_S = 0.08
_FLOOR_DB = -60.0


def make_view(style: str) -> Listener:
    """Choose how events are shown.

    Args:
        style: "jsonl", or "text": a meter in a terminal where rich is installed, lines elsewhere.
    """
    if style == "jsonl":
        return _JsonLines()
    if sys.stdout.isatty():
        try:
            return _Meter()
        except ModuleNotFoundError:
            print(f"no level meter without rich. {install_hint('live')}", file=sys.stderr)
    return _TextLines()


class _Lines:
    """A line an event."""

    def heard(self, samples: npt.NDArray[Any], stream: Stream) -> None:
        """Blocks are not shown."""

    def told(self, event: Event, stream: Stream) -> None:
        """Print the event, at once."""
        print(self._line(event), flush=True)

    def close(self) -> None:
        """Nothing is held."""

    def _line(self, event: Event) -> str:
        raise NotImplementedError


class _JsonLines(_Lines):
    def _line(self, event: Event) -> str:
        times = {"time": event.time, "decided_at": event.decided_at}
        if isinstance(event, SpeechEnd):
            times = {"start": event.segment.start, **times}
        kind = {SpeechStart: "start", SpeechEnd: "end", SpeechRejected: "rejected"}[type(event)]
        return json.dumps({"event": kind, **{name: round(time, 3) for name, time in times.items()}})


class _TextLines(_Lines):
    def _line(self, event: Event) -> str:
        if isinstance(event, SpeechStart):
            return f"{event.time:9.2f} s  speech starts"
        if isinstance(event, SpeechEnd):
            return f"{event.time:9.2f} s  speech ends, {event.segment.duration:.2f} s long"
        return f"{event.time:9.2f} s  was no speech"


class _Meter:
    """Segments as they end, and below them the level, the probability of speech, and how long was spoken."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._peak = 0.0
        self._probability = 0.0
        self._drawn_at = -math.inf
        self._spoken_s = 0.0
        self._start: float | None = None
        self._live = Live(
            console=Console(), auto_refresh=False, transient=True, redirect_stderr=sys.stderr.isatty()
        )
        self._live.start()

    def heard(self, samples: npt.NDArray[Any], stream: Stream) -> None:
        """Draw again, some times a second."""
        heard = stream.audio(stream.duration - len(samples) / stream.sample_rate)
        self._peak = max(self._peak, float(np.abs(heard).max(initial=0.0)))
        self._probability = max(self._probability, float(stream.probabilities.max(initial=0.0)))
        if stream.duration - self._drawn_at >= _REFRESH_S:
            self._live.update(self._drawing(stream.duration), refresh=True)
            self._drawn_at = stream.duration
            self._peak = self._probability = 0.0

    def told(self, event: Event, stream: Stream) -> None:
        """Print a segment that ended."""
        self._start = event.time if isinstance(event, SpeechStart) else None
        if isinstance(event, SpeechEnd):
            self._spoken_s += event.segment.duration
            first, last = event.segment.start, event.segment.end
            self._live.console.print(f"{first:9.2f} - {last:9.2f} s  {last - first:6.2f} s", highlight=False)

    def close(self) -> None:
        """Wipe the meter away."""
        self._live.stop()

    def _drawing(self, duration: float) -> Any:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        level_db = max(_FLOOR_DB, 20 * math.log10(max(self._peak, 1e-9)))
        spoken_s = self._spoken_s + (0.0 if self._start is None else duration - self._start)
        table = Table.grid("", "", "", "", "", "", "", padding=(0, 1, 0, 0))
        # A terminal writes ^C behind it, which must not begin a line that nobody would wipe.
        table.width = self._live.console.width - 3
        for column in (1, 4):
            table.columns[column].ratio = 1
        for column in (2, 5, 6):
            table.columns[column].justify = "right"
            table.columns[column].no_wrap = True
        speech_style = "bar.back" if self._start is None else "green"
        table.add_row(
            "level",
            ProgressBar(total=-_FLOOR_DB, completed=level_db - _FLOOR_DB, complete_style="cyan"),
            f"{level_db:4.0f} dB",
            "speech",
            ProgressBar(total=1.0, completed=self._probability, complete_style=speech_style),
            f"{self._probability:.2f}",
            f"talk {_clock(spoken_s)} of {_clock(duration)}",
        )
        return table


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
