"""Findings as label files: one after the other to stdout or into one file, or a file a recording in a folder."""

import contextlib
import io
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from vad.commands.detecting.outputs import is_folder, keep_recordings, paths_in
from vad.commands.detecting.recordings import AudioInput
from vad.errors import ConfigError, LabelError
from vad.files import writing
from vad.labels import FORMATS, MULTI_RECORDING, ONE_WORD_NAMES, dumps, format_of

if TYPE_CHECKING:
    from vad.commands.detecting.analysis import Findings

__all__ = ["choose_format", "open_results"]


def choose_format(label_format: str | None, output: str | None) -> str:
    """Give the format that was asked for, or that the output's name ends like, or else text."""
    if label_format is not None:
        return label_format
    try:
        named = format_of(output or "")
    except LabelError:
        return "text"
    return named if named in FORMATS and FORMATS[named] != FORMATS["text"] else "text"


@contextlib.contextmanager
def open_results(
    output: str | None, label_format: str, recordings: Sequence[AudioInput], *, each_channel: bool
) -> Iterator[Callable[["Findings"], None]]:
    """Open where the results go, and give what writes a recording's findings there.

    Args:
        output: A file, a folder, or None for stdout.
        label_format: A key of `vad.labels.FORMATS`.
        recordings: All whose findings will be written.
        each_channel: Every channel has findings of its own.

    Raises:
        ConfigError: The output cannot be written, or the format cannot hold as much in one file.
    """
    if output is not None and is_folder(output, len(recordings)):
        yield _Folder(Path(output), label_format, recordings).write
        return
    many = len(recordings) > 1 or each_channel
    if many and label_format not in MULTI_RECORDING:
        count = "1 recording" if len(recordings) == 1 else f"{len(recordings)} recordings"
        received = f"every channel of {count}" if each_channel else count
        raise ConfigError(
            f"one {label_format} file must be of one recording and channel. Received: {received}. "
            f"Give a folder with --output, or one of the formats {', '.join(MULTI_RECORDING)}."
        )
    with contextlib.ExitStack() as stack:
        if output is None:
            stream = _tolerant(sys.stdout)
        else:
            keep_recordings([Path(output)], recordings)
            temporary = stack.enter_context(writing(Path(output)))
            stream = stack.enter_context(open(temporary, "w", encoding="utf-8", errors=_BEYOND_UTF8))
        document = _Document(stream, label_format, _uris(label_format, recordings, many), many)
        yield document.write
        document.finish()


# File names need not be UTF-8. Their stray bytes come as \udcXX, which JSON knows as well.
_BEYOND_UTF8 = "backslashreplace"


def _tolerant(stream: TextIO) -> TextIO:
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=_BEYOND_UTF8)
    return stream


def _uris(label_format: str, recordings: Sequence[AudioInput], many: bool) -> dict[AudioInput, str]:
    """Say what the results call each recording.

    As it was given; but RTTM and others, which scoring tools match by the bare name, have that where it is one
    recording's only, and text of one recording has none.
    """
    if label_format == "text" and not many:
        return dict.fromkeys(recordings, "")
    if label_format not in ONE_WORD_NAMES:
        return {recording: recording.name for recording in recordings}
    bare = {recording: str(recording.place.with_suffix("")) for recording in recordings}
    owners = Counter(bare.values())
    return {recording: name if owners[name] == 1 else recording.name for recording, name in bare.items()}


def _uri(uris: dict[AudioInput, str], recording: AudioInput, suffix: str) -> str:
    return uris[recording] and uris[recording] + suffix


@dataclass
class _Document:
    """All results in one stream."""

    stream: TextIO
    label_format: str
    uris: dict[AudioInput, str]
    many: bool
    written: int = 0

    @property
    def _is_list(self) -> bool:
        return self.many and MULTI_RECORDING[self.label_format] == "list"

    def write(self, findings: "Findings") -> None:
        """Write what was found in a recording, for others to read at once."""
        for suffix, segments in findings.channels.items():
            text = dumps(
                segments,
                self.label_format,
                uri=_uri(self.uris, findings.recording, suffix),
                duration=findings.duration,
                header=self.written == 0,
            )
            if self._is_list:
                text = ("[\n" if self.written == 0 else ",\n") + text.rstrip("\n")
            self.stream.write(text)
            self.written += 1
        self.stream.flush()

    def finish(self) -> None:
        """Write what ends the document."""
        if self._is_list:
            self.stream.write("\n]\n" if self.written else "[]\n")


class _Folder:
    """A file a recording and channel."""

    def __init__(self, folder: Path, label_format: str, recordings: Sequence[AudioInput]):
        self._paths = paths_in(folder, recordings, FORMATS[label_format])
        self._format = label_format
        self._uris = _uris(label_format, recordings, many=False)

    def write(self, findings: "Findings") -> None:
        """Write what was found in a recording."""
        for suffix, segments in findings.channels.items():
            path = self._paths[findings.recording]
            path = path.with_name(f"{path.stem}{suffix}{path.suffix}")
            uri = _uri(self._uris, findings.recording, suffix)
            text = dumps(segments, self._format, uri=uri, duration=findings.duration)
            with writing(path) as temporary:
                temporary.write_text(text, encoding="utf-8", errors=_BEYOND_UTF8)
