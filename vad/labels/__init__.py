"""Read and write segments as label files, in the formats of other programs.

`vad.labels.formats` lists the formats; data/README.md describes each for users. Text is UTF-8, with or without BOM, or
UTF-16 with one, maybe packed (.gz), with any line ends. Labels that mean no speech (``NON_SPEECH_LABELS``), empty
TextGrid texts and entries without length are skipped. A TextGrid and ELAN join segments that overlap.
"""

import math
import os
from collections.abc import Iterable, Mapping
from numbers import Real
from pathlib import Path
from typing import TypeVar

from vad.detection.segments import Segment
from vad.errors import ConfigError, LabelError, did_you_mean, shown
from vad.files import writing
from vad.labels.formats import FORMATS, READERS, WRITTEN, content_format, format_of, reader_of
from vad.labels.merge import merge
from vad.labels.plain_text import read_text
from vad.labels.reading import NON_SPEECH_LABELS, Entry, Malformed, one_word
from vad.labels.tables import csv_header
from vad.labels.turns import Turn

__all__ = [
    "FORMATS",
    "NON_SPEECH_LABELS",
    "Entry",
    "dumps",
    "format_of",
    "loads",
    "merge",
    "read_all",
    "read_entries",
    "read_labels",
    "write_labels",
]


_Known = TypeVar("_Known")


def dumps(
    segments: Iterable[Segment] | Mapping[int, Iterable[Segment]],
    format: str,
    *,
    uri: str = "",
    duration: float | None = None,
    header: bool = True,
) -> str:
    """Write segments as text, in order of time.

    Args:
        segments: They may overlap. A mapping has those of each channel, by its index from 0. Then a field names the
            channel (rttm and uem count from 1), or a tier in textgrid and elan. audacity, srt, vtt and text have none.
        format: A key of ``FORMATS``.
        uri: The recording's name. rttm, kaldi and uem need it, and write it in one word.
        duration: Length of the recording in seconds, for json, labelstudio and textgrid.
        header: False leaves out the first line of csv, to append to another recording's rows.

    Raises:
        ConfigError: There is no such format.
        LabelError: A segment is not one, or the format needs a uri or a duration and has none.
    """
    if isinstance(segments, Mapping):
        turns = [turn for channel, those in segments.items() for turn in _turns(those, channel)]
    else:
        turns = _turns(segments, None)
    _check_uri(uri)
    if duration is not None and not (isinstance(duration, Real) and 0 <= duration < math.inf):
        raise LabelError(f"duration must be 0 seconds or more. Received: duration={shown(duration)}.")
    text = _named(format, WRITTEN).write(sorted(turns), uri, duration)
    if format == "csv" and header:
        return csv_header(with_channel=isinstance(segments, Mapping)) + text
    return text


def _turns(segments: Iterable[Segment], channel: int | None) -> list[Turn]:
    """The segments of a channel, checked."""
    try:
        listed = list(segments)
    except TypeError as error:
        raise LabelError(f"segments must be an iterable of Segment. Received: {shown(segments)}.") from error
    for segment in listed:
        if not isinstance(segment, Segment):
            raise LabelError(f"segments must be an iterable of Segment. Received: {shown(segment)} in it.")
        if not 0 <= segment.start <= segment.end < math.inf:
            raise LabelError(f"a segment must have 0 <= start <= end. Received: {segment}.")
    return [Turn(segment.start, segment.end, channel) for segment in listed]


