"""Label files that no recording has, or that are not read, and those by which somebody speaks in noise or music."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path

from vad.corpus.folders import files_in
from vad.labels import SUFFIXES, Entry, files_of, read_all
from vad.prepare.findings import Finding, note, problem

__all__ = ["check_label_files"]

# Files with these are labels even where they are broken; one with another may be anything that is no labels.
_SURE = {".rttm", ".textgrid", ".eaf", ".svl", ".stm", ".ctm", ".srt", ".vtt"}
_MOST_NAMES = 10


def check_label_files(
    folders: Iterable[Path], owners: Mapping[Path, Mapping[Path, str]]
) -> tuple[list[Finding], Set[Path]]:
    """Checks that every label file is a recording's, its only one, and one of noise or music has no speech.

    Args:
        folders: Where label files lie.
        owners: By a label file's path without its extension, the kinds of the recordings whose it may be.

    Returns:
        What is wrong, and the recordings of noise and music that are to be left out for it.
    """
    findings: list[Finding] = []
    spoiled: set[Path] = set()
    unowned: dict[Path, list[str]] = defaultdict(list)
    passed_over: dict[Path, list[str]] = defaultdict(list)
    for file in sorted({Path(file) for folder in folders for file in files_in(str(folder), SUFFIXES)}):
        its = owners.get(file.with_suffix(""), {})
        if "speech" in its.values():
            taken = next(files_of(file.with_suffix("")), file)
            if taken != file and _differ(file, taken):
                passed_over[file.parent].append(f"{file.name} (read is {taken.name})")
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
    findings += [_unowned(folder, names) for folder, names in unowned.items()]
    findings += [_passed_over(folder, names) for folder, names in passed_over.items()]
    return findings, spoiled


def _differ(file: Path, taken: Path) -> bool:
    """A file that is not read tells of speech, and not as the one that is."""
    (entries, problems), (its, _) = read_all(file), read_all(taken)
    theirs, ours = (
        [(round(entry.start, 2), round(entry.end, 2)) for entry in some if entry.is_speech]
        for some in (entries, its)
    )
    return not problems and bool(theirs) and sorted(theirs) != sorted(ours)


def _speech_in_noise(file: Path, speech: Entry, owners: Mapping[Path, str]) -> Finding:
    rule = f"{' and '.join(sorted(set(owners.values())))} must hold no speech"
    received = f"a label from {speech.start:g} to {speech.end:g} s, for {min(owners)}"
    remedy = "Lay the recording in speech/, or take the labels away"
    return problem(f"{file}:{speech.line}", f"{rule}. Received: {received}. {remedy}.")


def _unowned(folder: Path, names: Sequence[str]) -> Finding:
    remedy = "Rename them, add the recordings, or give one about many as --labels"
    return note(
        folder, f"label files must be called like recordings. Received: {_few(names)}, like none. {remedy}."
    )


def _passed_over(folder: Path, names: Sequence[str]) -> Finding:
    rule = "label files of one recording must say the same"
    return note(folder, f"{rule}. Received: {_few(names)}. Take away those that are not to be read.")


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
