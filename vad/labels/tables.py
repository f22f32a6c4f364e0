"""Labels in columns, one segment a line: csv, rttm, audacity, text, kaldi."""

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence

from vad.detection.segments import Segment
from vad.labels.fields import EVENT_LABEL, Times, named, names_speech, times_named
from vad.labels.reading import (
    NON_SPEECH_LABELS,
    Entry,
    Malformed,
    counted,
    filled_lines,
    named_word,
    one_word,
    parse_seconds,
    parse_times,
    read_each,
    seconds,
    shown,
)

__all__ = [
    "one_word",
    "read_audacity",
    "read_csv",
    "read_kaldi",
    "read_rttm",
    "read_text",
    "write_audacity",
    "write_csv",
    "write_kaldi",
    "write_rttm",
    "write_text",
]

# The types of the NIST RT-09 evaluation plan, appendix A.
_RTTM_TYPES = frozenset(
    {
        *("SPEAKER", "SPKR-INFO", "SEGMENT", "NOSCORE", "NO_RT_METADATA", "LEXEME", "NON-LEX", "NON-SPEECH"),
        *("FILLER", "EDIT", "IP", "SU", "CB", "A/P"),
    }
)


# A spreadsheet's in a country that writes numbers so.
_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+\s*")
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")


def write_csv(segments: Sequence[Segment], uri: str, duration: float | None) -> str:
    """Write a header and rows of ``file``, ``start`` and ``end``."""
    sheet = io.StringIO()
    rows = csv.writer(sheet, lineterminator="\n")
    rows.writerow(["file", "start", "end"])
    name = uri.replace("\r", " ")  # before Python 3.13 it would go unquoted and end the line
    rows.writerows([name, seconds(segment.start), seconds(segment.end)] for segment in segments)
    return sheet.getvalue()


def read_csv(text: str) -> Iterator[Entry | Malformed]:
    """Read rows under a header that names times, maybe the file, a label and a speaker, in any order.

    The names are those of `vad.labels.fields`: start and end, onset and offset (DCASE), start and duration (Audition),
    time and duration (Sonic Visualiser). Of DCASE's events those count that are speech. Without a header, rows are read
    that DCASE's and Sonic Visualiser's programs write so.

    Commas, semicolons or tabs stand between the fields, as in the header, which may come again: files of rows can
    be joined as they are. Between semicolons or tabs a number may have a decimal comma. A row with a file, but without
    times, says that nobody speaks in it: its entry is without length.

    Raises:
        Malformed: no such header, or an open quotation mark.
    """
    return read_each(_csv_entry, _csv_rows(text))


def _csv_rows(text: str) -> Iterator[tuple[list[str], Times, list[str], int]]:
    """The header, in lower case, and its times, with each row and its line."""
    header: list[str] = []
    times = None
    for row, line in (rows := _filled_rows(text)):
        names = [cell.strip().lower() for cell in row]
        if times is None:
            header, times = names, times_named(names)
            if times is None:
                yield from _bare_rows([(row, line), *rows])
                return
        elif names != header:
            yield header, times, row, line


def _filled_rows(text: str) -> Iterator[tuple[list[str], int]]:
    """The rows that are not blank, and their lines; numbers have decimal points."""
    first_line = text.lstrip("\n").partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)
    rows = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                yield row if delimiter == "," else list(map(_with_point, row)), rows.line_num
    except csv.Error as error:
        raise Malformed(rows.line_num, f"CSV must be well-formed. Received: {error}.") from error


def _with_point(cell: str) -> str:
    return cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell


def _bare_rows(rows: list[tuple[list[str], int]]) -> Iterator[tuple[list[str], Times, list[str], int]]:
    """Rows without a header, with the one that they might have had."""
    header = _bare_header([row for row, _ in rows])
    times = times_named(header)
    if times is None:
        received, line = rows[0]
        raise Malformed(line, f"CSV needs a header with start and end. Received: {shown(received)}.")
    for row, line in rows:
        yield header, times, row + [""] * (len(header) - len(row)), line


