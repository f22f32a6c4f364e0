"""WAV headers (RIFF, RIFX, RF64, BW64), read forwards, so that files and pipes share the code.

The stated length is often wrong. The header is written before the samples: a recorder that was killed or that writes
to a pipe leaves zero, a placeholder or the size of its first block. So the samples that are present count. Samples
are reported as missing only if the stated size is plausible and reaches beyond the end.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from vad.errors import AudioError

__all__ = [
    "FORMS",
    "SLACK_BYTES",
    "ForwardReader",
    "WavFormat",
    "WavHeader",
    "missing_bytes",
    "parse_format",
    "plausible_size",
    "read_header",
    "skip_id3",
    "skip_padding",
    "starts_chunk",
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
# Sizes that programs write when they do not know the size: near 2 or 4 GiB, or a multiple of 100 MB.
_PLACEHOLDER_BYTES = 0x7FFF0000
_ROUND_BYTES = 100_000_000
SLACK_BYTES = 64
"""Missing bytes that are not reported: some headers count themselves, or a chunk after the samples."""
_MAX_CHUNK = 1 << 16  # bytes of a chunk of the header that are used
_MAX_CHUNK_AFTER = 1 << 24  # bytes of a chunk after the samples of a pipe


@dataclass(frozen=True)
class WavFormat:
    """The sample format of a WAV.

    Attributes:
        sample_rate: In Hz.
        channels: Number of channels.
        tag: Format tag: 1 for integers, 3 for floats, 0x55 for MP3.
        bits: Bits of a sample, as stated.
        encoding: A key of `vad.audio.raw_format.ENCODINGS`, or "f64le". None for compressed samples.
    """

    sample_rate: int
    channels: int
    tag: int
    bits: int
    encoding: str | None


@dataclass(frozen=True)
class WavHeader:
    """What a WAV states before its samples.

    Attributes:
        format: The sample format.
        order: Byte order of numbers: "<", or ">" in RIFX.
        start: Position of the first sample, in bytes.
        size: Bytes of the samples, as the data chunk or RF64's ds64 chunk states.
    """

    format: WavFormat
    order: str
    start: int
    size: int


class ForwardReader:
    """Reads bytes forwards, as they arrive.

    Args:
        read: Returns at most the given number of bytes, and none at the end.

    Attributes:
        position: Bytes read so far.
    """

    def __init__(self, read: Callable[[int], bytes]):
        self._read = read
        self._returned = b""
        self.position = 0

    def read(self, count: int) -> bytes:
        """Return what has arrived, at most `count` bytes; nothing at the end."""
        content, self._returned = self._returned[:count], self._returned[count:]
        content = content or self._read(count)
        self.position += len(content)
        return content

    def read_exactly(self, count: int) -> bytes:
        """Wait for `count` bytes. Fewer are returned at the end."""
        pieces = []
        while count and (piece := self.read(count)):
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def read_chunk(self, size: int) -> bytes:
        """Read the `size` bytes of a chunk, and return the first 64 kB: a header may state any size."""
        content = self.read_exactly(min(size, _MAX_CHUNK))
        self.skip(size - len(content))
        return content

    def skip(self, count: int) -> None:
        """Skip `count` bytes, or to the end."""
        while count > 0 and (piece := self.read(min(count, 1 << 16))):
            count -= len(piece)

    def give_back(self, content: bytes) -> None:
        """Put bytes back, to be read again."""
        self._returned = content + self._returned
        self.position -= len(content)


def skip_id3(stream: ForwardReader) -> None:
    """Skip ID3 tags, which some programs put before the header."""
    while (head := stream.read_exactly(10)).startswith(b"ID3") and len(head) == 10:
        stream.skip(head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])
    stream.give_back(head)


def read_header(stream: ForwardReader) -> WavHeader:
    """Read a WAV up to its first sample.

    Raises:
        AudioError: It is not a WAV, ends before its samples, or does not state their format.
    """
    form = stream.read_exactly(4)
    order = ">" if form == b"RIFX" else "<"
    stream.skip(4)  # the size of the whole file; the size of the data chunk is used instead
    kind = stream.read_exactly(4)
    if kind and kind != b"WAVE":
        raise AudioError(f"a RIFF stream must be WAVE. Received: {kind!r}. Convert it to WAV.")
    wav_format: WavFormat | None = None
    long_size = 0
    while len(head := stream.read_exactly(8)) == 8:
        name, size = struct.unpack(order + "4sI", head)
        if name == b"data" and wav_format is not None:
            size = long_size if size == 0xFFFFFFFF and long_size else size
            return WavHeader(wav_format, order, stream.position, size)
        if name == b"data":
            raise AudioError("the WAV does not state its sample format (no fmt chunk). Record it again.")
        if name == b"ds64":
            content = stream.read_chunk(size)
            long_size = int.from_bytes(content[8:16], "little")
        elif name == b"fmt ":
            wav_format = parse_format(stream.read_chunk(size), order)
        else:
            stream.skip(size)
        skip_padding(stream, size)
    raise AudioError("the WAV ends inside its header, before any sample. Record it again.")


def skip_padding(stream: ForwardReader, size: int) -> None:
    """Skip the byte that pads a chunk of odd size, unless the program left it out."""
    if size % 2:
        byte = stream.read_exactly(1)
        if byte.isalnum():
            stream.give_back(byte)


def starts_chunk(head: bytes, order: str, rest: int | None) -> bool:
    """Return whether the 8 bytes after the stated samples start a chunk. If not, they are samples.

    Args:
        head: The bytes.
        order: Byte order: "<" or ">".
        rest: Bytes after them. None for a pipe.
    """
    if len(head) < 8 or not all(0x20 <= byte < 0x7F for byte in head[:4]):
        return False
    size: int = struct.unpack(order + "I", head[4:])[0]
    return size <= (_MAX_CHUNK_AFTER if rest is None else rest)


def plausible_size(size: int, present: int | None) -> int | None:
    """Return the stated size of the samples. None if it is zero, or a placeholder beyond the end.

    Args:
        size: The stated bytes.
        present: The bytes that are present. None for a pipe.
    """
    beyond = present is None or size > present
    known = size < _PLACEHOLDER_BYTES and size % _ROUND_BYTES and (size + 36) % _ROUND_BYTES
    return None if size == 0 or (beyond and not known) else size


def missing_bytes(size: int, present: int) -> str | None:
    """Describe the samples that are missing at the end. None if there are none.

    Args:
        size: The stated bytes.
        present: The bytes that are present.
    """
    stated = plausible_size(size, present)
    if stated is None or stated <= present + SLACK_BYTES:
        return None
    return f"the header states {size} bytes, but {present} are present"


def parse_format(body: bytes, order: str) -> WavFormat:
    """Parse a fmt chunk.

    Raises:
        AudioError: It states 0 channels.
    """
    tag, channels, sample_rate, _, frame_bytes, bits = struct.unpack(
        order + "HHIIHH", body[:16].ljust(16, b"\0")
    )
    if tag == _EXTENSIBLE and len(body) >= 26:
        (tag,) = struct.unpack(order + "H", body[24:26])
    if channels == 0:
        raise AudioError("the WAV states 0 channels. Record it again.")
    # 12 or 20 bits are stored in the high bits of 16 or 24. The frame size, which some
    # programs state wrongly, is used only to detect 24 bits in 4 bytes.
    width = -(-bits // 8) * 8
    if frame_bytes == channels * 4 and bits == 24 and tag == 1:
        width = 32
    return WavFormat(sample_rate, channels, tag, bits, _ENCODINGS.get((tag, width)))
