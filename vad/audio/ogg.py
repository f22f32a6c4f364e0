"""Ogg (Vorbis, Opus, FLAC): every link of a chain, where libsndfile reads only the first.

A live stream starts a new link with each title, and joined files are links too. A link starts with a page that begins
a logical stream after a page that does not (RFC 3533, 4). Each link is one file for libsndfile.
"""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from vad.audio.libsndfile import ForwardSoundFile, RefusedError, Section, cut_off, open_soundfile, read_blocks
from vad.audio.resampling import conform
from vad.audio.samples import Samples
from vad.errors import AudioError

__all__ = ["Links", "OggDecoder", "find_links"]

_PAGE_HEADER = 27
_BEGINS_STREAM = 0x02
_MAX_PAGE = 65_307


@dataclass(frozen=True)
class Links:
    """The links of a chain.

    Attributes:
        spans: Start and end of each, in bytes.
        skipped: Bytes that belong to no complete page.
    """

    spans: list[tuple[int, int]]
    skipped: int


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


class OggDecoder:
    """A chain of Ogg links; see `vad.audio.decoding.Decoder`.

    Args:
        stream: A binary stream that can seek.
        name: The recording's name in messages.
        links: Its links, more than one.

    Raises:
        RefusedError: libsndfile does not read the first link.
    """

    frames: int | None = None  # the rates of the links may differ

    def __init__(self, stream: IO[bytes], name: str, links: Links):
        self.name = name
        self._stream = stream
        self._links = links
        with self._open(*links.spans[0]) as file:
            self.sample_rate: int = file.samplerate
            self.channels: int = file.channels
            self.subtype: str = file.subtype

    def _open(self, start: int, end: int) -> ForwardSoundFile:
        return open_soundfile(Section(self._stream, start, end))

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
        if self._links.skipped:
            raise AudioError(
                f"{self.name}: {self._links.skipped} bytes are not complete Ogg pages and were skipped. "
                "Results cover the rest."
            )

    def _decoded(self, block_length: int) -> Iterator[tuple[int, Samples]]:
        for number, (start, end) in enumerate(self._links.spans, 1):
            try:
                with self._open(start, end) as file:
                    for block in read_blocks(file, block_length):
                        yield file.samplerate, block
            except RefusedError as error:
                count = len(self._links.spans)
                self._problem = f"libsndfile cannot read part {number} of {count} ({error})"
                return
