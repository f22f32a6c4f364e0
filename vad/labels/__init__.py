"""Read and write lists of segments, in the formats other programs know.

    format     extension  who reads it                          says which file  times
    json       .json      programs                              yes              microseconds
    jsonl      .jsonl     programs, line by line                yes              microseconds
    csv        .csv       spreadsheets                          yes              microseconds
    rttm       .rttm      pyannote, NIST's scoring tools        yes              microseconds
    audacity   .txt       Audacity: File, Import, Labels        no               microseconds
    textgrid   .TextGrid  Praat                                 no               microseconds
    srt        .srt       video players (SubRip)                no               milliseconds
    vtt        .vtt       browsers (WebVTT)                     no               milliseconds
    text       .txt       people, awk                           yes              microseconds

Read, but not written: elan (.eaf, ELAN's annotations) and kaldi (a data folder's ``segments``); csv also with tabs
(.tsv) or semicolons.

What says which file can be joined end to end with others of its kind (csv without its header, json in a list).
Labels that mean no speech (``NON_SPEECH_LABELS``), empty TextGrid texts and moments without length are left out
when reading. Text is UTF-8, with or without BOM, or UTF-16 with one; lines end as they like.
"""

import functools
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from numbers import Real
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple, TypeVar

from vad.detection.segments import Segment
from vad.errors import ConfigError, LabelError, did_you_mean, shown
from vad.labels import elan, subtitles, textgrid
from vad.labels import json_labels as objects
from vad.labels import tables as columns
from vad.labels.merge import merge
from vad.labels.plain_text import text_of
from vad.labels.reading import NON_SPEECH_LABELS, Entry, Malformed, checked

__all__ = [
    "EXTENSIONS",
    "FORMATS",
    "NON_SPEECH_LABELS",
    "SUFFIXES",
    "Entry",
    "dumps",
    "files_of",
    "format_of",
    "loads",
    "merge",
    "read_all",
    "read_entries",
    "read_labels",
    "write_labels",
]


_Known = TypeVar("_Known")


class _Format(NamedTuple):
    extension: str
    write: Callable[[Sequence[Segment], str, float | None], str]
    read: Callable[[str], Iterator[Entry | Malformed]]


_FORMATS: Final = {
    "json": _Format(".json", objects.write_json, objects.read_json),
    "jsonl": _Format(".jsonl", objects.write_jsonl, objects.read_jsonl),
    "csv": _Format(".csv", columns.write_csv, columns.read_csv),
    "rttm": _Format(".rttm", columns.write_rttm, columns.read_rttm),
    "audacity": _Format(".txt", columns.write_audacity, columns.read_audacity),
    "textgrid": _Format(".TextGrid", textgrid.write_textgrid, textgrid.read_textgrid),
    "srt": _Format(".srt", subtitles.write_srt, subtitles.read_srt),
    "vtt": _Format(".vtt", subtitles.write_vtt, subtitles.read_vtt),
    "text": _Format(".txt", columns.write_text, columns.read_text),
}

FORMATS: Final[Mapping[str, str]] = MappingProxyType({name: f.extension for name, f in _FORMATS.items()})
"""The extension of each format."""

_READ_ONLY: Final[dict[str, Callable[[str], Iterator[Entry | Malformed]]]] = {
    "elan": elan.read_elan,
    "kaldi": columns.read_kaldi,
}
_WITH_TIERS: Final = {"textgrid": textgrid.read_textgrid, "elan": elan.read_elan}

EXTENSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        FORMATS["rttm"]: "rttm",
        FORMATS["textgrid"]: "textgrid",
        ".eaf": "elan",
        FORMATS["csv"]: "csv",
        ".tsv": "csv",
        **{FORMATS[name]: name for name in ("jsonl", "json", "srt", "vtt", "audacity")},
    }
)
"""The format of each extension; what is surely labels comes before what may be anything."""


