"""The frames of MPEG audio (mp3, mp2), without tags, gaps and stated lengths.

libsndfile estimates the length of an MP3 that does not state it from its first frames, and stops there. If two are
joined, it stops at the end of the first. Given frames alone, it decodes to the end, and libmpg123, which it uses,
rarely writes to stderr.

The frame header and the side information follow ISO/IEC 11172-3, 2.4.1, and 13818-3. The info frame ("Xing", "Info",
"VBRI"), which states the length, and its encoder delay follow LAME.
"""

import functools
import io
import itertools
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Frame", "Gap", "Header", "MpegFrames", "StreamInfo", "is_mpeg", "starts_with_frames"]

_BITRATES = {  # in kbit/s, by (MPEG-1 or not, layer)
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = (44100, 48000, 32000)
_MAX_FREE_FRAME = 4096
_READ_BYTES = 1 << 16
_LOOKAHEAD_BYTES = 8192  # more than a frame and the next header
_TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN")
_DECODER_DELAY = 529  # samples


@dataclass(frozen=True)
class Header:
    """The header of a frame.

    Attributes:
        sample_rate: In Hz.
        channels: 1 or 2.
        samples: Samples per channel in the frame.
        size: Bytes of the frame. None in free format, where the position of the next frame determines it.
        side: Position of the side information in the frame. Empty in layers 1 and 2.
        main_data_bits: Bits of `main_data_begin` in the side information: how many bytes before the frame its data
            begin. 0 in layers 1 and 2.
    """

    sample_rate: int
    channels: int
    samples: int
    size: int | None
    side: slice
    main_data_bits: int


class Frame(NamedTuple):
    """A frame that can be decoded."""

    content: bytes
    header: Header


@dataclass(frozen=True)
class Gap:
    """A run of `size` bytes that are neither frames nor tags."""

    size: int


@dataclass(frozen=True)
class StreamInfo:
    """What an info frame states.

    Attributes:
        frames: How many frames follow. None if it is not stated.
        delay: Samples to remove at the beginning.
        padding: Samples to remove at the end.
    """

    frames: int | None
    delay: int = 0
    padding: int = 0


def is_mpeg(head: bytes) -> bool:
    """Return whether the first bytes of a recording can be MPEG audio."""
    return _parse_header(head[:4]) is not None


def starts_with_frames(content: bytes) -> bool:
    """Return whether MPEG audio begins soon in the first bytes, as in a recording cut out of a stream.

    Nothing is between its first frames. In a container (ts, flv, avi), headers are.
    """
    items = MpegFrames(io.BytesIO(content).read)
    first, *others = [*itertools.islice(items, 9)] or [Gap(0)]
    if isinstance(first, Gap) and first.size > len(content) // 4:
        return False
    return len(others) == 8 and all(isinstance(item, Frame) for item in others)


@functools.lru_cache(maxsize=4096)
def _parse_header(four: bytes) -> Header | None:
    """Parse a frame header. None if it is not one."""
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
        read: Returns at most the given number of bytes, and none at the end.

    Attributes:
        info: The first info frame, once the first frame was given. None if there is none.
    """

    def __init__(self, read: Callable[[int], bytes]):
        self._read = read
        self._bytes = b""
        self._at = 0  # position in `_bytes`
        self._passed = 0  # bytes before `_bytes`
        self._free_frame_size = 0
        self.info: StreamInfo | None = None

    def __iter__(self) -> Iterator[Frame | Gap]:
        """Iterate over the frames and the gaps between them."""
        reservoir = 0  # bytes of earlier frames that the next one may use
        first = True
        gap: int | None = None  # its start
        while self._has(_LOOKAHEAD_BYTES) or len(self._bytes) - self._at >= 4:
            tag = self._tag()
            frame = None if tag else self._frame(locked=gap is None and not first)
            if not tag and frame is None:
                gap = self._passed + self._at if gap is None else gap
                self._next_sync()
                reservoir = 0
                continue
            if gap is not None:
                yield Gap(self._passed + self._at - (len(frame.content) if frame else 0) - gap)
                gap = None
            if frame is None:
                self._skip(tag)
                continue
            info = _parse_info(frame)
            if first:
                self.info = info
            first = False
            if info is not None:  # also of a joined recording
                continue
            frame, reservoir = _with_reservoir(frame, reservoir)
            yield frame
        if gap is not None:
            yield Gap(self._passed + len(self._bytes) - gap)

    def _has(self, count: int) -> bool:
        """Read until `count` bytes are available. Return whether they are."""
        while len(self._bytes) - self._at < count:
            more = self._read(max(_READ_BYTES, count))
            if not more:
                return False
            self._passed += self._at
            self._bytes = self._bytes[self._at :] + more
            self._at = 0
        return True

    def _peek(self, count: int) -> bytes:
        self._has(count)
        return self._bytes[self._at : self._at + count]

    def _skip(self, count: int) -> None:
        while count > 0 and self._has(1):
            step = min(count, len(self._bytes) - self._at)
            self._at += step
            count -= step

    def _tag(self) -> int:
        """Return the size of the tag that begins here, in bytes. 0 if there is none."""
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
            return size + 32 if flags & 0x20000000 else 32  # a footer alone; its items came before
        if head.startswith(b"LYRICSBEGIN"):
            end = self._peek(_READ_BYTES).find(b"LYRICS200")
            return end + 9 if end >= 0 else 11
        return len(head) - len(head.lstrip(b"\0"))  # zeros are padding

    def _frame(self, *, locked: bool) -> Frame | None:
        """Read the frame that begins here. None if there is none, or if no frame, tag or end follows it."""
        buffer, at = self._bytes, self._at
        header = _parse_header(buffer[at : at + 4])
        if header is None:
            return None
        size = header.size or self._free_size(header)
        if size is None or at + size > len(buffer):
            return None
        end = at + size
        follows = _parse_header(buffer[end : end + 4])
        if follows is None:
            after = buffer[end : end + 11]
            if after.strip(b"\0") and not after.startswith(_TAGS):
                return None
        elif not locked and follows.sample_rate != header.sample_rate:
            return None
        self._at = end
        return Frame(buffer[at:end], header)

    def _free_size(self, header: Header) -> int | None:
        """Return the size of a frame in free format, from the position of the next one."""
        padding = self._bytes[self._at + 2] >> 1 & 1
        if not self._free_frame_size:
            window = self._peek(_MAX_FREE_FRAME)
            start = window[:2] + bytes([window[2] & 0xFD])
            for at in range(24, len(window) - 3):
                if window[at : at + 2] == start[:2] and window[at + 2] & 0xFD == start[2]:
                    self._free_frame_size = at - padding
                    break
            else:
                return None
        return self._free_frame_size + padding

    def _next_sync(self) -> None:
        at = self._bytes.find(b"\xff", self._at + 1)
        self._at = len(self._bytes) if at < 0 else at


def _with_reservoir(frame: Frame, reservoir: int) -> tuple[Frame, int]:
    """Silence a layer 3 frame whose data begin in missing frames. Also return the reservoir for the next frame."""
    header = frame.header
    if not header.main_data_bits:
        return frame, 0
    content = frame.content
    start, end = header.side.start, header.side.stop
    needed = (content[start] << 8 | content[start + 1]) >> 16 - header.main_data_bits
    available = min(511, reservoir + len(content) - end)
    if needed <= reservoir:
        return frame, available
    return Frame(content[:start] + bytes(end - start) + content[end:], header), available


def _parse_info(frame: Frame) -> StreamInfo | None:
    """Parse an info frame. None if it is a frame of audio."""
    content = frame.content
    at = frame.header.side.stop
    if content.startswith((b"Xing", b"Info"), at) and at:
        (flags,) = struct.unpack(">I", content[at + 4 : at + 8])
        frames = int.from_bytes(content[at + 8 : at + 12], "big") if flags & 1 else None
        lame = at + 8 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
        delays = content[lame + 21 : lame + 24]
        if len(delays) < 3 or not any(delays):
            return StreamInfo(frames)
        delay, padding = delays[0] << 4 | delays[1] >> 4, (delays[1] & 15) << 8 | delays[2]
        return StreamInfo(frames, delay + _DECODER_DELAY, max(0, padding - _DECODER_DELAY))
    if content.startswith(b"VBRI", 36):
        return StreamInfo(int.from_bytes(content[50:54], "big"))
    return None
