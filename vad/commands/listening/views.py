"""What `vad listen` prints on stdout: JSON for programs, lines for people, and a level meter in a terminal."""

import json
import math
import sys
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from vad.commands.listening.session import Sink
from vad.commands.options.templates import Template
from vad.detection.segments import Event, SpeechEnd, SpeechRejected, SpeechStart
from vad.detection.stream import Stream
from vad.errors import install_hint

__all__ = ["TemplateLines", "make_view"]

_REFRESH_S = 0.08
_FLOOR_DB = -60.0


def make_view(style: str) -> Sink:
    """Make the view.

    Args:
        style: "jsonl", or "text": a meter in a terminal if rich is installed, else lines.
    """
    if style == "jsonl":
        return _JsonLines()
    if sys.stdout.isatty():
        try:
            return _Meter()
        except ModuleNotFoundError:
            print(f"vad: note: the level meter needs rich. {install_hint('live')}", file=sys.stderr)
    return _TextLines()


class TemplateLines(Sink):
    """A line of a template for each segment that ends.

    Args:
        printf: The template.
        time_format: How times are written.

    Raises:
        ConfigError: A field or a format does not exist.
    """

    def __init__(self, printf: str, time_format: str):
        names = {"timestamp": datetime.now()}
        self._template = Template(printf, "--printf", names, time_format=time_format)
        self._written = 0

    def on_event(self, event: Event, stream: Stream) -> None:
        """Print a segment that ended."""
        if isinstance(event, SpeechEnd):
            self._written += 1
            ago = timedelta(seconds=stream.duration - event.segment.start)
            started = (datetime.now() - ago).replace(microsecond=0)
            print(self._template.format(self._written, event.segment, timestamp=started), flush=True)


class _JsonLines(Sink):
    def on_event(self, event: Event, stream: Stream) -> None:
        times = {"time": event.time, "decided_at": event.decided_at}
        if isinstance(event, SpeechEnd):
            times = {"start": event.segment.start, **times}
        kind = {SpeechStart: "start", SpeechEnd: "end", SpeechRejected: "rejected"}[type(event)]
        rounded = {name: round(time, 3) for name, time in times.items()}
        print(json.dumps({"event": kind, **rounded}), flush=True)


class _TextLines(Sink):
    def on_event(self, event: Event, stream: Stream) -> None:
        text = "not speech: too short"
        if isinstance(event, SpeechStart):
            text = "speech starts"
        elif isinstance(event, SpeechEnd):
            text = f"speech ends, {event.segment.duration:.2f} s long"
        print(f"{event.time:9.2f} s  {text}", flush=True)


class _Meter(Sink):
    """Prints segments as they end; below them, one line has the level, the probability, and the seconds of speech."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._peak = 0.0
        self._probability = 0.0
        self._drawn_at = -math.inf
        self._speech_s = 0.0
        self._start: float | None = None
        self._live = Live(
            console=Console(), auto_refresh=False, transient=True, redirect_stderr=sys.stderr.isatty()
        )
        self._live.start()

    def on_block(self, samples: npt.NDArray[Any], stream: Stream) -> None:
        """Draw the meter, some times a second."""
        mono = stream.audio(stream.duration - len(samples) / stream.sample_rate)
        self._peak = max(self._peak, float(np.abs(mono).max(initial=0.0)))
        self._probability = max(self._probability, float(stream.probabilities.max(initial=0.0)))
        if stream.duration - self._drawn_at >= _REFRESH_S:
            self._live.update(self._drawing(stream.duration), refresh=True)
            self._drawn_at = stream.duration
            self._peak = self._probability = 0.0

    def on_event(self, event: Event, stream: Stream) -> None:
        """Print a segment that ended."""
        self._start = event.time if isinstance(event, SpeechStart) else None
        if isinstance(event, SpeechEnd):
            segment = event.segment
            self._speech_s += segment.duration
            line = f"{segment.start:9.2f} - {segment.end:9.2f} s  {segment.duration:6.2f} s"
            self._live.console.print(line, highlight=False)

    def close(self) -> None:
        """Erase the meter."""
        self._live.stop()

    def _drawing(self, duration: float) -> Any:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        level_db = max(_FLOOR_DB, 20 * math.log10(max(self._peak, 1e-9)))
        speech_s = self._speech_s + (0.0 if self._start is None else duration - self._start)
        table = Table.grid("", "", "", "", "", "", "", padding=(0, 1, 0, 0))
        # Room for the ^C that a terminal echoes: on a line of its own it would stay.
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
            f"talk {_clock(speech_s)} of {_clock(duration)}",
        )
        return table


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
