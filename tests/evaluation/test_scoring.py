"""`vad.evaluation.scoring` and its command, with a model that scores loudness and recordings whose labels are known."""

from __future__ import annotations

import json
import math
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from sklearn.metrics import roc_auc_score
from support import tiny_model
from support.sounds import RATE, tone

from vad.cli import main
from vad.corpus.manifest import CorpusItem, read_corpus
from vad.detection.detector import Detector
from vad.detection.segments import Segment
from vad.evaluation.scoring import Scored, pool, score_item, score_segments
from vad.labels import write_labels

BURSTS = (Segment(0.5, 1.3), Segment(2.0, 2.6))


def record(path: Path, bursts: tuple[Segment, ...], duration: float) -> CorpusItem:
    """A tone where `bursts` say, and all but silence elsewhere."""
    samples = 0.001 * tone(duration)
    for burst in bursts:
        samples[round(burst.start * RATE) : round(burst.end * RATE)] *= 1000
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return CorpusItem(path, "speech", bursts, key=path.name)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three recordings with a manifest; the one of noise holds no speech."""
    folder = tmp_path_factory.mktemp("corpus")
    record(folder / "a.wav", BURSTS, 3.0)
    record(folder / "b.wav", BURSTS[:1], 2.0)
    record(folder / "fan.wav", (), 1.0)
    rows = [
        {"audio_filepath": "a.wav", "kind": "speech", "segments": [[0.5, 1.3], [2.0, 2.6]], "split": "dev"},
        {"audio_filepath": "b.wav", "kind": "speech", "segments": [[0.5, 1.3]]},
        {"audio_filepath": "fan.wav", "kind": "noise"},
    ]
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def detector(model_path: Path) -> Detector:
    return Detector(model_path)


def score(detector: Detector, folder: Path, duration: float = 3.0) -> Scored:
    return score_item(detector, record(folder / "a.wav", BURSTS, duration))


def test_probabilities_stand_on_the_recordings_clock(detector: Detector, tmp_path: Path) -> None:
    item = record(tmp_path / "a.wav", BURSTS, 3.0)
    samples, _ = soundfile.read(item.path)
    frame_of_cell = np.repeat(tiny_model.reference_probabilities(samples), 2)
    assert score_item(detector, item).probabilities == pytest.approx(frame_of_cell, abs=1e-5)


def test_a_cell_that_is_not_full_is_left_out(detector: Detector, tmp_path: Path) -> None:
    scored = score(detector, tmp_path, duration=2.999)
    assert scored.labels.size == scored.probabilities.size == 299
    assert scored.duration == pytest.approx(2.999)


def test_a_cell_that_is_full_but_for_rounding_is_kept(detector: Detector, tmp_path: Path) -> None:
    # 0.29 / 0.01 is 28.999999999999996 in floating point.
    assert score_item(detector, record(tmp_path / "a.wav", (), 0.29)).labels.size == 29


def test_a_recording_shorter_than_a_cell_has_no_figures_but_its_duration(
    detector: Detector, tmp_path: Path
) -> None:
    metrics = score_item(detector, record(tmp_path / "a.wav", (), 0.004)).metrics(0.5)
    assert metrics.duration == pytest.approx(0.004)
    assert math.isnan(metrics.speech)
    assert math.isnan(metrics.auc)


def test_segments_are_those_of_the_detector(detector: Detector, tmp_path: Path) -> None:
    scored = score(detector, tmp_path)
    found = detector.detect_file(tmp_path / "a.wav")
    assert len(found) == len(BURSTS)
    assert scored.boundaries.onsets == pytest.approx(
        [one.start - burst.start for one, burst in zip(found, BURSTS, strict=True)]
    )
    assert scored.detection.speech == pytest.approx(1.4)
    missed = sum(max(one.start - burst.start, 0) for one, burst in zip(found, BURSTS, strict=True))
    assert scored.detection.miss == pytest.approx(missed, abs=1e-9)


def test_reference_beyond_the_end_is_no_miss(detector: Detector, tmp_path: Path) -> None:
    item = record(tmp_path / "a.wav", BURSTS, 3.0)
    longer = CorpusItem(item.path, "speech", (*BURSTS, Segment(3.0, 9.0)), key="a.wav")
    assert score_item(detector, longer).detection == score_item(detector, item).detection


def test_pooled_frames_weigh_the_same_whatever_their_recording(detector: Detector, tmp_path: Path) -> None:
    one = score(detector, tmp_path)
    other = score_item(detector, record(tmp_path / "b.wav", (Segment(0.1, 0.2),), 0.7))
    metrics = pool([one, other]).metrics(0.5)
    labels = np.concatenate([one.labels, other.labels])
    probabilities = np.concatenate([one.probabilities, other.probabilities])
    assert metrics.auc == pytest.approx(roc_auc_score(labels, probabilities), abs=1e-12)
    assert metrics.speech == pytest.approx(1.5 / 3.7)
    assert metrics.duration == pytest.approx(3.7)
    assert metrics.missed_seconds == one.detection.miss + other.detection.miss


def evaluate(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = main(["evaluate", *map(str, words)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def no_constants(name: str) -> Any:
    raise AssertionError(f"{name} is not JSON")


def test_json_has_every_recording_and_null_where_there_is_no_figure(
    corpus: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--model", model_path, "--format", "json", "--split", "all")
    code, out, err = evaluate(capsys, corpus, *words)
    report = json.loads(out, parse_constant=no_constants)
    assert (code, err) == (0, "")
    assert report["model"] == "tiny"
    files = {one["path"]: one for one in report["files"]}
    assert set(files) == {"a.wav", "b.wav", "fan.wav"}
    fan = files["fan.wav"]
    assert (fan["auc"], fan["miss"], fan["false_alarm"]) == (None, None, 0.0)
    assert report["pooled"]["duration"] == pytest.approx(6.0)
    assert report["pooled"]["auc"] > 0.9


def test_options_reach_the_segmenter_and_the_threshold(
    corpus: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deaf = evaluate(capsys, corpus, "--model", model_path, "--threshold", 1, "--format", "json")[1]
    report = json.loads(deaf)
    assert report["options"]["threshold"] == 1.0
    assert report["pooled"]["miss"] == 1.0
    assert report["pooled"]["detection_error_rate"] == 1.0


def test_text_is_a_line_a_recording_the_worst_first_and_one_for_all(
    corpus: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Deaf, a detector misses 1.4 of 3 s, 0.8 of 2 s, and nothing of the fan.
    code, out, _ = evaluate(capsys, corpus, "--model", model_path, "--threshold", 1)
    assert code == 0
    heads = [line.split(maxsplit=2)[:2] for line in out.splitlines()[1:5]]
    assert heads == [["a.wav", "3.0"], ["b.wav", "2.0"], ["fan.wav", "1.0"], ["pooled", "6.0"]]
    _, out, _ = evaluate(capsys, corpus, "--model", model_path, "--threshold", 0)
    assert [line.split()[0] for line in out.splitlines()[1:5]] == ["fan.wav", "b.wav", "a.wav", "pooled"]
    assert "nan" not in out.split("\n\n")[0]


def test_the_tables_fit_a_terminal_of_80_columns(
    corpus: Path, model_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, piped, _ = evaluate(capsys, corpus, "--model", model_path)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    _, shown, _ = evaluate(capsys, corpus, "--model", model_path)
    assert max(map(len, shown.splitlines())) <= 80
    assert shown.split() == piped.split()


def test_split_takes_its_recordings_alone(
    corpus: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for split, paths in (("dev", ["a.wav"]), ("train", ["b.wav", "fan.wav"])):
        words = (corpus, "--model", model_path, "--format", "json", "--split", split)
        report = json.loads(evaluate(capsys, *words)[1])
        assert sorted(one["path"] for one in report["files"]) == paths


@pytest.mark.parametrize(("split", "notes"), [([], 1), (["--split", "all"], 0), (["--split", "train"], 0)])
def test_recordings_that_the_model_may_know_are_noted(
    split: list[str],
    notes: int,
    corpus: Path,
    model_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["evaluate", str(corpus), "--model", str(model_path), *split]) == 0
    err = capsys.readouterr().err
    assert err.count("2 of the 3 recordings are in the split train") == err.count("\n") == notes
    assert err.count("--split dev, or ") == notes


def test_a_folder_without_chosen_splits_costs_no_note(
    tmp_path: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(12):
        record(tmp_path / f"{number}.wav", BURSTS, 3.0)
        write_labels(tmp_path / f"{number}.rttm", BURSTS)
    assert {item.split for item in read_corpus(tmp_path)} >= {"train", "dev"}
    assert main(["evaluate", str(tmp_path), "--model", str(model_path)]) == 0
    assert "split train" not in capsys.readouterr().err


def test_a_split_of_nothing_is_a_usage_error(
    model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.jsonl").write_text('{"audio_filepath": "a.wav", "kind": "noise"}\n')
    code, out, err = evaluate(capsys, tmp_path, "--model", model_path, "--split", "dev")
    assert (code, out) == (2, "")
    assert "split dev" in err


@pytest.mark.parametrize("command", ["evaluate", "detect"])
def test_a_path_that_does_not_exist_is_failed_input(
    command: str, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "nope", "--model", str(model_path)]) == 1
    err = capsys.readouterr().err
    assert "nope" in err
    assert err.count("\n") == 1


def test_one_bad_recording_is_one_line_and_the_rest_is_measured(
    corpus: Path, model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.wav").write_text("no audio at all")
    (tmp_path / "b.wav").write_bytes((corpus / "b.wav").read_bytes())
    rows = ({"audio_filepath": name, "kind": "noise"} for name in ("bad.wav", "b.wav"))
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, out, err = evaluate(capsys, tmp_path, "--model", model_path, "--format", "json")
    assert code == 1
    assert [one["path"] for one in json.loads(out)["files"]] == ["b.wav"]
    assert "bad.wav" in err
    assert err.count("\n") == 1


def test_labels_hours_past_the_end_are_one_line_and_the_rest_is_measured(
    corpus: Path, model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = []
    for name, segments in (("a.wav", [[8000.0, 20800.0]]), ("b.wav", [[0.5, 1.3]])):
        (tmp_path / name).write_bytes((corpus / name).read_bytes())
        rows.append({"audio_filepath": name, "kind": "speech", "segments": segments})
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, out, err = evaluate(capsys, tmp_path, "--model", model_path, "--format", "json")
    assert code == 1
    assert [one["path"] for one in json.loads(out)["files"]] == ["b.wav"]
    assert re.match(r"vad: a\.wav: .* 3 s.*8000", err)


def test_pauses_are_counted_by_length_and_those_from_200_ms_together() -> None:
    reference = [
        Segment(0.0, 1.0),
        Segment(1.1, 2.0),
        Segment(2.2, 3.0),
        Segment(3.4, 4.0),
        Segment(4.5, 5.0),
    ]
    found = [Segment(0.0, 2.0), Segment(2.2, 4.0), Segment(4.5, 5.0)]
    figures = pool([score_segments(reference, found, 5.0)] * 2).metrics(0.5)
    by_length = (figures.pauses_found_100_ms, figures.pauses_found_200_ms, figures.pauses_found_500_ms)
    assert by_length == (0.0, 0.5, 1.0)
    assert (figures.pauses, figures.pause_recall) == (6, pytest.approx(2 / 3))
