"""Splits where some recordings already have one: nobody is torn apart, and only the rest is drawn."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest
from support.prepared import TALK, prepare, recording


def manifest(path: Path, split_of: dict[str, str]) -> Path:
    """A manifest of recordings ``speaker/name`` below speech/, each with its split."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "audio_filepath": f"speech/{name}.wav",
            "kind": "speech",
            "speaker": name.partition("/")[0],
            "segments": [[turn.start, turn.end] for turn in TALK],
            "split": split,
        }
        for name, split in split_of.items()
    ]
    for row in rows:
        recording(path.parent / str(row["audio_filepath"]), *TALK)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_recordings_added_to_a_manifest_go_where_their_speakers_are(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    placed = {"anna/1": "train", "bert/1": "dev", "cleo/1": "test", "dora/1": "train"}
    old = manifest(tmp_path / "old/all.jsonl", placed)
    for name in ("anna", "bert", "cleo", "dora", "emil", "finn"):
        for take in (2, 3):
            recording(tmp_path / f"new/speech/{name}/{take}.wav", *TALK)
    code, items, err = prepare(capsys, tmp_path, old, tmp_path / "new", "--seed", seed)
    assert code == 0, err
    splits = defaultdict(set)
    for item in items:
        splits[item.speaker].add(item.split)
    assert len(items) == 16
    assert {name: splits[name] for name in ("anna", "bert", "cleo", "dora")} == {
        "anna": {"train"},
        "bert": {"dev"},
        "cleo": {"test"},
        "dora": {"train"},
    }
    assert [len(splits[name]) for name in ("emil", "finn")] == [1, 1]


def test_one_speaker_more_is_not_parted_and_the_others_keep_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = manifest(tmp_path / "old/all.jsonl", {"anna/1": "train", "bert/1": "dev", "cleo/1": "test"})
    for take in range(3):
        recording(tmp_path / f"new/speech/emil/{take}.wav", *TALK)
    code, items, err = prepare(capsys, tmp_path, old, tmp_path / "new")
    assert code == 0, err
    assert "speakers connect" not in err
    assert {item.speaker for item in items} == {"anna", "bert", "cleo", "emil"}
    assert len({item.split for item in items if item.speaker == "emil"}) == 1


def test_noise_of_a_speakers_folder_goes_with_the_speaker(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(6):
        recording(tmp_path / f"in/speech/home{number}/a.wav", *TALK)
        recording(tmp_path / f"in/noise/home{number}/fan.wav")
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in")
    assert code == 0, err
    assert len({(item.speaker, item.split) for item in items}) == 6


def test_the_rest_is_drawn_to_bring_all_to_the_shares(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = manifest(tmp_path / "old/all.jsonl", {f"old{number}/1": "train" for number in range(6)})
    for number in range(2):
        recording(tmp_path / f"new/speech/new{number}/1.wav", *TALK)
    _, items, _ = prepare(capsys, tmp_path, old, tmp_path / "new")
    assert {item.split for item in items if item.speaker.startswith("new")} == {"dev", "test"}
