"""Trimmed recordings: what is kept, how long pauses are, and that no joint clicks."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.sounds import RATE, noise

import vad
import vad.audio.writing
from vad.detection.segments import Segment

# Gaps of 1, 0.05 and 2 s.
SEGMENTS = [Segment(0.5, 1.0), Segment(2.0, 2.25), Segment(2.3, 3.0), Segment(5.0, 5.5)]
LONGEST = 0.3


def recording(path: Path, sample_rate: int = RATE, channels: int = 2, **settings: str) -> np.ndarray:
    soundfile.write(path, noise(6 * sample_rate, channels=channels), sample_rate, **settings)
    values, _ = soundfile.read(path, dtype="float32", always_2d=True)
    return values


def read(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


@pytest.mark.parametrize("sample_rate", [8000, 44100])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_only_the_ends_go_and_the_rest_keeps_its_bits(tmp_path: Path, sample_rate: int, subtype: str) -> None:
    values = recording(tmp_path / "a.wav", sample_rate, subtype=subtype)
    vad.trim_file(tmp_path / "a.wav", SEGMENTS, tmp_path / "b.flac")
    kept = read(tmp_path / "b.flac")
    assert soundfile.info(tmp_path / "b.flac").subtype == subtype
    wanted = values[round(0.5 * sample_rate) : round(5.5 * sample_rate)]
    assert kept.shape == wanted.shape
    faded = round(0.01 * sample_rate)
    assert np.array_equal(kept[faded:-faded], wanted[faded:-faded])
    assert np.abs(kept[0]).max() < 0.05 * np.abs(wanted).max()


@pytest.mark.parametrize(
    ("pauses", "lengths"),
    [
        ({"max_pause": 0.3}, [0.3, 0.05, 0.3]),
        ({"max_pause": 0.0}, [0.0, 0.0, 0.0]),
        ({"max_pause": 1.5}, [1.0, 0.05, 1.5]),
        ({"pause": 0.3}, [0.3, 0.3, 0.3]),
        ({}, [1.0, 0.05, 2.0]),
    ],
)
def test_pauses_get_their_length_and_speech_keeps_its_samples(
    tmp_path: Path, pauses: dict[str, float], lengths: list[float]
) -> None:
    values = recording(tmp_path / "a.wav")
    vad.trim_file(str(tmp_path / "a.wav"), SEGMENTS, str(tmp_path / "b.wav"), **pauses)
    kept = read(tmp_path / "b.wav")
    assert len(kept) == round(sum(lengths) * RATE) + sum(
        round(one.end * RATE) - round(one.start * RATE) for one in SEGMENTS
    )
    position = 0
    for segment, length in zip(SEGMENTS, [*lengths, 0.0], strict=True):
        start, stop = round(segment.start * RATE), round(segment.end * RATE)
        fade = round(0.01 * RATE)
        inside = slice(position + fade, position + stop - start - fade)
        assert np.array_equal(kept[inside], values[start + fade : stop - fade])
        position += stop - start + round(length * RATE)


@pytest.mark.parametrize("pauses", [{"max_pause": 0.2}, {"max_pause": 0.0}, {"pause": 0.4}])
def test_no_joint_clicks(tmp_path: Path, pauses: dict[str, float]) -> None:
    """A hum whose phase jumps at a hard cut has energy far above its frequency there."""
    time = np.arange(6 * RATE) / RATE
    hum = 0.4 * np.sin(2 * np.pi * 61.7 * time).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", hum, RATE, subtype="FLOAT")
    vad.trim_file(tmp_path / "a.wav", SEGMENTS, tmp_path / "b.wav", **pauses)
    kept = read(tmp_path / "b.wav")[:, 0]
    hard = np.concatenate([hum[round(s.start * RATE) : round(s.end * RATE)] for s in SEGMENTS])
    steepest = np.abs(np.diff(hum)).max()
    assert np.abs(np.diff(hard)).max() > 10 * steepest
    assert np.abs(np.diff(kept, prepend=0.0, append=0.0)).max() < 4 * steepest
    assert np.abs(kept).max() <= np.float32(0.4)


def test_the_depth_rate_and_channels_of_any_format(tmp_path: Path) -> None:
    recording(tmp_path / "a.aiff", 48_000, subtype="PCM_24")
    for suffix, subtype in (
        (".wav", "PCM_24"),
        (".ogg", "VORBIS"),
        (".mp3", "MPEG_LAYER_III"),
        (".opus", "OPUS"),
    ):
        vad.trim_file(tmp_path / "a.aiff", SEGMENTS, tmp_path / f"b{suffix}", max_pause=LONGEST)
        info = soundfile.info(tmp_path / f"b{suffix}")
        assert (info.samplerate, info.channels, info.subtype) == (48_000, 2, subtype)
        assert info.duration == pytest.approx(2.6, abs=0.1)


@pytest.mark.parametrize(("pause", "form"), [(0.9, "WAV"), (1.1, "RF64")])
def test_a_recording_that_pauses_make_too_long_for_wav_becomes_rf64(
    pause: float, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording(tmp_path / "a.wav", subtype="PCM_16")
    speech, channels = 1.95, 2
    monkeypatch.setattr(vad.audio.writing, "_MAX_WAV_BYTES", round((speech + 3 * 1.0) * RATE) * channels * 2)
    vad.trim_file(tmp_path / "a.wav", SEGMENTS, tmp_path / "b.wav", pause=pause)
    assert soundfile.info(tmp_path / "b.wav").format == form
    assert len(read(tmp_path / "b.wav")) == round((speech + 3 * pause) * RATE)


def test_segments_that_overlap_touch_or_are_very_short(tmp_path: Path) -> None:
    values = recording(tmp_path / "a.wav")
    segments = [
        Segment(1.0, 2.0),
        Segment(0.0, 0.5),
        Segment(0.4, 1.0),
        Segment(3.0, 3.001),
        Segment(4.0, 5.0),
        Segment(4.5, 9.0),
    ]
    for pause in (0, 1):  # none is inserted where two segments meet
        vad.trim_file(tmp_path / "a.wav", segments, tmp_path / f"{pause}.wav", pause=pause)
        kept = read(tmp_path / f"{pause}.wav")
        assert len(kept) == 2 * RATE + 16 + 2 * RATE + 2 * pause * RATE
        assert np.array_equal(kept[: 2 * RATE - 160], values[: 2 * RATE - 160])


def test_damage_keeps_what_came_before_and_is_reported(tmp_path: Path) -> None:
    recording(tmp_path / "a.wav", channels=1)
    whole = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(whole[: len(whole) // 2])  # 3 s
    with pytest.raises(vad.AudioError, match=r"a\.wav: .*3\.00 s"):
        vad.trim_file(
            tmp_path / "a.wav", [Segment(0.5, 1.0), Segment(2.0, 5.5)], tmp_path / "b.wav", max_pause=0.5
        )
    assert len(read(tmp_path / "b.wav")) == pytest.approx(2.0 * RATE, abs=2 * RATE // 100)


@pytest.mark.parametrize(
    ("segments", "name", "pauses", "error"),
    [
        ([], "b.wav", {}, "no speech"),
        (SEGMENTS, "b.m4a", {}, r"\.flac"),
        (SEGMENTS, "b.wav", {"max_pause": -1}, "max_pause=-1"),
        (SEGMENTS, "b.wav", {"pause": float("nan")}, "pause=nan"),
        (SEGMENTS, "b.wav", {"max_pause": 1, "pause": 1}, "exclude"),
    ],
)
def test_what_cannot_be_done_writes_nothing(
    tmp_path: Path, segments: list[Segment], name: str, pauses: dict[str, float], error: str
) -> None:
    recording(tmp_path / "a.wav")
    with pytest.raises(vad.VadError, match=error):
        vad.trim_file(tmp_path / "a.wav", segments, tmp_path / name, **pauses)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(600 * 8000, np.int16), 8000)
    segments = [Segment(start, start + 5.0) for start in range(1, 590, 10)]
    tracemalloc.start()
    vad.trim_file(tmp_path / "a.wav", segments, tmp_path / "b.wav", max_pause=LONGEST)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert soundfile.info(tmp_path / "b.wav").duration == pytest.approx(59 * 5 + 58 * LONGEST)
    assert peak < 2_000_000  # the recording has 19 MB as floats
