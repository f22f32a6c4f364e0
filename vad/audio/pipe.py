"""Samples from a pipe as they arrive: `arecord -t wav | vad listen -`, `ffmpeg ... -f wav - | vad listen -`.

A file or a finished pipe is read by `vad.audio.reading`, which knows every format but needs to have it whole.
"""

import struct
from collections.abc import Iterator
from io import BufferedReader, BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from vad.audio.decoding import ENCODINGS, HEADERS, RawFormat
from vad.errors import AudioError

__all__ = ["PcmStream"]

_DTYPES = {"u8": "u1", "s16le": "<i2", "s32le": "<i4", "f32le": "<f4"}
_WAV_ENCODINGS = {
    (1, 8): "u8",
    (1, 16): "s16le",
    (1, 24): "s24le",
    (1, 32): "s32le",
    (3, 32): "f32le",
    (6, 8): "alaw",
    (7, 8): "mulaw",
}
"""By format tag and bits of a sample."""
_EXTENSIBLE = 0xFFFE
# A program that writes into a pipe cannot know the length and puts 0 or a number near 2 or 4 GiB.
_PLACEHOLDER_BYTES = 0x7FFF0000
_LONGEST_CHUNK = 1 << 20  # of a header: tags, cue points


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
        self._stream = stream
        self._left: float = np.inf  # bytes of samples still to come
        start = stream.read(4)
        if raw is not None and start.startswith(HEADERS):
            raise AudioError(
                f"raw samples must have no header. Received: one ({start.decode()}). Pipe WAV and leave out its rate."
            )
        if start == b"RIFF":
            raw = self._read_header()
            start = b""
        elif raw is None:
            raise AudioError(
                f"stdin must be a WAV stream, or raw samples of a --sample-rate. Received: {start!r} at its "
                "beginning."
            )
        self.sample_rate = raw.sample_rate
        self.channels = raw.channels
        self._encoding = raw.encoding
        self._frame_bytes = raw.channels * ENCODINGS[raw.encoding][1]
        self._carried = start  # bytes that are no whole frame yet
        self._block_bytes = max(1, round(block_duration * self.sample_rate)) * self._frame_bytes
        self._table = _table(raw.encoding) if raw.encoding in ("alaw", "mulaw") else None

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        """Give what has arrived [shape=(samples, channels)]; a last partial sample is dropped."""
        while True:
            wanted = int(min(self._block_bytes, self._left))
            arrived = self._stream.read1(wanted) if wanted else b""
            self._left -= len(arrived)
            pending = self._carried + arrived
            whole = len(pending) // self._frame_bytes * self._frame_bytes
            self._carried = pending[whole:]
            if whole:
                yield self._decode(pending[:whole]).reshape(-1, self.channels)
            if not arrived:
                return

    def _decode(self, content: bytes) -> npt.NDArray[Any]:
        if self._table is not None:
            return self._table[np.frombuffer(content, np.uint8)]
        if self._encoding == "s24le":
            padded = np.zeros((len(content) // 3, 4), np.uint8)
            padded[:, 1:] = np.frombuffer(content, np.uint8).reshape(-1, 3)
            return padded.view("<i4")
        return np.frombuffer(content, _DTYPES[self._encoding])

    def _read_header(self) -> RawFormat:
        """Read a RIFF header up to the first sample."""
        self._exactly(4)  # the length of all, which a pipe cannot know
        form = self._exactly(4)
        if form != b"WAVE":
            raise AudioError(f"a RIFF stream must be WAVE. Received: {form!r}. Convert it to WAV.")
        found: RawFormat | None = None
        while True:
            name, length = struct.unpack("<4sI", self._exactly(8))
            if name == b"data" and found is not None:
                if 0 < length < _PLACEHOLDER_BYTES:
                    self._left = length
                return found
            if name == b"data" or length > _LONGEST_CHUNK:
                raise AudioError(
                    "a WAV stream must say its format before its samples. "
                    f"Received: {name!r} of {length} bytes. Record it again, or convert it to WAV."
                )
            body = self._exactly(length + length % 2)
            if name == b"fmt ":
                found = _format(body)

    def _exactly(self, count: int) -> bytes:
        body = self._stream.read(count)
        if len(body) < count:
            raise AudioError(
                "a WAV stream must have a header and samples. Received: its end inside the header."
            )
        return body


def _table(encoding: str) -> npt.NDArray[np.float32]:
    """What each byte of an encoding by bytes stands for. [shape=(256,)]."""
    subtype, _ = ENCODINGS[encoding]
    every = BytesIO(bytes(range(256)))
    samples, _ = soundfile.read(
        every, format="RAW", subtype=subtype, samplerate=8000, channels=1, dtype="float32"
    )
    return np.asarray(samples, np.float32)


def _format(body: bytes) -> RawFormat:
    """What a WAV header's format chunk says."""
    tag, channels, sample_rate, _, _, bits = struct.unpack("<HHIIHH", body[:16].ljust(16, b"\0"))
    if tag == _EXTENSIBLE and len(body) >= 26:
        (tag,) = struct.unpack("<H", body[24:26])
    if (tag, bits) not in _WAV_ENCODINGS:
        raise AudioError(
            "a WAV stream must be of 8, 16, 24 or 32 bit integers, 32 bit floats, A-law or mu-law. "
            f"Received: format {tag} of {bits} bits. Convert it: ffmpeg -i - -f wav -c:a pcm_s16le -."
        )
    return RawFormat(sample_rate, channels, _WAV_ENCODINGS[tag, bits])
