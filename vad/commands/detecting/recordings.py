"""From the arguments of `vad detect` to recordings: files, folders, patterns, manifests, URLs, and `-` for stdin."""

import contextlib
import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, BinaryIO

from vad.audio.decoding import KNOWN_SUFFIXES, is_pipe
from vad.audio.pipe import Pipe
from vad.audio.remote import find_urls, is_url, url_beside, url_path
from vad.commands.options.raw import piped_stdin
from vad.corpus.folders import A_PIPE, files_in, reason_unread
from vad.errors import ConfigError, LabelError

if TYPE_CHECKING:
    from vad.commands.detecting.segment_names import SegmentNames

__all__ = ["AudioInput", "Task", "find_recordings"]

_MANIFEST = ".jsonl"
_MOST_ROWS = 10


@dataclass(frozen=True)
class AudioInput:
    """A recording to process; only opening it shows whether it can be read.

    Attributes:
        source: The path or URL, or the stream to read.
        name: Its name in results and messages: the path as it was given.
        place: Its relative path in an output folder, without the folder or the fixed part of the pattern that led
            to it.
        problem: Why there is nothing to open, or None.
        searched: It was found in a folder, by a pattern or in a manifest, which may have more.
    """

    source: str | Pipe | IO[bytes]
    name: str
    place: PurePath
    problem: str | None = None
    searched: bool = field(default=False, compare=False)

    @property
    def path(self) -> str | None:
        """The path of its file; None if it comes from a pipe or a URL."""
        return self.source if isinstance(self.source, str) and not is_url(self.source) else None


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
        arguments: Files, folders, patterns (`*`, `?`, `[...]`, `**`), manifests (.jsonl), URLs of these, and `-`.
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
        elif (found := _search(argument, recursive)) is not None:
            recordings += [replace(one, searched=True) for one in found]
        elif os.path.exists(argument) and not os.path.isfile(argument):
            stream = resources.enter_context(_open_pipe(argument))
            pipe = resources.enter_context(Pipe(stream, argument, keep=keep_pipes))
            recordings.append(AudioInput(pipe, argument, _place(argument)))
        else:
            recordings.append(_single(argument))
    return recordings


def _search(argument: str, recursive: bool) -> list[AudioInput] | None:
    """Find the recordings of a folder, a pattern or a manifest. None for what names one recording."""
    if is_url(argument):
        is_one = _is_manifest(argument) and "*" not in argument
        return _in_manifest(argument) if is_one else _at_url(argument, recursive)
    if os.path.isdir(argument):
        return _in_folder(argument, recursive)
    if glob.has_magic(argument) and not os.path.lexists(argument):
        return _matching(argument)
    return _in_manifest(argument) if _is_manifest(argument) else None


def _is_manifest(name: str) -> bool:
    return name.lower().endswith(_MANIFEST)


def _single(name: str, *, problem: str | None = None) -> AudioInput:
    return AudioInput(name, name, _place(name), problem)


def _place(name: str) -> PurePath:
    return PurePath(PurePath(url_path(name) if is_url(name) else name).name or "unnamed")


def _open_pipe(path: str) -> BinaryIO:
    try:
        return open(path, "rb")
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}.") from error


def _in_folder(folder: str, recursive: bool) -> list[AudioInput]:
    errors: list[OSError] = []
    paths = sorted(files_in(folder, KNOWN_SUFFIXES, recursive=recursive, on_error=errors.append))
    if not paths and not errors:
        return [_empty(folder, recursive)]
    return _below(folder, paths) + [_single(one.filename, problem=reason_unread(one)) for one in errors]


def _empty(folder: str, recursive: bool) -> AudioInput:
    hint = "Its subfolders have none either." if recursive else "Search its subfolders with --recursive."
    return _single(folder, problem=f"{folder}: no audio files in this folder. {hint}")


def _at_url(url: str, recursive: bool) -> list[AudioInput] | None:
    try:
        found = find_urls(url, KNOWN_SUFFIXES, recursive=recursive)
    except OSError as error:
        return [_single(url, problem=f"{url}: cannot be read: {error.strerror or error}.")]
    if found is None:
        return None
    if not found:
        return [_unmatched(url) if "*" in url else _empty(url, recursive)]
    return _matches((one, PurePath(place)) for place, one in found.items())


def _in_manifest(manifest: str) -> list[AudioInput]:
    """Find the recordings that the rows of a manifest name, each once, and the first rows that name none."""
    from vad.corpus.manifest import manifest_lines, row_from_line

    recordings: dict[AudioInput, None] = {}
    problems: list[tuple[str, str]] = []
    try:
        for where, line in manifest_lines(manifest):
            try:
                recordings[_listed(row_from_line(line, where)["audio_filepath"], manifest)] = None
            except LabelError as error:
                problems.append((where, str(error)))
    except LabelError as error:
        return [_single(manifest, problem=str(error))]
    unread = [_single(where, problem=text) for where, text in problems[:_MOST_ROWS]]
    if more := problems[_MOST_ROWS:]:
        unread.append(_single(more[0][0], problem=str(LabelError(*(text for _, text in more)))))
    found = [*recordings, *unread]
    return found or [_single(manifest, problem=f"{manifest}: no recordings in this manifest.")]


def _listed(name: str, manifest: str) -> AudioInput:
    """A recording of a manifest. A relative path is beside that; the place has the whole path, which nobody shares."""
    place = PurePath(url_path(name) if is_url(name) else name)
    if is_url(manifest) and not is_url(name) and not os.path.isabs(name):
        source = url_beside(manifest, name)
    else:
        source = name if is_url(name) else os.path.join(os.path.dirname(manifest), name)
    parts = [part for part in place.parts if part not in (place.anchor, "..")]
    if not parts:
        return _single(source, problem=f"{source}: cannot be read: it names no file.")
    return AudioInput(source, source, PurePath(*parts), _problem_of(source))


def _problem_of(path: str) -> str | None:
    return f"{path}: cannot be read: {A_PIPE}." if is_pipe(path) and not os.path.isdir(path) else None


def _unmatched(pattern: str) -> AudioInput:
    return _single(pattern, problem=f"{pattern}: no file matches this pattern.")


def _matching(pattern: str) -> list[AudioInput]:
    paths = sorted(path for path in glob.glob(pattern, recursive=True) if not os.path.isdir(path))
    parts = PurePath(pattern).parts
    searched = [PurePath(*parts[:index]) for index, part in enumerate(parts) if glob.has_magic(part)]
    unread = [_single(one.filename, problem=reason_unread(one)) for one in _unread_folders(searched)]
    if not paths and not unread:
        return [_unmatched(pattern)]
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
    return _matches((path, PurePath(os.path.relpath(path, root))) for path in paths)


def _matches(found: Iterable[tuple[str, PurePath]]) -> list[AudioInput]:
    """Give each file found, by its path or URL and its place; in place of a manifest the recordings that it names."""
    recordings: list[AudioInput] = []
    for path, place in found:
        if _is_manifest(path) and not is_pipe(path):
            recordings += _in_manifest(path)
        else:
            recordings.append(AudioInput(path, path, place, _problem_of(path)))
    return recordings
