"""A Kaldi data folder: wav.scp, segments, utt2spk (https://kaldi-asr.org/doc/data_prep.html)."""

from __future__ import annotations

import math
import shlex
from dataclasses import replace
from pathlib import Path

from vad.errors import LabelError
from vad.labels import Entry, read_all

__all__ = ["read_kaldi_folder"]

# Programs that only decode, with their options that leave times and channels as they are: the number of words of each.
_DECODERS = {
    "cat": {},
    "flac": dict.fromkeys(("-c", "-d", "-s", "-cd", "-dc"), 0),
    "sph2pipe": {"-p": 0, "-f": 1},
    "sox": {"-q": 0} | dict.fromkeys(("-t", "-r", "-b", "-e", "-c"), 1),
    "ffmpeg": dict.fromkeys(("-nostdin", "-hide_banner"), 0)
    | dict.fromkeys(("-v", "-loglevel", "-i", "-f", "-ar", "-ac", "-acodec", "-c:a"), 1),
}


def read_kaldi_folder(folder: Path) -> dict[str, tuple[Path, str, tuple[Entry, ...]]]:
    """Reads the recordings of a Kaldi data folder, with their turns and speakers.

    Without ``segments`` a recording is one utterance. A turn that ends with its recording ends at infinity. A command
    that only decodes a file, such as ``sph2pipe -f wav call.sph |``, stands for the file. No command is run.

    Args:
        folder: Holds ``wav.scp``, maybe ``segments`` and ``utt2spk``.

    Returns:
        By recording: its path (as written, or below the folder), its place in messages, and its turns.

    Raises:
        LabelError: A file is missing, lines are broken, or wav.scp has other commands. It has all
            problems.
    """
    problems: list[str] = []
    speakers = _pairs(folder / "utt2spk", problems) if (folder / "utt2spk").is_file() else {}
    listed = _pairs(folder / "wav.scp", problems)
    paths = {name: (_decoded_file(written) or written, where) for name, (written, where) in listed.items()}
    entries = _utterances(folder, paths, problems)
    speaker_of = {name: who for name, (who, _) in speakers.items()}
    entries = [replace(entry, speaker=speaker_of.get(entry.label or "")) for entry in entries]
    problems += _commands(folder, paths)
    turns: dict[str, list[Entry]] = {name: [] for name in paths}
    for entry in entries if paths else ():
        if entry.uri in turns:
            turns[entry.uri].append(entry)
        else:
            where = f"{folder / 'segments'}:{entry.line}"
            problems.append(f"{where}: the recording {entry.uri!r} is not in wav.scp.")
    recordings = {}
    for name, (written, where) in paths.items():
        path = Path(written) if Path(written).exists() else folder / written
        recordings[name] = (path, where, tuple(turns[name]))
        if problems and not path.exists() and not written.endswith("|"):
            problems.append(f"{where}: the recording {path} does not exist.")
    if problems:
        raise LabelError(*problems)
    return recordings


def _utterances(folder: Path, paths: dict[str, tuple[str, str]], problems: list[str]) -> list[Entry]:
    """The utterances of ``segments``, or where there is none one for each recording."""
    if not (folder / "segments").is_file():
        numbered = ((name, int(where.rpartition(":")[2])) for name, (_, where) in paths.items())
        return [Entry(line, 0.0, math.inf, uri=name, label=name) for name, line in numbered]
    read, broken = read_all(folder / "segments", "kaldi", open_ended=True)
    problems += broken
    return [entry for entry in read if entry.is_speech]


def _decoded_file(written: str) -> str | None:
    """The file that a command decodes and changes in nothing else; None for paths and other commands."""
    try:
        program, *words = shlex.split(written.removesuffix("|")) if written.endswith("|") else [""]
    except ValueError:  # an open quotation mark
        return None
    if (options := _DECODERS.get(Path(program).name)) is None:
        return None
    files = []
    remaining = iter(words)
    for word in remaining:
        if word in options:
            values = [next(remaining, "") for _ in range(options[word])]
            files += values if word == "-i" else []
        elif word not in ("-", "pipe:", "pipe:1"):
            files.append(word)
    return files[0] if len(files) == 1 and not files[0].startswith("-") else None


def _commands(folder: Path, paths: dict[str, tuple[str, str]]) -> list[str]:
    """One problem for all recordings that are outputs of commands, which are not run."""
    commands = [(name, where) for name, (written, where) in paths.items() if written.endswith("|")]
    if not commands:
        return []
    name, where = commands[0]
    more = f" and {len(commands) - 1} more" if len(commands) > 1 else ""
    has_segments = (folder / "segments").is_file()
    other = f", or give their folder with --labels {folder / 'segments'}" if has_segments else ""
    text = f"wav.scp has a command for {name!r}{more}, and commands are not run"
    return [f"{where}: {text}. Write the output to files{other}."]


def _pairs(path: Path, problems: list[str]) -> dict[str, tuple[str, str]]:
    """The second column with its place, by the first column; adds to the problems."""
    pairs: dict[str, tuple[str, str]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"cannot read {path}: {error}.")
        return pairs
    for number, line in enumerate(lines, 1):
        fields = line.split(maxsplit=1)
        if len(fields) == 1:
            problems.append(f"{path}:{number}: a line needs two columns. Received: {line!r}.")
        if fields:
            pairs[fields[0]] = ("".join(fields[1:]).strip(), f"{path}:{number}")
    return pairs