def _bare_header(rows: list[list[str]]) -> list[str]:
    """Name the columns by what stands in them; none where that may mean several things.

    DCASE has the file, maybe its scene, an onset, an offset and an event. Sonic Visualiser has a time, a value, a
    duration and maybe a label; where each value might be an end, nobody can know.
    """
    shape = "".join("n" if _NUMBER.fullmatch(cell) else "t" for cell in rows[0])
    if dcase := re.fullmatch("(t{0,2})nnt?", shape):
        place = [*("file", "scene")[: len(dcase[1])], "onset", "offset"]
        events = [row[len(place)].strip() for row in rows if len(row) > len(place)]
        known = any(names_speech(one) or one.lower() in NON_SPEECH_LABELS for one in events)
        return [*place, EVENT_LABEL] if known else place if not events else []
    if shape in ("nnn", "nnnt") and any(
        _NUMBER.fullmatch(row[1]) and float(row[1]) < float(row[0])
        for row in rows
        if len(row) > 1 and _NUMBER.fullmatch(row[0])
    ):
        return ["time", "value", "duration", "label"]
    return []


def _csv_entry(header: list[str], times: Times, row: list[str], line: int) -> Entry:
    if (
        header[-1] == "description" and len(row) == len(header) - 1
    ):  # Audition leaves it out where it is empty
        row = [*row, ""]
    if len(row) != len(header):
        raise Malformed(line, f"CSV needs {len(header)} fields, as in its header. Received: {counted(row)}.")
    cells = dict(zip(header, row, strict=True))
    file, label, speaker = (named(name, cells) for name in ("file", "label", "speaker"))
    if file and not "".join(filter(None, (cells[times.start], cells[times.end], label, speaker))).strip():
        return Entry(line, 0.0, 0.0, file)
    clock = cells.get("time format", "")
    start = _time(cells[times.start], "start", clock, line)
    end = _time(cells[times.end], "duration" if times.is_duration else "end", clock, line)
    if times.is_duration:
        end = round(start + end, 9)
    if EVENT_LABEL in cells and not names_speech(cells[EVENT_LABEL]):
        end = start  # somebody's dog
    return Entry(line, start, end, file, label, speaker)


def _time(text: str, name: str, clock: str, line: int) -> float:
    """Read seconds, or Audition's clock (1:02:03.456), or the samples that its time format (48000 Hz) counts."""
    if clock.strip().lower() not in ("", "decimal"):
        if not (rate := re.fullmatch(r"\s*([1-9]\d*) Hz\s*", clock)):
            raise Malformed(
                line, f"a marker's time format must be decimal or samples. Received: {shown(clock)}."
            )
        return parse_seconds(text, name, line) / float(rate[1])
    if ":" not in text:
        return parse_seconds(text, name, line)
    *above, last = text.split(":")
    if len(above) > 2 or not all(part.strip().isdecimal() for part in above):
        raise Malformed(line, f"{name} must be a number of seconds. Received: {shown(text)}.")
    minutes = 0.0
    for part in above:
        minutes = minutes * 60 + float(part)
    return round(minutes * 60 + parse_seconds(last, name, line), 9)


def write_rttm(segments: Sequence[Segment], uri: str, duration: float | None) -> str:
    """Write SPEAKER lines of one speaker called ``speech``; white space in the name becomes ``_``.

    Raises:
        LabelError: no name of the recording, without which other programs read nothing.
    """
    name = named_word(uri, "RTTM")
    lines = []
    for segment in segments:
        start, end = round(segment.start * 1e6), round(segment.end * 1e6)
        times = f"{seconds(start / 1e6)} {seconds((end - start) / 1e6)}"
        lines.append(f"SPEAKER {name} 1 {times} <NA> <NA> speech <NA> <NA>\n")
    return "".join(lines)


def read_rttm(text: str) -> Iterator[Entry | Malformed]:
    """Read the SPEAKER lines, as turns that may overlap (NIST RT-09 evaluation plan, appendix A)."""
    return read_each(_rttm_entry, filled_lines(text))


