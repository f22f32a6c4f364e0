"""Results as label files: all in one document on stdout or in a file, or a file for each recording in a folder."""

import contextlib
import io
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from vad.commands.detecting.lines import Lines
from vad.commands.detecting.milliseconds import in_milliseconds, milliseconds
from vad.commands.detecting.outputs import is_folder, parquet_tables, paths_in, refuse_overwriting
from vad.commands.detecting.parquet import open_parquet
from vad.commands.detecting.recordings import AudioInput
from vad.detection.segments import Segment
from vad.errors import ConfigError, LabelError
from vad.files import make_folder, write_text, writing
from vad.labels import FORMATS, dumps, format_of
from vad.labels.formats import MULTI_RECORDING, ONE_WORD_NAMES, WITH_CHANNELS
from vad.labels.reading import one_word

if TYPE_CHECKING:
    from vad.commands.detecting.analysis import Result

__all__ = ["PARQUET", "Folder", "Results", "choose_format", "label_paths", "open_results", "result_names"]

# File names may have bytes that are not UTF-8. Python has them as \udcXX, which JSON knows too.
_NOT_UTF8 = "backslashreplace"
PARQUET = "parquet"
"""The format that is no text, and no label format."""
_LINES_ONLY = frozenset({"text", "jsonl"})


def choose_format(label_format: str | None, output: str | None) -> str:
    """Choose the format: the given one, or that of the output's extension, or text."""
    if label_format is not None:
        return label_format
    if Path(output or "").suffix.lower() == f".{PARQUET}":
        return PARQUET
    try:
        named = format_of(output or "")
    except LabelError:
        return "text"
    return named if named in FORMATS and FORMATS[named] != FORMATS["text"] else "text"


def label_paths(
    output: str | None, label_format: str, recordings: Sequence[AudioInput]
) -> Path | dict[AudioInput, Path] | None:
    """Give the file for all results, a file for each recording in an output folder, or None for stdout.

    Parquet has a folder for all results: it has tables, not recordings.

    Raises:
        ConfigError: The output cannot be written.
    """
    if output is None:
        return None
    if is_folder(output, len(recordings)):
        if label_format == PARQUET:
            make_folder(Path(output))
            for table in parquet_tables(Path(output)):
                make_folder(table)
            return Path(output)
        return paths_in(Path(output), recordings, FORMATS[label_format])
    refuse_overwriting([Path(output)], recordings)
    make_folder(Path(output).parent)
    return Path(output)


@contextlib.contextmanager
def open_results(
    output: Path | dict[AudioInput, Path] | None,
    label_format: str,
    recordings: Sequence[AudioInput],
    *,
    each_channel: bool,
    lines: Lines | None = None,
) -> Iterator["Results"]:
    """Open the output.

    Args:
        output: As `label_paths` gives it.
        label_format: A key of `vad.labels.FORMATS`.
        recordings: All recordings.
        each_channel: Results have a segment list for each channel.
        lines: How segments are written, if not as the format says.

    Raises:
        ConfigError: The output cannot be written, a file of the format cannot have so many results, or two recordings
            would have one name in it.
    """
    names = result_names(output, label_format, recordings, each_channel=each_channel)
    if isinstance(output, dict):
        yield Folder(output, label_format, names, lines)
        return
    with contextlib.ExitStack() as stack:
        if label_format == PARQUET:
            yield stack.enter_context(open_parquet(output or Path()))
            return
        stream: TextIO = sys.stdout
        if output is not None:
            temporary = stack.enter_context(writing(output))
            stream = stack.enter_context(open(temporary, "w", encoding="utf-8", errors=_NOT_UTF8))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_NOT_UTF8)
        many = _is_for_many(label_format, recordings, each_channel)
        document = _Document(stream, label_format, names, many, lines)
        yield document
        document.finish()


def _is_many(label_format: str, recordings: Sequence[AudioInput], each_channel: bool) -> bool:
    """Whether one file has several results."""
    return len(recordings) > 1 or (each_channel and label_format not in WITH_CHANNELS)


def _is_for_many(label_format: str, recordings: Sequence[AudioInput], each_channel: bool) -> bool:
    """Whether one file has the form for several results: so it has where a search found one recording by chance."""
    searched = label_format in MULTI_RECORDING and any(one.searched for one in recordings)
    return searched or _is_many(label_format, recordings, each_channel)


def result_names(
    output: Path | dict[AudioInput, Path] | None,
    label_format: str,
    recordings: Sequence[AudioInput],
    *,
    each_channel: bool,
) -> dict[AudioInput, str]:
    """Give the names of the recordings in the results.

    They are the paths as given. RTTM and similar formats have bare names, which scoring tools match, unless two
    recordings share one. Text about a recording that was named alone has none. ELAN opens the recording: a link from
    its document.

    Args:
        output: As `label_paths` gives it.
        label_format: A key of `vad.labels.FORMATS`.
        recordings: All recordings.
        each_channel: Results have a segment list for each channel.

    Raises:
        ConfigError: A file of the format cannot have so many results. Or two recordings would have one name even so:
            "a b" and "a_b" are the same in one word.
    """
    many = not isinstance(output, dict) and _is_many(label_format, recordings, each_channel)
    if many and label_format not in (*MULTI_RECORDING, PARQUET):
        raise ConfigError(
            f"a file of the format {label_format} is for one recording and one channel. Received: "
            f"{len(recordings)} recording{'s' * (len(recordings) > 1)}{', each channel' * each_channel}. "
            f"Give a folder with --output, or choose another --format: {', '.join(MULTI_RECORDING)}."
        )
    if label_format == "text" and (
        isinstance(output, dict) or not _is_for_many(label_format, recordings, each_channel)
    ):
        return dict.fromkeys(recordings, "")
    if label_format == "elan" and output is not None:
        documents = output if isinstance(output, dict) else dict.fromkeys(recordings, output)
        return {recording: _link(recording, document) for recording, document in documents.items()}
    if label_format not in ONE_WORD_NAMES:
        return {recording: recording.name for recording in recordings}
    readable = [recording for recording in recordings if recording.problem is None]
    bare = {recording: one_word(str(recording.place.with_suffix(""))) for recording in readable}
    counts = Counter(bare.values())
    owners: dict[str, AudioInput] = {}
    for recording, name in bare.items():
        word = name if name and counts[name] == 1 else one_word(recording.name)
        if owners.setdefault(word, recording) != recording:
            raise ConfigError(
                f"{owners[word].name} and {recording.name} would both be called {word} in {label_format}. "
                "Rename one, or choose another --format, such as json."
            )
    return {recording: word for word, recording in owners.items()}


