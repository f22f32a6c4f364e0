"""Wrong paths are refused before TensorFlow loads, and no file is replaced unasked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
from support.sounds import RATE, tone

from vad.cli import main
from vad.detection.segments import Segment
from vad.labels import write_labels


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One labelled recording, in the current folder."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    soundfile.write(folder / "a.wav", tone(2.0, level=0.5), RATE)
    write_labels(folder / "a.rttm", [Segment(0.0, 2.0)])
    (tmp_path / "file").write_text("no folder")
    monkeypatch.chdir(tmp_path)
    return folder


# The arguments, and a part of each line on stderr.
WRONG = {
    "train file/run --corpus corpsu --base bsae --init defualt": [
        "cannot write file/run: file is no folder", "no corpus at corpsu", "no corpus at bsae", "Did you mean default?",
    ],
    "train run": ["no corpus was given"],
    "train corpus --corpus corpus": ["it holds a.rttm, a.wav"],
    "train run --corpus corpus": ["speech in both splits, train and dev"],
    "train run --corpus corpus --config none.toml": ["cannot read the configuration none.toml"],
    "train run --corpus corpus --set warm_start=nobody": ["warm_start must be a model's name"],
    "evaluate corpsu --model defualt --report file/a.html": [
        "no corpus at corpsu", "cannot write file", "Did you mean default?",
    ],
    "tune corpsu --model defualt --output file/a.toml": [
        "no corpus at corpsu", "Did you mean default?", "cannot write file",
    ],
    "tune corpus --split dev": ["no recording with speech to tune on, in the split dev"],
    "export rnu --name a --output file/models --metrics none.json": [
        "RUN must be a model's name", "cannot write file/models", "cannot read none.json",
    ],
    "inspect all defualt none.wav --labels none.rttm --output file/pictures": [
        "Did you mean default?", "cannot write file/pictures", "cannot read none.wav", "cannot read none.rttm",
    ],
    "prepare corpus --label-with defualt --output file/a.jsonl": ["cannot write file", "Did you mean default?"],
    "prepare corpsu": ["corpsu", "nothing was written"],
    "benchmark corpsu --models defualt --corpus nosie --output file/out": [
        "Did you mean default?", "no corpus at corpsu", "no corpus at nosie", "cannot write file/out",
    ],
}  # fmt: skip


def test_wrong_paths_are_refused_all_at_once_and_before_anything_heavy_loads(corpus: Path) -> None:
    code = (
        "import contextlib, io, json, sys\n"
        "from vad.cli import main\n"
        "results = []\n"
        "for line in json.loads(sys.argv[1]):\n"
        "    with contextlib.redirect_stderr(io.StringIO()) as said:\n"
        "        results.append([main(line.split()), said.getvalue()])\n"
        "heavy = {'tensorflow', 'keras', 'librosa', 'scipy', 'matplotlib'} & set(sys.modules)\n"
        "print(json.dumps([results, sorted(heavy)]))\n"
    )
    words = [sys.executable, "-c", code, json.dumps([*WRONG])]
    results, heavy = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    for (line, parts), (exit_code, said) in zip(WRONG.items(), results, strict=True):
        assert exit_code in (1, 2), line
        for part in parts:
            assert part in said, line
        assert len([one for one in said.splitlines() if one.startswith("vad: note") is False]) == len(
            parts
        ), line
    assert heavy == []
    assert sorted(path.name for path in corpus.parent.iterdir()) == ["corpus", "file"]


@pytest.mark.parametrize(
    ("line", "output"),
    [
        ("evaluate corpus --report mine.html", "mine.html"),
        ("tune corpus --output mine.toml", "mine.toml"),
        ("tune corpus --plot mine.svg", "mine.svg"),
        ("prepare corpus --output mine.jsonl", "mine.jsonl"),
        ("prepare corpus --output mine.jsonl", "mine.html"),
        ("export default --name mine", "mine.keras"),
        ("inspect weights default --output .", "weights.npz"),
        ("inspect weights default --output .", "weights-filters.png"),
        ("benchmark corpus --output .", "benchmark.md"),
        ("benchmark corpus --onsets --output .", "onsets.md"),
        ("train . --corpus corpus", "history.csv"),
        ("train . --corpus corpus", "config.json"),
    ],
)
def test_no_file_is_replaced_unasked(
    line: str, output: str, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(output).write_text("{}")
    assert main(line.split()) == 2
    assert output in capsys.readouterr().err
    assert Path(output).read_text() == "{}"


def test_overwrite_replaces(corpus: Path, model_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "corpus", "--model", str(model_path), "--report", "mine.html", "--quiet"]
    Path("mine.html").touch()
    assert main(words) == 2
    assert main([*words, "--overwrite"]) == 0
    assert Path("mine.html").stat().st_size > 1000
