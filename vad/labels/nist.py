"""Labels of NIST's scoring tools: rttm (speakers), ctm (words), stm (turns with transcripts), uem (what is scored).

https://github.com/usnistgov/SCTK/blob/master/doc/infmts.htm; RTTM: NIST RT-09 evaluation plan, appendix A.
"""

import re
from collections.abc import Sequence

from vad.errors import shown
from vad.labels.reading import (
    Entry,
    Malformed,
    line_reader,
    parse_times,
    require_name,
    seconds,
    split_columns,
    start_and_duration,
)
from vad.labels.turns import Turn

__all__ = ["read_ctm", "read_rttm", "read_stm", "read_uem", "write_rttm", "write_uem"]

_COMMENT = ";;"
_RTTM_TYPES = {
    *("SPEAKER", "SPKR-INFO", "SEGMENT", "NOSCORE", "NO_RT_METADATA", "LEXEME", "NON-LEX", "NON-SPEECH"),
    *("FILLER", "EDIT", "IP", "SU", "CB", "A/P"),
}
_CTM_NO_WORDS = {"non-lex", "misc", "noscore"}  # RT-09's types of laughs, clicks and what is not scored
_STM_NO_TURNS = {"inter_segment_gap", "excluded_region"}
_STM_NOT_SCORED = "ignore_time_segment_in_scoring"
_STM_SUBSETS = re.compile(r"<[^>]*>\s*")  # <o,f0,male> before a transcript


def write_rttm(segments: Sequence[Turn], uri: str, duration: float | None) -> str:
    """Write SPEAKER lines of one speaker called ``speech``; blanks in the name become ``_``. Channels count from 1.

    Raises:
        LabelError: The recording has no name.
    """
    name = require_name(uri, "RTTM")
    lines = []
    for segment in segments:
        start, length = start_and_duration(segment)
        lines.append(
            f"SPEAKER {name} {_channel(segment)} {seconds(start)} {seconds(length)} <NA> <NA> speech <NA> <NA>\n"
        )
    return "".join(lines)


@line_reader(_COMMENT)
def read_rttm(number: int, line: str) -> Entry | None:
    """Read the SPEAKER lines; turns may overlap."""
    fields = split_columns(number, line, (9, 10), "RTTM needs 9 or 10 fields")
    if fields[0] not in _RTTM_TYPES:
        raise Malformed(number, f"RTTM needs a type such as SPEAKER first. Received: {shown(fields[0])}.")
    if fields[0] != "SPEAKER":
        return None
    speaker = None if fields[7] == "<NA>" else fields[7]
    return Entry(number, *parse_times(fields[3:], number, with_duration=True), uri=fields[1], speaker=speaker)


@line_reader(_COMMENT)
def read_ctm(number: int, line: str) -> Entry | None:
    """Read words: recording, channel, start, duration, word, maybe a confidence, a type and a speaker.

    Where there are alternatives, all of them are read.
    """
    rule = "a line of CTM needs a recording, a channel, a start, a duration and a word"
    fields = split_columns(number, line, range(5, 9), rule)
    is_alternative = len(fields) == 5 and fields[4].startswith("<ALT")
    if is_alternative or (len(fields) > 6 and fields[6] in _CTM_NO_WORDS):
        return None
    speaker = fields[7] if len(fields) == 8 else None
    return Entry(number, *parse_times(fields[2:], number, with_duration=True), fields[0], fields[4], speaker)


@line_reader(_COMMENT)
def read_stm(number: int, line: str) -> Entry | None:
    """Read turns: recording, channel, speaker, start, end, maybe a subset in angle brackets, and a transcript.

    Regions that are not scored, and the gaps of TED-LIUM, are skipped.
    """
    rule = "a line of STM needs a recording, a channel, a speaker, a start and an end"
    fields = split_columns(number, line, (5, 6), rule, most=5)
    transcript = _STM_SUBSETS.sub("", fields[5], count=1).strip() if len(fields) == 6 else ""
    if fields[2].lower() in _STM_NO_TURNS or transcript.lower() == _STM_NOT_SCORED:
        return None
    return Entry(number, *parse_times(fields[3:], number), fields[0], transcript or None, fields[2])


def write_uem(segments: Sequence[Turn], uri: str, duration: float | None) -> str:
    """Write lines of the recording, the channel from 1, start and end.

    Raises:
        LabelError: The recording has no name.
    """
    name = require_name(uri, "UEM")
    return "".join(
        f"{name} {_channel(segment)} {seconds(segment.start)} {seconds(segment.end)}\n"
        for segment in segments
    )


def _channel(turn: Turn) -> int:
    """The channel as NIST counts, from 1; 1 where channels are not told apart."""
    return 1 if turn.channel is None else turn.channel + 1


@line_reader(_COMMENT)
def read_uem(number: int, line: str) -> Entry | None:
    """Read regions: recording, channel, start and end."""
    fields = split_columns(
        number, line, (4,), "a line of UEM needs a recording, a channel, a start and an end"
    )
    return Entry(number, *parse_times(fields[2:], number), uri=fields[0])
