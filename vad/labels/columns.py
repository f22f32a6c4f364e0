"""Labels in columns between blanks or tabs: audacity, text, kaldi."""

import math
from collections.abc import Iterator, Sequence

from vad.detection.segments import Segment
from vad.errors import shown
from vad.labels.reading import (
    Entry,
    Malformed,
    filled_lines,
    line_reader,
    parse_times,
    read_each,
    require_name,
    seconds,
    split_columns,
)
from vad.labels.turns import Turn

__all__ = ["read_audacity", "read_kaldi", "read_text", "write_audacity", "write_kaldi", "write_text"]


def write_audacity(segments: Sequence[Segment], uri: str, duration: float | None) -> str:
    """Write a label track: start, end and ``speech``, between tabs."""
    return "".join(f"{seconds(segment.start)}\t{seconds(segment.end)}\tspeech\n" for segment in segments)


@line_reader("\\")
def read_audacity(number: int, line: str) -> Entry | None:
    r"""Read a label track without its frequencies (lines that begin with ``\``); blanks may stand for tabs."""
    fields = line.split(maxsplit=2)
    if len(fields) < 2:
        rule = "an Audacity label needs a start, an end and a label, between tabs"
        raise Malformed(number, f"{rule}. Received: {shown(line)}.")
    return Entry(number, *parse_times(fields, number), label=fields[2] if len(fields) == 3 else None)


def write_text(segments: Sequence[Segment], uri: str, duration: float | None) -> str:
    """Write start and end, after the recording's name if there is one, between blanks."""
    name = " ".join(uri.split())
    return "".join(
        f"{name} {seconds(segment.start)} {seconds(segment.end)}\n".lstrip() for segment in segments
    )


@line_reader()
def read_text(number: int, line: str) -> Entry | None:
    """Read lines whose last two columns are start and end; before them may stand the recording's name."""
    fields = line.rsplit(maxsplit=2)
    if len(fields) < 2:
        raise Malformed(number, f"a line needs a start and an end, between blanks. Received: {shown(line)}.")
    return Entry(number, *parse_times(fields[-2:], number), uri=fields[0] if len(fields) == 3 else None)


def write_kaldi(segments: Sequence[Turn], uri: str, duration: float | None) -> str:
    """Write a Kaldi ``segments`` file; an utterance's name is made of its recording and its times.

    Where channels are told apart, the fifth column has the channel, and so has the utterance's name.

    Raises:
        LabelError: The recording has no name.
    """
    name = require_name(uri, "Kaldi")
    lines = []
    for segment in segments:
        prefix, column = (
            ("", "") if segment.channel is None else (f"ch{segment.channel}-", f" {segment.channel}")
        )
        times = f"{round(segment.start * 1000):09}-{round(segment.end * 1000):09}"
        lines.append(
            f"{name}-{prefix}{times} {name} {seconds(segment.start)} {seconds(segment.end)}{column}\n"
        )
    return "".join(lines)


def read_kaldi(text: str, *, open_ended: bool = False) -> Iterator[Entry | Malformed]:
    """Read a Kaldi ``segments`` file: utterance, recording, start and end. The label is the utterance's name.

    Args:
        text: The file.
        open_ended: An end of -1, the recording's end, is read as infinity. Else it is an error.
    """

    def entry(number: int, line: str) -> Entry:
        rule = "a line of Kaldi's segments needs an utterance, a recording, a start and an end"
        fields = split_columns(number, line, (4, 5), rule)  # the fifth is a channel
        start, end = parse_times(fields[2:], number)
        if end == -1 and not open_ended:
            rule = "an end of -1 is that of the recording, which segments alone do not know"
            raise Malformed(number, f"{rule}. Give the Kaldi folder, or write the end.")
        return Entry(number, start, math.inf if end == -1 else end, uri=fields[1], label=fields[0])

    return read_each(entry, filled_lines(text))
