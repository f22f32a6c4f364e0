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
    elan       .eaf       ELAN                                  no               milliseconds
    kaldi      .segments  Kaldi, lhotse, ESPnet                 yes              microseconds
    uem        .uem       NIST's scoring tools, pyannote        yes              microseconds
    nemo       .jsonl     NVIDIA NeMo                           yes              microseconds
    labelstudio .json     Label Studio, as predictions         yes              microseconds

Read, but not written: ctm and stm (NIST), htk (.lab, .mlf) and svl (Sonic Visualiser's regions). csv reads tables of
DCASE, Audition, Sonic Visualiser and others, also with tabs (.tsv) or semicolons; json and jsonl read lhotse, NeMo and
Label Studio; textgrid reads all three forms of Praat's.

What says which file can be joined end to end with others of its kind (csv without its header, .json in a list).
Labels that mean no speech (``NON_SPEECH_LABELS``), empty TextGrid texts and moments without length are left out
when reading. Text is UTF-8, with or without BOM, or UTF-16 with one, maybe packed (.gz); lines end as they like.
"""

import math
import os
from collections.abc import Iterable, Mapping
from numbers import Real
from pathlib import Path
from typing import TypeVar

from vad.detection.segments import Segment
from vad.errors import ConfigError, LabelError, did_you_mean, shown
from vad.labels.formats import (
    EXTENSIONS,
    FORMATS,
    NAMED_BY_WORD,
    OF_MANY,
    READERS,
    SUFFIXES,
    WRITERS,
    content_format,
    files_of,
    format_of,
    reader_of,
)
from vad.labels.merge import merge
from vad.labels.plain_text import text_of
from vad.labels.reading import NON_SPEECH_LABELS, Entry, Malformed, checked, one_word, require_within

__all__ = [
    "EXTENSIONS",
    "FORMATS",
    "NAMED_BY_WORD",
    "NON_SPEECH_LABELS",
    "OF_MANY",
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
    "require_within",
    "write_labels",
]


_Known = TypeVar("_Known")


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
        segments: what to write; they may overlap (a TextGrid and ELAN join them).
        format: a key of ``FORMATS``.
        uri: the recording's name, for the formats that say it; rttm, kaldi and uem need it, in one word.
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
    text = _named(format, WRITERS)(ordered, uri, duration)
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
        format: a key of ``FORMATS``, or ctm, stm, htk or svl.
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
        format: as in `loads`; None guesses it from the extension and, of .txt and JSON, from what the file says.
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
    text, format = _text_and_format(path, format)
    return _entries(text, format, os.fspath(path), uri, tier)


def read_all(
    path: str | os.PathLike[str],
    format: str | None = None,
    *,
    tier: str | None = None,
    open_ended: bool = False,
) -> tuple[list[Entry], list[str]]:
    """Read all that a file says, past its broken lines.

    Args:
        path: the label file.
        format: as in `read_labels`.
        tier: as in `loads`.
        open_ended: entries may end at infinity, where Kaldi's segments say that they end with their recording.

    Returns:
        Its entries in order of time, with those that are no speech (``Entry.is_speech``) but may name a recording in
        which nobody speaks; and what is wrong, each with file and line.
    """
    try:
        text, format = _text_and_format(path, format)
        return _found(text, format, os.fspath(path), tier, open_ended=open_ended)
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


def _text_and_format(path: str | os.PathLike[str], format: str | None) -> tuple[str, str]:
    """A file's text, and the format that was named or else guessed."""
    called = format_of(path) if format is None else format
    text = text_of(path)
    return text, called if format is not None else content_format(called, text)


def _entries(text: str, format: str, source: str, uri: str | None, tier: str | None) -> list[Entry]:
    """The speech of one recording, in order of time."""
    entries, problems = _found(text, format, source, tier)
    if problems:
        raise LabelError(*problems)
    return [entry for entry in entries if entry.is_speech and _is_about(entry, uri)]


def _found(
    text: str, format: str, source: str, tier: str | None, *, open_ended: bool = False
) -> tuple[list[Entry], list[str]]:
    """Entries in order of time, and what is wrong with the other lines."""
    _named(format, READERS)
    read = reader_of(format, tier=tier, open_ended=open_ended)
    content = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    entries, broken = [], []
    try:
        for found in read(content):
            if not (open_ended and isinstance(found, Entry) and found.end == math.inf):
                found = checked(found)
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
    return uri is None or not entry.uri or one_word(entry.uri) == one_word(uri)
