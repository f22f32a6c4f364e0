"""Damaged recordings give all that can be decoded, then one line of error."""

import contextlib
import gzip
import io
import os
import struct
import sys
import tarfile
import tracemalloc
import types
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.sounds import RATE, Samples, encode_container, noise, tone

from vad.audio.containers import _samples
from vad.audio.raw_format import RawFormat
from vad.audio.reading import open_audio, read_audio
from vad.audio.riff import ForwardReader, read_header
from vad.errors import AudioError, MissingDependencyError


def decoded_before_error(path: Path) -> tuple[Samples, str]:
    """The samples before the error, and its message."""
    blocks = []
    with open_audio(path) as audio:
        try:
            for block in audio:
                blocks.append(block)  # noqa: PERF402 (the error comes in between)
        except AudioError as error:
            return np.concatenate(blocks), str(error)
    pytest.fail(f"{path} was read to its end")


def bad_files(folder: Path) -> dict[str, Path]:
    """Recordings that cannot be read at all, one of each kind."""
    paths = {
        kind: folder / f"{kind}.wav" for kind in ("missing", "empty", "header", "text", "nan", "unscaled")
    }
    paths["folder"] = folder
    paths["empty"].touch()
    soundfile.write(paths["header"], np.zeros(0, np.float32), RATE)
    paths["text"].write_text("Dear diary, today I was renamed.\n" * 20)
    soundfile.write(paths["nan"], np.array([0.0, 0.1, np.nan, 0.2], np.float32), RATE, subtype="FLOAT")
    soundfile.write(paths["unscaled"], np.array([0.0, 3000.0], np.float32), RATE, subtype="FLOAT")
    return paths


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "there is no such file"),
        ("folder", "it is a folder"),
        ("empty", "the file is empty"),
        ("header", "a header and no samples"),
        ("text", r"libsndfile \(Format not recognised\) nor FFmpeg \(.*\)"),
        ("nan", "Received: nan at 0.000 s."),
        ("unscaled", "Received: a peak of 3000."),
    ],
)
def test_bad_files_say_what_is_wrong_in_one_line(tmp_path: Path, kind: str, message: str) -> None:
    path = bad_files(tmp_path)[kind]
    with pytest.raises(AudioError, match=message) as failure:
        read_audio(path)
    assert str(failure.value).startswith(f"{path}: ")
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("name", ["clip.wav", "clip.flac", "clip.ogg", "clip.aiff"])
def test_a_header_is_never_read_as_samples(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / name, tone(0.1), RATE)
    with pytest.raises(AudioError, match="header"):
        read_audio(tmp_path / name, raw=RawFormat(RATE))


def test_a_file_without_read_permission_raises(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, tone(0.1), RATE)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read every file")
    with pytest.raises(AudioError, match="Permission denied"):
        read_audio(path)


def test_nan_in_a_file_is_reported_at_its_time(tmp_path: Path) -> None:
    values = tone(3.0)
    values[40_000] = np.nan
    soundfile.write(tmp_path / "clip.wav", values, RATE, subtype="FLOAT")
    samples, message = decoded_before_error(tmp_path / "clip.wav")
    assert "nan at 2.500 s" in message
    assert np.array_equal(samples, values[:40_000])


@pytest.mark.parametrize("name", ["clip.flac", "clip.wav", "clip.aiff", "clip.mp3", "clip.au"])
def test_a_truncated_file_gives_what_is_there_and_then_fails(tmp_path: Path, name: str) -> None:
    values = tone(4.0) + noise(4 * RATE)
    soundfile.write(tmp_path / name, values, RATE)
    whole = read_audio(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) * 6 // 10])
    samples, message = decoded_before_error(tmp_path / name)
    assert "cut off at" in message
    assert len(samples) == pytest.approx(0.6 * len(whole), rel=0.1)
    assert np.array_equal(samples, whole[: len(samples)])


@pytest.mark.parametrize("name", ["clip.mkv", "clip.aac"])
def test_a_truncated_container_gives_what_is_there_and_then_fails(tmp_path: Path, name: str) -> None:
    encode_container(tmp_path / name, "aac", tone(4.0, 48000), 48000)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) * 6 // 10])
    samples, message = decoded_before_error(tmp_path / name)
    assert "cut off at" in message
    assert len(samples) / RATE == pytest.approx(2.4, abs=0.4)


def test_a_damaged_mp3_writes_nothing_to_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    soundfile.write(tmp_path / "clip.mp3", tone(4.0) + noise(4 * RATE), RATE)
    content = bytearray((tmp_path / "clip.mp3").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 300] = bytes(300)
    (tmp_path / "clip.mp3").write_bytes(content)
    with open_audio(tmp_path / "clip.mp3") as audio, contextlib.suppress(AudioError):
        for _ in audio:
            pass
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("length", [20, 27, 40])
def test_an_ogg_cut_in_its_first_page_raises(tmp_path: Path, length: int) -> None:
    soundfile.write(tmp_path / "clip.ogg", tone(1.0), RATE)
    (tmp_path / "clip.ogg").write_bytes((tmp_path / "clip.ogg").read_bytes()[:length])
    with pytest.raises(AudioError, match=r"clip\.ogg: "):
        read_audio(tmp_path / "clip.ogg")


