"""Cut speech has exactly the samples of the recording."""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.sounds import RATE, noise

from vad.commands.detecting.outputs import save_probabilities
from vad.detection.cutting import save_segments, save_speech
from vad.detection.segments import Segment

SEGMENTS = [Segment(0.25, 0.5), Segment(0.5, 0.5625), Segment(0.9, 2.75)]


def expected(values: np.ndarray, sample_rate: int) -> list[np.ndarray]:
    return [values[round(s.start * sample_rate) : round(s.end * sample_rate)] for s in SEGMENTS]


@pytest.mark.parametrize("sample_rate", [8000, 44100])
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"])
def test_cuts_are_bit_for_bit_the_originals(tmp_path: Path, sample_rate: int, subtype: str) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, noise(3 * sample_rate, channels=2), sample_rate, subtype=subtype)
    original, _ = soundfile.read(path, dtype="float32", always_2d=True)
    cuts = save_segments(str(path), SEGMENTS, tmp_path / "clip")
    assert [cut.name for cut in cuts] == [
        "clip_0001_0.250-0.500.wav", "clip_0002_0.500-0.562.wav", "clip_0003_0.900-2.750.wav",
    ]  # fmt: skip
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


def test_no_speech_is_an_empty_file(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.wav", noise(RATE), RATE)
    save_speech(str(tmp_path / "clip.wav"), [], tmp_path / "speech.wav")
    assert soundfile.info(tmp_path / "speech.wav").frames == 0
    assert save_segments(str(tmp_path / "clip.wav"), [], tmp_path / "clip") == []


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
