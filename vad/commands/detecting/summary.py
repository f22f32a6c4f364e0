"""The closing line of `vad detect`: in how many recordings there is speech, and what was skipped in folders."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence

from vad.audio.decoding import KNOWN_SUFFIXES
from vad.commands.detecting.analysis import Result
from vad.corpus.folders import files_in, visible_in

__all__ = ["Summary"]

_MAX_SUFFIXES = 5


class Summary:
    """Counts results.

    Args:
        arguments: Of the command; its folders are searched at once, before they hold results.
        recursive: Subfolders were searched too.
        written: Where the results were written; empty for stdout.
    """

    def __init__(self, arguments: Sequence[str], *, recursive: bool, written: Iterable[str]):
        self._skipped = _skipped([one for one in arguments if os.path.isdir(one)], recursive)
        self._written = [*written]
        self._counts: Counter[str] = Counter()

    def add(self, result: Result) -> None:
        """Count a result."""
        has_speech = any(result.channels.values())
        self._counts["failed" if result.problem else "speech" if has_speech else "none"] += 1

    def text(self) -> str:
        """Give the line; empty for a single recording of which stdout or an error says all."""
        skipped, counts = self._skipped, self._counts
        shown = counts["failed"] or (counts["speech"] and not self._written)
        if not skipped and (not counts or (counts.total() == 1 and shown)):
            return ""
        parts = [f"speech in {_number(counts['speech'], 'recording')}", f"none in {counts['none']}"]
        parts += [f"{counts['failed']} failed"] * (counts["failed"] > 0)
        if counts.total() == 1 and not skipped:
            parts = ["speech detected" if counts["speech"] else "no speech detected"]
        sentences = [", ".join(parts)]
        sentences += [f"Written to {', '.join(self._written)}"] * bool(self._written)
        sentences += [f"Skipped {' and '.join(skipped)}"] * bool(skipped)
        return ". ".join(sentences) + "."


def _skipped(arguments: Iterable[str], recursive: bool) -> list[str]:
    """Describe what is skipped in folders, and why. Hidden files do not count."""
    subfolders = 0
    suffixes: Counter[str] = Counter()
    for argument in arguments:
        for parent, folders, files in visible_in(argument, recursive=recursive):
            endings = (os.path.splitext(name)[1].lower() for name in files)
            suffixes.update(ending or "no extension" for ending in endings if ending not in KNOWN_SUFFIXES)
            if not recursive:
                below = (os.path.join(parent, name) for name in folders)
                subfolders += sum(any(files_in(folder, KNOWN_SUFFIXES, on_error=None)) for folder in below)
    described = []
    if subfolders:
        described.append(f"{_number(subfolders, 'subfolder')} with recordings (search with -r)")
    if suffixes:
        named = [name for name, _ in suffixes.most_common(_MAX_SUFFIXES)]
        named += ["..."] * (len(suffixes) > _MAX_SUFFIXES)
        described.append(f"{_number(suffixes.total(), 'file')} of other formats ({', '.join(named)})")
    return described


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
