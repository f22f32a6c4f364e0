"""Labels of HTK: .lab, and master label files (.mlf), which hold several.

The HTK Book, section 6.2: https://www.danielpovey.com/files/htkbook.pdf
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from vad.errors import shown
from vad.labels.reading import Entry, Malformed, filled_lines, parse_times, read_each

__all__ = ["MASTER", "read_htk"]

MASTER = "#!MLF!#"
_UNITS_PER_SECOND = 10**7
_LEAST_UNITS = 10_000  # a millisecond: an earlier last end is in whole seconds
_PHONE = re.compile(r"[^-+\s]*-([^-+\s]+)\+\S*")  # in context: sil-b+c


def read_htk(text: str) -> Iterator[Entry | Malformed]:
    """Read a start, an end and a label a line, in units of 100 ns.

    WaveSurfer and others write seconds: such times have a decimal point, or would end before the first millisecond.
    Of alternatives (``///``) the first is read. Of a phone in context (``sil-b+c``), the phone is the label.
    """
    lines = list(_lines(text))
    times = [field for _, line, _ in lines for field in line.split()[:2]]
    whole = [float(field) for field in times if field.isdecimal()]
    in_seconds = len(whole) < len(times) and any("." in field for field in times)
    units = 1 if in_seconds or max(whole, default=0.0) < _LEAST_UNITS else _UNITS_PER_SECOND
    return read_each(lambda number, line, uri: _entry(number, line, uri, units), lines)


def _lines(text: str) -> Iterator[tuple[int, str, str | None]]:
    """Numbered lines of labels, with the recording that a master label file names."""
    uri, alternative = None, False
    for number, line in filled_lines(text):
        content = line.strip()
        if content == MASTER:
            continue
        if content.startswith('"') and content.endswith('"'):
            uri, alternative = PurePosixPath(content.strip('"').removeprefix("*/")).stem, False
        elif content == "///":
            alternative = True
        elif content != "." and not alternative:
            yield number, content, uri


def _entry(number: int, line: str, uri: str | None, units: int) -> Entry:
    fields = line.split()
    if len(fields) < 2:
        rule = "an HTK label needs a start and an end, in units of 100 ns"
        raise Malformed(number, f"{rule}. Received: {shown(line)}.")
    start, end = parse_times(fields, number)
    label = fields[2] if len(fields) > 2 else None
    phone = _PHONE.fullmatch(label or "")
    return Entry(number, start / units, end / units, uri, phone[1] if phone else label)
