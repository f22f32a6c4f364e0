"""Samples that are kept as they are: WAV and raw, of a file or from a pipe as they arrive.

`arecord -t wav | vad listen -`, `ffmpeg ... -f wav - | vad listen -`, and every WAV file that is not compressed.
"""

import os
import struct
from collections.abc import Callable, Iterator
from io import BufferedReader, BytesIO
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import soundfile

from vad.audio.libsndfile import SLACK_BYTES, cut_off
from vad.audio.raw_format import ENCODINGS, RawFormat
from vad.audio.riff import (
    FORMS,
    Forward,
    WavHeader,
    chunk_here,
    format_of,
    read_header,
    skip_id3,
    skip_padding,
    stated_length,
)
from vad.audio.samples import as_float32
from vad.errors import AudioError

__all__ = ["HEADERS", "PcmDecoder", "PcmStream"]

HEADERS = (*FORMS, b"fLaC", b"OggS", b"FORM", b"ID3")
"""What a recording that is no raw samples begins with."""

_DTYPES = {"u8": "u1", "s16le": "<i2", "s32le": "<i4", "f32le": "<f4", "f64le": "<f8"}


class PcmStream:
    """A WAV or raw PCM stream, block by block, none of them waited for longer than it takes to arrive.

    Args:
        stream: A binary stream, such as `sys.stdin.buffer`.
        raw: How the samples lie where there is no WAV header.
        block_duration: Seconds of a block, at most.

    Attributes:
        sample_rate: Samples a second and channel.
        channels: Samples side by side.

    Raises:
        AudioError: There is no WAV header and no `raw`, or both, or it is one of compressed samples.
    """

    def __init__(self, stream: BufferedReader, *, raw: RawFormat | None = None, block_duration: float = 0.03):
        forward = Forward(stream.read1)
        start = forward.exactly(4)
        forward.give_back(start)
        if raw is not None and start.startswith(HEADERS):
            raise AudioError(
                f"raw samples must have no header. Received: one ({start.decode()}). Pipe WAV and leave out its rate."
            )
        header = None
        if start.startswith((*FORMS, b"ID3")):
            skip_id3(forward)
            header = read_header(forward)
        elif raw is None:
            raise AudioError(
                f"stdin must be a WAV stream, or raw samples of a --sample-rate. Received: {start!r} at its "
                "beginning."
            )
        self._samples = _Samples(forward, header or raw, None, "stdin")
        self.sample_rate = self._samples.sample_rate
        self.channels = self._samples.channels
        self._block_length = max(1, round(block_duration * self.sample_rate))

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        """Give what has arrived [shape=(samples, channels)]; a last partial sample is dropped.

        Raises:
            AudioError: The stream ends before its header's promise.
        """
        yield from self._samples.blocks(self._block_length)
        self._samples.check_end()


class PcmDecoder:
    """A file of samples kept as they are; see `vad.audio.decoding.Decoder`.

    Args:
        stream: A binary stream that can seek.
        name: What messages call it.
        layout: How the samples lie, or what the header says.

    Raises:
        AudioError: They are compressed.
    """

    def __init__(self, stream: IO[bytes], name: str, layout: RawFormat | WavHeader):
        self.name = name
        start = layout.start if isinstance(layout, WavHeader) else 0
        present = stream.seek(0, os.SEEK_END) - start
        stream.seek(start)
        self._samples = _Samples(Forward(stream.read), layout, present, name)
        self.sample_rate = self._samples.sample_rate
        self.channels = self._samples.channels
        self.frames = self._samples.frames
        self.subtype = self._samples.subtype

    def blocks(self, block_length: int) -> Iterator[npt.NDArray[np.float32]]:
        """Yield blocks of about `block_length` samples [shape=(samples, channels)].

        Raises:
            AudioError: The file ends before its header's promise, or within a raw sample.
        """
        for block in self._samples.blocks(block_length):
            yield as_float32(block)
        self._samples.check_end()


