"""Labels in columns, one segment a line: csv, rttm, audacity, text, kaldi."""

import csv
import io
import re
from collections.abc import Iterator, Sequence

from vad.detection.segments import Segment
from vad.errors import LabelError
from vad.labels.reading import Entry, Malformed, filled_lines, parse_seconds, read_each, seconds, shown

__all__ = [
    "one_word",
    "read_audacity",
    "read_csv",
    "read_kaldi",
    "read_rttm",
    "read_text",
    "write_audacity",
    "write_csv",
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


def one_word(uri: str) -> str:
    """Write a recording's name without white space, which would be several fields in RTTM."""
    return "_".join(uri.split())


def write_csv(segments: Sequence[Segment], uri: str, duration: float | None) -> str:
    """Write a header and rows of ``file``, ``start`` and ``end``."""
    sheet = io.StringIO()
    rows = csv.writer(sheet, lineterminator="\n")
    rows.writerow(["file", "start", "end"])
    name = uri.replace("\r", " ")  # before Python 3.13 it would go unquoted and end the line
    rows.writerows([name, seconds(segment.start), seconds(segment.end)] for segment in segments)
    return sheet.getvalue()


def read_csv(text: str) -> Iterator[Entry | Malformed]:
    """Read rows under a header with ``start`` and ``end``, maybe ``file``, ``label`` and ``speaker``, in any order.

    Commas, semicolons or tabs stand between the fields, as in the header, which may come again: files of rows can
    be joined as they are. Between semicolons or tabs a number may have a decimal comma. A row with a file, but without
    times, says that nobody speaks in it: its entry is without length.

    Raises:
        Malformed: no such header, or an open quotation mark.
    """
    return read_each(_csv_entry, _csv_rows(text))


def _csv_rows(text: str) -> Iterator[tuple[list[str], list[str], int]]:
    """The header, in lower case, with each row and its line; numbers have decimal points."""
    first_line = text.lstrip("\n").partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)
    rows = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    header: list[str] = []
    try:
        for row in rows:
            names = [cell.strip().lower() for cell in row]
            if not any(names) or names == header:
                continue
            if not header:
                header = names
                if not {"start", "end"} <= set(header):
                    raise Malformed(
                        rows.line_num, f"CSV needs a header with start and end. Received: {shown(row)}."
                    )
                continue
            yield header, row if delimiter == "," else list(map(_with_point, row)), rows.line_num
    except csv.Error as error:
        raise Malformed(rows.line_num, f"CSV must be well-formed. Received: {error}.") from error


def _with_point(cell: str) -> str:
    return cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell


def _csv_entry(header: list[str], row: list[str], line: int) -> Entry:
    if len(row) != len(header):
        raise Malformed(line, f"CSV needs {len(header)} fields, as in its header. Received: {_count(row)}.")
    cells = dict(zip(header, row, strict=True))
    file, label, speaker = (cells.get(name) for name in ("file", "label", "speaker"))
    if file and not "".join(filter(None, (cells["start"], cells["end"], label, speaker))).strip():
        return Entry(line, 0.0, 0.0, file)
    start, end = _times((cells["start"], cells["end"]), line)
    return Entry(line, start, end, file, label, speaker)


def write_rttm(segments: Sequence[Segment], uri: str, duration: float | None) -> str:
    """Write SPEAKER lines of one speaker called ``speech``; white space in the name becomes ``_``.

    Raises:
        LabelError: no name of the recording, without which other programs read nothing.
    """
    if not uri.strip():
        raise LabelError(f"RTTM needs the name of the recording. Received: uri={uri!r}.")
    lines = []
    for segment in segments:
        start, end = round(segment.start * 1e6), round(segment.end * 1e6)
        times = f"{seconds(start / 1e6)} {seconds((end - start) / 1e6)}"
        lines.append(f"SPEAKER {one_word(uri)} 1 {times} <NA> <NA> speech <NA> <NA>\n")
    return "".join(lines)


def read_rttm(text: str) -> Iterator[Entry | Malformed]:
    """Read the SPEAKER lines, as turns that may overlap (NIST RT-09 evaluation plan, appendix A)."""
    return read_each(_rttm_entry, filled_lines(text))


def _rttm_entry(number: int, line: str) -> Entry | None:
    if line.lstrip().startswith(";;"):
        return None
    fields = line.split()
    if len(fields) not in (9, 10):
        raise Malformed(number, f"RTTM needs 9 or 10 fields. Received: {_count(fields)}.")
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
    start, end = _times(fields[:2], number)
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
    start, end = _times(fields[-2:], number)
    return Entry(number, start, end, uri=fields[0] if len(fields) == 3 else None)


def read_kaldi(text: str) -> Iterator[Entry | Malformed]:
    """Read a Kaldi ``segments`` file: utterance, recording, start and end; the label is the utterance's name."""
    return read_each(_kaldi_entry, filled_lines(text))


def _kaldi_entry(number: int, line: str) -> Entry:
    fields = line.split()
    if len(fields) not in (4, 5):  # the fifth is a channel
        rule = "a line of Kaldi's segments needs an utterance, a recording, a start and an end"
        raise Malformed(number, f"{rule}. Received: {_count(fields)}.")
    start, end = _times(fields[2:4], number)
    return Entry(number, start, end, uri=fields[1], label=fields[0])


def _times(fields: Sequence[str], line: int) -> tuple[float, float]:
    return parse_seconds(fields[0], "start", line), parse_seconds(fields[1], "end", line)


def _count(fields: Sequence[str]) -> str:
    return f"{len(fields)} field{'' if len(fields) == 1 else 's'}"