def loads(
    text: str,
    format: str,
    *,
    source: str = "<text>",
    uri: str | None = None,
    tier: str | None = None,
) -> list[Segment]:
    """Read segments from text, as `read_labels` does from a file; ``source`` is its name in messages."""
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
        path: The label file.
        format: A key of ``FORMATS``, or ctm, stm, htk or svl. None guesses it from the extension and, of .txt and JSON,
            from the contents.
        uri: Read only the segments of this recording, where the file names recordings. None reads all.
        tier: The TextGrid or ELAN tier to read. None is ``speech`` or its channels, or else the first interval tier
            of a TextGrid and all parentless tiers of ELAN.

    Returns:
        The segments in order of time. Those of several speakers may overlap: ``merge`` joins them.

    Raises:
        ConfigError: There is no such format.
        LabelError: The file cannot be read, or breaks rules of its format. The message has the file, the line and the
            rule; ``problems`` has them for all broken lines.
    """
    return [Segment(entry.start, entry.end) for entry in read_entries(path, format, uri=uri, tier=tier)]


def read_entries(
    path: str | os.PathLike[str],
    format: str | None = None,
    *,
    uri: str | None = None,
    tier: str | None = None,
) -> list[Entry]:
    """Read segments from a file, with their lines and what the file says of recording, label and speaker.

    Arguments and errors are those of `read_labels`.
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
    """Read all entries of a file, also where other lines are broken.

    Args:
        path: The label file.
        format: As in `read_labels`.
        tier: As in `read_labels`.
        open_ended: Entries may end at infinity, where Kaldi's segments say that they end with their recording.

    Returns:
        The entries in order of time, and a message with file and line for each broken line. Entries that are not
        speech (``Entry.is_speech``) are among them: they may name a recording in which nobody speaks.
    """
    try:
        text, format = _text_and_format(path, format)
        return _read(text, format, os.fspath(path), tier, open_ended=open_ended)
    except LabelError as error:
        return [], list(error.problems)


def write_labels(
    path: str | os.PathLike[str],
    segments: Iterable[Segment] | Mapping[int, Iterable[Segment]],
    format: str | None = None,
    *,
    uri: str | None = None,
    duration: float | None = None,
) -> None:
    """Write segments to a file, in UTF-8.

    Args:
        path: The label file.
        segments: As in `dumps`.
        format: A key of ``FORMATS``. None guesses it from the extension (.txt is audacity).
        uri: The recording's name. None is the file's, without its extension.
        duration: As in `dumps`.

    Raises:
        ConfigError: There is no such format.
        LabelError: As in `dumps`, or the file cannot be written.
    """
    _check_path(path)
    format = format_of(path) if format is None else format
    text = dumps(segments, format, uri=Path(path).stem if uri is None else uri, duration=duration)
    try:
        with writing(Path(path)) as temporary:
            temporary.write_bytes(text.encode(errors="replace"))
    except ConfigError as error:
        raise LabelError(str(error)) from error


def _text_and_format(path: str | os.PathLike[str], format: str | None) -> tuple[str, str]:
    """A file's text, and the format that was named or else guessed."""
    guess = format_of(path) if format is None else format
    text = read_text(path)
    return text, content_format(guess, text) if format is None else format


def _entries(text: str, format: str, source: str, uri: str | None, tier: str | None) -> list[Entry]:
    """The speech of one recording, in order of time."""
    entries, problems = _read(text, format, source, tier)
    if problems:
        raise LabelError(*problems)
    _check_uri(uri)
    name = None if uri is None else one_word(uri)
    return [
        one for one in entries if one.is_speech and (name is None or not one.uri or one_word(one.uri) == name)
    ]


def _read(
    text: str, format: str, source: str, tier: str | None, *, open_ended: bool = False
) -> tuple[list[Entry], list[str]]:
    """The entries in order of time, and a message for each broken line."""
    _named(format, READERS)
    read = reader_of(format, tier=tier, open_ended=open_ended)
    content = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    entries, broken = [], []
    try:
        for one in read(content):
            if isinstance(one, Malformed):
                broken.append(one)
            elif 0 <= one.start <= one.end and (open_ended or one.end < math.inf):
                entries.append(one)
            else:
                times = f"start={one.start}, end={one.end}"
                rule = "a segment must have 0 <= start <= end, in seconds"
                broken.append(Malformed(one.line, f"{rule}. Received: {times}."))
    except Malformed as error:  # the rest cannot be read
        broken.append(error)
    problems = [f"{source}:{one.line}: {one.rule}" for one in broken]
    return sorted(entries, key=lambda entry: (entry.start, entry.end)), problems


def _named(format: str, table: Mapping[str, _Known]) -> _Known:
    if not isinstance(format, str) or format not in table:
        near = did_you_mean(str(format), table)
        raise ConfigError(
            f"format must be one of {', '.join(table)}. Received: format={shown(format)}.{near}"
        )
    return table[format]


def _check_uri(uri: object) -> None:
    if not (uri is None or isinstance(uri, str)):
        raise LabelError(f"uri must be the name of a recording. Received: uri={shown(uri)}.")


def _check_path(path: object) -> None:
    if not isinstance(path, str | os.PathLike):
        raise LabelError(f"a label file must be a path. Received: {shown(path)}.")
