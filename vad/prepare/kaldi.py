"""A Kaldi data folder: wav.scp, segments, utt2spk (https://kaldi-asr.org/doc/data_prep.html)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vad.errors import LabelError
from vad.labels import Entry, read_all

__all__ = ["read_kaldi_folder"]


def read_kaldi_folder(folder: Path) -> dict[str, tuple[Path, str, tuple[Entry, ...]]]:
    """Reads which recordings there are, and who speaks where.

    Args:
        folder: With ``wav.scp`` and ``segments``; ``utt2spk`` where it is known who speaks.

    Returns:
        By recording: its path (as it stands, or below the folder), what messages call it, and its turns.

    Raises:
        LabelError: A file is missing or lines break their rule; a command in wav.scp is no path. It has all of them.
    """
    problems: list[str] = []
    speakers = _pairs(folder / "utt2spk", problems) if (folder / "utt2spk").is_file() else {}
    speaker_of = {name: who for name, (who, _) in speakers.items()}
    read, broken = read_all(folder / "segments", "kaldi")
    entries = [replace(entry, speaker=speaker_of.get(entry.label or "")) for entry in read if entry.is_speech]
    problems += broken
    recordings = {}
    for name, (written, where) in _pairs(folder / "wav.scp", problems).items():
        if written.endswith("|"):
            rule = "a recording in wav.scp must be a path"
            problems.append(f"{where}: {rule}. Received: a command; write its output to a file.")
        path = Path(written) if Path(written).exists() else folder / written
        recordings[name] = (path, where, tuple(entry for entry in entries if entry.uri == name))
    for entry in entries if recordings else ():
        if entry.uri not in recordings:
            where = f"{folder / 'segments'}:{entry.line}"
            problems.append(f"{where}: a recording must stand in wav.scp. Received: {entry.uri!r}.")
    if problems:
        # Nothing of it is going to be heard, which is what tells otherwise.
        missing = (
            (path, where)
            for path, where, _ in recordings.values()
            if not path.exists() and not path.name.endswith("|")
        )
        told = (f"{where}: a recording must exist. Received: {path}." for path, where in missing)
        raise LabelError(*problems, *told)
    return recordings


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
