"""`vad tune` at the command line: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from support import tiny_model
from support.sounds import RATE, tone

from vad.cli import main
from vad.detection.card import card_path
from vad.detection.segments import Segment
from vad.labels import write_labels


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three recordings of bursts that the tiny model's balanced threshold misses."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(3):
        samples = np.zeros(4 * RATE, np.float32)
        samples[RATE : 2 * RATE] = tone(1.0, level=0.12)
        samples[3 * RATE :] = tone(1.0, level=0.08)
        soundfile.write(folder / f"{number}.wav", samples, RATE)
        write_labels(folder / f"{number}.rttm", [Segment(1.0, 2.0), Segment(3.0, 4.0)])
    return folder


def run(capsys: pytest.CaptureFixture[str], *words: Any) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_configuration_file_is_read_by_detect(
    corpus: Path, model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toml, plot = tmp_path / "my out" / "tuned.toml", tmp_path / "my out" / "curve.svg"
    words = ("tune", corpus, "--split", "all", "--model", model_path, "--max-miss", 0.1)
    code, out, err = run(capsys, *words, "--output", toml, "--plot", plot, "--format", "json")
    assert code == 0
    assert shlex.split(err.splitlines()[-1])[-3:] == ["RECORDING", "--config", str(toml)]
    report = json.loads(out)
    assert report["fitted"]["miss"] <= 0.1
    assert report["folds"] == 3
    assert report["held_out"]["miss"] <= 0.1
    assert len(report["curve"]) > 20
    picture = plot.read_text()
    assert picture.startswith("<?xml")
    assert "miss: at most 10 %" in picture
    assert "false alarm: at most" not in picture
    before = run(capsys, "detect", corpus / "0.wav", "--model", model_path)[1].splitlines()
    after = run(capsys, "detect", corpus / "0.wav", "--config", toml)[1].splitlines()
    assert (len(before), len(after)) == (0, 2)


@pytest.mark.parametrize(("writer", "other"), [("tiny_model", ".onnx"), ("tiny_onnx", ".tflite")])
def test_the_card_of_a_copy_gets_the_operating_point(
    writer: str, other: str, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model_path: Path = pytest.importorskip(f"support.{writer}").write(tmp_path)
    copy = tmp_path / "mine" / f"mine{model_path.suffix}"
    before = card_path(model_path).read_text()
    words = ("tune", corpus, "--model", model_path, "--name", "calls")
    assert run(capsys, *words, "--output", copy)[0] == 0
    code, _, err = run(capsys, *words, "--output", copy.with_suffix(other))
    assert (code, err) == (
        2,
        f"vad: output must be a .toml file, or {copy.suffix} like the model {model_path}. "
        f"Received: {copy.with_suffix(other)}.\n",
    )
    assert card_path(model_path).read_text() == before
    detected = ("detect", corpus / "0.wav", "--operating-point", "calls", "--model")
    assert len(run(capsys, *detected, copy)[1].splitlines()) == 2
    card = json.loads(card_path(copy).read_text())
    assert card["segment_options"]["balanced"] == json.loads(before)["segment_options"]["balanced"]
    assert card["tuning"]["calls"]["recordings"] == 3
    assert run(capsys, *words, "--output", model_path)[0] == 0
    assert len(run(capsys, *detected, model_path)[1].splitlines()) == 2


def test_another_model_is_not_written_over(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tiny_model.write(tmp_path)
    before = mine.read_bytes()
    code, out, err = run(capsys, "tune", corpus, "--model", "tiny", "--output", mine)
    assert (code, out) == (2, "")
    assert f"--model {mine}" in err
    assert mine.read_bytes() == before


def test_bounds_out_of_reach_are_reported_with_the_nearest_and_nothing_is_written(
    corpus: Path, model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for label in corpus.glob("*.rttm"):
        write_labels(label, [Segment(0.0, 0.5), Segment(2.2, 2.8)])  # where nothing sounds
    toml = tmp_path / "tuned.toml"
    words = ("tune", corpus, "--split", "all", "--model", model_path, "--output", toml)
    words = (*words, "--max-false-alarm", 0.2)
    code, out, err = run(capsys, *words, "--max-miss", 0.01, "--max-latency-ms", 5, "--format", "json")
    assert (code, toml.exists()) == (1, False)
    report = json.loads(out)
    *of_bounds, of_file = err.splitlines()
    assert of_file == f"vad: {toml} was not written."
    rule = r"vad: --(\S+) \S+ cannot be met: .* Try --\S+ ([\d.]+),"
    nearest = dict(re.match(rule, line).groups() for line in of_bounds)
    assert set(nearest) == {name.replace("_", "-") for name in report["out_of_reach"]}
    assert len(nearest) == 2
    again = [word for name, figure in nearest.items() for word in (f"--{name}", figure)]
    assert run(capsys, *words, "--max-miss", 0.01, *again)[0] == 0
    assert toml.exists()


@pytest.mark.parametrize("name", ["mine.tflite", "waveform"])
def test_a_configuration_file_serves_in_every_folder(
    name: str,
    corpus: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model_path = tiny_model.write(tmp_path)
    for suffix in (".tflite", ".json"):
        model_path.with_suffix(suffix).rename((tmp_path / "mine").with_suffix(suffix))
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "tune", corpus, "--model", name, "--output", "w/tuned.toml")[0] == 0
    monkeypatch.chdir(corpus)
    assert run(capsys, "detect", "0.wav", "--config", tmp_path / "w" / "tuned.toml")[0] == 0
    written = tomllib.loads((tmp_path / "w" / "tuned.toml").read_text())["model"]
    assert written == (name if name == "waveform" else str(tmp_path / name))


@pytest.mark.parametrize(
    ("words", "says"), [([], False), (["--no-lookahead"], True), (["--max-latency-ms", "900"], True)]
)
def test_a_point_tuned_for_streams_says_so(
    words: list[str],
    says: bool,
    corpus: Path,
    model_path: Path,
    lookahead_model_path: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One of a model without lookahead output does too: recordings are turned up, streams are not."""
    toml, copy = tmp_path / "tuned.toml", tmp_path / "mine.tflite"
    tuning = ("tune", corpus, *words, "--model")
    assert ("--no-lookahead" in run(capsys, *tuning, lookahead_model_path, "--output", toml)[1]) is says
    assert ("--no-lookahead" in toml.read_text()) is says
    assert run(capsys, *tuning, lookahead_model_path, "--output", copy)[0] == 0
    assert ("lookahead" in json.loads(copy.with_suffix(".json").read_text())["tuning"]["tuned"]) is says
    assert ("--no-lookahead" in run(capsys, *tuning, model_path)[1]) is says
    report = json.loads(run(capsys, *tuning, lookahead_model_path, "--format", "json")[1])
    assert report["lookahead"] is not says


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--output", "tuned.json"], "--output must end in .toml or .tflite or .onnx. Received: tuned.json"),
        (["--max-miss", "2"], "max_miss must be between 0 and 1. Received: max_miss=2.0"),
        (["--split", "test"], "split test"),
        (["--operating-point", "balancd"], "Did you mean balanced?"),
    ],
)
def test_wrong_options_are_one_line(
    words: list[str], part: str, corpus: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "tune", corpus, "--model", model_path, *words)
    assert (code, out) == (2, "")
    assert part in err
    assert len(err.splitlines()) == 1


