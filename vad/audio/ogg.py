"""Ogg (Vorbis, Opus, FLAC): all links of a chain, where libsndfile reads the first alone.

A live stream begins anew with each title; the files of two recordings joined do likewise. A link begins where a page
begins a logical stream after one that did not (RFC 3533, 4). Each is a file to libsndfile.
"""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TypeAlias

import numpy as np
import numpy.typing as npt

from vad.audio.libsndfile import ForwardSoundFile, Part, RefusedError, cut_off, open_soundfile, read_blocks
from vad.audio.resampling import conform
from vad.errors import AudioError

__all__ = ["Links", "OggDecoder", "links_of"]

Block: TypeAlias = npt.NDArray[np.float32]

_PAGE_HEADER = 27
_BEGINS = 0x02
_LARGEST_PAGE = 65_307


@dataclass(frozen=True)
class Links:
    """Where the links of a chain lie.

    Attributes:
        spans: The first byte of each, and the one behind it.
        left: Bytes that are no whole page.
    """

    spans: list[tuple[int, int]]
    left: int


def links_of(stream: IO[bytes]) -> Links:
    """Walk the pages of an Ogg stream that can seek."""
    end = stream.seek(0, os.SEEK_END)
    starts: list[int] = []
    begins = left = position = 0
    while position < end:
        stream.seek(position)
        header = stream.read(_PAGE_HEADER)
        if len(header) < _PAGE_HEADER or not header.startswith(b"OggS"):
            found = _next_page(stream, position + 1)
            left += (end if found is None else found) - position
            position = end if found is None else found
            continue
        size = _PAGE_HEADER + header[26] + sum(stream.read(header[26]))
        if position + size > end:
            left += end - position
            break
        if header[5] & _BEGINS and not begins:
            starts.append(position)
        begins = header[5] & _BEGINS
        position += size
    return Links(list(itertools.pairwise([*starts, end])), left)


def _next_page(stream: IO[bytes], position: int) -> int | None:
    """Find where the next page begins, from a position on."""
    while True:
        stream.seek(position)
        content = stream.read(_LARGEST_PAGE)
        at = content.find(b"OggS")
        if at >= 0:
            return position + at
        if len(content) < _LARGEST_PAGE:
            return None
        position += len(content) - 3


class OggDecoder:
    """A chain of Ogg recordings; see `vad.audio.decoding.Decoder`.

    Args:
        stream: A binary stream that can seek.
        name: What messages call it.
        links: Where its links lie, more than one.

    Raises:
        RefusedError: libsndfile does not read the first.
    """

    frames: int | None = None  # the rates may differ

    def __init__(self, stream: IO[bytes], name: str, links: Links):
        self.name = name
        self._stream = stream
        self._links = links
        with self._open(*links.spans[0]) as file:
            self.sample_rate: int = file.samplerate
            self.channels: int = file.channels
            self.subtype: str = file.subtype

    def _open(self, start: int, end: int) -> ForwardSoundFile:
        return open_soundfile(Part(self._stream, start, end))

    def blocks(self, block_length: int) -> Iterator[Block]:
        """Yield blocks of about `block_length` samples [shape=(samples, channels)].

        Raises:
            AudioError: A link is damaged, or the last page is not all there.
        """
        heard = 0
        self._problem: str | None = None
        for block in conform(self._decoded(block_length), self.sample_rate, self.channels):
            heard += len(block)
            yield block
        if self._problem is not None:
            raise cut_off(self.name, heard / self.sample_rate, None, self._problem)
        if self._links.left:
            raise AudioError(
                f"{self.name}: {self._links.left} bytes are no whole Ogg page and were left out. "
                "Results cover the rest."
            )

    def _decoded(self, block_length: int) -> Iterator[tuple[int, Block]]:
        for number, (start, end) in enumerate(self._links.spans, 1):
            try:
                with self._open(start, end) as file:
                    for block in read_blocks(file, block_length):
                        yield file.samplerate, block
            except RefusedError as error:
                count = len(self._links.spans)
                self._problem = f"libsndfile refuses part {number} of {count} ({error})"
                return
