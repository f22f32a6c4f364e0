"""Chunks for speech recognition: none too long, all speech in exactly one, times map back."""

import csv
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from support.listening import RATE, tone_bursts

import vad
from vad.cli import main
from vad.detection.chunks import chunks_from_probabilities
from vad.detection.options import SegmentOptions
from vad.detection.segmenter import segments_from_probabilities
from vad.errors import ConfigError
from vad.labels import merge

FRAME_S = 0.02
# Runs of frames that are speech, silence or in between, up to 20 s each.
PROBABILITIES = st.lists(
    st.tuples(st.integers(1, 1000), st.sampled_from([0.0, 0.2, 0.4, 0.6, 0.9, 1.0])), max_size=12
).map(lambda runs: [value for count, value in runs for _ in range(count)])
OPTIONS = st.builds(
    SegmentOptions,
    min_speech_duration_ms=st.sampled_from([0, 100, 500]),
    min_silence_duration_ms=st.sampled_from([0, 150, 2000]),
    speech_pad_ms=st.sampled_from([0, 10, 200]),
    max_speech_duration_s=st.sampled_from([2.5, math.inf]),
)


@given(PROBABILITIES, OPTIONS, st.sampled_from([1.0, 2.0, 7.3, 30.0]))
def test_every_moment_of_speech_is_in_one_chunk(
    probabilities: list[float], options: SegmentOptions, max_duration_s: float
) -> None:
    chunks = chunks_from_probabilities(probabilities, FRAME_S, options, max_duration_s=max_duration_s)
    assert all(chunk.duration <= max_duration_s + 1e-6 for chunk in chunks)
    bounds = [time for chunk in chunks for time in (chunk.start, chunk.end)]
    assert bounds == sorted(bounds), "chunks overlap"
    inside = [piece for chunk in chunks for piece in chunk.segments]
    assert all((one.segments[0].start, one.segments[-1].end) == (one.start, one.end) for one in chunks)
    whole = segments_from_probabilities(probabilities, FRAME_S, options)
    assert merge(inside) == merge(whole)  # the pieces of a cut segment touch


@given(PROBABILITIES, OPTIONS)
def test_a_chunk_ends_only_where_the_next_segment_does_not_fit(
    probabilities: list[float], options: SegmentOptions
) -> None:
    chunks = chunks_from_probabilities(probabilities, FRAME_S, options, max_duration_s=10.0)
    for chunk, following in itertools.pairwise(chunks):
        assert following.segments[0].end - chunk.start > 10.0


def test_a_long_segment_is_cut_at_its_least_probable_frame() -> None:
    probabilities = [0.9] * 2000
    probabilities[1100] = 0.6
    first, second = chunks_from_probabilities(probabilities, FRAME_S, SegmentOptions(speech_pad_ms=0))
    assert first.end == second.start == pytest.approx(1100 * FRAME_S)


@pytest.mark.parametrize("seconds", [0.5, 0, -1, math.inf, math.nan, "30"])
def test_a_length_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(ConfigError, match="chunk"):
        chunks_from_probabilities([0.9], FRAME_S, SegmentOptions(), max_duration_s=seconds)


SOUND = tone_bursts([(start, start + 0.7) for start in range(1, 20, 2)], 20.0)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    # Of every sample, the value tells the position; the first channel alone is detected.
    positions = np.arange(len(SOUND)) / 2**19
    soundfile.write("talk.wav", np.stack([SOUND, positions], axis=1), RATE, subtype="FLOAT")
    return tmp_path


def test_the_table_maps_the_files_of_chunks_to_the_recording(
    place: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["detect", "talk.wav", "--channel", "0", "--model", str(model_path), "--chunks", "5"]
    assert main([*words, "-f", "csv"]) == 0
    listed = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    detector = vad.Detector(model_path)
    detection = detector.process("talk.wav", channel=0)
    chunks = vad.chunks_from_probabilities(
        detection.probabilities,
        detection.frame_duration,
        detector.options,
        detection.duration,
        max_duration_s=5,
    )
    assert [(float(row["start"]), float(row["end"])) for row in listed] == [
        (round(chunk.start, 6), round(chunk.end, 6)) for chunk in chunks
    ]
    assert len(chunks) == 4
    assert sum(len(chunk.segments) for chunk in chunks) == 10
    # All channels are cut, to read the positions.
    words = ["detect", "talk.wav", "--model", str(model_path), "--chunks", "5", "--save-segments", "parts"]
    assert main(words) == 0
    with open("parts/talk_chunks.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(path.name for path in Path("parts").glob("*.wav")) == [row["file"] for row in rows]
    for row in rows:
        values, _ = soundfile.read(Path("parts") / row["file"])
        first = round(values[0, 1] * 2**19)
        assert first == round(float(row["start"]) * RATE)
        assert len(values) == round(float(row["end"]) * RATE) - first <= 5 * RATE
    capsys.readouterr()
    assert main(words) == 2
    assert "talk_chunks.csv" in capsys.readouterr().err


def test_each_channel_has_its_table(place: Path, model_path: Path) -> None:
    words = ["detect", "talk.wav", "--channel", "each", "--chunks", "5", "--save-segments", "parts"]
    assert main([*words, "--model", str(model_path)]) == 0
    names = {path.name for path in Path("parts").glob("*.csv")}
    assert names == {"talk_chunks.ch0.csv", "talk_chunks.ch1.csv"}


def test_a_wrong_length_is_usage(place: Path, model_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", "talk.wav", "--chunks", "0.1", "--model", str(model_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "chunks=0.1" in line
