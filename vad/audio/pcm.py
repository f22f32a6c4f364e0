"""Uncompressed samples, WAV or raw, from a file, or from a pipe as they arrive."""

import os
import struct
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from vad.audio.raw_format import ENCODINGS, RawFormat
from vad.audio.riff import (
    FORMS,
    SLACK_BYTES,
    ForwardReader,
    WavHeader,
    parse_format,
    plausible_size,
    skip_padding,
    starts_chunk,
)
from vad.audio.samples import Samples, as_float32
from vad.audio.unreadable import cut_off
from vad.errors import AudioError

__all__ = ["PcmDecoder", "check_headerless", "open_pcm"]

_HEADERS = (*FORMS, b"fLaC", b"OggS", b"FORM", b"ID3")
_DTYPES = {"u8": "u1", "s16le": "<i2", "s32le": "<i4", "f32le": "<f4", "f64le": "<f8"}


def open_pcm(stream: IO[bytes], name: str, layout: RawFormat | WavHeader) -> "PcmDecoder":
    """Open a file of uncompressed samples.

    Args:
        stream: A binary stream that can seek.
        name: The recording's name in messages.
        layout: The format of samples without a header, or the WAV header.
    """
    start = layout.start if isinstance(layout, WavHeader) else 0
    present = stream.seek(0, os.SEEK_END) - start
    stream.seek(start)
    return PcmDecoder(ForwardReader(stream.read), name, layout, present)


def check_headerless(head: bytes, name: str) -> None:
    """Check that raw samples do not begin with the header of a file format.

    Raises:
        AudioError: They do.
    """
    if head.startswith(_HEADERS):
        raise AudioError(
            f"{name}: raw samples must have no header. Received: one ({head[:4].decode()}). "
            "Leave out the sample rate."
        )


class PcmDecoder:
    """Uncompressed samples; see `vad.audio.decoding.Decoder`.

    Args:
        stream: At the first sample.
        name: The recording's name in messages.
        layout: The format of samples without a header, or the WAV header.
        present: Bytes of samples that are present. None for a pipe.

    Raises:
        AudioError: They are compressed.
    """

    def __init__(
        self, stream: ForwardReader, name: str, layout: RawFormat | WavHeader, present: int | None = None
    ):
        self._header = layout if isinstance(layout, WavHeader) else None
        sample_format = layout.format if isinstance(layout, WavHeader) else layout
        if sample_format.encoding is None:
            raise AudioError(
                "a WAV stream must have integers of 8, 16, 24 or 32 bits, floats of 32 or 64 bits, A-law or mu-law. "
                f"Received: format {sample_format.tag} of {sample_format.bits} bits. "
                "Convert it: ffmpeg -i - -f wav -c:a pcm_s16le -."
            )
        self._stream = stream
        self.name = name
        self._order = self._header.order if self._header else "<"
        self._end = None if present is None else stream.position + present
        self.sample_rate = sample_format.sample_rate
        self.channels = sample_format.channels
        self.subtype, width = ENCODINGS.get(sample_format.encoding, ("DOUBLE", 8))
        self._decode = _decoder(sample_format.encoding, self._order)
        self._frame_bytes = self.channels * width
        self._stated = plausible_size(self._header.size, present) if self._header else None
        size = present if self._stated is None else self._stated
        self.frames = None if size is None else size // self._frame_bytes
        self._missing = 0  # stated bytes that are not present
        self._other_format_follows = False

    def blocks(self, block_length: int) -> Iterator[Samples]:
        """Yield blocks of at most `block_length` samples [shape=(samples, channels)].

        Raises:
            AudioError: The samples end before the stated length, or a raw file ends inside a sample.
        """
        frames = 0
        pending = b""
        for arrived in self._contents(block_length * self._frame_bytes):
            pending += arrived
            whole = len(pending) // self._frame_bytes
            if whole:
                frames += whole
                yield as_float32(
                    self._decode(pending[: whole * self._frame_bytes]).reshape(-1, self.channels)
                )
            pending = pending[whole * self._frame_bytes :]
        self._check_end(frames / self.sample_rate, len(pending))

    def _check_end(self, seconds: float, left_over: int) -> None:
        """Raise an AudioError if samples are missing or were left out."""
        if self._missing > SLACK_BYTES:
            stated_s = seconds + self._missing / self._frame_bytes / self.sample_rate
            raise cut_off(self.name, seconds, stated_s, "the file ends there")
        if self._other_format_follows:
            raise cut_off(self.name, seconds, None, "a WAV of another format is joined to it there")
        if left_over and self._header is None and self._end is not None:
            reason = f"{left_over} bytes left over after frames of {self._frame_bytes} bytes"
            raise cut_off(self.name, seconds, None, reason)

    def _contents(self, count: int) -> Iterator[bytes]:
        """Yield the bytes of the samples, at most `count` at once."""
        left = self._stated
        if self._header is not None and self._header.size == 0:
            left = self._next_data()
        while left != 0:
            content = self._stream.read(count if left is None else min(count, left))
            if not content:
                self._missing = left or 0
                return
            yield content
            if left is not None:
                left = left - len(content) or self._next_data()

    def _next_data(self) -> int | None:
        """Skip to samples after the stated ones. Return their bytes: 0 if there are none, None for all that follow."""
        if self._header is None:
            return 0
        skip_padding(self._stream, self._header.size)
        while True:
            head = self._stream.read_exactly(8)
            if len(head) < 8 or head.startswith(b"TAG"):
                return 0
            if head[:4] in FORMS:  # another WAV is joined to this one
                self._stream.skip(4)
                continue
            rest = None if self._end is None else self._end - self._stream.position
            if not starts_chunk(head, self._order, rest):
                self._stream.give_back(head)
                return None
            size: int = struct.unpack(self._order + "I", head[4:])[0]
            if head.startswith(b"data"):
                return plausible_size(size, rest)
            if head.startswith(b"fmt "):
                following = parse_format(self._stream.read_chunk(size), self._order)
                self._other_format_follows = following != self._header.format
                if self._other_format_follows:
                    return 0
            else:
                self._stream.skip(size)
            skip_padding(self._stream, size)


def _decoder(encoding: str, order: str) -> Callable[[bytes], npt.NDArray[Any]]:
    """Return the function that converts bytes of an encoding to samples."""
    if encoding in ("alaw", "mulaw"):
        table = _table(encoding)
        return lambda content: table[np.frombuffer(content, np.uint8)]
    if encoding == "s24le":
        padding = 1 if order == "<" else 0

        def widened(content: bytes) -> npt.NDArray[Any]:
            padded = np.zeros((len(content) // 3, 4), np.uint8)
            padded[:, padding : padding + 3] = np.frombuffer(content, np.uint8).reshape(-1, 3)
            return padded.view(order + "i4")

        return widened
    dtype = np.dtype(_DTYPES[encoding]).newbyteorder(order)  # type: ignore[arg-type]
    return lambda content: np.frombuffer(content, dtype)


def _table(encoding: str) -> npt.NDArray[np.float32]:
    """Return the sample of each byte of A-law or mu-law. [shape=(256,)]."""
    import soundfile

    subtype, _ = ENCODINGS[encoding]
    all_bytes = BytesIO(bytes(range(256)))
    samples, _ = soundfile.read(
        all_bytes, format="RAW", subtype=subtype, samplerate=8000, channels=1, dtype="float32"
    )
    return np.asarray(samples, np.float32)
