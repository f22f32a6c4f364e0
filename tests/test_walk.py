"""The steps of scripts/walk.py that a small model can go; the whole walk trains one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from sounds import RATE, tone

from vad.cli import main

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))
import walk


def test_what_tuning_is_worth_is_measured_on_segments_held_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Speech is a tone in bursts too faint for the untuned threshold; the held-out part is fainter at its end."""

    def vad(*words: str | Path) -> str:
        assert main([str(word) for word in words]) == 0
        return capsys.readouterr().out

    monkeypatch.setattr(walk, "vad", vad)
    rows = []
    for split, last in (("dev", 0.1), ("test", 0.0)):
        samples = np.zeros(4 * RATE, np.float32)
        samples[RATE : 2 * RATE] = tone(1.0, level=0.1)
        samples[3 * RATE :] = tone(1.0, level=last)
        soundfile.write(tmp_path / f"{split}.wav", samples, RATE)
        segments = [[1.0, 2.0], [3.0, 4.0]]
        rows.append(
            {
                "audio_filepath": f"{split}.wav",
                "kind": "speech",
                "split": split,
                "speaker": split,
                "segments": segments,
            }
        )
    manifest = tmp_path / "mine.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    untuned, tuned = walk.tune(manifest, tiny_model.write(tmp_path))
    assert untuned == (1.0, 0.0)
    assert tuned == (pytest.approx(0.5, abs=0.05), pytest.approx(0.0, abs=0.05))
    assert walk.in_words((0.5, 0.25)) == "0.3750 (miss 50.0%, false alarm 25.0%)"
