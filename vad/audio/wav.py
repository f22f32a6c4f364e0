"""WAV files, whatever their samples are: as they are, MPEG, or compressed in a way that libsndfile knows."""

import os
import struct
from typing import IO

from vad.audio.libsndfile import SLACK_BYTES, Part, SoundfileDecoder
from vad.audio.mpeg import MpegDecoder
from vad.audio.pipe import PcmDecoder
from vad.audio.riff import Forward, WavHeader, chunk_here, read_header, skip_id3, stated_length

__all__ = ["open_wav"]

_MPEG = (0x50, 0x55)


def open_wav(stream: IO[bytes], name: str) -> PcmDecoder | MpegDecoder | SoundfileDecoder:
    """Open a WAV.

    Args:
        stream: A binary stream that can seek, at its beginning.
        name: What messages call it.

    Raises:
        AudioError: Its header says nothing of the samples.
        RefusedError: libsndfile does not know how they are compressed.
    """
    forward = Forward(stream.read)
    skip_id3(forward)
    header = read_header(forward)
    if header.encoding is not None:
        return PcmDecoder(stream, name, header)
    present = stream.seek(0, os.SEEK_END) - header.start
    stated = stated_length(header.size, present)
    if stated is None or (stated < present and not _chunk_follows(stream, header, present - stated)):
        stated = present
    if header.format.tag in _MPEG:
        stream.seek(header.start)
        return MpegDecoder(stream, name, stated)
    shortfall = (
        f"the header promises {stated} bytes and {present} are there"
        if stated > present + SLACK_BYTES
        else None
    )
    restated = stream if stated == header.size else _Restated(stream, header, stated)
    return SoundfileDecoder(restated, name, shortfall)


def _chunk_follows(stream: IO[bytes], header: WavHeader, rest: int) -> bool:
    stream.seek(header.start + header.size + header.size % 2)
    head = stream.read(8)
    return len(head) < 8 or chunk_here(head, header.order, rest)


class _Restated(Part):
    """A WAV file that states another size of its samples than it does."""

    def __init__(self, stream: IO[bytes], header: WavHeader, size: int):
        super().__init__(stream, 0, header.start + size)
        self._size_at = header.start - 4
        self._size = struct.pack(header.order + "I", min(size, 0xFFFFFFFF))

    def read(self, count: int) -> bytes:
        at = self._size_at - self.tell()
        content = bytearray(super().read(count))
        for index, byte in enumerate(self._size, at):
            if 0 <= index < len(content):
                content[index] = byte
        return bytes(content)
