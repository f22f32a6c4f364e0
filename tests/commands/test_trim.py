"""`vad trim` from words to files."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.sounds import RATE, noise, tone

from vad.cli import main
from vad.detection.detector import Detector


@pytest.fixture
def trim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_path: Path, capsys):
    """Run `vad trim`, where there are recordings with two segments; give the exit code and stderr."""
    monkeypatch.chdir(tmp_path)
    silence = np.zeros(2 * RATE, np.float32)
    speech = np.concatenate([silence, tone(1.5), silence, tone(1.0), silence])
    Path("deep").mkdir()
    soundfile.write("one.wav", speech, RATE, subtype="PCM_24")
    soundfile.write("deep/two.flac", np.stack([speech] * 2, axis=1), RATE)
    soundfile.write("silent.wav", silence, RATE)

    def run(*words: str) -> tuple[int, str]:
        code = main(["trim", "--model", str(model_path), *words])
        written = capsys.readouterr()
        assert written.out == ""
        return code, written.err

    return run


def seconds_of_speech_and_gap(model_path: Path) -> tuple[float, float]:
    first, second = Detector(model_path).detect_file("one.wav")
    return first.duration + second.duration, second.start - first.end


@pytest.mark.parametrize(
    ("words", "pause"),
    [([], None), (["--max-pause", "0.5"], 0.5), (["--pause", "0.25"], 0.25), (["--pause", "5"], 5.0)],
)
def test_the_ends_and_the_pauses(trim, model_path: Path, words: list[str], pause: float | None) -> None:
    speech, gap = seconds_of_speech_and_gap(model_path)
    assert trim("one.wav", "-o", "out.flac", *words) == (0, "")
    info = soundfile.info("out.flac")
    assert info.duration == pytest.approx(speech + (gap if pause is None else pause), abs=1e-3)
    assert (info.samplerate, info.channels, info.subtype) == (RATE, 1, "PCM_24")


def test_a_folder_keeps_its_formats_and_a_template_chooses_one(trim) -> None:
    assert trim("one.wav", "deep", "-o", "out/") == (0, "")
    assert sorted(path.name for path in Path("out").iterdir()) == ["one.wav", "two.flac"]
    assert soundfile.info("out/two.flac").channels == 2
    assert (
        trim(".", "-r", "-o", "words/{name}_short.mp3", "--max-pause", "0.1", "--channel", "0", "-j", "1")[0]
        == 1
    )
    found = [path.relative_to("words").as_posix() for path in Path("words").rglob("*.mp3")]
    assert sorted(found) == ["deep/two_short.mp3", "one_short.mp3", "out/one_short.mp3", "out/two_short.mp3"]


def test_without_speech_nothing_is_written_and_one_line_says_so(trim) -> None:
    code, err = trim("silent.wav", "one.wav", "-o", "out/")
    assert (code, err.count("\n")) == (1, 1)
    assert "silent.wav: there is no speech" in err
    assert [path.name for path in Path("out").iterdir()] == ["one.wav"]


def test_a_damaged_recording_is_trimmed_as_far_as_it_goes(trim) -> None:
    whole = Path("one.wav").read_bytes()
    Path("half.wav").write_bytes(whole[: len(whole) // 2])
    code, err = trim("half.wav", "-o", "out.wav")
    assert (code, err.count("\n")) == (1, 1)
    assert "half.wav: " in err
    assert 1.0 < soundfile.info("out.wav").duration < 2.6


def test_files_that_exist_are_replaced_with_overwrite_only(trim) -> None:
    Path("out.wav").write_text("made by hand")
    code, err = trim("one.wav", "-o", "out.wav")
    assert (code, err.count("\n")) == (2, 1)
    assert "--overwrite" in err
    assert Path("out.wav").read_text() == "made by hand"
    assert trim("one.wav", "-o", "out.wav", "--overwrite") == (0, "")
    before = Path("one.wav").read_bytes()
    for output in ("one.wav", "./", "{name}.wav"):
        code, err = trim("one.wav", "-o", output, "--overwrite")
        assert (code, err.count("\n")) == (2, 1)
    assert Path("one.wav").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["one.wav"], "--output"),
        (["one.wav", "-o", "out.m4a"], ".flac"),
        (["one.wav", "-o", "out/{name}.m4a"], ".flac"),
        (["one.wav", "-o", "out/{id}.wav"], "{name}"),
        (["one.wav", "deep", "-o", "out.wav"], "2 recordings"),
        (["one.wav", "-o", "out.wav", "--max-pause", "-1"], "max_pause"),
        (["one.wav", "-o", "out.wav", "--pause", "1", "--max-pause", "1"], "not allowed"),
        (["one.wav", "-o", "out.wav", "--channel", "each"], "mix, or a number"),
    ],
)
def test_wrong_usage_is_one_line(trim, words: list[str], part: str) -> None:
    code, err = trim(*words)
    assert (code, err.count("\n")) == (2, 1)
    assert part in err
    assert not list(Path().glob("out*"))


def test_a_recording_that_its_output_cannot_hold_costs_only_itself(trim) -> None:
    soundfile.write("wide.wav", noise(RATE, channels=6), RATE)
    Path("three").mkdir()
    code, err = trim("wide.wav", "one.wav", "-o", "three/{name}.mp3", "--threshold", "0")
    assert (code, err.count("\n")) == (1, 1)
    assert "6 channels" in err
    assert [path.name for path in Path("three").iterdir()] == ["one.mp3"]
