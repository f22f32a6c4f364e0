"""From the arguments of `vad detect` to recordings: files, folders, patterns, and `-` for standard input."""

import contextlib
import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, BinaryIO

from vad.audio.decoding import KNOWN_SUFFIXES, is_pipe
from vad.audio.pipe import Pipe
from vad.commands.options.raw import piped_stdin
from vad.corpus.folders import A_PIPE, files_in, reason_unread
from vad.errors import ConfigError

if TYPE_CHECKING:
    from vad.commands.detecting.segment_names import SegmentNames

__all__ = ["AudioInput", "Task", "find_recordings"]


@dataclass(frozen=True)
class AudioInput:
    """A recording to process; only opening it shows whether it can be read.

    Attributes:
        source: The path, or the stream to read.
        name: Its name in results and messages: the path as it was given.
        place: Its relative path in an output folder, without the folder or the fixed part of the pattern that led
            to it.
        problem: Why there is nothing to open, or None.
    """

    source: str | Pipe | IO[bytes]
    name: str
    place: PurePath
    problem: str | None = None

    @property
    def path(self) -> str | None:
        """The path of its file; None if it comes from a pipe."""
        return self.source if isinstance(self.source, str) else None


@dataclass(frozen=True)
class Task:
    """A recording, and the files to write about it.

    Attributes:
        recording: The recording.
        probabilities: For its frame probabilities.
        segments: The names of the files for its segments.
        speech: For its speech alone.
        report: For its page.
        plot: For its picture.
        trimmed: For it without its silence.
        pauses: The lengths of the pauses in that file, as for `vad.trim_file`.
    """

    recording: AudioInput
    probabilities: Path | None = None
    segments: "SegmentNames | None" = None
    speech: Path | None = None
    report: Path | None = None
    plot: Path | None = None
    trimmed: Path | None = None
    pauses: Mapping[str, float | None] = field(default_factory=dict)


def find_recordings(
    arguments: Sequence[str], resources: contextlib.ExitStack, *, recursive: bool, keep_pipes: bool = False
) -> list[AudioInput]:
    """Find the recordings, in the order of the arguments; those of a folder or a pattern are sorted.

    Args:
        arguments: Files, folders, patterns (`*`, `?`, `[...]`, `**`) and `-`.
        resources: Closes the pipes.
        recursive: Search subfolders too.
        keep_pipes: Keep a copy of what comes from a pipe, so that it can be read again.

    Raises:
        ConfigError: `-` is given twice, nothing is piped in, or a pipe cannot be opened.
    """
    if arguments.count("-") > 1:
        raise ConfigError("`-` was given twice. Give standard input once.")
    recordings: list[AudioInput] = []
    for argument in arguments:
        if argument == "-":
            stdin = piped_stdin()
            pipe = (
                stdin if stdin.seekable() else resources.enter_context(Pipe(stdin, "stdin", keep=keep_pipes))
            )
            recordings.append(AudioInput(pipe, "stdin", PurePath("stdin")))
        elif os.path.isdir(argument):
            recordings += _in_folder(argument, recursive)
        elif glob.has_magic(argument) and not os.path.lexists(argument):
            recordings += _matching(argument)
        elif os.path.exists(argument) and not os.path.isfile(argument):
            stream = resources.enter_context(_open_pipe(argument))
            pipe = resources.enter_context(Pipe(stream, argument, keep=keep_pipes))
            recordings.append(AudioInput(pipe, argument, _place(argument)))
        else:
            recordings.append(_single(argument))
    return recordings


def _single(name: str, *, problem: str | None = None) -> AudioInput:
    return AudioInput(name, name, _place(name), problem)


def _place(name: str) -> PurePath:
    return PurePath(PurePath(name).name or "unnamed")


def _open_pipe(path: str) -> BinaryIO:
    try:
        return open(path, "rb")
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}.") from error


def _in_folder(folder: str, recursive: bool) -> list[AudioInput]:
    errors: list[OSError] = []
    paths = sorted(files_in(folder, KNOWN_SUFFIXES, recursive=recursive, on_error=errors.append))
    if not paths and not errors:
        hint = "Its subfolders have none either." if recursive else "Search its subfolders with --recursive."
        return [_single(folder, problem=f"{folder}: no audio files in this folder. {hint}")]
    return _below(folder, paths) + [_single(one.filename, problem=reason_unread(one)) for one in errors]


def _matching(pattern: str) -> list[AudioInput]:
    paths = sorted(path for path in glob.glob(pattern, recursive=True) if not os.path.isdir(path))
    parts = PurePath(pattern).parts
    searched = [PurePath(*parts[:index]) for index, part in enumerate(parts) if glob.has_magic(part)]
    unread = [_single(one.filename, problem=reason_unread(one)) for one in _unread_folders(searched)]
    if not paths and not unread:
        return [_single(pattern, problem=f"{pattern}: no file matches this pattern.")]
    return _below(searched[0], paths) + unread


def _unread_folders(patterns: Iterable[PurePath]) -> Iterator[OSError]:
    """Give the error of each folder that `glob` passes over because it cannot be read."""
    for folder in dict.fromkeys(path for one in patterns for path in glob.glob(str(one), recursive=True)):
        if os.path.isdir(folder):
            try:
                os.scandir(folder).close()
            except OSError as error:
                yield error


def _below(root: str | PurePath, paths: Sequence[str]) -> list[AudioInput]:
    problems = {path: f"{path}: cannot be read: {A_PIPE}." for path in paths if is_pipe(path)}
    return [
        AudioInput(path, path, PurePath(os.path.relpath(path, root)), problems.get(path)) for path in paths
    ]
