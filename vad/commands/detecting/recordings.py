"""From the arguments of `vad detect` to recordings: files, folders, patterns, and `-` for standard input."""

import glob
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, BinaryIO

from vad.audio.decoding import KNOWN_SUFFIXES
from vad.commands.options.progress import Progress
from vad.commands.options.raw import require_piped_stdin
from vad.corpus.folders import files_in
from vad.errors import ConfigError

if TYPE_CHECKING:
    from vad.commands.detecting.segment_names import SegmentNames

__all__ = ["AudioInput", "Task", "find_recordings"]


@dataclass(frozen=True)
class AudioInput:
    """A recording to process; only opening it shows whether it can be read.

    Attributes:
        path: The file to open.
        name: Its name in results and messages: the path as it was given.
        place: Its relative path in an output folder, without the folder or the fixed part of the pattern that led
            to it.
        problem: Why there is nothing to open, or None.
    """

    path: str
    name: str
    place: PurePath
    problem: str | None = None


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
    """

    recording: AudioInput
    probabilities: Path | None = None
    segments: "SegmentNames | None" = None
    speech: Path | None = None
    report: Path | None = None
    plot: Path | None = None


def find_recordings(
    arguments: Sequence[str], *, recursive: bool, spool: Callable[[], Path], quiet: bool = True
) -> list[AudioInput]:
    """Find the recordings, in the order of the arguments; those of a folder or a pattern are sorted.

    Args:
        arguments: Files, folders, patterns (`*`, `?`, `[...]`, `**`) and `-`.
        recursive: Search subfolders too.
        spool: Gives a folder for copies of pipes, which can be read only once. Called only if there is a pipe: the
            file system may be read-only.
        quiet: Show no progress while a pipe is copied.

    Raises:
        ConfigError: `-` is given twice, or nothing is piped in.
    """
    if arguments.count("-") > 1:
        raise ConfigError("`-` was given twice. Give standard input once.")
    recordings: list[AudioInput] = []
    for argument in arguments:
        if argument == "-":
            require_piped_stdin()
            recordings.append(_copy(sys.stdin.buffer, "stdin", spool() / "stdin", quiet))
        elif os.path.isdir(argument):
            recordings += _in_folder(argument, recursive)
        elif glob.has_magic(argument) and not os.path.lexists(argument):
            recordings += _matching(argument)
        elif os.path.exists(argument) and not os.path.isfile(argument):
            copy = spool() / str(len(recordings))
            with open(argument, "rb") as pipe:
                recordings.append(_copy(pipe, argument, copy, quiet))
        else:
            recordings.append(_single(argument))
    return recordings


def _single(name: str, *, path: str | None = None, problem: str | None = None) -> AudioInput:
    return AudioInput(path or name, name, PurePath(PurePath(name).name or "unnamed"), problem)


def _copy(pipe: BinaryIO, name: str, path: Path, quiet: bool) -> AudioInput:
    with open(path, "wb") as file, Progress(None, unit="MB", hidden=quiet) as progress:
        while megabyte := pipe.read(1_000_000):
            file.write(megabyte)
            progress.advance()
    return _single(name, path=str(path))


def _in_folder(folder: str, recursive: bool) -> list[AudioInput]:
    paths = sorted(files_in(folder, KNOWN_SUFFIXES, recursive=recursive))
    if not paths:
        hint = "Its subfolders have none either." if recursive else "Search its subfolders with --recursive."
        return [_single(folder, problem=f"{folder}: no audio files in this folder. {hint}")]
    return _below(folder, paths)


def _matching(pattern: str) -> list[AudioInput]:
    paths = sorted(path for path in glob.glob(pattern, recursive=True) if not os.path.isdir(path))
    if not paths:
        return [_single(pattern, problem=f"{pattern}: no file matches this pattern.")]
    parts = PurePath(pattern).parts
    fixed = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    return _below(PurePath(*parts[:fixed]), paths)


def _below(root: str | PurePath, paths: Iterable[str]) -> list[AudioInput]:
    return [AudioInput(path, path, PurePath(os.path.relpath(path, root))) for path in paths]
