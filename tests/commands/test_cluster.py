"""`vad detect --ray`: the job of `--resume`, on a cluster that is on paper here. Real ones: tests/acceptance."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from support import paper_ray
from support.sounds import RATE, tone

from vad.cli import main

N = 20
DIES = "rec/07.wav"


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_path: Path) -> list[str]:
    """Stand beside a folder of recordings, and give the command."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rec").mkdir()
    for index in range(N):
        samples = np.concatenate([np.zeros(RATE // 2, np.float32), tone(0.3 + index / 20)])
        soundfile.write(f"rec/{index:02d}.wav", samples, RATE)
    return ["detect", "rec", "--model", str(model_path)]


def test_a_cluster_gives_the_result_of_this_machine(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "-o", "plain.jsonl"]) == 0
    dying = {DIES}
    ray = paper_ray.install(monkeypatch, lambda _, task: task.recording.name in dying)
    assert main([*words, "-o", "out.jsonl", "--ray"]) == 1
    assert f"{DIES}: the process that read it died" in capsys.readouterr().err
    assert 1 < ray.most_waiting < N
    assert ray.address == "not connected"
    dying.clear()
    assert main([*words, "-o", "out.jsonl", "--ray", "10.0.0.1:6379"]) == 0
    assert f"{N - 1} of {N} recordings are done" in capsys.readouterr().err
    assert Path("out.jsonl").read_bytes() == Path("plain.jsonl").read_bytes()


def test_a_cluster_that_is_not_there_is_a_line_of_text(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paper_ray.install(monkeypatch, lambda *_: False)
    assert main([*words, "-o", "out.jsonl", "--ray", "nowhere"]) == 2
    assert "cannot reach a Ray cluster at nowhere" in capsys.readouterr().err
