"""Recordings by other programs, and broken ones: all is processed, or one line reports what was not."""

import os
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support import foreign_files
from support.foreign_files import BROKEN, FFMPEG, GSTREAMER, SECONDS, SOX, WRITTEN

from vad.audio.reading import AudioBlocks, open_audio
from vad.cli import main
from vad.errors import AudioError

# FFmpeg, the reference, stops early: at the stated size of a killed recorder, after the first of two joined files,
# at a stated size of zero, at a chunk without padding, in free format.
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
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all files."""
    folder = tmp_path_factory.mktemp("foreign")
    foreign_files.make_all(folder)
    return folder


def path_of(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.exists() or path.stat().st_size == 0:
        pytest.skip(f"the program that writes {name} is not installed")
    return path


@pytest.fixture(scope="module")
def reference(files: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """The seconds of each file that FFmpeg decodes: of all sound ones in one process, of broken ones in one each."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("FFmpeg, the reference, is not installed")
    there = [name for name in NAMES if (files / name).exists() and (files / name).stat().st_size > 0]
    alone = [name for name in there if name in BROKEN or name in LONGER_THAN_FFMPEG]
    parts = [[name] for name in alone] + [[name for name in there if name not in alone]]
    decoded = tmp_path_factory.mktemp("decoded")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda names: ffmpeg_decode(files, names, decoded), parts))
    sizes = {path.name: path.stat().st_size for path in decoded.iterdir()}
    return {name: sizes.get(name, 0) / 2 / 16000 for name in NAMES}


def ffmpeg_decode(folder: Path, names: list[str], output: Path) -> None:
    command: list[str | Path] = ["ffmpeg", "-nostdin", "-v", "error"]
    for name in names:
        command += ["-i", folder / name]
    for number, name in enumerate(names):
        command += ["-map", f"{number}:a:0", *["-ac", "1", "-ar", "16000", "-f", "s16le"], output / name]
    subprocess.run(command, capture_output=True, timeout=60)


def seconds_of(audio: AudioBlocks) -> float:
    return sum(map(len, audio)) / 16000


def test_names_are_unique() -> None:
    assert len(NAMES) == len(set(NAMES))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in REPORTED])
def test_all_of_a_recording_is_processed(
    files: Path, reference: dict[str, float], name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = path_of(files, name)
    with open_audio(path) as audio:
        processed = seconds_of(audio)
    assert capfd.readouterr().err == ""
    expected = LONGER_THAN_FFMPEG.get(name, reference[name])
    assert processed == pytest.approx(expected, abs=0.05)
    if "cut" not in name and "late" not in name and "joined" not in name:
        assert processed >= SECONDS - 0.05


@pytest.mark.parametrize("name", sorted(REPORTED))
def test_what_is_not_processed_is_reported_in_one_line(files: Path, name: str) -> None:
    path = path_of(files, name)
    with pytest.raises(AudioError) as failure, open_audio(path) as audio:
        for _ in audio:
            pass
    assert str(failure.value).startswith(f"{path}: ")
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    "name", ["cut.wav", "cut_stated.mp3", "hole.mp3", "cut.opus", "hole.aac", "cut_fast.m4a"]
)
def test_a_broken_file_is_read_as_far_as_ffmpeg_reads_it(
    files: Path, reference: dict[str, float], name: str
) -> None:
    path = path_of(files, name)
    processed = 0
    with pytest.raises(AudioError), open_audio(path) as audio:  # noqa: PT012
        for block in audio:
            processed += len(block)
    assert processed / 16000 == pytest.approx(reference[name], abs=0.05)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "lame_t.mp3",
            "joined.opus",
            "sizes_zero.wav",
            "phone.m4a",
            "big_endian.wav",
            "plain.flac",
            "gst_opus.ogg",
        ),
        *(
            "vorbis.ogg",
            "joined_rates.ogg",
            "lame_free.mp3",
            "tagged.mp3",
            "speex.ogg",
            "flac.ogg",
            "ima16.wav",
        ),
    ],
)
def test_a_pipe_gives_what_its_file_gives(files: Path, name: str) -> None:
    path = path_of(files, name)
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, "wb") as pipe:
            pipe.write(path.read_bytes())

    thread = threading.Thread(target=write)
    thread.start()
    with open(reading, "rb") as pipe, open_audio(pipe) as piped, open_audio(path) as whole:
        assert seconds_of(piped) == seconds_of(whole)
    thread.join()


@pytest.mark.parametrize(
    "name", ["hole.ogg", "cut.opus", "hole.flac", "joined.flac", "hole.mp3", "size_beyond.wav"]
)
def test_a_pipe_reports_what_its_file_reports(files: Path, name: str) -> None:
    path = path_of(files, name)
    done = []
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for source in (process.stdout, path):
            done.append(0)
            with pytest.raises(AudioError), open_audio(source) as audio:  # noqa: PT012
                for block in audio:
                    done[-1] += len(block)
    assert done[0] == done[1]


def test_a_folder_exits_with_1_and_a_line_for_each_broken_file(
    files: Path, model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = ["lame_t.mp3", "windows.wma", "dolby.ac3", "phone.gsm", "pcm.avi", "television.ts", "flac.mka"]
    broken = ["cut.wav", "hole.mp3"]
    for name in whole + broken:
        shutil.copy(path_of(files, name), tmp_path / name)
    assert main(["detect", str(tmp_path), "--model", str(model_path), "--quiet"]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert sorted(line.partition(": ")[2].partition(": ")[0] for line in errors) == [
        str(tmp_path / name) for name in broken
    ]


def test_frames_with_missing_data_are_silence_of_the_same_length(
    files: Path, reference: dict[str, float]
) -> None:
    with open_audio(path_of(files, "late_start.mp3")) as audio:
        assert seconds_of(audio) == pytest.approx(reference["late_start.mp3"], abs=0.001)