SUFFIXES: Final = frozenset(extension.lower() for extension in EXTENSIONS)
"""The same extensions in lower case: what may be labels."""


def format_of(path: str | os.PathLike[str]) -> str:
    """Guess the format from a path's extension, in any case; Kaldi's ``segments`` has none.

    Raises:
        LabelError: no format has that extension.
    """
    _check_path(path)
    suffix = Path(path).suffix
    for extension, name in EXTENSIONS.items():
        if suffix.lower() == extension.lower():
            return name
    if Path(path).name == "segments":
        return "kaldi"
    raise LabelError(
        f"{path}: a label file's extension must be one of {', '.join(EXTENSIONS)}. Received: {suffix!r}. "
        "Name the format."
    )


def files_of(stem: Path) -> Iterator[Path]:
    """Find the label files of a recording, the surest first.

    Args:
        stem: Their path without the extension, which may be all in lower or in upper case, too.
    """
    for extension in EXTENSIONS:
        spellings = dict.fromkeys((extension, extension.lower(), extension.upper()))
        paths = (stem.with_name(stem.name + spelling) for spelling in spellings)
        if found := next((path for path in paths if path.is_file()), None):
            yield found


def dumps(
    segments: Iterable[Segment],
    format: str,
    *,
    uri: str = "",
    duration: float | None = None,
    header: bool = True,
) -> str:
    """Write segments as text, in order of time.

    Args:
        segments: what to write; they may overlap (a TextGrid joins them).
        format: a key of ``FORMATS``.
        uri: the recording's name, for the formats that say it; rttm needs it, in one word.
        duration: the recording's length in seconds, for json and textgrid.
        header: False leaves out csv's first line, to go on after another recording's rows.

    Raises:
        ConfigError: no such format.
        LabelError: a segment that is none, or a format that needs a uri or a duration and has none.
    """
    try:
        ordered = sorted(segments)
    except TypeError as error:
        raise LabelError(f"segments must be an iterable of Segment. Received: {shown(segments)}.") from error
    for segment in ordered:
        if not isinstance(segment, Segment):
            raise LabelError(f"segments must be an iterable of Segment. Received: {shown(segment)} in it.")
        if not 0 <= segment.start <= segment.end < math.inf:
            raise LabelError(f"a segment must have 0 <= start <= end. Received: {segment}.")
    if duration is not None and not (isinstance(duration, Real) and 0 <= duration < math.inf):
        raise LabelError(f"duration must be 0 seconds or more. Received: duration={shown(duration)}.")
    text = _named(format, _FORMATS).write(ordered, uri, duration)
    return text.partition("\n")[2] if format == "csv" and not header else text


def loads(
    text: str,
    format: str,
    *,
    source: str = "<text>",
    uri: str | None = None,
    tier: str | None = None,
) -> list[Segment]:
    """Read segments from text.

    Args:
        text: the content of a label file.
        format: a key of ``FORMATS``, or elan or kaldi.
        source: what error messages call the text.
        uri: only the segments of this recording, where the text names recordings; None is all.
        tier: the TextGrid or ELAN tier to read; None is ``speech``, or else the first interval tier of a TextGrid
            and all parentless tiers of ELAN.

    Returns:
        The segments in order of time. Turns of several speakers stay as they are: ``merge`` joins them.

    Raises:
        ConfigError: no such format.
        LabelError: the text breaks rules of its format; the message says source, line and rule, and ``problems`` has
            these for every line, row or cue that breaks one.
    """
    return [Segment(entry.start, entry.end) for entry in _entries(text, format, source, uri, tier)]


def read_labels(
    path: str | os.PathLike[str],
    format: str | None = None,
    *,
    uri: str | None = None,
    tier: str | None = None,
) -> list[Segment]:
    """Read segments from a file.

    Args:
        path: the label file.
        format: as in `loads`; None guesses it from the extension (.txt is audacity).
        uri: as in `loads`.
        tier: as in `loads`.

    Raises:
        ConfigError: no such format.
        LabelError: the file cannot be read, or breaks a rule of its format; the message says file, line and rule.
    """
    return [Segment(entry.start, entry.end) for entry in read_entries(path, format, uri=uri, tier=tier)]


