"""The label formats: their extensions, readers and writers, and which of them a file is in."""

import functools
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from vad.errors import LabelError
from vad.json_text import parse_json
from vad.labels import (
    columns,
    elan,
    htk,
    json_labels,
    label_studio,
    nist,
    sonic_visualiser,
    subtitles,
    tables,
    textgrid,
)
from vad.labels.reading import Reader, filled_lines, is_number
from vad.labels.turns import Turn

__all__ = [
    "EXTENSIONS",
    "FORMATS",
    "MULTI_RECORDING",
    "ONE_WORD_NAMES",
    "READERS",
    "SUFFIXES",
    "WITH_CHANNELS",
    "WRITTEN",
    "content_format",
    "format_of",
    "label_files",
    "reader_of",
]

_Writer = Callable[[Sequence[Turn], str, float | None], str]


class _Format(NamedTuple):
    """A format that is written.

    Attributes:
        extension: The extension of its files.
        write: Makes the text from segments, the recording's name and its duration in seconds.
        read: Reads the text.
        joined_by: How the texts of several recordings become one file: end to end, or in a JSON list.
        one_word_names: It writes the recording's name in one word, which cannot be a path.
        has_channels: It tells the channels of a recording apart.
    """

    extension: str
    write: _Writer
    read: Reader
    joined_by: Literal["", "lines", "list"] = ""
    one_word_names: bool = False
    has_channels: bool = True


WRITTEN: Final = {
    "json": _Format(".json", json_labels.write_json, json_labels.read_json, "list"),
    "jsonl": _Format(".jsonl", json_labels.write_jsonl, json_labels.read_jsonl, "lines"),
    "csv": _Format(".csv", tables.write_csv, tables.read_csv, "lines"),
    "rttm": _Format(".rttm", nist.write_rttm, nist.read_rttm, "lines", one_word_names=True),
    "audacity": _Format(".txt", columns.write_audacity, columns.read_audacity, has_channels=False),
    "textgrid": _Format(".TextGrid", textgrid.write_textgrid, textgrid.read_textgrid),
    "srt": _Format(".srt", subtitles.write_srt, subtitles.read_srt, has_channels=False),
    "vtt": _Format(".vtt", subtitles.write_vtt, subtitles.read_vtt, has_channels=False),
    "text": _Format(".txt", columns.write_text, columns.read_text, "lines", has_channels=False),
    "elan": _Format(".eaf", elan.write_elan, elan.read_elan),
    "kaldi": _Format(".segments", columns.write_kaldi, columns.read_kaldi, "lines", one_word_names=True),
    "uem": _Format(".uem", nist.write_uem, nist.read_uem, "lines", one_word_names=True),
    "nemo": _Format(".jsonl", json_labels.write_nemo, json_labels.read_jsonl, "lines"),
    "labelstudio": _Format(".json", label_studio.write_labelstudio, json_labels.read_json, "list"),
}

FORMATS: Final[Mapping[str, str]] = MappingProxyType({name: one.extension for name, one in WRITTEN.items()})
"""The extension of each format that is written."""

MULTI_RECORDING: Final[Mapping[str, str]] = MappingProxyType(
    {name: one.joined_by for name, one in WRITTEN.items() if one.joined_by}
)
"""The formats whose files may hold several recordings: "lines" are joined end to end, "list" in a JSON list."""

ONE_WORD_NAMES: Final = frozenset(name for name, one in WRITTEN.items() if one.one_word_names)
"""The formats that write a recording's name in one word, as scoring tools expect it."""

WITH_CHANNELS: Final = frozenset(name for name, one in WRITTEN.items() if one.has_channels)
"""The formats that tell the channels of a recording apart: by a field, or by a tier for each."""

READERS: Final[Mapping[str, Reader]] = {
    **{name: one.read for name, one in WRITTEN.items()},
    "ctm": nist.read_ctm,
    "stm": nist.read_stm,
    "htk": htk.read_htk,
    "svl": sonic_visualiser.read_svl,
}
"""The reader of each format, also of those that are not written."""

_WITH_TIERS: Final = {"textgrid": textgrid.read_textgrid, "elan": elan.read_elan}