def write_manifest(corpus: Path, manifest: Path, speakers: dict[str, str]) -> Path:
    """A manifest of the corpus: the speakers of its recordings in order, and their splits."""
    turns = [[1.0, 2.0], [3.0, 4.0]]
    common = {"kind": "speech", "segments": turns}
    rows = [
        {"audio_filepath": str(corpus / f"{number}.wav"), "speaker": speaker, "split": split, **common}
        for number, (speaker, split) in enumerate(speakers.items())
    ]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return manifest


def test_recordings_tied_by_their_speakers_are_held_out_together(
    corpus: Path, model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who speaks alone and in a conversation must not be both tuned on and held out."""
    speakers = {"anna": "train", "anna + ben": "train", "cleo": "train"}
    manifest = write_manifest(corpus, tmp_path / "mine.jsonl", speakers)
    words = ("tune", manifest, "--split", "all", "--model", model_path, "--format", "json")
    assert json.loads(run(capsys, *words)[1])["folds"] == 2


@pytest.mark.parametrize(
    ("splits", "recordings", "folds"),
    [(("train", "train", "dev"), 3, 3), (("test", "train", "dev"), 2, 2), (("train", "dev", "dev"), 2, 2)],
)
def test_a_dev_split_of_one_speaker_is_cross_validated_with_train(
    splits: tuple[str, ...],
    recordings: int,
    folds: int,
    corpus: Path,
    model_path: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Never with test, and never unsaid."""
    speakers = dict(zip(("anna", "ben", "cleo"), splits, strict=True))
    manifest = write_manifest(corpus, tmp_path / "mine.jsonl", speakers)
    _, out, err = run(capsys, "tune", manifest, "--model", model_path, "--format", "json")
    report = json.loads(out)
    assert (report["recordings"], report["folds"]) == (recordings, folds)
    assert ("train and dev" in err) is (splits.count("dev") == 1)


def test_labels_far_past_the_end_are_left_out(
    corpus: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_labels(corpus / "0.rttm", [Segment(16000.0, 32000.0)])
    words = ("tune", corpus, "--split", "all", "--model", model_path, "--format", "json")
    code, out, err = run(capsys, *words)
    assert (code, json.loads(out)["recordings"]) == (1, 2)
    assert "0.wav: a segment must lie in its recording, which ends at 4 s" in err


def test_a_split_without_speech_is_refused_before_anything_is_decoded(
    corpus: Path, model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_manifest(corpus, tmp_path / "mine.jsonl", {"anna": "train", "ben": "train"})
    (corpus / "0.wav").write_bytes(b"not audio")
    code, _, err = run(capsys, "tune", manifest, "--split", "dev", "--model", model_path)
    assert code == 2
    assert "no recording with speech to tune on, in the split dev" in err
    assert len(err.splitlines()) == 1
