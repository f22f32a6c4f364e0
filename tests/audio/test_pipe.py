"""Pipes: decoded as they arrive, or kept until they end."""

import contextlib
import io
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.sounds import RATE, noise

from vad.audio import pipe as pipes
from vad.audio.decoding import open_decoder
from vad.audio.pipe import Pipe
from vad.audio.raw_format import RawFormat
from vad.audio.reading import open_audio, read_audio
from vad.errors import AudioError

ENCODINGS = {
    "wav": ("WAV", "PCM_16"),
    "raw": ("RAW", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "vorbis": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "aiff": ("AIFF", "PCM_16"),
}
ARRIVING = [name for name in ENCODINGS if name != "aiff"]


def encoded(name: str, seconds: float = 12.0) -> tuple[bytes, RawFormat | None]:
    container, subtype = ENCODINGS[name]
    content = io.BytesIO()
    soundfile.write(content, noise(round(seconds * RATE)), RATE, format=container, subtype=subtype)
    return content.getvalue(), RawFormat(RATE) if name == "raw" else None


@contextlib.contextmanager
def open_pipe(content: bytes) -> Iterator[tuple[io.BufferedReader, threading.Event]]:
    """A real pipe; the last fifth of the content comes once the event is set. Who needs it to set the event fails."""
    reading, writing = os.pipe()
    go_on = threading.Event()
    in_time: list[bool] = []

    def write() -> None:
        with contextlib.suppress(BrokenPipeError), open(writing, "wb", buffering=0) as end:
            end.write(content[: len(content) * 4 // 5])
            in_time.append(go_on.wait(10))
            end.write(content[len(content) * 4 // 5 :])

    thread = threading.Thread(target=write)
    thread.start()
    with open(reading, "rb") as start:
        yield start, go_on
    go_on.set()
    thread.join()
    assert in_time == [True], "a reader waited for the end of the pipe"


@pytest.mark.parametrize("name", ARRIVING)
def test_blocks_come_while_the_pipe_is_open(name: str) -> None:
    content, raw = encoded(name)
    with open_pipe(content) as (pipe, go_on), open_audio(pipe, raw=raw, block_duration=0.5) as audio:
        blocks = [next(iter(audio)) for _ in range(8)]
        go_on.set()
        arrived = np.concatenate([*blocks, *audio])
    assert np.array_equal(arrived, read_audio(io.BytesIO(content), raw=raw))


@pytest.mark.parametrize("name", ["wav", "aiff"])
def test_a_kept_pipe_can_be_read_again(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipes, "_MAX_MEMORY_BYTES", 100_000)
    content, _ = encoded(name)
    with open_pipe(content) as (stream, go_on), Pipe(stream, "pipe", keep=True) as pipe:
        go_on.set()
        first, again = read_audio(pipe), read_audio(pipe)
    assert len(first) == 12 * RATE
    assert np.array_equal(first, again)


@pytest.mark.parametrize("name", ENCODINGS)
def test_only_a_format_that_needs_its_end_needs_a_temporary_folder(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*_: object, **__: object) -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(pipes, "_MAX_MEMORY_BYTES", 100_000)
    monkeypatch.setattr("tempfile._get_default_tempdir", nowhere)
    monkeypatch.setattr("tempfile.tempdir", None)
    content, raw = encoded(name)
    with open_pipe(content) as (pipe, go_on):
        go_on.set()
        if name != "aiff":
            assert len(read_audio(pipe, raw=raw)) == 12 * RATE
            return
        with pytest.raises(AudioError, match=r"temporary file .* \(No usable .*TMPDIR"):
            read_audio(pipe)


def test_sound_and_pictures_in_an_ogg_are_kept(tmp_path: Path) -> None:
    """libsndfile needs the end of a file with two logical streams."""
    command = "ffmpeg -v error -f lavfi -i sine=d=2 -f lavfi -i testsrc=d=2:s=64x64"
    path = tmp_path / "film.ogv"
    try:
        subprocess.run([*command.split(), "-c:a", "libvorbis", path], check=True, timeout=60)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no FFmpeg with Theora and Vorbis")
    with open_pipe(path.read_bytes()) as (pipe, go_on):
        go_on.set()
        with open_decoder(path) as whole, open_decoder(pipe) as decoder:
            expected = np.concatenate(list(whole.blocks(1000)))
            assert np.array_equal(np.concatenate(list(decoder.blocks(1000))), expected)