def read_entries(
    path: str | os.PathLike[str],
    format: str | None = None,
    *,
    uri: str | None = None,
    tier: str | None = None,
) -> list[Entry]:
    """Read segments from a file, each with its line, its recording, its label and its speaker where the file says.

    Args and errors are those of `read_labels`.
    """
    _check_path(path)
    format = format_of(path) if format is None else format
    return _entries(text_of(path), format, os.fspath(path), uri, tier)


def read_all(
    path: str | os.PathLike[str], format: str | None = None, *, tier: str | None = None
) -> tuple[list[Entry], list[str]]:
    """Read all that a file says, past its broken lines.

    Returns:
        Its entries in order of time, with those that are no speech (``Entry.is_speech``) but may name a recording in
        which nobody speaks; and what is wrong, each with file and line.
    """
    try:
        format = format_of(path) if format is None else format
        return _found(text_of(path), format, os.fspath(path), tier)
    except LabelError as error:
        return [], list(error.problems)


def write_labels(
    path: str | os.PathLike[str],
    segments: Iterable[Segment],
    format: str | None = None,
    *,
    uri: str | None = None,
    duration: float | None = None,
) -> None:
    """Write segments to a file, in UTF-8.

    Args:
        path: the label file.
        segments: as in `dumps`.
        format: a key of ``FORMATS``; None guesses it from the extension (.txt is audacity).
        uri: the recording's name; None is the file's, without its extension.
        duration: as in `dumps`.

    Raises:
        ConfigError: no such format.
        LabelError: as in `dumps`, or the file cannot be written.
    """
    _check_path(path)
    format = format_of(path) if format is None else format
    text = dumps(segments, format, uri=Path(path).stem if uri is None else uri, duration=duration)
    try:
        Path(path).write_bytes(text.encode(errors="replace"))
    except OSError as error:
        raise LabelError(
            f"{path}: a label file must be writable. Received: {error.strerror or error}."
        ) from error


def _entries(text: str, format: str, source: str, uri: str | None, tier: str | None) -> list[Entry]:
    """The speech of one recording, in order of time."""
    entries, problems = _found(text, format, source, tier)
    if problems:
        raise LabelError(*problems)
    return [entry for entry in entries if entry.is_speech and _is_about(entry, uri)]


def _found(text: str, format: str, source: str, tier: str | None) -> tuple[list[Entry], list[str]]:
    """Entries in order of time, and what is wrong with the other lines."""
    readers = {name: known.read for name, known in _FORMATS.items()} | _READ_ONLY
    read = _named(format, readers)
    if format in _WITH_TIERS:
        read = functools.partial(_WITH_TIERS[format], tier=tier)
    content = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    entries, broken = [], []
    try:
        for found in map(checked, read(content)):
            if isinstance(found, Malformed):
                broken.append(found)
            else:
                entries.append(found)
    except Malformed as error:  # of the whole file, which ends its reading
        broken.append(error)
    problems = [f"{source}:{one.line}: {one.rule}" for one in broken]
    return sorted(entries, key=lambda entry: (entry.start, entry.end)), problems


def _named(format: str, table: Mapping[str, _Known]) -> _Known:
    if not isinstance(format, str) or format not in table:
        known = ", ".join(table)
        raise ConfigError(
            f"format must be one of {known}. Received: format={shown(format)}."
            + did_you_mean(str(format), table)
        )
    return table[format]


def _check_path(path: object) -> None:
    if not isinstance(path, str | os.PathLike):
        raise LabelError(f"a label file must be a path. Received: {shown(path)}.")


def _is_about(entry: Entry, uri: str | None) -> bool:
    return uri is None or not entry.uri or columns.one_word(entry.uri) == columns.one_word(uri)
