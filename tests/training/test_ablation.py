"""The ablation script: whatever is varied trains, is exported and gets its row."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import ablation
import pytest
from support import tiny_corpus
from support.places import EXAMPLES

from vad.cli import main
from vad.training.config import load_config
from vad.training.networks import ARCHITECTURES

SMALL = {
    "hours": 0.003,
    "dev_hours": 0.003,
    "epochs": 1,
    "epoch_hours": 0.003,
    "batch_size": 2,
    "jobs": 1,
    "mixing.scene_s": 2.0,
    "mixing.speech_free": 0.0,
    "network.conv_channels": [4, 8],
    "network.n_mels": 24,
}


def test_the_script_knows_every_architecture() -> None:
    comparable = set(ARCHITECTURES) - {"interchange"}  # which has frames of its own
    assert set(ablation.ARCHITECTURES.partition("=")[2].split(",")) == comparable


@pytest.mark.acceptance
def test_what_is_varied_trains_and_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second value only names its model, as a run of the same options would be."""

    def once(words: list[str]) -> int:
        done.append(words)
        if len(done) <= 2:
            return main(words)
        for suffix in (".tflite", ".json"):
            shutil.copy(runs / f"0{suffix}", runs / f"3{suffix}")
        return 0

    done: list[list[str]] = []
    monkeypatch.setattr(ablation, "vad", once)
    runs, labelled = tmp_path / "runs", tmp_path / "labelled"
    labelled.mkdir()
    for name in ("clip.wav", "clip.rttm"):
        shutil.copy(EXAMPLES / name, labelled)
    settings = [f"--set={name}={value}" for name, value in SMALL.items()]
    corpus = tiny_corpus.write(tmp_path / "corpus")
    words = ["ablation.py", str(runs), "--corpus", str(corpus)]
    words += ["--labelled", str(labelled), "--vary", "network.delay_frames=0,3"]
    monkeypatch.setattr(sys, "argv", [*words, f"--set=data={tmp_path / 'data'}", *settings])
    assert ablation.main() == 0
    assert [words[0] for words in done] == ["train", "export"] * 2
    assert load_config(runs / "0/config.json").network.delay_frames == 0
    assert "network.delay_frames=3" in done[2]
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert [row[0].strip() for row in rows] == ["delay_frames", "---", "0", "3"]
    assert len({len(row) for row in rows}) == 1
    assert 0 < float(rows[2][1]) <= 1
