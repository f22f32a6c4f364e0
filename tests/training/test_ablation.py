"""The ablation script: whatever is varied trains, is exported and gets its row."""

from __future__ import annotations

import sys
from pathlib import Path

import ablation
import pytest
from support import tiny_corpus
from support.places import EXAMPLES

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
    # One is two trainings, the other has frames of its own.
    comparable = set(ARCHITECTURES) - {"logmel-pair", "interchange"}
    assert set(ablation.ARCHITECTURES.partition("=")[2].split(",")) == comparable


def test_what_is_varied_trains_and_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = [f"--set={name}={value}" for name, value in SMALL.items()]
    corpus = tiny_corpus.write(tmp_path / "corpus")
    words = ["ablation.py", str(tmp_path / "runs"), "--corpus", str(corpus)]
    words += ["--labelled", str(EXAMPLES), "--vary", "network.delay_frames=0,3"]
    monkeypatch.setattr(sys, "argv", [*words, f"--set=data={tmp_path / 'data'}", *settings])
    assert ablation.main() == 0
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert [row[0].strip() for row in rows] == ["delay_frames", "---", "0", "3"]
    assert len({len(row) for row in rows}) == 1
    assert 0 < float(rows[2][1]) <= 1
