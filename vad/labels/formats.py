"""Which label formats there are, what their files are called, and which one a file is in."""

import functools
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from vad.detection.segments import Segment
from vad.errors import LabelError
from vad.labels import elan, htk, label_studio, nist, sonic_visualiser, subtitles, textgrid
from vad.labels import json_labels as objects
from vad.labels import tables as columns
from vad.labels.reading import Entry, Malformed, filled_lines

__all__ = [
    "EXTENSIONS",
    "FORMATS",
    "NAMED_BY_WORD",
    "OF_MANY",
    "READERS",
    "SUFFIXES",
    "WRITERS",
    "content_format",
    "files_of",
    "format_of",
    "reader_of",
]

_Reader = Callable[[str], Iterator[Entry | Malformed]]
_Writer = Callable[[Sequence[Segment], str, float | None], str]


class _Format(NamedTuple):
    """A format that is written.

    Attributes:
        extension: of its files.
        write: makes its text.
        read: reads its text.
        many: how files of several recordings are made of those of each: joined end to end, or in a JSON list.
        by_word: it names a recording in one word, which is no path.
    """

    extension: str
    write: _Writer
    read: _Reader
    many: Literal["", "lines", "list"] = ""
    by_word: bool = False


_FORMATS: Final = {
    "json": _Format(".json", objects.write_json, objects.read_json, "list"),
    "jsonl": _Format(".jsonl", objects.write_jsonl, objects.read_jsonl, "lines"),
    "csv": _Format(".csv", columns.write_csv, columns.read_csv, "lines"),
    "rttm": _Format(".rttm", columns.write_rttm, columns.read_rttm, "lines", by_word=True),
    "audacity": _Format(".txt", columns.write_audacity, columns.read_audacity),
    "textgrid": _Format(".TextGrid", textgrid.write_textgrid, textgrid.read_textgrid),
    "srt": _Format(".srt", subtitles.write_srt, subtitles.read_srt),
    "vtt": _Format(".vtt", subtitles.write_vtt, subtitles.read_vtt),
    "text": _Format(".txt", columns.write_text, columns.read_text, "lines"),
    "elan": _Format(".eaf", elan.write_elan, elan.read_elan),
    "kaldi": _Format(".segments", columns.write_kaldi, columns.read_kaldi, "lines", by_word=True),
    "uem": _Format(".uem", nist.write_uem, nist.read_uem, "lines", by_word=True),
    "nemo": _Format(".jsonl", objects.write_nemo, objects.read_jsonl, "lines"),
    "labelstudio": _Format(".json", label_studio.write_labelstudio, objects.read_json, "list"),
}

FORMATS: Final[Mapping[str, str]] = MappingProxyType({name: one.extension for name, one in _FORMATS.items()})
"""The extension of each format that is written."""

WRITERS: Final[Mapping[str, _Writer]] = MappingProxyType({name: one.write for name, one in _FORMATS.items()})
"""What makes the text of each of them: of segments, the recording's name and its length."""

OF_MANY: Final[Mapping[str, str]] = MappingProxyType(
    {name: one.many for name, one in _FORMATS.items() if one.many}
)
"""The formats whose files may speak of several recordings: "lines", joined end to end, or "list", in a JSON list."""

NAMED_BY_WORD: Final = frozenset(name for name, one in _FORMATS.items() if one.by_word)
"""The formats that name a recording in one word, as scoring tools look for it."""

READERS: Final[Mapping[str, _Reader]] = {
    **{name: one.read for name, one in _FORMATS.items()},
    "ctm": nist.read_ctm,
    "stm": nist.read_stm,
    "htk": htk.read_htk,
    "svl": sonic_visualiser.read_svl,
}
"""What reads the text of each format, written or not."""

_WITH_TIERS: Final = {"textgrid": textgrid.read_textgrid, "elan": elan.read_elan}

_BESIDE: Final = {
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
    {**_BESIDE, FORMATS["kaldi"]: "kaldi", FORMATS["uem"]: "uem", ".mlf": "htk"}
)
"""The format of each extension; what is surely labels comes before what may be anything."""

SUFFIXES: Final = frozenset(extension.lower() for extension in _BESIDE)
"""The extensions, in lower case, of what may be a recording's labels; what is scored of it (UEM) is not among them."""


def format_of(path: str | os.PathLike[str]) -> str:
    """Guess the format from a path's extension, in any case; Kaldi's ``segments`` has none, and ``.gz`` may follow it.

    Raises:
        LabelError: no format has that extension.
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
    """Tell formats apart that share an extension, by what a file says.

    Args:
        format: what `format_of` guesses.
        text: the file.
    """
    if format == "audacity":
        return _text_format(text)
    if format == "json":
        return "jsonl" if _is_lines_of_objects(text) else "json"
    if format == "jsonl":
        return "json" if _first_line(text) in ("{", "[") or _first_line(text).startswith("[{") else "jsonl"
    return format


def files_of(stem: Path) -> Iterator[Path]:
    """Find the label files of a recording, the surest first.

    Args:
        stem: Their path without the extension, which may be all in lower or in upper case, too.
    """
    for extension in _BESIDE:
        spellings = dict.fromkeys((extension, extension.lower(), extension.upper()))
        paths = (stem.with_name(stem.name + spelling) for spelling in spellings)
        found = next((path for path in paths if path.is_file()), None)
        if found and not (extension == ".lab" and _is_transcript(found)):
            yield found


def reader_of(format: str, *, tier: str | None = None, open_ended: bool = False) -> _Reader:
    """What reads the text of a format.

    Args:
        format: a key of ``READERS``.
        tier: which tier, of formats that have them.
        open_ended: an entry may end at infinity, where the file says no more than that it ends with its recording.
    """
    if format in _WITH_TIERS:
        return functools.partial(_WITH_TIERS[format], tier=tier)
    if format == "kaldi":
        return functools.partial(columns.read_kaldi, open_ended=open_ended)
    return READERS[format]


def _text_format(text: str) -> str:
    """Tell apart what is called .txt: Audacity's labels, DCASE's, text with the recording's name, and RTTM."""
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
    return bool(fields) and all(re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", one) for one in fields)


def _is_lines_of_objects(text: str) -> bool:
    """Several lines, the first of which is a whole object."""
    lines = [line for _, line in filled_lines(text)]
    if len(lines) < 2:
        return False
    try:
        return isinstance(json.loads(lines[0]), dict)
    except (ValueError, RecursionError):
        return False


def _is_transcript(path: Path) -> bool:
    """A .lab without times: what the Montreal Forced Aligner reads."""
    try:
        line = _first_line(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return False
    return not (line.startswith(htk.MASTER) or _all_numbers(line.split()[:2]))


def _first_line(text: str) -> str:
    return next((line.strip() for _, line in filled_lines(text)), "")
