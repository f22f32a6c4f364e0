"""Recordings that libsndfile reads: flac, ogg, opus, aiff, w64, au, caf, compressed wav. The one room that knows it.

It is asked for float32 always (as int16 it would read a float WAV without scaling: silence) and never to seek, so
that decoding is one pass and a FLAC of unknown length can be read. A file that ends before its header's promise,
which libsndfile does not always report, is reported here.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from typing import IO, Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import soundfile

from vad.errors import AudioError

__all__ = [
    "SLACK_BYTES",
    "ByteSource",
    "ForwardSoundFile",
    "Part",
    "RefusedError",
    "SoundfileDecoder",
    "cut_off",
    "open_soundfile",
    "read_blocks",
]

Block: TypeAlias = npt.NDArray[np.float32]

# Of sound files whose chunks say how long they are, libsndfile notes what is missing: "SSND : 32008 (should be 19954)".
_SHORTFALL = re.compile(r"^\s*(?:SSND|Data Size) *: (\d+) \(should be (\d+)\)", re.MULTILINE)
_UNKNOWN_BYTES = 0x7FFF0000

SLACK_BYTES = 64
"""By so many a header may be wrong without a word: some count themselves, or a chunk behind the samples."""


class RefusedError(Exception):
    """libsndfile does not read this; the message is its reason."""


class ByteSource(Protocol):
    """What libsndfile reads from where it is no file of the system."""

    def read(self, count: int, /) -> bytes:
        """Give at most so many of the next bytes, none at the end."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go somewhere; say where that is."""

    def tell(self) -> int:
        """Say where the next byte is."""


class Part:
    """A part of a stream as a file of its own."""

    def __init__(self, stream: IO[bytes], start: int, end: int):
        self._stream = stream
        self._start = start
        self._length = end - start
        self._position = 0

    def read(self, count: int) -> bytes:
        """Give at most so many of the next bytes, none at the end."""
        self._stream.seek(self._start + self._position)
        content = self._stream.read(max(0, min(count, self._length - self._position)))
        self._position += len(content)
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go somewhere; say where that is."""
        self._position = (0, self._position, self._length)[whence] + offset
        return self._position

    def tell(self) -> int:
        """Say where the next byte is."""
        return self._position


class ForwardSoundFile(soundfile.SoundFile):  # type: ignore[misc]
    """A SoundFile that is read once from its beginning.

    It never seeks of its own accord: a SoundFile does after every read, and a FLAC of unknown length refuses that.
    Where it reads a Python object, what is raised in there is raised here too, Ctrl-C above all: it is most likely to
    come while libsndfile calls Python back, and would be lost.
    """

    _raised: BaseException | None = None

    def seekable(self) -> bool:
        """Say no."""
        return False

    def read_block(self, block: Block) -> Block:
        """Fill a block; what comes back is shorter at the end.

        Raises:
            LibsndfileError: There is damage.
        """
        filled: Block = self.read(out=block)
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
            soundfile._ffi.buffer(target, count)[: len(content)] = content
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
    """Open what libsndfile reads.

    Args:
        source: A file descriptor at its beginning, which stays open, or an object to read from.

    Raises:
        RefusedError: It is none of libsndfile's formats, or broken.
    """
    try:
        return ForwardSoundFile(source, closefd=False)
    except soundfile.LibsndfileError as error:
        raise RefusedError(_reason(error)) from error


def read_blocks(file: ForwardSoundFile, block_length: int) -> Iterator[Block]:
    """Yield blocks of `block_length` samples [shape=(samples, channels)] to the end.

    Raises:
        RefusedError: There is damage; what was decoded before came before.
    """
    heard = 0
    while True:
        block = np.empty((block_length, file.channels), np.float32)
        try:
            filled = file.read_block(block)
        except soundfile.LibsndfileError as error:
            yield block[: max(0, file.tell() - heard)]
            raise RefusedError(_reason(error)) from error
        if not len(filled):
            return
        heard += len(filled)
        yield filled


def cut_off(name: str, heard_s: float, promised_s: float | None, reason: str) -> AudioError:
    """Say where a recording stopped, and that what came before it counts."""
    promised = "" if promised_s is None or promised_s <= heard_s else f" of {promised_s:.2f} s"
    return AudioError(
        f"{name}: cut off at {heard_s:.2f} s{promised}: {reason}. Results cover the part before."
    )


def _descriptor_of(stream: IO[bytes] | ByteSource) -> int | None:
    """Give the file descriptor of a stream; None where it lies in memory, or where libraries cannot share it."""
    try:
        return stream.fileno() if os.name == "posix" and hasattr(stream, "fileno") else None
    except OSError:
        return None


class SoundfileDecoder:
    """A recording that libsndfile reads as a whole; see `vad.audio.decoding.Decoder`.

    Args:
        stream: What to read; it can seek.
        name: What messages call it.
        shortfall: What is known to be missing at its end, if anything.

    Raises:
        RefusedError: libsndfile does not read it.
    """

    def __init__(self, stream: IO[bytes] | ByteSource, name: str, shortfall: str | None = None):
        # A file of the system is read without calling Python back.
        descriptor = _descriptor_of(stream)
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
        self._shortfall = shortfall

    def __enter__(self) -> "SoundfileDecoder":
        """Leave libsndfile's part of it to the `with` statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of it."""
        with contextlib.suppress(soundfile.LibsndfileError):
            self._file.close()

    def blocks(self, block_length: int) -> Iterator[Block]:
        """Yield blocks of `block_length` samples [shape=(samples, channels)].

        Raises:
            AudioError: The recording is damaged or ends early.
        """
        heard = 0
        problem: str | None = None
        try:
            for block in read_blocks(self._file, block_length):
                heard += len(block)
                yield block
        except RefusedError as error:
            problem = str(error)
        problem = problem or self._problem_at_end(heard)
        if problem is not None:
            promised = None if self.frames is None else self.frames / self.sample_rate
            raise cut_off(self.name, heard / self.sample_rate, promised, problem)

    def _problem_at_end(self, heard: int) -> str | None:
        """Compare what was read with what the file promised."""
        if self._shortfall is not None:
            return self._shortfall
        if self.frames is not None and heard < self.frames and self._file.format != "WAV":
            return "pages of it are damaged" if self._file.format == "OGG" else "the file ends there"
        for promised, present in _SHORTFALL.findall(self._file.extra_info):
            if int(present) + SLACK_BYTES < int(promised) < _UNKNOWN_BYTES:
                return f"the header promises {promised} bytes and {present} are there"
        return None


def _reason(error: soundfile.LibsndfileError) -> str:
    return str(error.error_string).removeprefix("Error : ").rstrip(". ")
