"""`vad completion`, by a real shell, and `vad config`."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from vad.cli import COMMANDS, main
from vad.detection.detector import Detector

TYPED = {
    "": set(COMMANDS),
    "de": {"detect"},
    "detect --format tex": {"textgrid", "text"},
    "detect a.wav --ver": {"--verbose", "--version"},
    "detect ": set(),  # the names of files
    "detect --output ": set(),
    "detect --model t": {"tiny"},
    "inspect e": {"embedding"},
    "tune c.jsonl --best d": {"der"},
    "detect --liv": set(),  # the old name of an option
}


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_commands_options_and_choices(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    for line in TYPED:
        words = ["vad", *line.split(" ")]
        script += (
            f"\nCOMP_WORDS=({' '.join(word or chr(39) * 2 for word in words)}) COMP_CWORD={len(words) - 1}\n"
        )
        script += 'COMPREPLY=(); _vad; echo "completed: ${COMPREPLY[*]}"\n'
    done = subprocess.run(["bash", "-u"], input=script, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    lines = [line.removeprefix("completed:") for line in done.stdout.splitlines()]
    assert {typed: set(line.split()) for typed, line in zip(TYPED, lines, strict=True)} == TYPED


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_every_command(
    shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(f" {command}" in script for command in COMMANDS)
    assert "%%" not in script
    if shutil.which(shell):
        (tmp_path / "script").write_text(script)
        subprocess.run([shell, "-n", str(tmp_path / "script")], check=True)


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
def test_fish_completes_commands_options_and_choices(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["completion", "fish"]) == 0
    script = capsys.readouterr().out
    typed = ["de", "detect --format tex", "detect a.wav --ver", "detect --model t", "inspect e"]
    for line in typed:
        script += f"\necho completed: (complete -C 'vad {line}' | string split --fields 1 \\t)"
    done = subprocess.run(
        ["fish", "--no-config"], input=script, capture_output=True, text=True, check=True, cwd=tmp_path
    )
    lines = [set(line.split()[1:]) for line in done.stdout.splitlines()]
    assert dict(zip(typed, lines, strict=True)) == {line: TYPED[line] for line in typed}


def test_config_says_where_each_value_comes_from(
    model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("min_speech_duration_ms = 70\nspeech_pad_ms = 5\n")
    words = ["--model", str(model_path), "--config", str(file), "--speech-pad-ms", "20"]
    assert main(["config", *words]) == 0
    printed = capsys.readouterr().out
    sources = {line.split(" = ")[0]: line.rpartition("# ")[2] for line in printed.splitlines()}
    assert sources["model"] == sources["speech_pad_ms"] == "command line"
    assert sources["min_speech_duration_ms"] == str(file)
    assert sources["threshold"] == "the model's operating point balanced"
    values = tomllib.loads(printed)
    assert values["speech_pad_ms"] == 20
    expected = Detector(model_path, min_speech_duration_ms=70, speech_pad_ms=20).options
    file.write_text(printed)
    assert main(["config", "--config", str(file)]) == 0
    again = tomllib.loads(capsys.readouterr().out)
    assert again == values
    assert again["threshold"] == expected.threshold
    assert again["neg_threshold"] == pytest.approx(expected.release_threshold)
