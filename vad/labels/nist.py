"""Labels of NIST's scoring tools besides RTTM: ctm (words), stm (turns with transcripts), uem (what is scored).

https://github.com/usnistgov/SCTK/blob/master/doc/infmts.htm
"""

import re
from collections.abc import Iterator, Sequence

from vad.detection.segments import Segment
from vad.labels.reading import (
    Entry,
    Malformed,
    counted,
    filled_lines,
    named_word,
    parse_seconds,
    parse_times,
    read_each,
    seconds,
)

__all__ = ["read_ctm", "read_stm", "read_uem", "write_uem"]

_NO_WORDS = {
    "non-lex",
    "misc",
    "noscore",
}  # types of the NIST RT-09 evaluation plan: laughs, clicks, what is not said
_NO_TURNS = {"inter_segment_gap", "excluded_region"}
_NOT_SCORED = "ignore_time_segment_in_scoring"
_SUBSETS = re.compile(r"<[^>]*>\s*")  # <o,f0,male> before a transcript


def read_ctm(text: str) -> Iterator[Entry | Malformed]:
    """Read words: recording, channel, start, duration, word, maybe a confidence, a type and a speaker.

    Where there are alternatives, all of them are read.
    """
    return read_each(_ctm_entry, _lines(text))


def _ctm_entry(number: int, line: str) -> Entry | None:
    fields = line.split()
    if len(fields) == 5 and fields[4].startswith("<ALT"):
        return None
    if not 5 <= len(fields) <= 8:
        rule = "a line of CTM needs a recording, a channel, a start, a duration and a word"
        raise Malformed(number, f"{rule}. Received: {counted(fields)}.")
    if len(fields) > 6 and fields[6] in _NO_WORDS:
        return None
    start, duration = parse_seconds(fields[2], "start", number), parse_seconds(fields[3], "duration", number)
    speaker = fields[7] if len(fields) == 8 else None
    return Entry(number, start, round(start + duration, 9), fields[0], fields[4], speaker)


def read_stm(text: str) -> Iterator[Entry | Malformed]:
    """Read turns: recording, channel, speaker, start, end, maybe a subset in angle brackets, and a transcript.

    What is not to be scored, and the gaps of TED-LIUM, are left out.
    """
    return read_each(_stm_entry, _lines(text))


def _stm_entry(number: int, line: str) -> Entry | None:
    fields = line.split(maxsplit=5)
    if len(fields) < 5:
        rule = "a line of STM needs a recording, a channel, a speaker, a start and an end"
        raise Malformed(number, f"{rule}. Received: {counted(fields)}.")
    transcript = _SUBSETS.sub("", fields[5], count=1).strip() if len(fields) == 6 else ""
    if fields[2].lower() in _NO_TURNS or transcript.lower() == _NOT_SCORED:
        return None
    start, end = parse_times(fields[3:5], number)
    return Entry(number, start, end, fields[0], transcript or None, fields[2])


def write_uem(segments: Sequence[Segment], uri: str, duration: float | None) -> str:
    """Write lines of the recording, channel 1, start and end.

    Raises:
        LabelError: no name of the recording.
    """
    name = named_word(uri, "UEM")
    return "".join(f"{name} 1 {seconds(segment.start)} {seconds(segment.end)}\n" for segment in segments)


def read_uem(text: str) -> Iterator[Entry | Malformed]:
    """Read parts of recordings: recording, channel, start and end."""
    return read_each(_uem_entry, _lines(text))


def _uem_entry(number: int, line: str) -> Entry:
    fields = line.split()
    if len(fields) != 4:
        rule = "a line of UEM needs a recording, a channel, a start and an end"
        raise Malformed(number, f"{rule}. Received: {counted(fields)}.")
    start, end = parse_times(fields[2:], number)
    return Entry(number, start, end, uri=fields[0])


def _lines(text: str) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in filled_lines(text) if not line.lstrip().startswith(";;"))
