"""Recordings that other programs wrote, and broken ones: all of it is processed, or one line says what was not."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support import foreign_files
from support.foreign_files import BROKEN, FFMPEG, GSTREAMER, SECONDS, SOX, WRITTEN

from vad.audio.reading import open_audio
from vad.cli import main
from vad.errors import AudioError

# Where FFmpeg stops early: at the size of a killed recorder's first block, at the end of the first of two files, at a
# size that a pipe left at zero, at a chunk that nobody padded, at frames in free format.
LONGER_THAN_FFMPEG = {
    "size_killed.wav": SECONDS,
    "ffmpeg_pipe.aiff": SECONDS,
    "list_odd.wav": SECONDS,
    "lame_free.mp3": SECONDS,
    "joined.wav": 2 * SECONDS,
    "joined_rates.ogg": 2 * SECONDS,
}
REPORTED = {
    "size_beyond.wav", "joined_rates.wav", "joined.flac", "cut.wav", "cut_ima.wav", "cut.aiff", "cut.flac",
    "cut_stated.mp3", "cut.ogg", "cut.opus", "cut.m4a", "cut_fast.m4a", "cut.mkv", "cut.aac", "cut.wma",
    "hole.mp3", "hole.flac", "hole.ogg", "hole.aac", "trailing_junk.mp3",
}  # fmt: skip
NAMES = [*FFMPEG, *SOX, *WRITTEN, *GSTREAMER, *BROKEN]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of them all."""
    folder = tmp_path_factory.mktemp("foreign")
    foreign_files.make_all(folder)
    return folder


def one_of(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.exists() or path.stat().st_size == 0:
        pytest.skip(f"what writes {name} is not installed")
    return path


@pytest.fixture(scope="module")
def decoded(made: Path) -> dict[str, float]:
    """How many seconds FFmpeg decodes of each."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("FFmpeg is the oracle, and is not installed")
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(NAMES, pool.map(ffmpeg_seconds, (made / name for name in NAMES)), strict=True))


def ffmpeg_seconds(path: Path) -> float:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "0:a:0", "-ac", "1", "-ar", "16000"]
    decoded = subprocess.run([*command, "-f", "s16le", "-"], capture_output=True, timeout=60)
    return len(decoded.stdout) / 2 / 16000


def seconds_of(blocks: Iterator[object]) -> float:
    return sum(map(len, blocks)) / 16000  # type: ignore[arg-type]


def test_the_table_is_long_enough() -> None:
    assert len(NAMES) == len(set(NAMES)) >= 60


@pytest.mark.parametrize("name", [name for name in NAMES if name not in REPORTED])
def test_all_of_a_recording_is_processed(
    made: Path, decoded: dict[str, float], name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = one_of(made, name)
    with open_audio(path) as audio:
        processed = seconds_of(iter(audio))
    assert capfd.readouterr().err == ""
    expected = LONGER_THAN_FFMPEG.get(name, decoded[name])
    assert processed == pytest.approx(expected, abs=0.05)
    if "cut" not in name and "late" not in name and "joined" not in name:
        assert processed >= SECONDS - 0.05


@pytest.mark.parametrize("name", sorted(REPORTED))
def test_what_is_not_processed_is_said_in_one_line(made: Path, name: str) -> None:
    path = one_of(made, name)
    with pytest.raises(AudioError) as failure, open_audio(path) as audio:
        for _ in audio:
            pass
    assert str(failure.value).startswith(f"{path}: ")
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    "name", ["cut.wav", "cut_stated.mp3", "hole.mp3", "cut.opus", "hole.aac", "cut_fast.m4a"]
)
def test_what_ffmpeg_reads_of_a_broken_file_is_read(made: Path, decoded: dict[str, float], name: str) -> None:
    path = one_of(made, name)
    processed = 0
    with pytest.raises(AudioError), open_audio(path) as audio:  # noqa: PT012
        for block in audio:
            processed += len(block)
    assert processed / 16000 == pytest.approx(decoded[name], abs=0.05)


@pytest.mark.parametrize(
    "name", ["lame_t.mp3", "joined.opus", "sizes_zero.wav", "phone.m4a", "big_endian.wav"]
)
def test_a_pipe_gives_what_its_file_gives(made: Path, name: str) -> None:
    path = one_of(made, name)
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, "wb") as pipe:
            pipe.write(path.read_bytes())

    thread = threading.Thread(target=write)
    thread.start()
    with open(reading, "rb") as pipe, open_audio(pipe) as piped, open_audio(path) as whole:
        assert seconds_of(iter(piped)) == seconds_of(iter(whole))
    thread.join()


def test_a_folder_of_all_kinds_exits_with_1_and_a_line_for_each_that_is_broken(
    made: Path, model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = ["lame_t.mp3", "windows.wma", "dolby.ac3", "phone.gsm", "pcm.avi", "television.ts", "flac.mka"]
    broken = ["cut.wav", "hole.mp3"]
    for name in whole + broken:
        shutil.copy(one_of(made, name), tmp_path / name)
    assert main(["detect", str(tmp_path), "--model", str(model_path), "--quiet"]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert sorted(line.partition(": ")[2].partition(": ")[0] for line in errors) == [
        str(tmp_path / name) for name in broken
    ]


def test_frames_whose_data_are_gone_are_silence_and_cost_no_time(
    made: Path, decoded: dict[str, float]
) -> None:
    with open_audio(one_of(made, "late_start.mp3")) as audio:
        assert seconds_of(iter(audio)) == pytest.approx(decoded["late_start.mp3"], abs=0.001)
