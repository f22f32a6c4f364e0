"""Recordings of every format become the right samples."""

import io
import os
import struct
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sounds import RATE, Samples, encode_container, noise, tone

from vad.audio.raw_format import RawFormat
from vad.audio.reading import open_audio, read_audio
from vad.errors import AudioError, ConfigError


def pitch(samples: Samples, sample_rate: int = RATE) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * sample_rate / len(samples)


@pytest.mark.parametrize(
    ("name", "options", "error"),
    [
        ("clip.wav", {"subtype": "PCM_16"}, 1e-4),
        ("clip.wav", {"subtype": "PCM_24"}, 1e-6),
        ("clip.wav", {"subtype": "FLOAT"}, 0.0),
        ("clip.wav", {"subtype": "DOUBLE"}, 1e-7),
        ("clip.wav", {"subtype": "PCM_U8"}, 1e-2),
        ("clip.wav", {"subtype": "ULAW"}, 1e-2),
        ("clip.flac", {}, 1e-4),
        ("clip.aiff", {}, 1e-4),
        ("clip.ogg", {}, 0.05),
        ("clip.mp3", {}, 0.05),
        ("clip.opus", {"format": "OGG", "subtype": "OPUS"}, 0.05),
    ],
)
def test_soundfile_formats_keep_the_samples(
    tmp_path: Path, name: str, options: dict[str, str], error: float
) -> None:
    samples = tone(1.0)
    soundfile.write(tmp_path / name, samples, RATE, **options)
    decoded = read_audio(tmp_path / name)
    assert decoded.dtype == np.float32
    assert decoded.shape == samples.shape
    middle = slice(2000, -2000)  # codecs with loss fade in and out
    assert np.abs(decoded[middle] - samples[middle]).max() <= error


@pytest.mark.parametrize(
    ("name", "codec", "sample_rate"),
    [("clip.m4a", "aac", 44100), ("clip.mp4", "aac", 48000), ("clip.webm", "libopus", 48000),
     ("clip.mkv", "flac", 44100), ("clip.aac", "aac", 16000)],
)  # fmt: skip
def test_containers_keep_pitch_and_length(tmp_path: Path, name: str, codec: str, sample_rate: int) -> None:
    encode_container(tmp_path / name, codec, tone(2.0, sample_rate), sample_rate)
    decoded = read_audio(tmp_path / name)
    assert len(decoded) / RATE == pytest.approx(2.0, abs=0.15)
    assert pitch(decoded) == pytest.approx(440.0, abs=2.0)
    assert np.abs(decoded).max() == pytest.approx(0.3, abs=0.05)


def test_the_content_decides_the_format_not_the_name(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.flac", tone(0.5), RATE)
    renamed = (tmp_path / "clip.flac").rename(tmp_path / "clip.mp4")
    assert len(read_audio(renamed)) == RATE // 2


@pytest.mark.parametrize("sample_rate", [8000, 11025, 22050, 44100, 48000, 96000, 192000])
def test_any_sample_rate_keeps_pitch_length_and_level(tmp_path: Path, sample_rate: int) -> None:
    soundfile.write(tmp_path / "clip.wav", tone(1.0, sample_rate), sample_rate)
    decoded = read_audio(tmp_path / "clip.wav")
    assert len(decoded) == RATE
    assert pitch(decoded) == pytest.approx(440.0, abs=1.0)
    assert np.abs(decoded[1000:-1000]).max() == pytest.approx(0.3, abs=1e-3)


@pytest.mark.parametrize("sample_rate", [100, 3999, 400_000])
def test_sample_rates_out_of_range_are_refused(tmp_path: Path, sample_rate: int) -> None:
    soundfile.write(tmp_path / "clip.wav", tone(1.0), sample_rate)
    with pytest.raises(AudioError, match=f"4000.*384000.*sample_rate={sample_rate}"):
        read_audio(tmp_path / "clip.wav")


@settings(max_examples=40, deadline=None)
@given(
    sample_rate=st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000, 192000]),
    samples=st.integers(1, 30_000),
    block_duration=st.floats(0.001, 2.0),
)
def test_blocks_equal_the_whole_file_resampled(sample_rate: int, samples: int, block_duration: float) -> None:
    values = noise(samples)
    file = io.BytesIO()
    soundfile.write(file, values, sample_rate, format="WAV", subtype="FLOAT")
    file.seek(0)
    with open_audio(file, block_duration=block_duration) as audio:
        blocks = list(audio)
    decoded = np.concatenate(blocks)
    assert {len(block) for block in blocks[:-1]} <= {max(1, round(block_duration * RATE))}
    whole = values if sample_rate == RATE else soxr.resample(values, sample_rate, RATE)
    assert np.array_equal(decoded, whole if len(whole) else np.zeros(1, np.float32))


def test_mix_is_the_mean_and_an_index_is_that_channel(tmp_path: Path) -> None:
    values = noise(4000, channels=3)
    soundfile.write(tmp_path / "clip.wav", values, RATE, subtype="FLOAT")
    assert np.allclose(read_audio(tmp_path / "clip.wav"), values.mean(axis=1), atol=1e-7)
    for index in range(3):
        assert np.array_equal(read_audio(tmp_path / "clip.wav", channel=index), values[:, index])


def test_a_missing_channel_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.wav", noise(100, channels=2), RATE)
    with pytest.raises(AudioError, match=r"clip.wav: .*number of channels, 2. Received: channel=2"):
        read_audio(tmp_path / "clip.wav", channel=2)
    with pytest.raises(ConfigError, match="channel=-1"):
        read_audio(tmp_path / "clip.wav", channel=-1)


