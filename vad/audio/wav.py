"""WAV files with any sample format: uncompressed, MPEG, or another one that libsndfile reads."""

import os
import struct
from typing import IO

from vad.audio.pcm import open_pcm
from vad.audio.pipe import Decoder
from vad.audio.riff import (
    ForwardReader,
    WavHeader,
    missing_bytes,
    plausible_size,
    read_header,
    skip_id3,
    starts_chunk,
)
from vad.audio.sections import Section

__all__ = ["open_wav"]

_MPEG_TAGS = (0x50, 0x55)


def open_wav(stream: IO[bytes], name: str) -> Decoder:
    """Open a WAV file.

    Args:
        stream: A binary stream that can seek, at its beginning.
        name: The recording's name in messages.

    Raises:
        AudioError: The header is broken.
        RefusedError: libsndfile does not read this compression.
    """
    forward = ForwardReader(stream.read)
    skip_id3(forward)
    header = read_header(forward)
    if header.format.encoding is not None:
        return open_pcm(stream, name, header)
    present = stream.seek(0, os.SEEK_END) - header.start
    size = plausible_size(header.size, present)
    if size is None or (size < present and not _chunk_follows(stream, header, present - size)):
        size = present
    if header.format.tag in _MPEG_TAGS:
        from vad.audio.mpeg import MpegDecoder

        return MpegDecoder(Section(stream, header.start, header.start + size), name)
    from vad.audio.libsndfile import SoundfileDecoder

    corrected = stream if size == header.size else _WithSize(stream, header, size)
    return SoundfileDecoder(corrected, name, missing_bytes(header.size, present))


def _chunk_follows(stream: IO[bytes], header: WavHeader, rest: int) -> bool:
    stream.seek(header.start + header.size + header.size % 2)
    head = stream.read(8)
    return len(head) < 8 or starts_chunk(head, header.order, rest)


class _WithSize(Section):
    """A WAV file with another size in the header of its data chunk."""

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
