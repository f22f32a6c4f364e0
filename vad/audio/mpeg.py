"""MPEG audio (mp3, mp2) to its last frame, stated or not, one recording or several joined; see `vad.audio.mpeg_frames`.

libsndfile decodes what `MpegFrames` gives it. Considered as decoders: miniaudio's dr_mp3 (1.6 MB; no wheels for Linux
on ARM; it stops where the first of two joined files ends, and drops frames after damage), PyAV (104 MB), and the
mpg123 package (needs a library of the system). libsndfile is there already.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import IO, TypeAlias

import numpy as np
import numpy.typing as npt

from vad.audio.libsndfile import RefusedError, cut_off, open_soundfile, read_blocks
from vad.audio.mpeg_frames import Frame, Gap, MpegFrames
from vad.audio.resampling import conform
from vad.errors import AudioError

__all__ = ["MpegDecoder"]

Block: TypeAlias = npt.NDArray[np.float32]

_END = 1 << 40  # bytes; where libsndfile thinks a recording ends whose length it shall not guess
_HELD = 1 << 18  # bytes that it may go back, while it opens a recording
_TOLERATED_GAP = 2881  # bytes: twice the largest frame, for a live recording begins and ends within one


class MpegDecoder:
    """MPEG audio from where a stream stands; see `vad.audio.decoding.Decoder`.

    Args:
        stream: A binary stream.
        name: What messages call it.
        length: Bytes that belong to it; None reads to the end.

    Raises:
        RefusedError: There is no frame in it.
    """

    subtype = "MPEG_LAYER_III"

    def __init__(self, stream: IO[bytes], name: str, length: int | None = None):
        self.name = name
        self._gaps: list[tuple[float, int]] = []
        self._seconds = 0.0
        self._stopped: str | None = None
        self._frames = MpegFrames(stream.read if length is None else _limited(stream, length))
        self._walk = self._sound()
        first = next(self._walk, None)
        if first is None:
            raise RefusedError("no MPEG frame in it")
        self._walk = itertools.chain([first], self._walk)
        self.sample_rate: int = first.header.sample_rate
        self.channels: int = first.header.channels
        self._statement = self._frames.statement
        self.frames: int | None = None
        if self._statement is not None and self._statement.frames:
            self._stated = self._statement.frames * first.header.samples
            self.frames = max(0, self._stated - self._statement.delay - self._statement.padding)

    def blocks(self, block_length: int) -> Iterator[Block]:
        """Yield blocks of about `block_length` samples [shape=(samples, channels)].

        Raises:
            AudioError: Bytes were left out, or frames that the first one promises are not there.
        """
        given = 0
        for block in conform(self._trimmed(block_length), self.sample_rate, self.channels):
            given += len(block)
            yield block
        heard_s = given / self.sample_rate
        if self._stopped is not None:
            raise cut_off(self.name, heard_s, None, self._stopped)
        if self.frames is not None and given < self.frames - self.sample_rate // 20:
            raise cut_off(self.name, heard_s, self.frames / self.sample_rate, "the file ends there")
        left_out = sum(size for _, size in self._gaps)
        if left_out > _TOLERATED_GAP:
            at, _ = max(self._gaps, key=lambda gap: gap[1])
            raise AudioError(
                f"{self.name}: {left_out} bytes, most of them at {at:.2f} s, are no MPEG audio and were left out. "
                "Results cover the rest, without a pause for them."
            )

    def _sound(self) -> Iterator[Frame]:
        """Give the frames, and note the gaps."""
        for part in self._frames:
            if isinstance(part, Gap):
                self._gaps.append((self._seconds, part.size))
            else:
                self._seconds += part.header.samples / part.header.sample_rate
                yield part

    def _trimmed(self, block_length: int) -> Iterator[tuple[int, Block]]:
        """Leave out what the encoder says that it added at both ends."""
        statement = self._statement
        skip = statement.delay if statement else 0
        # Behind the promised end lies another recording, or none of the padding was said of.
        end = self._stated - statement.padding if statement and self.frames else None
        padding_after = 0 if end is None else self._stated
        position = 0
        held: list[tuple[int, Block]] = []  # of the padding, until it is known to be the end
        for rate, block in self._decoded(block_length):
            start, position = position, position + len(block)
            if end is not None and position > padding_after:
                yield from held
                held, end = [], None
            if end is not None and position > end:
                held.append((rate, block[max(0, end - start) :]))
                block = block[: max(0, end - start)]
            yield rate, block[max(0, skip - start) :]

    def _decoded(self, block_length: int) -> Iterator[tuple[int, Block]]:
        """Decode run after run of frames that share a rate and channels."""
        runs = itertools.groupby(
            self._walk, key=lambda frame: (frame.header.sample_rate, frame.header.channels)
        )
        for (sample_rate, _), frames in runs:
            try:
                with open_soundfile(_Fed(frame.content for frame in frames)) as file:
                    for block in read_blocks(file, block_length):
                        yield sample_rate, block
            except RefusedError as error:
                self._stopped = str(error)
                return


def _limited(stream: IO[bytes], length: int) -> Callable[[int], bytes]:
    left = length

    def read(count: int) -> bytes:
        nonlocal left
        content = stream.read(min(count, left))
        left -= len(content)
        return content

    return read


class _Fed:
    """Pieces of bytes as a file of which nobody knows the end."""

    def __init__(self, pieces: Iterator[bytes]):
        self._pieces = pieces
        self._held = bytearray()
        self._start = 0  # where in the file they lie
        self._position = 0

    def read(self, count: int) -> bytes:
        if self._position > _END // 2:
            return bytes(count)  # libmpg123 looks for a tag at the end
        while self._position + count > self._start + len(self._held):
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._held += piece
        at = self._position - self._start
        content = bytes(self._held[at : at + count])
        self._position += len(content)
        excess = self._position - self._start - _HELD
        if excess > _HELD:
            del self._held[:excess]
            self._start += excess
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        self._position = (0, self._position, _END)[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position