@pytest.mark.parametrize("name", ["clip.wav", "clip.aiff"])
def test_a_header_that_is_wrong_by_a_few_bytes_is_no_damage(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / name, tone(1.0), RATE)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:-36])
    assert len(read_audio(tmp_path / name)) == RATE - 18


def test_an_rf64_ends_where_its_long_size_says() -> None:
    samples = (1000 * noise(RATE)).astype("<i2")
    sizes = struct.pack("<QQQI", 0, samples.nbytes, RATE, 0)
    form = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
    chunks = [(b"ds64", sizes), (b"fmt ", form), (b"data", samples.tobytes()), (b"LIST", b"INFO" + bytes(30))]
    content = b"RF64\xff\xff\xff\xffWAVE"
    for name, body in chunks:
        content += name + struct.pack("<I", 0xFFFFFFFF if name == b"data" else len(body)) + body
    assert len(read_audio(io.BytesIO(content))) == RATE


@pytest.mark.parametrize(("lost_s", "reported"), [(0.03, False), (0.3, True)])
def test_an_mp3_that_misses_more_than_a_frame_of_its_stated_length_is_reported(
    tmp_path: Path, lost_s: float, reported: bool
) -> None:
    soundfile.write(tmp_path / "clip.mp3", noise(4 * RATE), RATE)
    content = (tmp_path / "clip.mp3").read_bytes()
    (tmp_path / "clip.mp3").write_bytes(content[: -round(lost_s / 4 * len(content))])
    expected = (
        pytest.raises(AudioError, match=r"cut off at 3\.[67]") if reported else contextlib.nullcontext()
    )
    with expected:
        read_audio(tmp_path / "clip.mp3")


@pytest.mark.parametrize(("size", "reported"), [(2000, False), (3500, True)])
def test_bytes_that_are_no_frames_of_an_mp3_are_reported_beyond_two_frames(
    tmp_path: Path, size: int, reported: bool
) -> None:
    soundfile.write(tmp_path / "clip.mp3", noise(4 * RATE), RATE)
    content = (tmp_path / "clip.mp3").read_bytes()
    middle = len(content) // 2
    (tmp_path / "clip.mp3").write_bytes(content[:middle] + b"\1" * size + content[middle:])
    expected = (
        pytest.raises(AudioError, match=r"at 1\.9\d s, are not MPEG")
        if reported
        else contextlib.nullcontext()
    )
    with expected:
        read_audio(tmp_path / "clip.mp3")


def test_planes_beyond_the_channels_are_never_read() -> None:
    """PyAV counts planes up to a null pointer, which more than 8 channels lack; damaged AAC may have 21."""
    values = noise(100, channels=12)
    planes = [column.tobytes() for column in values.T] + [None] * 5
    frame = types.SimpleNamespace(
        format=types.SimpleNamespace(name="fltp", is_planar=True),
        layout=types.SimpleNamespace(nb_channels=12),
        planes=planes,
        samples=100,
    )
    assert np.array_equal(_samples(frame), values)


def test_ctrl_c_inside_an_mp3_is_raised(tmp_path: Path) -> None:
    """It usually comes while libsndfile reads from the Python object."""
    soundfile.write(tmp_path / "clip.mp3", noise(60 * RATE), RATE)
    content = (tmp_path / "clip.mp3").read_bytes()

    class Interrupted(io.BytesIO):
        def read(self, count: int | None = -1, /) -> bytes:
            if self.tell() > len(content) // 2:
                raise KeyboardInterrupt
            return super().read(count)

    with pytest.raises(KeyboardInterrupt), open_audio(Interrupted(content)) as audio:
        for _ in audio:
            pass


def test_an_mp3_that_does_not_state_its_length_is_read_to_its_end(tmp_path: Path) -> None:
    values = noise(20 * 44100)
    with soundfile.SoundFile(
        tmp_path / "clip.mp3", "w", 44100, 1, bitrate_mode="VARIABLE", compression_level=0.5
    ) as file:
        file.write(values)
    content = (tmp_path / "clip.mp3").read_bytes()
    first_frame_of_sound = content.find(b"\xff\xfb", 4)
    (tmp_path / "clip.mp3").write_bytes(content[first_frame_of_sound:])  # the first frame held the length
    assert len(read_audio(tmp_path / "clip.mp3")) == pytest.approx(20 * RATE, abs=0.1 * RATE)


def test_a_container_without_pyav_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "clip.mp4").write_bytes(b"\0\0\0\x1cftypisom" + bytes(100))
    with pytest.raises(MissingDependencyError, match=r"pip install 'openvad\[media\]'"):
        read_audio(tmp_path / "clip.mp4")


def test_a_damaged_container_is_one_clear_line(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="containers need PyAV")
    (tmp_path / "clip.mp4").write_bytes(b"\0\0\0\x1cftypisom" + bytes(100))
    with pytest.raises(AudioError, match=r"clip.mp4: FFmpeg cannot read it") as failure:
        read_audio(tmp_path / "clip.mp4")
    assert "\n" not in str(failure.value)