def _rttm_entry(number: int, line: str) -> Entry | None:
    if line.lstrip().startswith(";;"):
        return None
    fields = line.split()
    if len(fields) not in (9, 10):
        raise Malformed(number, f"RTTM needs 9 or 10 fields. Received: {counted(fields)}.")
    if fields[0] not in _RTTM_TYPES:
        raise Malformed(number, f"RTTM needs a type such as SPEAKER first. Received: {shown(fields[0])}.")
    if fields[0] != "SPEAKER":
        return None
    start = parse_seconds(fields[3], "start", number)
    duration = parse_seconds(fields[4], "duration", number)
    speaker = None if fields[7] == "<NA>" else fields[7]
    # Rounded to a nanosecond, so that 0.1 + 0.2 is 0.3 again.
    return Entry(number, start, round(start + duration, 9), uri=fields[1], speaker=speaker)


def write_audacity(segments: Sequence[Segment], uri: str, duration: float | None) -> str:
    """Write a label track: start, end and ``speech``, between tabs."""
    return "".join(f"{seconds(segment.start)}\t{seconds(segment.end)}\tspeech\n" for segment in segments)


def read_audacity(text: str) -> Iterator[Entry | Malformed]:
    r"""Read a label track; lines of frequencies (``\``) are left out, and blanks will do for tabs."""
    return read_each(_audacity_entry, filled_lines(text))


def _audacity_entry(number: int, line: str) -> Entry | None:
    if line.startswith("\\"):
        return None
    fields = line.split(maxsplit=2)
    if len(fields) < 2:
        rule = "an Audacity label needs a start, an end and a label"
        raise Malformed(number, f"{rule}, between tabs. Received: {shown(line)}.")
    start, end = parse_times(fields[:2], number)
    return Entry(number, start, end, label=fields[2] if len(fields) == 3 else None)


def write_text(segments: Sequence[Segment], uri: str, duration: float | None) -> str:
    """Write start and end, after the recording's name if there is one, between blanks."""
    name = " ".join(uri.split())
    return "".join(
        f"{name} {seconds(segment.start)} {seconds(segment.end)}\n".lstrip() for segment in segments
    )


def read_text(text: str) -> Iterator[Entry | Malformed]:
    """Read lines whose last two columns are start and end; what stands before is the recording's name."""
    return read_each(_text_entry, filled_lines(text))


def _text_entry(number: int, line: str) -> Entry:
    fields = line.rsplit(maxsplit=2)
    if len(fields) < 2:
        raise Malformed(number, f"a line needs a start and an end, between blanks. Received: {shown(line)}.")
    start, end = parse_times(fields[-2:], number)
    return Entry(number, start, end, uri=fields[0] if len(fields) == 3 else None)


def write_kaldi(segments: Sequence[Segment], uri: str, duration: float | None) -> str:
    """Write lines of an utterance, the recording, start and end; an utterance is called by its recording and times.

    Raises:
        LabelError: no name of the recording.
    """
    name = named_word(uri, "Kaldi")
    return "".join(
        f"{name}-{round(segment.start * 1000):09}-{round(segment.end * 1000):09} {name} "
        f"{seconds(segment.start)} {seconds(segment.end)}\n"
        for segment in segments
    )


def read_kaldi(text: str, *, open_ended: bool = False) -> Iterator[Entry | Malformed]:
    """Read a Kaldi ``segments`` file: utterance, recording, start and end; the label is the utterance's name.

    Args:
        text: the file.
        open_ended: an end of -1, which is that of the recording, is given as infinity; it is an error else.
    """
    return read_each(lambda number, line: _kaldi_entry(number, line, open_ended), filled_lines(text))


def _kaldi_entry(number: int, line: str, open_ended: bool) -> Entry:
    fields = line.split()
    if len(fields) not in (4, 5):  # the fifth is a channel
        rule = "a line of Kaldi's segments needs an utterance, a recording, a start and an end"
        raise Malformed(number, f"{rule}. Received: {counted(fields)}.")
    start, end = parse_times(fields[2:4], number)
    if end == -1 and not open_ended:
        rule = "an end of -1 is that of the recording, which segments alone do not know"
        raise Malformed(number, f"{rule}. Give the Kaldi folder, or write the end.")
    return Entry(number, start, math.inf if end == -1 else end, uri=fields[1], label=fields[0])
