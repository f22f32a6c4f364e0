"""The journal of a job that can resume: a line of JSON for each recording that is done, beside the output.

A line is written at once and never changed, so a run that is killed loses at most its last line, which is then cut off.
The last line about a recording is the one in force. A line with "options" says how the recordings after it were done.
The journal is locked while a run uses it. The lock ends with the process, whatever ends that.
"""

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, cast

from vad.audio.remote import is_url, open_url, url_states
from vad.commands.detecting.analysis import Result
from vad.commands.detecting.recordings import AudioInput
from vad.detection.segments import Segment
from vad.errors import ConfigError
from vad.files import make_folder
from vad.json_text import json_text, parse_json

__all__ = ["Identity", "Journal", "identify", "open_journal"]

_SYNC_EVERY_S = 1.0  # the end of a program costs nothing; a power cut costs what is not on the disk


@dataclass(frozen=True, slots=True)
class Identity:
    """What shows that a recording is still the one that was done.

    Attributes:
        size: Bytes; -1 if there is no such file, or a store does not say.
        version: Its modification time in ns, or what the store of a URL says, such as an ETag.
        sha256: Of its content, if that is compared instead.
    """

    size: int
    version: str
    sha256: str | None = None

    def is_same(self, before: "Identity") -> bool:
        """Whether the recording is known to be unchanged."""
        if self.sha256 is not None and before.sha256 is not None:
            return self.sha256 == before.sha256
        if self.size < 0 and not self.version:
            return False
        return (self.size, self.version) == (before.size, before.version)


def identify(recordings: Sequence[AudioInput], *, with_content: bool) -> dict[AudioInput, Identity]:
    """Identify recordings; with their content, they are read to the end."""
    states = url_states([one.source for one in recordings if is_url(one.source)])
    return {one: _identity(one, states, with_content) for one in recordings}