def test_a_gap_in_a_track_becomes_silence(tmp_path: Path) -> None:
    encode_container(tmp_path / "clip.mkv", "libopus", tone(2.0, 48000), 48000, gap_s=1.5)
    samples = read_audio(tmp_path / "clip.mkv")
    assert len(samples) / RATE == pytest.approx(3.5, abs=0.05)
    windows = [
        np.abs(samples[start : start + 800]).max() > 0.1 for start in range(0, len(samples) - 800, 800)
    ]
    quiet = [index * 0.05 for index, is_loud in enumerate(windows) if not is_loud]
    assert quiet[0] == pytest.approx(1.05, abs=0.15)
    assert quiet[-1] == pytest.approx(2.45, abs=0.15)


@pytest.mark.parametrize(("gap_s", "seconds"), [(0.05, 2.0), (0.3, 2.3)])
def test_a_gap_shorter_than_a_tenth_of_a_second_is_rounding(
    tmp_path: Path, gap_s: float, seconds: float
) -> None:
    encode_container(tmp_path / "clip.mkv", "libopus", tone(2.0, 48000), 48000, gap_s=gap_s)
    assert len(read_audio(tmp_path / "clip.mkv")) / RATE == pytest.approx(seconds, abs=0.01)


def test_a_time_stamp_hours_away_is_damage_and_no_silence(tmp_path: Path) -> None:
    encode_container(tmp_path / "clip.mkv", "libopus", tone(2.0, 48000), 48000, gap_s=4000.0)
    with pytest.raises(AudioError, match=r"cut off at 2\.00 s of 4002"):
        read_audio(tmp_path / "clip.mkv")


@pytest.mark.parametrize("name", ["clip.wav", "clip.flac", "clip.mp3", "clip.ogg"])
def test_members_of_archives_are_read_and_damage_in_them_is_one_line(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / name, noise(2 * RATE), RATE)
    packed = gzip.compress((tmp_path / name).read_bytes())
    (tmp_path / "whole.gz").write_bytes(packed)
    (tmp_path / "half.gz").write_bytes(packed[: len(packed) // 2])
    with gzip.open(tmp_path / "whole.gz") as member:
        assert len(read_audio(member)) == pytest.approx(
            2 * RATE, abs=1
        )  # its file descriptor has packed bytes
    with (
        gzip.open(tmp_path / "half.gz") as member,
        pytest.raises(AudioError, match="end-of-stream") as caught,
    ):
        read_audio(member)
    assert str(caught.value).count("half.gz") == 1
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        archive.add(tmp_path / name, name)
    for mode in ("r:", "r|"):  # with and without seeking
        with tarfile.open(tmp_path / "all.tar", mode) as archive:
            member = archive.extractfile(next(iter(archive)))
            assert len(read_audio(member)) == pytest.approx(2 * RATE, abs=1)


@pytest.mark.parametrize("as_path", [True, False])
def test_a_flac_with_more_samples_than_stated_is_read_on(tmp_path: Path, as_path: bool) -> None:
    path = tmp_path / "clip.flac"
    soundfile.write(path, noise(3 * RATE), RATE)
    content = bytearray(path.read_bytes())
    assert len(read_audio(io.BytesIO(content))) == 3 * RATE
    content[22:26] = RATE.to_bytes(4, "big")  # STREAMINFO's number of samples: of one second
    path.write_bytes(content + b"TAG" + bytes(125))
    whole = read_audio(io.BytesIO(content[:22] + bytes(4) + content[26:]))  # no number is stated
    samples = read_audio(path if as_path else io.BytesIO(path.read_bytes()))
    assert np.array_equal(samples, whole)
    assert len(samples) == 3 * RATE
    path.write_bytes(content[: len(content) * 2 // 3] + noise(20_000).tobytes())
    with pytest.raises(AudioError, match=r"cut off at 1\.[6-9]\d s: .* lost sync"):
        read_audio(path if as_path else io.BytesIO(path.read_bytes()))


def test_a_long_gap_takes_little_memory(tmp_path: Path) -> None:
    encode_container(tmp_path / "clip.mkv", "libopus", tone(2.0, 48000), 48000, gap_s=120.0)
    tracemalloc.start()
    try:
        with open_audio(tmp_path / "clip.mkv") as audio:
            seconds = sum(map(len, audio)) / RATE
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seconds == pytest.approx(122.0, abs=0.05)
    assert peak_bytes < 10_000_000  # the gap as one block would be 46 MB


@pytest.mark.parametrize("name", [b"ds64", b"fmt ", b"LIST"])
def test_a_chunk_that_states_gigabytes_takes_no_memory(name: bytes) -> None:
    content = io.BytesIO(b"RIFF\xff\xff\xff\xffWAVE" + name + b"\xff\xff\xff\xff" + b"\1" * 100_000)
    asked: list[int] = []

    def read(count: int) -> bytes:
        asked.append(count)
        return content.read(count)

    with pytest.raises(AudioError, match="ends inside its header"):
        read_header(ForwardReader(read))
    assert max(asked) <= 1 << 16
    assert content.tell() == len(content.getvalue())
