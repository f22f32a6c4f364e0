"""A Kaldi data folder: wav.scp, segments, utt2spk (https://kaldi-asr.org/doc/data_prep.html)."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from vad.errors import LabelError
from vad.labels import Entry, read_all

__all__ = ["read_kaldi_folder"]


def read_kaldi_folder(folder: Path) -> dict[str, tuple[Path, str, tuple[Entry, ...]]]:
    """Reads which recordings there are, and who speaks where.

    Without ``segments`` a recording is one utterance, from its first moment to its last. A turn that ends with its
    recording ends at infinity.

    Args:
        folder: With ``wav.scp``; ``segments`` where a recording has several utterances, ``utt2spk`` where it is known
            who speaks.

    Returns:
        By recording: its path (as it stands, or below the folder), what messages call it, and its turns.

    Raises:
        LabelError: A file is missing or lines break their rule; a command in wav.scp is no path. It has all of them.
    """
    problems: list[str] = []
    speakers = _pairs(folder / "utt2spk", problems) if (folder / "utt2spk").is_file() else {}
    paths = _pairs(folder / "wav.scp", problems)
    entries = _utterances(folder, paths, problems)
    speaker_of = {name: who for name, (who, _) in speakers.items()}
    entries = [replace(entry, speaker=speaker_of.get(entry.label or "")) for entry in entries]
    problems += _commands(folder, paths)
    recordings = {}
    for name, (written, where) in paths.items():
        path = Path(written) if Path(written).exists() else folder / written
        turns = tuple(entry for entry in entries if entry.uri == name)
        recordings[name] = (path, where, turns)
    for entry in entries if recordings else ():
        if entry.uri not in recordings:
            where = f"{folder / 'segments'}:{entry.line}"
            problems.append(f"{where}: a recording must stand in wav.scp. Received: {entry.uri!r}.")
    if problems:
        # Nothing of it is going to be measured, which is what tells otherwise.
        missing = (
            (path, where)
            for path, where, _ in recordings.values()
            if not path.exists() and not path.name.endswith("|")
        )
        told = (f"{where}: a recording must exist. Received: {path}." for path, where in missing)
        raise LabelError(*problems, *told)
    return recordings


def _utterances(folder: Path, paths: dict[str, tuple[str, str]], problems: list[str]) -> list[Entry]:
    """The utterances of ``segments``, or where there is none one for each recording."""
    if not (folder / "segments").is_file():
        numbered = ((name, int(where.rpartition(":")[2])) for name, (_, where) in paths.items())
        return [Entry(line, 0.0, math.inf, uri=name, label=name) for name, line in numbered]
    read, broken = read_all(folder / "segments", "kaldi", open_ended=True)
    problems += broken
    return [entry for entry in read if entry.is_speech]


def _commands(folder: Path, paths: dict[str, tuple[str, str]]) -> list[str]:
    """Says once which recordings are the output of commands: none is run."""
    piped = [(name, where) for name, (written, where) in paths.items() if written.endswith("|")]
    if not piped:
        return []
    name, where = piped[0]
    more = f" and {len(piped) - 1} more" if len(piped) > 1 else ""
    rule = f"a recording in wav.scp must be a path. Received: a command for {name!r}{more}, and none is run"
    others = (
        f", or give their folder with --labels {folder / 'segments'}"
        if (folder / "segments").is_file()
        else ""
    )
    return [f"{where}: {rule}. Write the output to files{others}."]


def _pairs(path: Path, problems: list[str]) -> dict[str, tuple[str, str]]:
    """The second column by the first, with its place; what is wrong goes to the problems."""
    pairs: dict[str, tuple[str, str]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path}: a file of Kaldi's must be readable UTF-8. Received: {error}.")
        return pairs
    for number, line in enumerate(lines, 1):
        fields = line.split(maxsplit=1)
        if len(fields) == 1:
            problems.append(f"{path}:{number}: a line needs two columns. Received: {line!r}.")
        if fields:
            pairs[fields[0]] = ("".join(fields[1:]).strip(), f"{path}:{number}")
    return pairs