_COMPANIONS: Final = {
    FORMATS["rttm"]: "rttm",
    FORMATS["textgrid"]: "textgrid",
    FORMATS["elan"]: "elan",
    ".svl": "svl",
    ".stm": "stm",
    ".ctm": "ctm",
    ".lab": "htk",
    FORMATS["csv"]: "csv",
    ".tsv": "csv",
    **{FORMATS[name]: name for name in ("jsonl", "json", "srt", "vtt", "audacity")},
}

EXTENSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {**_COMPANIONS, FORMATS["kaldi"]: "kaldi", FORMATS["uem"]: "uem", ".mlf": "htk"}
)
"""The format of each extension. Extensions that only labels have come first."""

SUFFIXES: Final = frozenset(extension.lower() for extension in _COMPANIONS)
"""In lower case, the extensions of files that may be a recording's labels. UEM says what is scored, not who speaks."""


def format_of(path: str | os.PathLike[str]) -> str:
    """Guess the format from a path's extension, in any case, maybe before ``.gz``; or from Kaldi's name ``segments``.

    Raises:
        LabelError: No format has that extension.
    """
    name = Path(path).name
    suffix = Path(re.sub(r"\.gz$", "", name, flags=re.IGNORECASE)).suffix
    for extension, format in EXTENSIONS.items():
        if suffix.lower() == extension.lower():
            return format
    if name == "segments":
        return "kaldi"
    raise LabelError(
        f"{path}: a label file's extension must be one of {', '.join(EXTENSIONS)}. Received: {suffix!r}. "
        "Name the format."
    )


def content_format(format: str, text: str) -> str:
    """Tell apart by their contents the formats that share an extension.

    Args:
        format: The guess of `format_of`.
        text: The file's text.
    """
    if format == "audacity":
        return _text_format(text)
    if format == "json":
        return "jsonl" if _is_lines_of_objects(text) else "json"
    if format == "jsonl":
        return "json" if _first_line(text) in ("{", "[") or _first_line(text).startswith("[{") else "jsonl"
    return format


def label_files(stem: Path) -> Iterator[Path]:
    """Find the label files of a recording, the surest first.

    Args:
        stem: Their path without the extension. The extension may be in lower or in upper case.
    """
    for extension in _COMPANIONS:
        spellings = dict.fromkeys((extension, extension.lower(), extension.upper()))
        paths = (stem.with_name(stem.name + spelling) for spelling in spellings)
        file = next((path for path in paths if path.is_file()), None)
        if file and not (extension == ".lab" and _is_transcript(file)):
            yield file


def reader_of(format: str, *, tier: str | None = None, open_ended: bool = False) -> Reader:
    """The reader of a format.

    Args:
        format: A key of ``READERS``.
        tier: The tier to read, of formats that have tiers.
        open_ended: An entry may end at infinity where Kaldi's segments say that it ends with its recording.
    """
    if format in _WITH_TIERS:
        return functools.partial(_WITH_TIERS[format], tier=tier)
    if format == "kaldi":
        return functools.partial(columns.read_kaldi, open_ended=open_ended)
    return READERS[format]


def _text_format(text: str) -> str:
    """Tell apart the formats in .txt: Audacity's labels, DCASE's, text with the recording's name, and RTTM."""
    line = _first_line("\n".join(one for one in text.split("\n") if not one.startswith("\\")))
    fields = line.split()
    if _all_numbers(fields[:2]):
        return "audacity"
    if len(fields) in (9, 10) and fields[0] == "SPEAKER":
        return "rttm"
    if "\t" in line and not _all_numbers(fields[:1]):
        return "csv"
    return "text" if len(fields) > 2 and _all_numbers(fields[-2:]) else "audacity"


def _all_numbers(fields: Sequence[str]) -> bool:
    return bool(fields) and all(map(is_number, fields))


def _is_lines_of_objects(text: str) -> bool:
    """Whether there are several lines, the first of them a whole object."""
    lines = [line for _, line in filled_lines(text)]
    if len(lines) < 2:
        return False
    try:
        return isinstance(parse_json(lines[0]), dict)
    except ValueError:
        return False


def _is_transcript(path: Path) -> bool:
    """Whether a .lab has no times, as the Montreal Forced Aligner reads it."""
    try:
        line = _first_line(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return False
    return not (line.startswith(htk.MASTER) or _all_numbers(line.split()[:2]))


def _first_line(text: str) -> str:
    return next((line.strip() for _, line in filled_lines(text)), "")
