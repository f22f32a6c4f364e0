"""Label files that no recording has, and those by which somebody speaks in noise or music."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path

from vad.labels import EXTENSIONS, Entry, read_all
from vad.prepare.findings import Finding, note, problem

__all__ = ["check_label_files"]

# Files with these are labels even where they are broken; one with another may be anything that is no labels.
_SURE = {".rttm", ".textgrid", ".eaf", ".srt", ".vtt"}
_MOST_NAMES = 10
_KNOWN = {extension.lower() for extension in EXTENSIONS}


def check_label_files(
    folders: Iterable[Path], owners: Mapping[Path, Mapping[Path, str]]
) -> tuple[list[Finding], Set[Path]]:
    """Checks that every label file is a recording's, and one of noise or music has no speech.

    Args:
        folders: Where label files lie.
        owners: By a label file's path without its extension, the kinds of the recordings whose it may be.

    Returns:
        What is wrong, and the recordings of noise and music that are to be left out for it.
    """
    findings: list[Finding] = []
    spoiled: set[Path] = set()
    unowned: dict[Path, list[str]] = defaultdict(list)
    for file in sorted({file for folder in folders for file in _label_files(folder)}):
        its = owners.get(file.with_suffix(""), {})
        if "speech" in its.values():
            continue
        entries, problems = read_all(file)
        if problems and file.suffix.lower() not in _SURE:
            continue
        speech = next((entry for entry in entries if entry.is_speech), None)
        if not its:
            unowned[file.parent].append(file.name)
        elif speech is not None:
            findings.append(_speech_in_noise(file, speech, its))
            spoiled.update(its)
    return findings + [_unowned(folder, names) for folder, names in unowned.items()], spoiled


def _speech_in_noise(file: Path, speech: Entry, owners: Mapping[Path, str]) -> Finding:
    rule = f"{' and '.join(sorted(set(owners.values())))} must hold no speech"
    received = f"a label from {speech.start:g} to {speech.end:g} s, for {min(owners)}"
    remedy = "Lay the recording in speech/, or take the labels away"
    return problem(f"{file}:{speech.line}", f"{rule}. Received: {received}. {remedy}.")


def _unowned(folder: Path, names: Sequence[str]) -> Finding:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    received = ", ".join(names[:_MOST_NAMES]) + more
    remedy = "Rename them, add the recordings, or give one about many as --labels"
    return note(
        folder, f"label files must be called like recordings. Received: {received}, like none. {remedy}."
    )


def _label_files(folder: Path) -> Iterator[Path]:
    """All that may be labels in a folder and the folders in it; none that is hidden."""
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in _KNOWN and not hidden and path.is_file():
            yield path