class _Samples:
    """The samples of a WAV or a raw stream.

    Args:
        stream: Stands at the first sample.
        layout: How they lie.
        present: Bytes that are there; None where nobody knows.
        name: What messages call it.
    """

    def __init__(self, stream: Forward, layout: RawFormat | WavHeader | None, present: int | None, name: str):
        assert layout is not None
        self._header = layout if isinstance(layout, WavHeader) else None
        if layout.encoding is None:
            raise AudioError(
                "a WAV stream must be of 8, 16, 24 or 32 bit integers, 32 or 64 bit floats, A-law or mu-law. "
                f"Received: format {layout.format.tag} of {layout.format.bits} bits. "
                "Convert it: ffmpeg -i - -f wav -c:a pcm_s16le -."
            )
        self._stream = stream
        self._name = name
        self._order = self._header.order if self._header else "<"
        self._end = None if present is None else stream.position + present
        self.sample_rate = layout.sample_rate
        self.channels = layout.channels
        self.subtype, width = ENCODINGS.get(layout.encoding, ("DOUBLE", 8))
        self._decode = _decoder(layout.encoding, self._order)
        self._frame_bytes = self.channels * width
        self._stated = stated_length(self._header.size, present) if self._header else None
        length = present if self._stated is None else self._stated
        self.frames = None if length is None else length // self._frame_bytes
        self._heard = 0
        self._missing = 0  # bytes that a header promised
        self._left = 0  # bytes that are no whole sample
        self._foreign = False  # another format follows

    def blocks(self, block_length: int) -> Iterator[npt.NDArray[Any]]:
        """Yield what has arrived [shape=(samples, channels)], to the end of the bytes."""
        carried = b""
        for arrived in self._contents(block_length * self._frame_bytes):
            pending = carried + arrived
            whole = len(pending) // self._frame_bytes * self._frame_bytes
            carried = pending[whole:]
            if whole:
                self._heard += whole // self._frame_bytes
                yield self._decode(pending[:whole]).reshape(-1, self.channels)
        self._left = len(carried)

    def check_end(self) -> None:
        """Compare what was there with what was promised.

        Raises:
            AudioError: Something was left out.
        """
        heard_s = self._heard / self.sample_rate
        if self._missing > SLACK_BYTES:
            promised_s = heard_s + self._missing / self._frame_bytes / self.sample_rate
            raise cut_off(self._name, heard_s, promised_s, "the file ends there")
        if self._foreign:
            raise cut_off(self._name, heard_s, None, "a WAV of another format is joined to it there")
        if self._left and self._header is None and self._end is not None:
            reason = f"{self._left} bytes left over after frames of {self._frame_bytes} bytes"
            raise cut_off(self._name, heard_s, None, reason)

    def _contents(self, piece: int) -> Iterator[bytes]:
        """Yield the bytes of the samples."""
        left = self._stated
        if self._header is not None and self._header.size == 0:
            left = self._more()
        while left != 0:
            content = self._stream.some(piece if left is None else min(piece, left))
            if not content:
                self._missing = left or 0
                return
            yield content
            if left is not None:
                left = left - len(content) or self._more()

    def _more(self) -> int | None:
        """Pass what follows the samples: 0 at the end, or the bytes of samples that come then; None to the end."""
        if self._header is None:
            return 0
        skip_padding(self._stream, self._header.size)
        while True:
            head = self._stream.exactly(8)
            if len(head) < 8 or head.startswith(b"TAG"):
                return 0
            if head[:4] in FORMS:  # another WAV is joined to this one
                self._stream.skip(4)
                continue
            rest = None if self._end is None else self._end - self._stream.position
            if not chunk_here(head, self._order, rest):
                self._stream.give_back(head)
                return None
            size: int = struct.unpack(self._order + "I", head[4:])[0]
            if head.startswith(b"data"):
                return stated_length(size, rest)
            if head.startswith(b"fmt "):
                self._foreign = format_of(self._stream.exactly(size), self._order) != self._header.format
                if self._foreign:
                    return 0
            else:
                self._stream.skip(size)
            skip_padding(self._stream, size)


def _decoder(encoding: str, order: str) -> Callable[[bytes], npt.NDArray[Any]]:
    """Give what turns the bytes of an encoding into samples."""
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
    if encoding == "s32le":
        return lambda content: np.frombuffer(content, dtype) / 2.0**31  # not mistaken for unscaled int16
    return lambda content: np.frombuffer(content, dtype)


def _table(encoding: str) -> npt.NDArray[np.float32]:
    """What each byte of an encoding by bytes stands for. [shape=(256,)]."""
    subtype, _ = ENCODINGS[encoding]
    every = BytesIO(bytes(range(256)))
    samples, _ = soundfile.read(
        every, format="RAW", subtype=subtype, samplerate=8000, channels=1, dtype="float32"
    )
    return np.asarray(samples, np.float32)
