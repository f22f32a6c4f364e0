"""scripts/fine_tuning.py: which calls each run gets, the table of all draws, and how a stopped command goes on."""

import json
import shutil
from pathlib import Path

import fine_tuning
import pytest


def test_one_command_prints_every_draw_and_goes_on(
    tmp_path: Path, model_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"audio_filepath": f"calls/a/call-{n}.wav", "split": "train"} for n in (1, 2, 3)]
    rows += [{"audio_filepath": f"calls/b/call-{n}.wav", "split": "test"} for n in (1, 2, 3)]
    commands = []

    def vad(words: list[str]) -> int:
        commands.append(words[0])
        if words[0] == "prepare":
            manifest = Path(words[words.index("--output") + 1])
            manifest.parent.mkdir(parents=True)
            manifest.write_text("\n".join(map(json.dumps, rows)))
        if words[0] == "export":
            for suffix in (".tflite", ".json"):
                shutil.copy(model_path.with_suffix(suffix), Path(words[5]) / f"mine{suffix}")
        return 0

    def measure(model: object, manifest: Path, labelled: Path) -> dict[str, dict[str, float]]:
        return {"file": {"error": 0.25 if model is given[0] else 0.2, "auc": 0.98}}

    given: list[object] = []
    load = fine_tuning.Model.load
    monkeypatch.setattr(fine_tuning.Model, "load", lambda name: given.append(load(name)) or given[-1])
    monkeypatch.setattr(fine_tuning, "vad", vad)
    monkeypatch.setattr(fine_tuning, "measure", measure)
    monkeypatch.setattr(fine_tuning, "make_calls", lambda *_: None)
    words = [str(model_path), "--corpus", "corpus", "--labelled", "set", "--runs", str(tmp_path / "runs")]
    assert fine_tuning.main(words) == 0
    assert [commands.count(name) for name in ("prepare", "train", "export")] == [5, 10, 10]
    text = capsys.readouterr().out
    assert text.count("| 0.250 | 0.200 | -20% | 0.980 | 0.980 | +0.000 |") == 12, "ten draws and two means"
    used = (tmp_path / "runs/draw-11/10-min/mine.jsonl").read_text().splitlines()
    names = [Path(json.loads(line)["audio_filepath"]) for line in used]
    assert [name.parent.name + name.stem[-1] for name in names] == ["a1", "b1", "b2", "b3"]
    assert fine_tuning.main(words) == 0
    assert len(commands) == 25, "all was kept"
    assert capsys.readouterr().out == text
