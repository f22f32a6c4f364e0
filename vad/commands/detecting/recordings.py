"""From the words of a command line to recordings: files, folders, patterns, and `-` for stdin."""

import glob
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO

from vad.audio.decoding import KNOWN_SUFFIXES
from vad.corpus.folders import files_in
from vad.errors import ConfigError

__all__ = ["STDIN", "AudioInput", "find_recordings"]

STDIN = "-"


@dataclass(frozen=True)
class AudioInput:
    """A recording that was asked for; whether it can be heard shows when it is opened.

    Attributes:
        path: What is opened.
        name: What the results and messages call it: the path as it was given.
        place: Where its results lie in an output folder: its path below the folder, or the fixed part of the
            pattern, that it was found in.
        problem: Why there is nothing to open, or None.
    """

    path: str
    name: str
    place: PurePath
    problem: str | None = None


def find_recordings(words: Iterable[str], *, recursive: bool, spool: Callable[[], Path]) -> list[AudioInput]:
    """Find what the words name, in their order, each word's files sorted.

    Args:
        words: Files, folders, patterns (`*`, `?`, `[...]`, `**`) and `-`.
        recursive: Search the folders inside folders too.
        spool: Gives a folder to keep what comes through pipes, which can be read once and by this process only. It is
            asked where there is one: a file system that nobody may write to is no hindrance otherwise.

    Raises:
        ConfigError: `-` is given twice, or with nothing piped in.
    """
    words = list(words)
    if words.count(STDIN) > 1:
        raise ConfigError("- (stdin) must be given once. Received: it twice.")
    found: list[AudioInput] = []
    for word in words:
        if word == STDIN:
            if sys.stdin.isatty():
                raise ConfigError("- (stdin) must have audio piped in. Received: a terminal.")
            found.append(_kept(sys.stdin.buffer, "stdin", spool() / "stdin"))
        elif os.path.isdir(word):
            found += _inside(word, recursive)
        elif glob.has_magic(word) and not os.path.lexists(word):
            found += _matching(word)
        elif os.path.exists(word) and not os.path.isfile(word):
            place = spool() / str(len(found))
            with open(word, "rb") as pipe:
                found.append(_kept(pipe, word, place))
        else:
            found.append(AudioInput(word, word, _name(word)))
    return found


def _name(word: str) -> PurePath:
    return PurePath(PurePath(word).name or "unnamed")


def _kept(pipe: BinaryIO, name: str, path: Path) -> AudioInput:
    with open(path, "wb") as file:
        shutil.copyfileobj(pipe, file)
    return AudioInput(str(path), name, _name(name))


def _inside(folder: str, recursive: bool) -> list[AudioInput]:
    paths = sorted(files_in(folder, KNOWN_SUFFIXES, recursive=recursive))
    if not paths:
        where = "it or the folders in it" if recursive else "it (--recursive searches the folders in it too)"
        return [_nothing(folder, f"{folder}: a folder must hold audio files. Received: none in {where}.")]
    return [AudioInput(path, path, PurePath(os.path.relpath(path, folder))) for path in paths]


def _matching(pattern: str) -> list[AudioInput]:
    paths = sorted(path for path in glob.glob(pattern, recursive=True) if not os.path.isdir(path))
    if not paths:
        return [_nothing(pattern, f"{pattern}: a pattern must match a file. Received: no match.")]
    parts = PurePath(pattern).parts
    fixed = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    root = PurePath(*parts[:fixed])
    return [AudioInput(path, path, PurePath(os.path.relpath(path, root))) for path in paths]


def _nothing(word: str, problem: str) -> AudioInput:
    return AudioInput(word, word, _name(word), problem)
