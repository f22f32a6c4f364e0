"""A full disk and SIGTERM at every output: the old file stays, nothing unfinished is left, and one line says why."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from support.sounds import RATE, noise, tone

from vad.cli import main
from vad.detection.segments import Segment
from vad.labels import write_labels

resource = pytest.importorskip("resource", reason="Windows has no limits for files")

# The arguments, and the file that they write.
OUTPUTS = {
    "detect corpus/a.wav -o old -f text": "old",
    "detect corpus -o . -f json": "a.json",
    "detect corpus/a.wav --save-speech old.wav": "old.wav",
    "detect corpus/a.wav --report old.html": "old.html",
    "trim corpus/a.wav --output old.wav": "old.wav",
    "prepare corpus --output old.jsonl": "old.jsonl",
    "evaluate corpus --report old.html": "old.html",
    "tune corpus --output old.toml": "old.toml",
    "benchmark corpus --output .": "benchmark.md",
}


@pytest.fixture(params=OUTPUTS)
def words(
    request: pytest.FixtureRequest, tmp_path: Path, model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """The arguments of a command whose output exists, in a folder of its own. The output is as it was afterwards."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number, name in enumerate("ab"):
        samples = noise(3 * RATE, seed=number) * 0.001
        samples[RATE : 2 * RATE] += tone(1.0, level=0.5)
        soundfile.write(folder / f"{name}.wav", samples, RATE)
        write_labels(folder / f"{name}.rttm", [Segment(1.0, 2.0)])
    monkeypatch.chdir(tmp_path)
    output = Path(OUTPUTS[request.param])
    output.write_text("old")
    before = files_in(tmp_path)
    command, *others = request.param.split()
    models = (
        [] if command == "prepare" else ["--models" if command == "benchmark" else "--model", str(model_path)]
    )
    yield [command, *others, *models, "--overwrite", "--quiet"]
    assert output.read_text() == "old"
    assert files_in(tmp_path) == before


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def errors(captured: str) -> list[str]:
    """The lines that are neither notes nor about detectors that are not installed."""
    return [
        line for line in captured.splitlines() if not line.startswith(("vad: note", "vad: cannot measure"))
    ]


def test_a_full_disk_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2, before[1]))
    try:
        code = main(words)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code in (1, 2)
    lines = errors(capsys.readouterr().err)
    assert lines
    assert all(" cannot write " in line for line in lines)
    assert not [line for line in lines if "does not take" in line]  # as if the format were the reason


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
def test_sigterm_leaves_nothing_unfinished(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "replace", lambda *_: signal.raise_signal(signal.SIGTERM))
    assert main(words) == 128 + signal.SIGTERM
    assert errors(capsys.readouterr().err) == []