def _link(recording: AudioInput, document: Path) -> str:
    if recording.path is None or os.path.isabs(recording.path):
        return recording.name
    return Path(os.path.relpath(recording.path, document.parent)).as_posix()


class Results(Protocol):
    """Where results go."""

    def write(self, result: "Result") -> None:
        """Write a result."""

    def write_segment(self, recording: AudioInput, suffix: str, segment: Segment) -> None:
        """Write a segment before its result is complete, if the format can have it."""


class _Document:
    """All results in one stream."""

    def __init__(
        self,
        stream: TextIO,
        label_format: str,
        names: dict[AudioInput, str],
        many: bool,
        lines: Lines | None,
    ):
        self._stream = stream
        self._format = label_format
        self._names = names
        self._lines = lines
        self._is_list = many and MULTI_RECORDING[label_format] == "list"
        self._n_written = 0
        self._early: Counter[str] = Counter()  # segments of the present recording that are written, by suffix

    def write_segment(self, recording: AudioInput, suffix: str, segment: Segment) -> None:
        """Write a segment and flush it, if the format has a line for each and nothing else."""
        if self._format in _LINES_ONLY:
            (part,) = _parts({suffix: [segment]}, apart=True)
            self._stream.write(self._text(recording, part, None))
            self._stream.flush()
            self._early[suffix] += 1

    def write(self, result: "Result") -> None:
        """Write the rest of a result, and flush it."""
        left = {suffix: segments[self._early[suffix] :] for suffix, segments in result.channels.items()}
        for part in _parts(left, apart=self._format in _LINES_ONLY or self._format not in WITH_CHANNELS):
            text = self._text(result.recording, part, result.duration)
            if self._is_list:
                text = ("[\n" if self._n_written == 0 else ",\n") + text.rstrip("\n")
            self._stream.write(text)
            self._n_written += 1
        self._early.clear()
        self._stream.flush()

    def _text(self, recording: AudioInput, part: "_Part", duration: float | None) -> str:
        name = self._names[recording]
        if self._lines is not None:
            ((suffix, segments),) = part.items()
            return self._lines.text(recording, suffix, name and name + suffix, segments, self._early[suffix])
        return _dumps(part, self._format, name, duration, header=self._n_written == 0)

    def finish(self) -> None:
        """Write the end of the document."""
        if self._is_list:
            self._stream.write("\n]\n" if self._n_written else "[]\n")


class Folder:
    """A file for each result, or for each of its channels where the format does not tell them apart."""

    def __init__(
        self,
        paths: dict[AudioInput, Path],
        label_format: str,
        names: dict[AudioInput, str],
        lines: Lines | None,
    ):
        self._paths = paths
        self._lines = lines
        self._format = label_format
        self._is_apart = label_format not in WITH_CHANNELS
        self._names = names

    def write_segment(self, recording: AudioInput, suffix: str, segment: Segment) -> None:
        """Do nothing: files are written whole."""

    def write(self, result: "Result") -> None:
        """Write the files. What could not be opened has none, and may have no name."""
        parts = _parts(result.channels, apart=self._is_apart)
        for path, part in zip(self.files(result), parts, strict=True):
            name = self._names[result.recording]
            if self._lines is not None:
                ((suffix, segments),) = part.items()
                text = self._lines.text(result.recording, suffix, name and name + suffix, segments, 0)
            else:
                text = _dumps(part, self._format, name, result.duration)
            write_text(path, text)

    def files(self, result: "Result") -> list[Path]:
        """Give the paths of its files."""
        if not result.channels:
            return []
        path = self._paths[result.recording]
        suffixes = result.channels if self._is_apart else [""]
        return [path.with_name(f"{path.stem}{suffix}{path.suffix}") for suffix in suffixes]


_Part = Mapping[str, Sequence[Segment]]
"""Segments of channels by their suffixes, as in `Result.channels`."""


def _parts(channels: _Part, *, apart: bool) -> list[_Part]:
    """Divide a result into what becomes one text: each channel, or all together. Times are in whole milliseconds."""
    rounded = {suffix: [*map(in_milliseconds, segments)] for suffix, segments in channels.items()}
    if apart:
        return [{suffix: segments} for suffix, segments in rounded.items()]
    return [rounded] if rounded else []


def _dumps(part: _Part, label_format: str, name: str, duration: float | None, *, header: bool = True) -> str:
    duration = None if duration is None else milliseconds(duration)
    if "" in part or label_format not in WITH_CHANNELS:
        ((suffix, segments),) = part.items()
        uri = name and name + suffix
        return dumps(segments, label_format, uri=uri, duration=duration, header=header)
    by_index = {int(suffix.removeprefix(".ch")): segments for suffix, segments in part.items()}
    return dumps(by_index, label_format, uri=name, duration=duration, header=header)