def read_through_pipe(content: bytes, read: Callable[[io.BufferedReader], Samples]) -> Samples:
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, "wb") as pipe:
            pipe.write(content)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        with open(reading, "rb") as pipe:
            return read(pipe)
    finally:
        thread.join()


@pytest.mark.parametrize("placeholder", [0xFFFFFFFF, 0x7FFFF000, None])
def test_a_wav_from_a_pipe_may_state_any_length(placeholder: int | None) -> None:
    file = io.BytesIO()
    soundfile.write(file, tone(1.0), RATE, format="WAV")
    content = bytearray(file.getvalue())
    if placeholder is not None:
        content[40:44] = struct.pack("<I", placeholder)
    assert len(read_through_pipe(bytes(content), read_audio)) == RATE


def test_a_flac_of_unknown_length_is_read_to_its_end(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.flac", tone(2.0), RATE)
    content = bytearray((tmp_path / "clip.flac").read_bytes())
    content[21] &= 0xF0  # STREAMINFO's count of samples, 36 bits, is 0 where an encoder wrote into a pipe
    content[22:26] = bytes(4)
    with open_audio(io.BytesIO(content), block_duration=0.3) as audio:
        assert audio.duration is None
        assert sum(map(len, audio)) == 2 * RATE
        assert audio.duration == 2.0


@pytest.mark.parametrize(
    ("encoding", "content", "expected"),
    [
        ("s16le", struct.pack("<3h", -32768, 16384, 1), [-1.0, 0.5, 2**-15]),
        ("s24le", bytes([0, 0, 0x80, 0, 0, 0x40, 1, 0, 0]), [-1.0, 0.5, 2**-23]),
        ("s32le", struct.pack("<3i", -(2**31), 2**30, 2**16), [-1.0, 0.5, 2**-15]),
        ("f32le", struct.pack("<3f", -1.0, 0.5, 0.125), [-1.0, 0.5, 0.125]),
        ("u8", bytes([0, 192, 128]), [-1.0, 0.5, 0.0]),
        ("mulaw", bytes([0x00, 0x80, 0xFF]), [-32124 / 32768, 32124 / 32768, 0.0]),  # G.711's table
        ("alaw", bytes([0x2A, 0xAA, 0xD5]), [-32256 / 32768, 32256 / 32768, 8 / 32768]),
    ],
)
def test_raw_encodings(encoding: str, content: bytes, expected: list[float]) -> None:
    raw = RawFormat(sample_rate=RATE, encoding=encoding)
    assert read_audio(io.BytesIO(content), raw=raw).tolist() == pytest.approx(expected, abs=1e-9)
    decoded = read_through_pipe(content, lambda pipe: read_audio(pipe, raw=raw))
    assert decoded.tolist() == pytest.approx(expected, abs=1e-9)


def test_raw_channels_are_interleaved_and_resampled() -> None:
    values = noise(4800, channels=2)
    raw = RawFormat(sample_rate=48000, channels=2, encoding="f32le")
    decoded = read_audio(io.BytesIO(values.tobytes()), raw=raw, channel=1)
    assert np.array_equal(decoded, soxr.resample(np.ascontiguousarray(values[:, 1]), 48000, RATE))


def test_raw_bytes_left_over_are_reported() -> None:
    raw = RawFormat(sample_rate=RATE, channels=2)
    with pytest.raises(AudioError, match="3 bytes left over after frames of 4 bytes"):
        read_audio(io.BytesIO(bytes(4003)), raw=raw)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample_rate": 1}, "sample_rate"),
        ({"sample_rate": RATE, "channels": 0}, "channels.*1"),
        ({"sample_rate": RATE, "encoding": "s16"}, "s16le"),
    ],
)
def test_raw_formats_are_checked(options: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RawFormat(**options)


@pytest.mark.parametrize("sample_rate", [8000, 16000, 44100, 192000])
def test_one_sample_is_a_recording(tmp_path: Path, sample_rate: int) -> None:
    soundfile.write(tmp_path / "clip.wav", np.array([0.5], np.float32), sample_rate)
    with open_audio(tmp_path / "clip.wav") as audio:
        decoded = np.concatenate(list(audio))
        assert audio.duration == 1 / sample_rate
    assert len(decoded) >= 1


def test_memory_is_flat(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 44100, 2) as file:
        minute = noise(60 * 44100, channels=2)
        for _ in range(5):
            file.write(minute)
    del minute
    tracemalloc.start()
    try:
        with open_audio(tmp_path / "long.wav") as audio:
            samples = sum(map(len, audio))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert samples == 5 * 60 * RATE
    assert peak_bytes < 4_000_000  # the recording at the model's rate would be 19 MB


def test_memory_does_not_grow_with_the_channels_and_the_rate_of_a_header(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.au", np.full((3, 1000), 0.5), 384_000)
    tracemalloc.start()
    try:
        with open_audio(tmp_path / "clip.au", block_duration=20.0) as audio:
            assert len(np.concatenate(list(audio))) >= 1
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 100_000_000  # 20 s would be 31 GB


def test_there_are_no_blocks_after_close(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.wav", tone(3.0), RATE)
    audio = open_audio(tmp_path / "clip.wav")
    next(iter(audio))
    audio.close()
    assert list(audio) == []
