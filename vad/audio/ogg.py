"""Ogg (Vorbis, Opus, FLAC): every link of a chain, where libsndfile reads only the first.

A live stream starts a new link with each title, and joined files are links too. A link starts with a page that begins
a logical stream after a page that does not (RFC 3533, 4). Each link is one file for libsndfile.
"""

import itertools
import os
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import IO

from vad.audio.endless import EndlessFile
from vad.audio.libsndfile import ByteSource, open_soundfile, read_blocks
from vad.audio.resampling import conform
from vad.audio.riff import ForwardReader
from vad.audio.samples import Samples
from vad.audio.sections import Section
from vad.audio.unreadable import RefusedError, cut_off
from vad.errors import AudioError

__all__ = ["ArrivingLinks", "Links", "OggDecoder", "find_links"]

_PAGE_HEADER = 27
_BEGINS_STREAM = 0x02
_MAX_PAGE = 65_307
_NO_END = 1 << 61  # a granule position: longer than any recording
_CHECKSUM = slice(22, 26)
_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class Links:
    """The links of a chain.

    Attributes:
        spans: Start and end of each, in bytes.
        skipped: Bytes that belong to no complete page.
    """

    spans: list[tuple[int, int]]
    skipped: int

    def sections(self, stream: IO[bytes]) -> Iterator[Section]:
        """Give each link as a file."""
        return (Section(stream, start, end) for start, end in self.spans)


def find_links(stream: IO[bytes]) -> Links:
    """Find the links of an Ogg stream that can seek."""
    end = stream.seek(0, os.SEEK_END)
    starts: list[int] = []
    begins = skipped = position = 0
    while position < end:
        stream.seek(position)
        header = stream.read(_PAGE_HEADER)
        if len(header) < _PAGE_HEADER or not header.startswith(b"OggS"):
            following = _next_page(stream, position + 1)
            following = end if following is None else following
            skipped += following - position
            position = following
            continue
        size = _PAGE_HEADER + header[26] + sum(stream.read(header[26]))
        if position + size > end:
            skipped += end - position
            break
        if header[5] & _BEGINS_STREAM and not begins:
            starts.append(position)
        begins = header[5] & _BEGINS_STREAM
        position += size
    return Links(list(itertools.pairwise([*starts, end])), skipped)


def _next_page(stream: IO[bytes], position: int) -> int | None:
    """Return the start of the first page at or after a position."""
    while True:
        stream.seek(position)
        content = stream.read(_MAX_PAGE)
        at = content.find(b"OggS")
        if at >= 0:
            return position + at
        if len(content) < _MAX_PAGE:
            return None
        position += len(content) - 3


class ArrivingLinks:
    """The links of an Ogg stream from a pipe, each as a file, once.

    libsndfile looks for the last page of a link when it opens it. It finds one that states no length.

    Attributes:
        skipped: Bytes that belong to no complete page, so far.
    """

    def __init__(self, stream: ForwardReader):
        self._stream = stream
        self.skipped = 0

    def __iter__(self) -> Iterator[EndlessFile]:
        """Iterate over the links.

        Raises:
            RefusedError: A link has several logical streams, such as sound and pictures.
        """
        for _, pages in itertools.groupby(self._pages(), key=itemgetter(0)):
            head = [page for _, page in itertools.islice(pages, 2)]
            if len(head) == 2 and head[1][5] & _BEGINS_STREAM:
                raise RefusedError("it has several logical streams")
            following = (page for _, page in pages)
            yield EndlessFile(itertools.chain(head, following), _last_page(head[0][14:18]))

    def _pages(self) -> Iterator[tuple[int, bytes]]:
        """Yield the complete pages, each with the number of its link."""
        link = 0
        begins = True
        while header := self._stream.read_exactly(_PAGE_HEADER):
            if len(header) < _PAGE_HEADER or not header.startswith(b"OggS"):
                at = header.find(b"OggS", 1)
                if at < 0 and len(header) == _PAGE_HEADER:
                    at = len(header) - 3  # a page may begin in the last bytes
                self.skipped += len(header) if at < 0 else at
                self._stream.give_back(header[at:] if at > 0 else b"")
                continue
            sizes = self._stream.read_exactly(header[26])
            page = header + sizes + self._stream.read_exactly(sum(sizes))
            if len(page) < _PAGE_HEADER + header[26] + sum(sizes):
                self.skipped += len(page)
                return
            if _checksum(page) != page[_CHECKSUM]:
                self.skipped += 1
                self._stream.give_back(page[1:])
                continue
            link += bool(header[5] & _BEGINS_STREAM) and not begins
            begins = bool(header[5] & _BEGINS_STREAM)
            yield link, page


def _last_page(serial: bytes) -> bytes:
    """Make the last page of a logical stream without an end (RFC 3533, 6)."""
    page = struct.pack("<4sBBq4sIIBBB", b"OggS", 0, 4, _NO_END, serial, 1 << 30, 0, 1, 1, 0)
    return page[: _CHECKSUM.start] + _checksum(page) + page[_CHECKSUM.stop :]


def _checksum(page: bytes) -> bytes:
    """Compute the checksum of a page: zlib's polynomial, with all bits in the opposite order and no inversion."""
    content = page[: _CHECKSUM.start] + bytes(4) + page[_CHECKSUM.stop :]
    register = zlib.crc32(content.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return register.to_bytes(4, "big").translate(_REVERSED_BITS)


class OggDecoder:
    """A chain of Ogg links; see `vad.audio.decoding.Decoder`.

    Args:
        links: The links, as files.
        name: The recording's name in messages.
        skipped: Returns the bytes that belong to no complete page.

    Raises:
        RefusedError: libsndfile does not read the first link.
    """

    frames: int | None = None  # the rates of the links may differ

    def __init__(self, links: Iterable[ByteSource], name: str, skipped: Callable[[], int]):
        self.name = name
        self._skipped = skipped
        self._files = map(open_soundfile, links)
        self._first = next(self._files, None)
        if self._first is None:
            raise RefusedError("it has no complete Ogg page")
        self.sample_rate: int = self._first.samplerate
        self.channels: int = self._first.channels
        self.subtype: str = self._first.subtype

    def blocks(self, block_length: int) -> Iterator[Samples]:
        """Yield blocks of about `block_length` samples [shape=(samples, channels)].

        Raises:
            AudioError: A link is damaged, or the last page is incomplete.
        """
        frames = 0
        self._problem: str | None = None
        for block in conform(self._decoded(block_length), self.sample_rate, self.channels):
            frames += len(block)
            yield block
        if self._problem is not None:
            raise cut_off(self.name, frames / self.sample_rate, None, self._problem)
        if skipped := self._skipped():
            raise AudioError(
                f"{self.name}: {skipped} bytes are not complete Ogg pages and were skipped. "
                "Results cover the rest."
            )

    def _decoded(self, block_length: int) -> Iterator[tuple[int, Samples]]:
        file = self._first
        number = 1
        try:
            while file is not None:
                with file:
                    for block in read_blocks(file, block_length):
                        yield file.samplerate, block
                number += 1
                file = next(self._files, None)
        except RefusedError as error:
            self._problem = f"libsndfile cannot read part {number} ({error})"
