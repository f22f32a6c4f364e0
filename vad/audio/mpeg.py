"""MPEG audio (mp3, mp2) to its last frame, including recordings that are joined.

`MpegFrames` finds the frames, and libsndfile decodes them. Other decoders were considered: miniaudio (1.6 MB; no wheels
for Linux on ARM; stops at the end of the first of two joined files; drops frames after damage), PyAV (104 MB) and
mpg123 (needs a system library).
"""

import itertools
from collections.abc import Iterator
from typing import IO

from vad.audio.endless import EndlessFile
from vad.audio.libsndfile import ByteSource, open_soundfile, read_blocks
from vad.audio.mpeg_frames import Frame, Gap, MpegFrames
from vad.audio.resampling import conform
from vad.audio.riff import ForwardReader
from vad.audio.samples import Samples
from vad.audio.unreadable import RefusedError, cut_off
from vad.errors import AudioError

__all__ = ["MpegDecoder"]

_MAX_SILENT_GAP = 2881  # bytes that are not reported: twice the largest frame, for a cut at both ends


class MpegDecoder:
    """MPEG audio; see `vad.audio.decoding.Decoder`.

    Args:
        stream: At the beginning of the audio. It is only read forwards.
        name: The recording's name in messages.

    Raises:
        RefusedError: It contains no frame.
    """

    subtype = "MPEG_LAYER_III"

    def __init__(self, stream: IO[bytes] | ByteSource | ForwardReader, name: str):
        self.name = name
        self._gaps: list[tuple[float, int]] = []
        self._seconds = 0.0
        self._problem: str | None = None
        parser = MpegFrames(stream.read)
        frames = self._without_gaps(parser)
        first = next(frames, None)
        if first is None:
            raise RefusedError("it contains no MPEG frame")
        self._frames = itertools.chain([first], frames)
        self.sample_rate: int = first.header.sample_rate
        self.channels: int = first.header.channels
        self._info = parser.info
        self.frames: int | None = None
        if self._info is not None and self._info.frames:
            self._stated = self._info.frames * first.header.samples
            self.frames = max(0, self._stated - self._info.delay - self._info.padding)

    def blocks(self, block_length: int) -> Iterator[Samples]:
        """Yield blocks of about `block_length` samples [shape=(samples, channels)].

        Raises:
            AudioError: Bytes were skipped, or there are fewer frames than stated.
        """
        decoded = 0
        for block in conform(self._trimmed(block_length), self.sample_rate, self.channels):
            decoded += len(block)
            yield block
        decoded_s = decoded / self.sample_rate
        if self._problem is not None:
            raise cut_off(self.name, decoded_s, None, self._problem)
        if self.frames is not None and decoded < self.frames - self.sample_rate // 20:
            raise cut_off(self.name, decoded_s, self.frames / self.sample_rate, "the file ends there")
        skipped = sum(size for _, size in self._gaps)
        if skipped > _MAX_SILENT_GAP:
            at, _ = max(self._gaps, key=lambda gap: gap[1])
            raise AudioError(
                f"{self.name}: {skipped} bytes, most of them at {at:.2f} s, are not MPEG audio and were skipped. "
                "Results cover the rest, without pauses in their place."
            )

    def _without_gaps(self, parser: MpegFrames) -> Iterator[Frame]:
        """Yield the frames, and record the gaps."""
        for item in parser:
            if isinstance(item, Gap):
                self._gaps.append((self._seconds, item.size))
            else:
                self._seconds += item.header.samples / item.header.sample_rate
                yield item

    def _trimmed(self, block_length: int) -> Iterator[tuple[int, Samples]]:
        """Remove the silence that the encoder states it added at both ends."""
        info = self._info
        delay = info.delay if info else 0
        # Audio after the stated end belongs to a joined recording. Then there is no padding to remove.
        end = self._stated - info.padding if info and self.frames else None
        padding_end = 0 if end is None else self._stated
        position = 0
        padding: list[tuple[int, Samples]] = []  # kept until it is known whether more follows
        for rate, block in self._decoded(block_length):
            start, position = position, position + len(block)
            if end is not None and position > padding_end:
                yield from padding
                padding, end = [], None
            if end is not None and position > end:
                padding.append((rate, block[max(0, end - start) :]))
                block = block[: max(0, end - start)]
            yield rate, block[max(0, delay - start) :]

    def _decoded(self, block_length: int) -> Iterator[tuple[int, Samples]]:
        """Decode runs of frames with the same rate and channels."""
        runs = itertools.groupby(
            self._frames, key=lambda frame: (frame.header.sample_rate, frame.header.channels)
        )
        for (sample_rate, _), frames in runs:
            try:
                with open_soundfile(EndlessFile(frame.content for frame in frames)) as file:
                    for block in read_blocks(file, block_length):
                        yield sample_rate, block
            except RefusedError as error:
                self._problem = str(error)
                return
