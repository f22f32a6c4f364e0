"""What a command tells on stderr, and its help in a terminal of 80 columns."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.sounds import RATE, tone

from vad.cli import COMMANDS, main
from vad.errors import did_you_mean


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(1.0, level=0.5), RATE)
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_fits_80_columns(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: vad {command}")
    assert [line for line in shown.splitlines() if len(line) > 80] == []
    for option in ("--quiet, -q", "--verbose, -v", "--version, -V"):
        assert option in shown
    assert f"  vad {command}" in shown.partition("\nexamples:\n")[2]


@pytest.mark.parametrize("command", COMMANDS)
def test_quiet_and_verbose_exclude_each_other(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--quiet", "--verbose"]) == 2
    assert "not allowed with argument" in capsys.readouterr().err


def test_verbose_names_the_model_its_options_and_the_decoder(
    recording: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["detect", str(recording), "--model", str(model_path), "--threshold", "0.6"]
    assert main([*words, "--verbose"]) == 0
    details = capsys.readouterr().err
    for part in (str(model_path), "threshold=0.6", "PCM_16", f"{RATE} Hz"):
        assert part in details
    assert main(words) == 0
    assert capsys.readouterr().err == ""
    assert not logging.getLogger("vad").handlers


def test_other_processes_tell_what_this_one_tells(
    recording: Path, model_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    samples = np.stack([tone(1.0, level=0.5), -tone(1.0, level=0.5)], axis=1)
    soundfile.write(recording.with_name("b.wav"), samples, RATE)
    words = ["detect", str(recording.parent), "--model", str(model_path), "--verbose", "--jobs"]
    told = []
    for jobs in ("1", "2"):
        assert main([*words, jobs]) == 0
        told.append(
            {line for line in capfd.readouterr().err.splitlines() if "Channel 0" in line or "PCM" in line}
        )
    assert told[0] == told[1]
    assert len(told[0]) == 3
    assert all(line.startswith("vad: ") for line in told[0])


def test_verbose_shows_where_an_error_comes_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", str(tmp_path / "none")]
    assert main(words) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert main([*words, "--verbose"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_quiet_keeps_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(tmp_path / "none"), "--quiet"]) == 1
    assert "no corpus" in capsys.readouterr().err


def test_quiet_hides_progress(
    recording: Path, model_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    second = recording.with_name("b.wav")
    soundfile.write(second, np.zeros(RATE, np.float32), RATE)
    words = ["detect", str(recording), str(second), "--model", str(model_path)]
    for options, says_more in (([], True), (["--quiet"], False)):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        assert main([*words, *options]) == 0
        assert bool(capsys.readouterr().err) is says_more


@pytest.mark.parametrize(
    ("word", "nearest"),
    [
        ("treshold", "threshold"), ("pad", "speech_pad_ms"), ("min_silence", "min_silence_duration_ms"),
        ("x", ""), ("loudness", ""), ("speed", ""),
    ],
)  # fmt: skip
def test_only_near_words_are_suggested(word: str, nearest: str) -> None:
    known = [
        "threshold",
        "neg_threshold",
        "min_speech_duration_ms",
        "min_silence_duration_ms",
        "speech_pad_ms",
    ]
    assert did_you_mean(word, known) == (f" Did you mean {nearest}?" if nearest else "")
