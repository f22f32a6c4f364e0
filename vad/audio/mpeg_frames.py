"""MPEG audio (mp3, mp2): its frames one by one, whatever lies between them.

libsndfile takes the length of an MP3 that does not state it from the rate of its first frames, and stops there; where
two are joined, at the end of the first. Here the bytes are walked frame by frame to their end, and it is given frames
alone: no tags, no statement of a length, nothing between the frames. So it decodes to the end, what is no frame is
known with its place, and libmpg123 in it has next to nothing to say on stderr.

The frame header and the side information are those of ISO/IEC 11172-3, 2.4.1, and 13818-3; the statement of the
length ("Xing", "Info", "VBRI") and the silence to cut off are LAME's, as all encoders write them.
"""

import functools
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Frame", "Gap", "Header", "MpegFrames", "Statement", "is_mpeg", "starts_with_frames"]

_BITRATES = {  # in kbit/s, by whether it is MPEG-1, and the layer
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = (44100, 48000, 32000)
_LARGEST_FREE_FRAME = 4096
_PIECE = 1 << 16
_AHEAD = 8192  # bytes that are held, so that a frame and what follows it are there
_TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN")
_DECODER_DELAY = 529  # samples by which every decoder is late


@dataclass(frozen=True)
class Header:
    """What the four bytes before a frame say.

    Attributes:
        sample_rate: In Hz.
        channels: 1 or 2.
        samples: A channel, in the frame.
        size: Bytes of the frame; None in free format, where it shows at the next frame.
        side: Where the side information lies, from the frame's beginning; empty but in layer 3.
        first_bits: Of the side information, how many say where the frame's data begin in those before.
    """

    sample_rate: int
    channels: int
    samples: int
    size: int | None
    side: slice
    first_bits: int


class Frame(NamedTuple):
    """A frame that can be decoded."""

    content: bytes
    header: Header


@dataclass(frozen=True)
class Gap:
    """Bytes between the frames that are neither frames nor tags."""

    start: int
    size: int


@dataclass(frozen=True)
class Statement:
    """What the first frame says of all others.

    Attributes:
        frames: How many follow; None where it does not say.
        delay: Samples to leave out at the beginning.
        padding: Samples to leave out at the end.
    """

    frames: int | None
    delay: int = 0
    padding: int = 0


def is_mpeg(head: bytes) -> bool:
    """Tell by its first bytes whether a recording may be MPEG audio."""
    return _parse_header(head[:4]) is not None


def starts_with_frames(read: Callable[[int], bytes]) -> bool:
    """Tell whether MPEG audio begins in the first bytes, after something else: a recording cut out of a stream."""
    content = read(_PIECE)
    pieces = iter((content,))
    parts = list(MpegFrames(lambda _: next(pieces, b"")))
    frames = sum(isinstance(part, Frame) for part in parts)
    left_out = sum(part.size for part in parts if isinstance(part, Gap))
    return frames >= 8 and left_out < len(content) // 4


@functools.lru_cache(maxsize=4096)
def _parse_header(four: bytes) -> Header | None:
    """Read a frame header; None where it is none."""
    if len(four) < 4 or four[0] != 0xFF or four[1] & 0xE0 != 0xE0:
        return None
    version, layer = four[1] >> 3 & 3, 4 - (four[1] >> 1 & 3)
    bitrate_index, rate_index, padding = four[2] >> 4, four[2] >> 2 & 3, four[2] >> 1 & 1
    if version == 1 or layer == 4 or bitrate_index == 15 or rate_index == 3:
        return None
    first = version == 3
    rate = _RATES[rate_index] >> {3: 0, 2: 1, 0: 2}[version]
    channels = 1 if four[3] >> 6 == 3 else 2
    samples = {1: 384, 2: 1152, 3: 1152 if first else 576}[layer]
    unit = 4 if layer == 1 else 1
    bitrate = _BITRATES[first, layer][bitrate_index] * 1000
    size = (samples // 8 // unit * bitrate // rate + padding) * unit if bitrate else None
    if layer != 3:
        return Header(rate, channels, samples, size, slice(0, 0), 0)
    begin = 4 if four[1] & 1 else 6
    length = (17 if channels == 1 else 32) if first else (9 if channels == 1 else 17)
    return Header(rate, channels, samples, size, slice(begin, begin + length), 9 if first else 8)


class MpegFrames:
    """The frames of MPEG audio, in order, once.

    Args:
        read: Gives at most so many of the next bytes, and none at the end.

    Attributes:
        statement: What it says of its length, once the first frame was given; None where it does not.
    """

    def __init__(self, read: Callable[[int], bytes]):
        self._read = read
        self._bytes = b""
        self._at = 0  # of the next one in those that are held
        self._passed = 0  # bytes that are no longer held
        self._size = 0  # of a frame in free format
        self.statement: Statement | None = None

    def __iter__(self) -> Iterator[Frame | Gap]:
        """Give the frames, and what lies between them."""
        reservoir = 0  # bytes of data that the frames before have left
        first = True
        gap: int | None = None  # where it began
        while self._has(_AHEAD) or len(self._bytes) - self._at >= 4:
            tag = self._tag()
            frame = None if tag else self._frame(locked=gap is None and not first)
            if not tag and frame is None:
                gap = self._passed + self._at if gap is None else gap
                self._next_sync()
                reservoir = 0
                continue
            if gap is not None:
                yield Gap(gap, self._passed + self._at - (len(frame.content) if frame else 0) - gap)
                gap = None
            if frame is None:
                self._skip(tag)
                continue
            statement = _statement(frame)
            if first:
                self.statement = statement
            first = False
            if statement is not None:  # also of a recording that is joined to the first
                continue
            frame, reservoir = _with_reservoir(frame, reservoir)
            yield frame
        if gap is not None:
            yield Gap(gap, self._passed + len(self._bytes) - gap)

    def _has(self, count: int) -> bool:
        """Hold so many of the next bytes, where there are."""
        while len(self._bytes) - self._at < count:
            more = self._read(max(_PIECE, count))
            if not more:
                return False
            self._passed += self._at
            self._bytes = self._bytes[self._at :] + more
            self._at = 0
        return True

    def _peek(self, count: int, offset: int = 0) -> bytes:
        self._has(offset + count)
        return self._bytes[self._at + offset : self._at + offset + count]

    def _skip(self, count: int) -> None:
        while count > 0 and self._has(1):
            step = min(count, len(self._bytes) - self._at)
            self._at += step
            count -= step

    def _tag(self) -> int:
        """Bytes of the tag that begins here; 0 where none does."""
        first = self._bytes[self._at]
        if first == 0xFF or first not in b"TIAL\0":
            return 0
        head = self._peek(32)
        if head.startswith(b"ID3") and len(head) >= 10 and max(head[6:10]) < 0x80:
            size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
            return 10 + size + (10 if head[5] & 0x10 else 0)
        if head.startswith(b"TAG"):
            return 227 if head.startswith(b"TAG+") else 128
        if head.startswith(b"APETAGEX"):
            size, _, flags = struct.unpack("<III", head[12:24])
            return size + 32 if flags & 0x20000000 else 32  # a footer alone: its items were passed before
        if head.startswith(b"LYRICSBEGIN"):
            end = self._peek(_PIECE).find(b"LYRICS200")
            return end + 9 if end >= 0 else 11
        return len(head) - len(head.lstrip(b"\0"))  # zeros are nobody's data

    def _frame(self, *, locked: bool) -> Frame | None:
        """Take the frame that begins here; None where none does, or its end is somewhere else."""
        held, at = self._bytes, self._at
        header = _parse_header(held[at : at + 4])
        if header is None:
            return None
        size = header.size or self._free_size(header)
        if size is None or at + size > len(held):
            return None
        end = at + size
        follows = _parse_header(held[end : end + 4])
        if follows is None:
            after = held[end : end + 11]
            if after.strip(b"\0") and not after.startswith(_TAGS):
                return None
        elif not locked and follows.sample_rate != header.sample_rate:
            return None
        self._at = end
        return Frame(held[at:end], header)

    def _free_size(self, header: Header) -> int | None:
        """Find where the next frame in free format begins."""
        padding = self._bytes[self._at + 2] >> 1 & 1
        if not self._size:
            window = self._peek(_LARGEST_FREE_FRAME)
            start = window[:2] + bytes([window[2] & 0xFD])
            for at in range(24, len(window) - 3):
                if window[at : at + 2] == start[:2] and window[at + 2] & 0xFD == start[2]:
                    self._size = at - padding
                    break
            else:
                return None
        return self._size + padding

    def _next_sync(self) -> None:
        at = self._bytes.find(b"\xff", self._at + 1)
        self._at = len(self._bytes) if at < 0 else at


def _with_reservoir(frame: Frame, reservoir: int) -> tuple[Frame, int]:
    """Silence a layer 3 frame whose data begin in frames that are not there; say what the next one may use."""
    header = frame.header
    if not header.first_bits:
        return frame, 0
    content = frame.content
    start, end = header.side.start, header.side.stop
    needed = (content[start] << 8 | content[start + 1]) >> 16 - header.first_bits
    held = min(511, reservoir + len(content) - end)
    if needed <= reservoir:
        return frame, held
    return Frame(content[:start] + bytes(end - start) + content[end:], header), held


def _statement(frame: Frame) -> Statement | None:
    """Read what a frame says of the length of all; None where it is a frame of sound."""
    content = frame.content
    at = frame.header.side.stop
    if content.startswith((b"Xing", b"Info"), at) and at:
        (flags,) = struct.unpack(">I", content[at + 4 : at + 8])
        frames = int.from_bytes(content[at + 8 : at + 12], "big") if flags & 1 else None
        lame = at + 8 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
        delays = content[lame + 21 : lame + 24]
        if len(delays) < 3 or not any(delays):
            return Statement(frames)
        delay, padding = delays[0] << 4 | delays[1] >> 4, (delays[1] & 15) << 8 | delays[2]
        return Statement(frames, delay + _DECODER_DELAY, max(0, padding - _DECODER_DELAY))
    if content.startswith(b"VBRI", 36):
        return Statement(int.from_bytes(content[50:54], "big"))
    return None
