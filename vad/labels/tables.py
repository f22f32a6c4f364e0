"""Labels as a table, one segment a row, with a header that names the columns: csv."""

import csv
import io
import re
from collections.abc import Iterator, Sequence

from vad.errors import shown
from vad.labels.fields import EVENT_LABEL, Times, named, names_speech, times_named
from vad.labels.reading import (
    NON_SPEECH_LABELS,
    Entry,
    Malformed,
    cell_to_path,
    is_number,
    parse_seconds,
    path_to_cell,
    read_each,
    seconds,
)
from vad.labels.turns import Turn

__all__ = ["csv_header", "read_csv", "write_csv"]

_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+\s*")
_Row = tuple[list[str], Times, list[str], int]
"""The header in lower case, its times, the cells, and the line."""


def write_csv(segments: Sequence[Turn], uri: str, duration: float | None) -> str:
    """Write rows of ``file``, ``start`` and ``end``, and ``channel`` where channels are told apart."""
    sheet = io.StringIO()
    rows = csv.writer(sheet, lineterminator="\n")
    name = path_to_cell(uri).replace("\r", " ")  # before Python 3.13 it would go unquoted and end the line
    for segment in segments:
        channel = [] if segment.channel is None else [segment.channel]
        rows.writerow([name, seconds(segment.start), seconds(segment.end), *channel])
    return sheet.getvalue()


def csv_header(*, with_channel: bool) -> str:
    """Name the columns of `write_csv`."""
    return f"file,start,end{',channel' * with_channel}\n"


def read_csv(text: str) -> Iterator[Entry | Malformed]:
    """Read rows under a header that names times, maybe the file, a label and a speaker, in any order.

    `vad.labels.fields` has the names. Of DCASE's events, those of speech are read. Without a header, rows are read as
    DCASE's and Sonic Visualiser's programs write them.

    Commas, semicolons or tabs separate the cells; between semicolons or tabs, numbers may have decimal commas. The
    header may come again, so tables can be joined end to end. A row with a file, but without times, means that nobody
    speaks in it: its entry has no length.

    Raises:
        Malformed: There is no such header, or an open quotation mark.
    """
    return read_each(_entry, _rows(text))


def _rows(text: str) -> Iterator[_Row]:
    header: list[str] = []
    times = None
    for row, line in (rows := _filled_rows(text)):
        names = [cell.strip().lower() for cell in row]
        if times is None:
            header, times = names, times_named(names)
            if times is None:
                yield from _rows_without_header([(row, line), *rows])
                return
        elif names != header:
            yield header, times, row, line


def _filled_rows(text: str) -> Iterator[tuple[list[str], int]]:
    """The rows that are not blank, with decimal points, and their lines."""
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


def _rows_without_header(rows: list[tuple[list[str], int]]) -> Iterator[_Row]:
    header = _guess_header([row for row, _ in rows])
    times = times_named(header)
    if times is None:
        received, line = rows[0]
        raise Malformed(line, f"CSV needs a header with start and end. Received: {shown(received)}.")
    for row, line in rows:
        yield header, times, row + [""] * (len(header) - len(row)), line


def _guess_header(rows: list[list[str]]) -> list[str]:
    """Name the columns by their contents; no names where these may mean several things.

    DCASE has the file, maybe its scene, an onset, an offset and an event. Sonic Visualiser has a time, a value, a
    duration and maybe a label: it is recognised by a value below its time, which cannot be an end.
    """
    shape = "".join("n" if is_number(cell) else "t" for cell in rows[0])
    if dcase := re.fullmatch("(t{0,2})nnt?", shape):
        place = [*("file", "scene")[: len(dcase[1])], "onset", "offset"]
        events = [row[len(place)].strip() for row in rows if len(row) > len(place)]
        known = any(names_speech(event) or event.lower() in NON_SPEECH_LABELS for event in events)
        return [*place, EVENT_LABEL] if known else place if not events else []
    numbers = [row for row in rows if len(row) > 1 and is_number(row[0]) and is_number(row[1])]
    if shape in ("nnn", "nnnt") and any(float(row[1]) < float(row[0]) for row in numbers):
        return ["time", "value", "duration", "label"]
    return []


def _entry(header: list[str], times: Times, row: list[str], line: int) -> Entry:
    if header[-1] == "description" and len(row) == len(header) - 1:  # Audition leaves an empty one out
        row = [*row, ""]
    if len(row) != len(header):
        received = f"{len(row)} field{'' if len(row) == 1 else 's'}"
        raise Malformed(line, f"CSV needs {len(header)} fields, as in its header. Received: {received}.")
    cells = dict(zip(header, row, strict=True))
    file, label, speaker = (named(name, cells) for name in ("file", "label", "speaker"))
    if file is not None:
        file = cell_to_path(file)
    if file and not "".join(filter(None, (cells[times.start], cells[times.end], label, speaker))).strip():
        return Entry(line, 0.0, 0.0, file)
    clock = cells.get("time format", "")
    start = _time(cells[times.start], "start", clock, line)
    end = _time(cells[times.end], "duration" if times.is_duration else "end", clock, line)
    if times.is_duration:
        end = round(start + end, 9)
    if EVENT_LABEL in cells and not names_speech(cells[EVENT_LABEL]):
        end = start
    return Entry(line, start, end, file, label, speaker)


def _time(text: str, name: str, clock: str, line: int) -> float:
    """Read seconds, or Audition's clock (1:02:03.456), or the samples that its time format (48000 Hz) counts."""
    if clock.strip().lower() not in ("", "decimal"):
        if not (rate := re.fullmatch(r"\s*([1-9]\d*) Hz\s*", clock)):
            rule = "a marker's time format must be decimal or samples"
            raise Malformed(line, f"{rule}. Received: {shown(clock)}.")
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
