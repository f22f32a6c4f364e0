"""Streams as libsndfile reads them: files by their descriptor, parts of a stream, other headers."""

import io
import os
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from vad.audio.libsndfile import ByteSource

__all__ = ["Section", "UnstatedFlac", "file_descriptor"]

_FLAC_SAMPLES = range(21, 26)  # bytes of the number of samples in STREAMINFO (RFC 9639, 8.2)


def file_descriptor(stream: object) -> int | None:
    """Return the file descriptor of a plain file. None for others: that of a packed file has packed bytes."""
    if os.name != "posix" or not isinstance(stream, io.BufferedReader | io.BufferedRandom):
        return None
    return stream.fileno() if isinstance(stream.raw, io.FileIO) else None


class Section:
    """The bytes of a stream from `start` to `end`, as a file of their own."""

    def __init__(self, stream: "IO[bytes] | ByteSource", start: int, end: int):
        self._stream = stream
        self._start = start
        self._length = end - start
        self._position = 0

    def read(self, count: int) -> bytes:
        """Return at most `count` of the next bytes, none at the end."""
        self._stream.seek(self._start + self._position)
        content = self._stream.read(max(0, min(count, self._length - self._position)))
        self._position += len(content)
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a position, and return it."""
        self._position = (0, self._position, self._length)[whence] + offset
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position


class UnstatedFlac(Section):
    """A FLAC whose header does not state the number of samples: 0 means that it is unknown."""

    def __init__(self, stream: "IO[bytes] | ByteSource"):
        super().__init__(stream, 0, stream.seek(0, os.SEEK_END))

    @property
    def left(self) -> int:
        """Bytes that were not read."""
        return self._length - self._position

    def read(self, count: int) -> bytes:
        """Return at most `count` of the next bytes, none at the end."""
        start = self._position
        content = bytearray(super().read(count))
        for place in range(max(start, _FLAC_SAMPLES.start), min(start + len(content), _FLAC_SAMPLES.stop)):
            # Four bits of the first byte are of the sample format.
            content[place - start] &= 0xF0 if place == _FLAC_SAMPLES.start else 0
        return bytes(content)
