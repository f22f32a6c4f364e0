"""Labels as subtitles: srt, vtt. Times are in milliseconds."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from vad.detection.segments import Segment
from vad.errors import shown
from vad.labels.reading import Entry, Malformed, read_each

__all__ = ["read_srt", "read_vtt", "write_srt", "write_vtt"]

_CLOCK = r"(?:(\d{1,9}):)?([0-5]?\d):([0-5]?\d)[.,](\d{1,3})"
_TIMES = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s.*)?")
_NO_CUES = ("NOTE", "STYLE", "REGION")

_Block = list[tuple[int, str]]  # numbered lines, none blank


def write_srt(segments: Sequence[Segment], uri: str, duration: float | None) -> str:
    """Write SubRip: a numbered cue ``speech`` for each segment."""
    cues = (f"{index}\n{_times(segment, ',')}\nspeech\n" for index, segment in enumerate(segments, 1))
    return "\n".join(cues)


def write_vtt(segments: Sequence[Segment], uri: str, duration: float | None) -> str:
    """Write WebVTT: a cue ``speech`` for each segment."""
    return "WEBVTT\n" + "".join(f"\n{_times(segment, '.')}\nspeech\n" for segment in segments)


def read_srt(text: str) -> Iterator[Entry | Malformed]:
    """Read the times of all cues, with any text."""
    return read_each(_cue, ((block, "00:00:01,000 --> 00:00:02,500") for block in _blocks(text)))


def read_vtt(text: str) -> Iterator[Entry | Malformed]:
    """Read the times of all cues, with any text. Notes, styles and regions are skipped.

    Raises:
        Malformed: The first line is not WEBVTT.
    """
    first_line = text.partition("\n")[0]
    if not re.match(r"WEBVTT(\s|$)", first_line):
        raise Malformed(1, f"WebVTT must begin with WEBVTT. Received: {shown(first_line)}.")
    cues = (block for block in _blocks(text)[1:] if not block[0][1].startswith(_NO_CUES))
    return read_each(_cue, ((block, "00:01.000 --> 00:02.500") for block in cues))


def _times(segment: Segment, decimal_mark: str) -> str:
    return f"{_clock(segment.start, decimal_mark)} --> {_clock(segment.end, decimal_mark)}"


def _clock(time: float, decimal_mark: str) -> str:
    minutes, milliseconds = divmod(round(time * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{hours:02}:{minutes:02}:{seconds:02}{decimal_mark}{milliseconds:03}"


def _blocks(text: str) -> list[_Block]:
    lines = enumerate(text.split("\n"), 1)
    return [list(block) for filled, block in groupby(lines, lambda line: bool(line[1].strip())) if filled]


def _cue(block: _Block, example: str) -> Entry:
    """Find the line of times: the first one, or the second one under a number or a name."""
    named = "-->" not in block[0][1] and len(block) > 1
    line, content = block[1 if named else 0]
    times = _TIMES.fullmatch(content)
    if times is None:
        raise Malformed(line, f"a cue needs a line of times such as {example}. Received: {shown(content)}.")
    start, end = (_seconds(*times.groups()[side : side + 4]) for side in (0, 4))
    label = " ".join(text for _, text in block[2 if named else 1 :])
    return Entry(line, start, end, label=label)


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str) -> float:
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return (whole * 1000 + int(fraction.ljust(3, "0"))) / 1000
