"""Bytes that arrive, as a file of unknown length for libsndfile, which wants to seek while it opens one."""

from collections.abc import Iterator

__all__ = ["EndlessFile"]

_FAR_END = 1 << 40  # bytes; the length given to libsndfile, so that it does not estimate one
_REWIND_BYTES = 1 << 18  # libsndfile may go back so far while it opens a recording


class EndlessFile:
    """Pieces of bytes as one file of unknown length.

    Args:
        pieces: The bytes, as they arrive.
        ending: What libsndfile finds where it looks for the end before that has arrived.
    """

    def __init__(self, pieces: Iterator[bytes], ending: bytes = b""):
        self._pieces = pieces
        self._ending = ending
        self._buffer = bytearray()
        self._start = 0  # of the buffer in the file
        self._position = 0

    def read(self, count: int) -> bytes:
        """Wait for `count` bytes. Fewer are returned at the end."""
        if self._position > _FAR_END // 2:
            return self._read_ending(count)
        while self._position + count > self._start + len(self._buffer):
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._buffer += piece
        at = self._position - self._start
        content = bytes(self._buffer[at : at + count])
        self._position += len(content)
        excess = self._position - self._start - _REWIND_BYTES
        if excess > _REWIND_BYTES:
            del self._buffer[:excess]
            self._start += excess
        return content

    def _read_ending(self, count: int) -> bytes:
        """Return zeros, and the ending at the far end."""
        zeros = _FAR_END - len(self._ending) - self._position
        content = bytes(min(count, max(0, zeros))) + self._ending[max(0, -zeros) :]
        self._position += len(content[:count])
        return content[:count]

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a position, and return it."""
        self._position = (0, self._position, _FAR_END)[whence] + offset
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position
