"""Label files that are not read, and labels of speech for noise or music."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path

from vad.corpus.folders import files_in
from vad.labels import Entry, read_all
from vad.labels.findings import Finding, note, problem
from vad.labels.formats import SUFFIXES, label_files
from vad.labels.owners import segments_of_speech

__all__ = ["check_label_files"]

# Files with these extensions are labels even where they are broken; with another, they may be anything.
_SURE = {".rttm", ".textgrid", ".eaf", ".svl", ".stm", ".ctm", ".srt", ".vtt"}
_MOST_NAMES = 10


def check_label_files(
    folders: Iterable[Path], owners: Mapping[Path, Mapping[Path, str]]
) -> tuple[list[Finding], Set[Path]]:
    """Checks that every label file belongs to a recording, is its only one, and holds no speech for noise or music.

    Args:
        folders: The folders of label files.
        owners: By a label file's path without its extension, its possible recordings with their kinds.

    Returns:
        The findings, and the recordings of noise and music to leave out because of them.
    """
    findings: list[Finding] = []
    rejected: set[Path] = set()
    strays: dict[Path, list[str]] = defaultdict(list)
    ignored: dict[Path, list[str]] = defaultdict(list)
    for file in sorted({Path(file) for folder in folders for file in files_in(str(folder), SUFFIXES)}):
        kinds = owners.get(file.with_suffix(""), {})
        if "speech" in kinds.values():
            chosen = next(label_files(file.with_suffix("")), file)
            if chosen != file and _differ(file, chosen):
                ignored[file.parent].append(f"{file.name} ({chosen.name} is read)")
            continue
        entries, problems = read_all(file)
        if problems and file.suffix.lower() not in _SURE:
            continue
        speech = next((entry for entry in entries if entry.is_speech), None)
        if not kinds:
            strays[file.parent].append(file.name)
        elif speech is not None:
            findings.append(_speech_in_noise(file, speech, kinds))
            rejected.update(kinds)
    for folder, names in strays.items():
        remedy = "Rename them, add the recordings, or give one about many as --labels"
        findings.append(note(folder, f"no recording has the name of {_few(names)}. {remedy}."))
    for folder, names in ignored.items():
        text = f"some recordings have several label files that differ. Not read: {_few(names)}"
        findings.append(note(folder, f"{text}. Remove those that are wrong."))
    return findings, rejected


def _differ(file: Path, chosen: Path) -> bool:
    """Whether a file that is not read holds speech, and other speech than the one that is read."""
    entries, problems = read_all(file)
    speech = _rounded_speech(entries)
    return not problems and bool(speech) and speech != _rounded_speech(read_all(chosen)[0])


def _rounded_speech(entries: Iterable[Entry]) -> list[tuple[float, float]]:
    return [(round(one.start, 2), round(one.end, 2)) for one in segments_of_speech(entries)]


def _speech_in_noise(file: Path, speech: Entry, kinds: Mapping[Path, str]) -> Finding:
    rule = f"{' and '.join(sorted(set(kinds.values())))} must hold no speech"
    received = f"a label from {speech.start:g} to {speech.end:g} s, for {min(kinds)}"
    remedy = "Put the recording in speech/, or remove the labels"
    return problem(f"{file}:{speech.line}", f"{rule}. Received: {received}. {remedy}.")


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
