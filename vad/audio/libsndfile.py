"""Recordings that libsndfile reads: flac, ogg, opus, aiff, w64, au, caf, compressed WAV.

libsndfile decodes to float32, because it does not scale a float WAV that it reads as int16. It never seeks, so that a
FLAC of unknown length can be read. Some files that end before their stated length are reported only here.
"""

import contextlib
import io
import os
import re
from collections.abc import Iterator
from typing import IO, Any, Protocol

import numpy as np
import soundfile

from vad.audio.riff import missing_bytes
from vad.audio.samples import Samples
from vad.audio.sections import UnstatedFlac, file_descriptor
from vad.audio.unreadable import RefusedError, cut_off

__all__ = [
    "ByteSource",
    "ForwardSoundFile",
    "SoundfileDecoder",
    "open_soundfile",
    "read_blocks",
    "reason_of",
]

# libsndfile's log names the stated bytes and those present: "SSND : 32008 (should be 19954)".
_STATED_BYTES = re.compile(r"^\s*(?:SSND|Data Size) *: (\d+) \(should be (\d+)\)", re.MULTILINE)


_MAX_FLAC_REST = 1 << 14  # bytes after the last sample that are not reported: tags


class ByteSource(Protocol):
    """A Python object that libsndfile reads from."""

    def read(self, count: int, /) -> bytes:
        """Return at most `count` of the next bytes, none at the end."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to a position, and return it."""

    def tell(self) -> int:
        """Return the position."""


class ForwardSoundFile(soundfile.SoundFile):  # type: ignore[misc]
    """A SoundFile that is read once, from its beginning.

    It does not seek after each read, which a FLAC of unknown length refuses. And what a Python object raises while
    libsndfile reads from it is raised here too. SoundFile would lose it, Ctrl-C included.
    """

    _raised: BaseException | None = None

    def seekable(self) -> bool:
        """Return False, so that SoundFile does not seek."""
        return False

    def read_block(self, block: Samples) -> Samples:
        """Fill a block, and return its filled part, which is shorter at the end.

        Raises:
            LibsndfileError: The file is damaged.
        """
        filled: Samples = self.read(out=block)
        if self._raised is not None:
            raise self._raised
        return filled

    def _init_virtual_io(self, source: ByteSource) -> Any:
        def length(_: Any) -> int:
            position = source.tell()
            end = source.seek(0, os.SEEK_END)
            source.seek(position)
            return end

        def read(target: Any, count: int, _: Any) -> int:
            content = source.read(count)
            soundfile._ffi.memmove(target, content, len(content))
            return len(content)

        callbacks = {
            "get_filelen": length,
            "seek": lambda offset, whence, _: source.seek(offset, whence),
            "read": read,
            "write": lambda _content, _count, _: 0,
            "tell": lambda _: source.tell(),
        }
        self._virtual_io = {
            name: soundfile._ffi.callback(f"sf_vio_{name}", call, error=0, onerror=self._keep)
            for name, call in callbacks.items()
        }
        return soundfile._ffi.new("SF_VIRTUAL_IO*", self._virtual_io)

    def _keep(self, _kind: type[BaseException], error: BaseException, _trace: Any) -> None:
        self._raised = self._raised or error


def open_soundfile(source: ByteSource | int) -> ForwardSoundFile:
    """Open a file with libsndfile.

    Args:
        source: An object to read from, or a file descriptor at its beginning, which stays open.

    Raises:
        RefusedError: libsndfile does not know the format, or the file is broken.
    """
    try:
        return ForwardSoundFile(source, closefd=False)
    except soundfile.LibsndfileError as error:
        raise RefusedError(reason_of(error)) from error


def read_blocks(file: ForwardSoundFile, block_length: int) -> Iterator[Samples]:
    """Yield blocks of `block_length` samples [shape=(samples, channels)] to the end.

    Raises:
        RefusedError: The file is damaged. All samples before the damage were yielded.
    """
    frames = 0
    while True:
        block = np.empty((block_length, file.channels), np.float32)
        try:
            filled = file.read_block(block)
        except soundfile.LibsndfileError as error:
            yield block[: max(0, file.tell() - frames)]
            raise RefusedError(reason_of(error)) from error
        if not len(filled):
            return
        frames += len(filled)
        yield filled


