"""Cut speech has exactly the samples of the recording."""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.sounds import RATE, noise

from vad.audio.writing import write_audio
from vad.commands.detecting.outputs import save_probabilities
from vad.detection.cutting import save_segments, save_speech
from vad.detection.segments import Segment
from vad.errors import ConfigError

SEGMENTS = [Segment(0.25, 0.5), Segment(0.5, 0.5625), Segment(0.9, 2.75)]


def expected(values: np.ndarray, sample_rate: int) -> list[np.ndarray]:
    return [values[round(s.start * sample_rate) : round(s.end * sample_rate)] for s in SEGMENTS]


@pytest.mark.parametrize("sample_rate", [8000, 44100])
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"])
def test_cuts_are_bit_for_bit_the_originals(tmp_path: Path, sample_rate: int, subtype: str) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, noise(3 * sample_rate, channels=2), sample_rate, subtype=subtype)
    original, _ = soundfile.read(path, dtype="float32", always_2d=True)
    cuts = [tmp_path / f"{number}.wav" for number in range(3)]
    save_segments(str(path), SEGMENTS, cuts)
    for cut, wanted in zip(cuts, expected(original, sample_rate), strict=True):
        kept, rate = soundfile.read(cut, dtype="float32", always_2d=True)
        assert (rate, soundfile.info(cut).subtype) == (sample_rate, subtype)
        assert np.array_equal(kept, wanted)


def test_speech_is_the_segments_in_a_row_of_one_channel(tmp_path: Path) -> None:
    values = noise(3 * RATE, channels=3)
    soundfile.write(tmp_path / "clip.wav", values, RATE, subtype="FLOAT")
    save_speech(str(tmp_path / "clip.wav"), SEGMENTS, tmp_path / "speech.wav", channel=1)
    kept, _ = soundfile.read(tmp_path / "speech.wav", dtype="float32")
    assert np.array_equal(kept, np.concatenate(expected(values, RATE))[:, 1])


def test_lossy_recordings_are_cut_as_16_bit(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.ogg", noise(3 * RATE), RATE)
    save_speech(str(tmp_path / "clip.ogg"), SEGMENTS, tmp_path / "speech.wav")
    info = soundfile.info(tmp_path / "speech.wav")
    assert info.subtype == "PCM_16"
    assert info.frames == sum(map(len, expected(np.empty(3 * RATE), RATE)))


@pytest.mark.parametrize(
    ("original", "suffix", "kept"),
    [
        ("PCM_24", ".flac", "PCM_24"),
        ("PCM_U8", ".flac", "PCM_16"),
        ("PCM_32", ".flac", "PCM_24"),
        ("FLOAT", ".aiff", "FLOAT"),
        ("DOUBLE", ".wav", "DOUBLE"),
        ("ULAW", ".wav", "PCM_16"),
        ("PCM_24", ".ogg", "VORBIS"),
        ("PCM_16", ".mp3", "MPEG_LAYER_III"),
        ("PCM_16", ".opus", "OPUS"),
    ],
)
def test_the_depth_is_kept_where_the_format_has_it(
    tmp_path: Path, original: str, suffix: str, kept: str
) -> None:
    values = 0.3 * noise(3 * RATE, channels=2)
    soundfile.write(tmp_path / "clip.wav", values, RATE, subtype=original)
    path = tmp_path / f"speech{suffix}"
    save_speech(str(tmp_path / "clip.wav"), SEGMENTS, path)
    info = soundfile.info(path)
    assert (info.samplerate, info.channels, info.subtype) == (RATE, 2, kept)
    duration = sum(segment.duration for segment in SEGMENTS)
    assert info.duration == pytest.approx(duration, abs=0.1 if suffix == ".mp3" else 1e-3)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT"])
def test_full_scale_does_not_change_its_sign(tmp_path: Path, subtype: str) -> None:
    values = np.array([1.0, -1.0, 0.5], np.float32)
    write_audio(tmp_path / "full.wav", [values[:, np.newaxis]], RATE, 1, subtype, 1.0)
    kept, _ = soundfile.read(tmp_path / "full.wav", dtype="float64")
    assert np.allclose(kept, values, atol=4e-5)


@pytest.mark.parametrize(
    ("suffix", "rate", "channels"), [(".mp3", 96_000, 1), (".mp3", 16_000, 6), (".opus", 44_100, 1)]
)
def test_a_format_that_cannot_hold_the_recording_is_one_line(
    tmp_path: Path, suffix: str, rate: int, channels: int
) -> None:
    soundfile.write(tmp_path / "clip.wav", noise(rate // 10, channels=channels), rate)
    path = tmp_path / f"speech{suffix}"
    with pytest.raises(ConfigError, match=rf"{suffix} does not take {channels} channels? at {rate} Hz"):
        save_speech(str(tmp_path / "clip.wav"), [Segment(0.0, 0.05)], path)
    assert list(tmp_path.iterdir()) == [tmp_path / "clip.wav"]


def test_no_speech_is_an_empty_file(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.wav", noise(RATE), RATE)
    save_speech(str(tmp_path / "clip.wav"), [], tmp_path / "speech.wav")
    assert soundfile.info(tmp_path / "speech.wav").frames == 0
    save_segments(str(tmp_path / "clip.wav"), [], [])


@pytest.mark.parametrize("shape", [(5,), (2, 5)])
def test_probabilities_come_back_from_both_formats(tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).random(shape, np.float32)
    save_probabilities(tmp_path / "p.npz", values, 0.02)
    with np.load(tmp_path / "p.npz") as kept:
        assert np.array_equal(kept["probabilities"], values)
        assert float(kept["frame_duration"]) == 0.02
    save_probabilities(tmp_path / "p.csv", values, 0.02)
    rows = list(csv.DictReader((tmp_path / "p.csv").read_text().splitlines()))
    names = ["probability"] if len(shape) == 1 else ["probability_0", "probability_1"]
    assert [row["start"] for row in rows] == ["0.000", "0.020", "0.040", "0.060", "0.080"]
    kept_values = np.array([[float(row[name]) for name in names] for row in rows]).T
    assert np.abs(kept_values - values).max() <= 1e-6