def _identity(recording: AudioInput, states: Mapping[str, tuple[int, str]], with_content: bool) -> Identity:
    source = recording.source
    assert isinstance(source, str), "no job has a pipe"
    try:
        if is_url(source):
            size, version = states.get(source, (-1, ""))
        else:
            size, version = (stat := os.stat(source)).st_size, str(stat.st_mtime_ns)
        digest = None
        if with_content and recording.problem is None:
            with open_url(source) if is_url(source) else open(source, "rb") as file:
                digest = hashlib.file_digest(cast(Any, file), "sha256").hexdigest()
    except Exception:  # of any kind; what cannot be read is reported when it is processed
        return Identity(-1, "")
    return Identity(size, version, digest)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line about a recording: where it begins in the file, and what decides whether it is in force."""

    position: int
    identity: Identity
    options: dict[str, Any]
    failed: bool


@contextlib.contextmanager
def open_journal(path: Path, options: Mapping[str, Any]) -> Iterator["Journal"]:
    """Open a journal, or begin one, and lock it.

    Args:
        path: Its path.
        options: Those of this run, by name: all that changes results.

    Raises:
        ConfigError: Another run uses it, it is another kind of file, or it cannot be written.
    """
    make_folder(path.parent)
    try:
        # Unbuffered: a line is in the file when `write` returns.
        file = open(path, "a+b", buffering=0)  # noqa: SIM115 - it is closed below
    except OSError as error:
        reason = str(error.strerror).lower()
        raise ConfigError(f"cannot write {path}: {reason}. Give another --output.") from error
    with file:
        _lock(file, path)
        journal = Journal(file, path, options)
        yield journal
        journal.sync()


class Journal:
    """A journal that is open and locked. `open_journal` makes it.

    Attributes:
        path: Its path.
        n_before: Number of recordings in it when it was opened.
    """

    def __init__(self, file: IO[bytes], path: Path, options: Mapping[str, Any]):
        self.path = path
        self._file = file
        self._entries: dict[str, _Entry] = {}
        self._options: dict[str, Any] | None = None
        self._synced = time.monotonic()
        self._end = self._read()
        file.truncate(self._end)  # what follows is a torn line
        self.n_before = len(self._entries)
        now = json.loads(json_text(dict(options)))
        if now != self._options:
            self._write({"options": now})
        self._options = now

    def __contains__(self, recording: AudioInput) -> bool:
        """Whether there is a line about a recording."""
        return recording.name in self._entries

    def reason(self, recording: AudioInput, identity: Identity) -> str | None:
        """Say why a recording is to do: "new", "options", "changed" or "failed". None if it is done."""
        entry = self._entries.get(recording.name)
        if entry is None:
            return "new"
        if self.other_options(recording):
            return "options"
        if entry.failed:
            return "failed"
        return None if identity.is_same(entry.identity) else "changed"

    def other_options(self, recording: AudioInput) -> dict[str, tuple[Any, Any]]:
        """Give the options that a recording was not done with: their values then, and now; None is left out."""
        then, now = self._entries[recording.name].options, self._options or {}
        names = [name for name in {**now, **then} if then.get(name) != now.get(name)]
        return {name: (then.get(name), now.get(name)) for name in names}

    def add(self, result: Result, identity: Identity) -> None:
        """Append a result."""
        entry = _Entry(self._end, identity, self._options or {}, result.problem is not None)
        times = {key: [[one.start, one.end] for one in found] for key, found in result.channels.items()}
        self._write({
            "recording": result.recording.name,
            **asdict(identity),
            "duration": result.duration,
            "problem": result.problem,
            "channels": times,
        })  # fmt: skip
        self._entries[result.recording.name] = entry

    def results(self, recordings: Iterable[AudioInput]) -> Iterator[Result]:
        """Read the results of recordings that have a line."""
        with open(self.path, "rb") as file:
            for recording in recordings:
                file.seek(self._entries[recording.name].position)
                yield self._result(recording, file.readline())

    def _result(self, recording: AudioInput, line: bytes) -> Result:
        try:
            fields = parse_json(line.decode())
            channels = {
                key: [Segment(float(start), float(end)) for start, end in found]
                for key, found in fields["channels"].items()
            }
            return Result(recording, channels, float(fields["duration"]), fields["problem"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"{self.path} is damaged: the line of {recording.name} has no result. Remove the line, or the file."
            ) from error

    def sync(self) -> None:
        """Wait until all lines are on the disk."""
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def _write(self, line: dict[str, Any]) -> None:
        content = json_text(line).encode() + b"\n"
        try:
            while content:  # a full disk takes a part, and then raises
                written = self._file.write(content)
                self._end += written
                content = content[written:]
            if time.monotonic() - self._synced >= _SYNC_EVERY_S:
                self.sync()
        except OSError as error:
            reason = str(error.strerror).lower()
            raise ConfigError(
                f"cannot write {self.path}: {reason}. Make room, and give the same command again."
            ) from error

    def _read(self) -> int:
        """Read all lines, and give the position after the last whole one."""
        position = 0
        with open(self.path, "rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    self._take(line, position)
                    position += len(line)
                elif position == 0 and not line.startswith(b"{"):
                    raise self._is_none()
        return position

    def _take(self, line: bytes, position: int) -> None:
        """Take a line. One that a power cut damaged is left out: its recording is done again.

        Raises:
            ConfigError: The first line is of another kind of file.
        """
        try:
            fields = parse_json(line.decode())
            if "options" in fields:
                self._options = dict(fields["options"])
            elif self._options is not None:
                identity = Identity(fields["size"], fields["version"], fields["sha256"])
                failed = fields["problem"] is not None
                self._entries[fields["recording"]] = _Entry(position, identity, self._options, failed)
        except (ValueError, KeyError, TypeError):
            pass
        if self._options is None:
            raise self._is_none()

    def _is_none(self) -> ConfigError:
        return ConfigError(f"{self.path} is no journal of `vad detect`. Move it to another place.")


def _lock(file: IO[bytes], path: Path) -> None:
    """Lock a file until it is closed or the process ends.

    Raises:
        ConfigError: Another process has locked it, or its file system has no locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(1 << 40)  # far behind the lines: Windows lets nobody read what is locked
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        raise ConfigError(
            f"another run writes the same output: it has locked {path}. Wait for its end, or give another --output."
        ) from error
    except OSError as error:
        raise ConfigError(
            f"cannot lock {path}: {str(error.strerror).lower()}. Give an --output on another disk."
        ) from error