def _bytes_left(stream: IO[bytes] | ByteSource) -> int:
    """Return the bytes that libsndfile did not read. 0 for bytes that are still arriving."""
    descriptor = file_descriptor(stream)
    if descriptor is not None:
        return os.fstat(descriptor).st_size - os.lseek(descriptor, 0, os.SEEK_CUR)
    position = stream.tell()
    return stream.seek(0, os.SEEK_END) - position if isinstance(stream, io.IOBase) else 0


class SoundfileDecoder:
    """A recording that libsndfile reads; see `vad.audio.decoding.Decoder`.

    Args:
        stream: The recording. It can seek.
        name: The recording's name in messages.
        problem: Damage at the end that is already known.

    Raises:
        RefusedError: libsndfile does not read it.
    """

    def __init__(self, stream: IO[bytes] | ByteSource, name: str, problem: str | None = None):
        # With a file descriptor, libsndfile reads without calls into Python.
        descriptor = file_descriptor(stream)
        if descriptor is None:
            stream.seek(0)
        else:
            os.lseek(descriptor, 0, os.SEEK_SET)
        file = open_soundfile(stream if descriptor is None else descriptor)
        self.name = name
        self.sample_rate: int = file.samplerate
        self.channels: int = file.channels
        self.frames: int | None = file.frames if file.frames < 1 << 62 else None
        self.subtype: str = file.subtype
        self._file = file
        self._stream = stream
        self._problem = problem
        self._rest = 0  # bytes after the last sample that is stated

    def __enter__(self) -> "SoundfileDecoder":
        """Return the object itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close libsndfile's handle. The stream stays open."""
        with contextlib.suppress(soundfile.LibsndfileError):
            self._file.close()

    def blocks(self, block_length: int) -> Iterator[Samples]:
        """Yield blocks of `block_length` samples [shape=(samples, channels)].

        Raises:
            AudioError: The recording is damaged or ends early.
        """
        frames = 0
        problem: str | None = None
        try:
            for block in read_blocks(self._file, block_length):
                frames += len(block)
                yield block
            for block in self._after_stated_end(frames, block_length):
                frames += len(block)
                yield block
        except RefusedError as error:
            problem = str(error)
        problem = problem or self._problem or self._problem_at_end(frames)
        if problem is not None:
            stated_s = None if self.frames is None else self.frames / self.sample_rate
            raise cut_off(self.name, frames / self.sample_rate, stated_s, problem)

    def _after_stated_end(self, frames: int, block_length: int) -> Iterator[Samples]:
        """Read on where a FLAC has more samples than its header states: from its beginning, without the statement."""
        self._rest = self._flac_rest() if self.frames == frames else 0
        if not self._rest:
            return
        self._stream.seek(0)
        if self._stream.read(4) != b"fLaC":  # tags come first
            return
        source = UnstatedFlac(self._stream)
        with open_soundfile(source) as file:
            passed = 0
            try:
                for block in read_blocks(file, block_length):
                    if passed + len(block) > frames:
                        yield block[max(0, frames - passed) :]
                    passed += len(block)
            except RefusedError:
                if source.left > _MAX_FLAC_REST:  # else tags
                    raise

    def _flac_rest(self) -> int:
        """Return the bytes of a FLAC after its last stated sample, if they are more than tags."""
        left = _bytes_left(self._stream) if self._file.format == "FLAC" else 0
        return left if left > _MAX_FLAC_REST else 0

    def _problem_at_end(self, frames: int) -> str | None:
        """Compare the decoded frames with what the file states."""
        if self.frames is not None and frames < self.frames and self._file.format != "WAV":
            return "some Ogg pages are damaged" if self._file.format == "OGG" else "the file ends there"
        if frames == self.frames and (left := self._rest):
            return f"the header states no more samples, but {left} bytes follow"
        problems = (
            missing_bytes(int(stated), int(present))
            for stated, present in _STATED_BYTES.findall(self._file.extra_info)
        )
        return next(filter(None, problems), None)


def reason_of(error: soundfile.LibsndfileError) -> str:
    """Return libsndfile's reason, without its prefix and its full stop."""
    return str(error.error_string).removeprefix("Error : ").rstrip(". ")
