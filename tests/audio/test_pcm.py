"""WAV and raw samples from pipes, in pieces of any size."""

import contextlib
import io
import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from vad.audio.decoding import open_decoder
from vad.audio.pipe import Decoder, Pipe, open_arriving
from vad.audio.raw_format import ENCODINGS, RawFormat
from vad.errors import AudioError


class Dribble(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, content: bytes, sizes: Iterator[int]):
        self._content = io.BytesIO(content)
        self._sizes = sizes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = self._content.read(min(next(self._sizes), len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


def pipe(content: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(content))  # type: ignore[arg-type]


def arriving(stream: io.BufferedReader, raw: RawFormat | None = None) -> Decoder:
    decoder = open_arriving(Pipe(stream, "stdin"), "stdin", raw, contextlib.ExitStack())
    assert decoder is not None
    return decoder


def decoded(decoder: Decoder) -> np.ndarray:
    samples = np.concatenate(list(decoder.blocks(480)))
    assert samples.dtype == np.float32
    return samples


def as_int16(samples: np.ndarray) -> np.ndarray:
    return samples * 2**15


def header(tag: int, channels: int, rate: int, bits: int, *, data: int, extra: bytes = b"") -> bytes:
    width = channels * bits // 8
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * width, width, bits)
    return (
        b"RIFF\xff\xff\xff\xffWAVEfmt "
        + struct.pack("<I", len(form))
        + form
        + extra
        + b"data"
        + struct.pack("<I", data)
    )


RAMP = np.arange(-300, 300, dtype="<i2").reshape(-1, 2)


@pytest.mark.parametrize(
    ("subtype", "form"),
    [
        ("PCM_U8", "WAV"),
        ("PCM_16", "WAV"),
        ("PCM_24", "WAV"),
        ("PCM_32", "WAV"),
        ("FLOAT", "WAV"),
        ("ALAW", "WAV"),
        ("ULAW", "WAV"),
        ("PCM_16", "WAVEX"),
        ("PCM_24", "WAVEX"),
        ("FLOAT", "WAVEX"),
    ],
)
def test_a_wav_stream_is_what_libsndfile_reads(tmp_path: Path, subtype: str, form: str) -> None:
    path = tmp_path / "ramp.wav"
    soundfile.write(path, np.linspace(-0.9, 0.9, 3000).reshape(-1, 3), 22050, subtype=subtype, format=form)
    stream = arriving(pipe(path.read_bytes()))
    assert (stream.sample_rate, stream.channels) == (22050, 3)
    np.testing.assert_array_equal(decoded(stream), soundfile.read(path, dtype="float32")[0])


@given(st.lists(st.integers(1, 700), min_size=1), st.booleans())
def test_pieces_of_any_size_give_the_same_samples(sizes: list[int], raw: bool) -> None:
    content = RAMP.tobytes()
    if not raw:
        content = header(1, 2, 16000, 16, data=0, extra=b"LIST" + struct.pack("<I", 3) + b"abc\0") + content

    def forever() -> Iterator[int]:
        while True:
            yield from sizes

    stream = arriving(
        io.BufferedReader(Dribble(content, forever())), RawFormat(16000, 2, "s16le") if raw else None
    )
    assert np.array_equal(as_int16(decoded(stream)), RAMP)


@pytest.mark.parametrize("length", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_an_unknown_length_reads_to_the_end(length: int) -> None:
    stream = arriving(pipe(header(1, 2, 16000, 16, data=length) + RAMP.tobytes()))
    assert np.array_equal(as_int16(decoded(stream)), RAMP)


@pytest.mark.parametrize("form", ["RF64", "RIFX", "ID3", "bext", "LIST"])
def test_pipes_may_have_the_same_headers_as_files(tmp_path: Path, form: str) -> None:
    content = header(1, 2, 16000, 16, data=RAMP.nbytes) + RAMP.tobytes()
    if form == "RF64":
        soundfile.write(tmp_path / "clip.wav", RAMP, 16000, format="RF64", subtype="PCM_16")
        content = (tmp_path / "clip.wav").read_bytes()
        assert content.startswith(b"RF64")
    elif form == "RIFX":
        fields = struct.pack(">HHIIHH", 1, 2, 16000, 64000, 4, 16)
        content = b"RIFX\0\0\0\0WAVEfmt \0\0\0\x10" + fields + b"data" + struct.pack(">I", RAMP.nbytes)
        content += RAMP.astype(">i2").tobytes()
    elif form == "ID3":
        content = b"ID3\4\0\0\0\0\2\0" + bytes(256) + content
    else:
        long = form.encode() + struct.pack("<I", 3_000_001) + bytes(3_000_002)
        content = content[:12] + long + content[12:]
    (tmp_path / "clip.wav").write_bytes(content)
    assert np.array_equal(as_int16(decoded(arriving(pipe(content)))), RAMP)
    with open_decoder(tmp_path / "clip.wav") as decoder:
        assert np.array_equal(as_int16(np.concatenate(list(decoder.blocks(100)))), RAMP)


@pytest.mark.parametrize("stated", [4, 400, 2400])
def test_samples_after_the_stated_ones_are_read(stated: int) -> None:
    """A killed recorder leaves the size of its first block."""
    content = header(1, 2, 16000, 16, data=stated) + np.tile(RAMP, (20, 1)).tobytes()
    assert np.array_equal(as_int16(decoded(arriving(pipe(content)))), np.tile(RAMP, (20, 1)))


def test_a_stream_that_ends_too_early_raises_after_its_last_block() -> None:
    stream = arriving(pipe(header(1, 2, 16000, 16, data=4 * RAMP.nbytes) + RAMP.tobytes())).blocks(480)
    assert np.array_equal(as_int16(next(stream)), RAMP)
    with pytest.raises(AudioError, match=r"stdin: cut off at 0\.02 s of 0\.07 s"):
        next(stream)


def test_chunks_after_the_samples_are_skipped() -> None:
    content = header(1, 2, 16000, 16, data=RAMP.nbytes) + RAMP.tobytes() + b"LIST\x04\0\0\0abcd"
    assert np.array_equal(as_int16(decoded(arriving(pipe(content)))), RAMP)


def test_a_last_half_sample_is_dropped() -> None:
    stream = arriving(pipe(RAMP.tobytes()[:-1]), RawFormat(16000, 2, "s16le"))
    assert np.array_equal(as_int16(decoded(stream)), RAMP[:-1])


def test_a_block_comes_before_the_pipe_ends() -> None:
    read_end, write_end = os.pipe()
    with open(write_end, "wb", buffering=0) as writer, open(read_end, "rb") as reader:
        writer.write(header(1, 1, 16000, 16, data=0) + RAMP.tobytes())
        blocks = arriving(reader).blocks(480)
        timer = threading.Timer(10, writer.close)  # a reader that waits for more would hang
        timer.start()
        first = next(blocks)
        assert timer.is_alive(), "the block came only at the end of the pipe"
        timer.cancel()
    assert 0 < len(first) <= 480


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"RIFF\0\0\0\0WAVEfmt ", "ends inside its header"),
        (b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd", "no fmt chunk"),
        (b"RIFF\0\0\0\0WAVEjunk\xff\xff\xff\x7f", "ends inside its header"),
    ],
)
def test_an_invalid_wav_stream_raises(content: bytes, message: str) -> None:
    with pytest.raises(AudioError, match=message):
        arriving(pipe(content))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_raw_samples_are_what_libsndfile_reads(encoding: str) -> None:
    subtype, width = ENCODINGS[encoding]
    content = np.random.default_rng(0).integers(0, 256, 6 * width * 50, dtype=np.uint8).tobytes()
    if encoding == "f32le":
        content = np.linspace(-1, 1, 300, dtype="<f4").tobytes()
    stream = arriving(pipe(content), RawFormat(8000, 2, encoding))
    raw = {"format": "RAW", "subtype": subtype, "samplerate": 8000, "channels": 2, "endian": "LITTLE"}
    expected, _ = soundfile.read(io.BytesIO(content), dtype="float32", **raw)
    np.testing.assert_array_equal(decoded(stream), expected)


@pytest.mark.parametrize("head", [b"RIFF", b"fLaC", b"OggS", b"ID3\4"])
def test_raw_samples_with_a_header_raise(head: bytes) -> None:
    with pytest.raises(AudioError, match=r"stdin: raw samples must have no header"):
        arriving(pipe(head + bytes(400)), RawFormat(16000))
