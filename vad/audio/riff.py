"""The header of a WAV (RIFF, RIFX, RF64, BW64), read forwards, so that a pipe and a file are read alike.

What is true of the length is what is there. A header is written before its samples: a recorder that was killed, or
that writes into a pipe, leaves zero, a placeholder or the size of its first block. Only a size that somebody can
have meant, and that reaches beyond the end, says that samples are missing.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from vad.errors import AudioError

__all__ = [
    "FORMS",
    "Forward",
    "WavFormat",
    "WavHeader",
    "chunk_here",
    "format_of",
    "read_header",
    "skip_id3",
    "skip_padding",
    "stated_length",
]

FORMS = (b"RIFF", b"RIFX", b"RF64", b"BW64")
_ENCODINGS = {
    (1, 8): "u8",
    (1, 16): "s16le",
    (1, 24): "s24le",
    (1, 32): "s32le",
    (3, 32): "f32le",
    (3, 64): "f64le",
    (6, 8): "alaw",
    (7, 8): "mulaw",
}
"""By format tag and bits that a sample takes."""
_EXTENSIBLE = 0xFFFE
_UNKNOWN_BYTES = 0x7FFF0000  # near 2 or 4 GiB, or
_ROUND_BYTES = 100_000_000  # a multiple of this: what a program writes that does not know
_LATER_CHUNK = 1 << 24  # bytes of tags after the samples, at most, where nobody knows how many there are


@dataclass(frozen=True)
class WavFormat:
    """How the samples of a WAV lie.

    Attributes:
        sample_rate: In Hz.
        channels: Samples side by side.
        tag: Of the format; 1 is integers, 3 floats, 0x55 MP3.
        bits: Of a sample, as stated.
        encoding: A name as in `vad.audio.raw_format.ENCODINGS`, or "f64le"; None where it is compressed.
    """

    sample_rate: int
    channels: int
    tag: int
    bits: int
    encoding: str | None


@dataclass(frozen=True)
class WavHeader:
    """What a WAV says before its samples.

    Attributes:
        format: How they lie.
        order: Of the bytes of a number: "<", or ">" for the high one first (RIFX).
        start: Where the samples begin, in bytes.
        size: How many bytes they take, as it is stated in the four bytes before, or by RF64.
    """

    format: WavFormat
    order: str
    start: int
    size: int

    @property
    def sample_rate(self) -> int:
        """As the format has it."""
        return self.format.sample_rate

    @property
    def channels(self) -> int:
        """As the format has it."""
        return self.format.channels

    @property
    def encoding(self) -> str | None:
        """As the format has it."""
        return self.format.encoding


class Forward:
    """Bytes read forwards, none of them waited for twice.

    Args:
        read: Gives at most so many bytes, and none at the end.

    Attributes:
        position: Bytes read so far.
    """

    def __init__(self, read: Callable[[int], bytes]):
        self._read = read
        self._returned = b""
        self.position = 0

    def some(self, count: int) -> bytes:
        """Give at most so many bytes; none at the end."""
        content, self._returned = self._returned[:count], self._returned[count:]
        content = content or self._read(count)
        self.position += len(content)
        return content

    def exactly(self, count: int) -> bytes:
        """Give so many bytes, fewer at the end."""
        pieces = []
        while count:
            piece = self.some(count)
            if not piece:
                break
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def skip(self, count: int) -> None:
        """Pass so many bytes, or to the end."""
        while count > 0:
            piece = self.some(min(count, 1 << 16))
            if not piece:
                return
            count -= len(piece)

    def give_back(self, content: bytes) -> None:
        """Have bytes read again."""
        self._returned = content + self._returned
        self.position -= len(content)


def skip_id3(stream: Forward) -> None:
    """Pass the ID3 tags that some programs put before everything."""
    while (head := stream.exactly(10)).startswith(b"ID3") and len(head) == 10:
        stream.skip(head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])
    stream.give_back(head)


def read_header(stream: Forward) -> WavHeader:
    """Read a WAV up to its first sample.

    Raises:
        AudioError: It is no WAV, ends before its samples, or says nothing of them.
    """
    form = stream.exactly(4)
    order = ">" if form == b"RIFX" else "<"
    stream.skip(4)  # the size of all, which the one of the samples says better
    kind = stream.exactly(4)
    if kind and kind != b"WAVE":
        raise AudioError(f"a RIFF stream must be WAVE. Received: {kind!r}. Convert it to WAV.")
    found: WavFormat | None = None
    long_size = 0
    while len(head := stream.exactly(8)) == 8:
        name, size = struct.unpack(order + "4sI", head)
        if name == b"data" and found is not None:
            size = long_size if size == 0xFFFFFFFF and long_size else size
            return WavHeader(found, order, stream.position, size)
        if name == b"data":
            raise AudioError(
                "the WAV does not say how its samples lie: no fmt chunk comes before them. Record it again."
            )
        if name == b"ds64":
            content = stream.exactly(size)
            long_size = int.from_bytes(content[8:16], "little")
        elif name == b"fmt ":
            found = format_of(stream.exactly(min(size, 1 << 16)), order)
        else:
            stream.skip(size)
        skip_padding(stream, size)
    raise AudioError("the WAV ends inside its header, before any sample. Record it again.")


def skip_padding(stream: Forward, size: int) -> None:
    """Pass the byte that makes a chunk even; some programs leave it out."""
    if size % 2:
        byte = stream.exactly(1)
        if byte.isalnum():
            stream.give_back(byte)


def chunk_here(head: bytes, order: str, rest: int | None) -> bool:
    """Tell whether eight bytes after the samples begin a chunk, or are samples that nobody counted.

    Args:
        head: The bytes.
        order: Of their numbers: "<" or ">".
        rest: Bytes that follow them; None where nobody knows.
    """
    if len(head) < 8 or not all(0x20 <= byte < 0x7F for byte in head[:4]):
        return False
    size: int = struct.unpack(order + "I", head[4:])[0]
    return size <= (_LATER_CHUNK if rest is None else rest)


def stated_length(size: int, present: int | None) -> int | None:
    """Say how many bytes of samples a header means; None where it does not know.

    Args:
        size: What it states.
        present: Bytes that are there; None where nobody knows.
    """
    beyond = present is None or size > present
    known = size < _UNKNOWN_BYTES and size % _ROUND_BYTES and (size + 36) % _ROUND_BYTES
    return None if size == 0 or (beyond and not known) else size


def format_of(body: bytes, order: str) -> WavFormat:
    """Read what a fmt chunk says.

    Raises:
        AudioError: It says that there are no channels.
    """
    tag, channels, sample_rate, _, frame_bytes, bits = struct.unpack(
        order + "HHIIHH", body[:16].ljust(16, b"\0")
    )
    if tag == _EXTENSIBLE and len(body) >= 26:
        (tag,) = struct.unpack(order + "H", body[24:26])
    if channels == 0:
        raise AudioError("the WAV says that it has no channels. Record it again.")
    # 12 or 20 bits lie in the upper part of 16 or 24; a size of frames that does not fit is no damage.
    width = -(-bits // 8) * 8
    if frame_bytes == channels * 4 and bits == 24 and tag == 1:
        width = 32
    return WavFormat(sample_rate, channels, tag, bits, _ENCODINGS.get((tag, width)))
