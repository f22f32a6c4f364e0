"""The page of an evaluation: its figures, its curves, and the worst excerpts with their sound."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.browser import check_look, run_in_page
from support.pages import Page
from support.sounds import RATE, noise, tone

from vad.cli import main
from vad.detection.segments import Segment
from vad.labels import write_labels
from vad.report.charts import charts

# A recording's name, and what may stand in a page.
NAME = """<i>&"'x.wav"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One recording of 20 s whose reference has a second at 15 s that is silent, and a short one without fault."""
    folder = tmp_path_factory.mktemp("corpus")
    for name, duration, bursts in ((NAME, 20.0, (2.0,)), ("b.wav", 4.0, (1.0, 2.5))):
        samples = noise(round(duration * RATE)) / 1000
        for start in bursts:
            samples[round(start * RATE) : round((start + 1) * RATE)] += tone(1.0)
        soundfile.write(folder / name, samples, RATE)
    rows = [
        {
            "audio_filepath": NAME,
            "kind": "speech",
            "segments": [[2, 3], [15, 16]],
            "speaker": "anna",
            "snr_db": 3,
        },
        {"audio_filepath": "b.wav", "kind": "speech", "segments": [[1, 2], [2.5, 3.5]], "speaker": "anna"},
    ]
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def report(corpus: Path, model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "out.html"
    assert main(["evaluate", str(corpus), "--model", str(model_path), "--report", str(path)]) == 0
    return path


def test_figures_and_recordings_are_those_of_the_command(
    report: Path, corpus: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(corpus), "--model", str(model_path), "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    data = Page(report).data
    for name, value in printed["pooled"].items():
        assert data["figures"][name] == pytest.approx(value, abs=1e-6)
    assert [one["name"] for one in data["files"]] == [one["path"] for one in printed["files"]]
    assert {chart["title"] for chart in data["charts"]} == {
        "ROC",
        "Precision and recall",
        "DET",
        "Reliability",
    }


def test_the_worst_excerpt_comes_first_with_what_was_said_and_its_sound(report: Path) -> None:
    worst = Page(report).data["excerpts"][0]
    assert worst["name"] == NAME
    assert worst["wrong"] == pytest.approx(1.0, abs=0.01)
    view = worst["view"]
    assert view["start"] <= 15 < 16 <= view["start"] + view["duration"]
    lanes = {
        lane["name"]: [one for marks in lane["marks"].values() for one in marks] for lane in view["lanes"]
    }
    assert lanes["reference"] == lanes["missed"] == [[15.0, 16.0]]
    assert lanes["detected"] == lanes["false"] == []
    sound, rate = soundfile.read(io.BytesIO(base64.b64decode(view["sound"])))
    assert len(sound) / rate == pytest.approx(view["duration"])
    steps = np.frombuffer(base64.b64decode(view["probability"]["steps"]), np.uint8)
    assert len(steps) * view["probability"]["frameDuration"] == pytest.approx(view["duration"])


def test_the_page_is_escaped_and_needs_nothing_else(report: Path) -> None:
    page = Page(report)
    assert page.title == "Evaluation of tiny"
    assert page.tags.count("script") == 2
    assert "i" not in page.tags
    assert page.urls == []
    assert page.addresses == ["data:,"]


def test_label_files_have_a_page_without_curves(corpus: Path, tmp_path: Path) -> None:
    write_labels(tmp_path / (Path(NAME).stem + ".rttm"), [Segment(2.0, 3.0)], uri="x")
    write_labels(tmp_path / "b.rttm", [])
    words = ["evaluate", str(corpus), "--hypothesis", str(tmp_path), "--report", str(tmp_path / "out.html")]
    assert main(words) == 0
    data = Page(tmp_path / "out.html").data
    assert data["charts"] == []
    assert data["figures"]["auc"] is None
    assert [one["view"]["probability"] for one in data["excerpts"]] == [None, None]


def test_the_folder_of_the_page_is_made_and_where_it_cannot_be_nothing_is_measured(
    corpus: Path, model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", str(corpus), "--model", str(model_path), "--report"]
    assert main([*words, str(tmp_path / "new" / "er" / "x.html")]) == 0
    assert Page(tmp_path / "new" / "er" / "x.html").title == "Evaluation of tiny"
    (tmp_path / "file").touch()
    capsys.readouterr()
    assert main([*words, str(tmp_path / "file" / "x.html")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert str(tmp_path / "file") in captured.err
    assert captured.err.count("\n") == 1


def test_curves_go_through_the_point_they_show() -> None:
    rng = np.random.default_rng(3)
    labels = rng.random(20_000) < 0.3
    probabilities = np.clip(rng.normal(0.35 + 0.3 * labels, 0.15), 0, 1)
    for chart in charts(labels, probabilities, 0.5)[:3]:
        points = np.array(chart["curve"])
        assert len(points) <= 302
        assert points.min() >= 0
        assert points.max() <= 1
        assert np.hypot(*(points - chart["dot"][:2]).T).min() < 0.01


def test_curves_of_one_class_are_none() -> None:
    assert charts(np.ones(10, np.bool_), np.linspace(0, 1, 10), 0.5) == []


def test_a_browser_shows_curves_tables_and_excerpts(report: Path, tmp_path: Path) -> None:
    found = run_in_page(
        report,
        """
        const wait = (ms) => new Promise((done) => setTimeout(done, ms));
        await wait(500);
        const last = Timeline.all.at(-1);
        last.playButton.click();
        const played = !last.player.audio.paused;
        Timeline.all[0].playButton.click();
        await wait(200);
        return {
          played, alone: last.player.audio.paused,
          curves: [...document.querySelectorAll(".curve")].filter((one) => one.getBBox().width > 50).length,
          cells: [...document.querySelectorAll("tbody td:first-child")].map((cell) => cell.textContent),
          cut: [...document.querySelectorAll(".scroll")].filter((one) => one.scrollWidth > one.clientWidth).length,
          wide: document.documentElement.scrollWidth <= innerWidth,
          drawn: Timeline.all.every((one) => one.detail.canvas.height > 300),
        };
        """,
        tmp_path / "profile",
    )
    assert found["played"]
    assert found["alone"]
    assert found["curves"] == 4
    assert sorted(found["cells"]) == [NAME, "b.wav"]
    assert found["wide"]
    assert found["cut"] == 0
    assert found["drawn"]


def test_the_page_fits_a_phone_and_is_dark_in_the_dark(report: Path, tmp_path: Path) -> None:
    check_look(report, tmp_path / "profile")
