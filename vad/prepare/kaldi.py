"""A Kaldi data folder: wav.scp, segments, utt2spk (https://kaldi-asr.org/doc/data_prep.html)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vad.errors import LabelError
from vad.labels import Entry, read_entries

__all__ = ["read_kaldi_folder"]


def read_kaldi_folder(folder: Path) -> dict[str, tuple[Path, str, tuple[Entry, ...]]]:
    """Reads which recordings there are, and who speaks where.

    Args:
        folder: With ``wav.scp`` and ``segments``; ``utt2spk`` where it is known who speaks.

    Returns:
        By recording: its path (as it stands, or below the folder), what messages call it, and its turns.

    Raises:
        LabelError: A file is missing or a line breaks its rule; a command in wav.scp is no path.
    """
    speaker_of = {}
    if (folder / "utt2spk").is_file():
        speaker_of = {name: who for name, (who, _) in _pairs(folder / "utt2spk").items()}
    entries = [
        replace(entry, speaker=speaker_of.get(entry.label or ""))
        for entry in read_entries(folder / "segments", "kaldi")
    ]
    recordings = {}
    for name, (written, where) in _pairs(folder / "wav.scp").items():
        if written.endswith("|"):
            raise LabelError(
                f"{where}: a recording in wav.scp must be a path. Received: a command; write its output to a file."
            )
        path = Path(written) if Path(written).exists() else folder / written
        recordings[name] = (path, where, tuple(entry for entry in entries if entry.uri == name))
    for entry in entries:
        if entry.uri not in recordings:
            raise LabelError(
                f"{folder / 'segments'}:{entry.line}: a recording must stand in wav.scp. Received: {entry.uri!r}."
            )
    return recordings


def _pairs(path: Path) -> dict[str, tuple[str, str]]:
    """The second column by the first, with its place."""
    pairs = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f"{path}: a file of Kaldi's must be readable UTF-8. Received: {error}.") from error
    for number, line in enumerate(lines, 1):
        fields = line.split(maxsplit=1)
        if len(fields) == 1:
            raise LabelError(f"{path}:{number}: a line needs two columns. Received: {line!r}.")
        if fields:
            pairs[fields[0]] = (fields[1].strip(), f"{path}:{number}")
    return pairs
