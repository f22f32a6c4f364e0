"""The page of `vad prepare`: every recording with its labels, levels where they belong, played from where it lies."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from support.browser import check_look, opened
from support.pages import Page
from support.prepared import TALK, prepare, recording, recordings_with_a_name_that_is_no_text

from vad.detection.segments import Segment
from vad.labels import Entry
from vad.prepare.inputs import Candidate
from vad.prepare.measure import Measured
from vad.report.charts import histogram
from vad.report.corpus import corpus_page

# A recording's name, and what may stand in a page.
NAME = """<b>&"'c #1%</script>""".replace("/", "∕")


def page_of(folder: Path) -> Page:
    return Page(folder / "out" / "corpus.html")


def loud_times(view: dict[str, Any]) -> list[float]:
    """From when to when the level is above -20 dBFS."""
    steps = np.frombuffer(base64.b64decode(view["level"]["steps"]), np.uint8)
    loud = np.flatnonzero(steps > 255 * 70 / 90)
    return [loud[0] * view["level"]["frameDuration"], (loud[-1] + 1) * view["level"]["frameDuration"]]


@pytest.mark.parametrize("seconds", [4.0, 15.0, 61.7])
def test_the_level_rises_where_its_label_is(
    seconds: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    label = Segment(round(0.4 * seconds, 2), round(0.45 * seconds, 2))
    for name in "ab":
        recording(tmp_path / f"in/{name}.wav", label, seconds=seconds)  # a tone of -13.5 dBFS in noise of -80
    prepare(capsys, tmp_path, tmp_path / "in")
    view = page_of(tmp_path).data["recordings"][0]["view"]
    assert view["duration"] == seconds
    assert view["lanes"][0]["marks"]["reference"] == [pytest.approx([label.start, label.end])]
    assert loud_times(view) == pytest.approx([label.start, label.end], abs=view["level"]["frameDuration"])


def test_the_page_is_one_file_and_shows_every_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(4):
        recording(tmp_path / f"in/speech/speaker{number}/{NAME}.wav", *TALK)
    recording(tmp_path / "in/noise/fan.wav")
    prepare(capsys, tmp_path, tmp_path / "in")
    page = page_of(tmp_path)
    assert page.urls == []
    assert page.addresses == ["data:,"]
    assert page.tags.count("script") == 2
    assert "b" not in page.tags
    data = page.data
    assert data["total"] == len(data["recordings"]) == 5
    marks = [len(one["view"]["lanes"][0]["marks"]["reference"]) for one in data["recordings"]]
    assert sorted(marks) == [0, 2, 2, 2, 2]
    assert all((tmp_path / "out" / unquote(one["view"]["link"])).is_file() for one in data["recordings"])
    assert sum(int(row[1]) for row in data["summary"]["rows"]) == 5


def test_a_name_that_is_no_text_is_linked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recordings_with_a_name_that_is_no_text(tmp_path / "in")
    prepare(capsys, tmp_path, tmp_path / "in")
    (odd,) = (one for one in page_of(tmp_path).data["recordings"] if one["view"]["link"].endswith("%FF.wav"))
    assert odd["name"].endswith("\\udcff.wav")


def test_a_histogram_counts_what_is_finite_with_round_numbers() -> None:
    values = [-30.0, -30.0, -20.0, -10.5, float("nan"), float("-inf")]
    (chart,) = histogram("Level", "dBFS", values)
    assert [text for _, text in chart["y"]["ticks"]] == ["0", "1", "2"]
    assert [text for _, text in chart["x"]["ticks"]] == [str(level) for level in range(-30, -10, 2)]
    assert [height for *_, height in chart["bars"]] == [1.0, 0.5, 0.5]
    assert chart["bars"][0][0] == 0.0
    assert chart["bars"][-1][1] == 1.0
    assert histogram("Level", "dBFS", [float("nan")]) == []


def test_of_very_many_recordings_an_even_choice_is_drawn_where_one_looks(tmp_path: Path) -> None:
    recording = Candidate(tmp_path / "a.wav", "speech", split="train", turns=(Entry(0, 1.0, 2.0),))
    one = Measured(recording, 30.0, 16000, np.full(3000, -50, np.float32))
    page = tmp_path / "x.html"
    page.write_text(corpus_page("corpus", tmp_path, [one] * 1000, {}, []), encoding="utf-8")
    data = Page(page).data
    assert (data["total"], len(data["recordings"])) == (1000, 200)
    with opened(page, tmp_path / "profile") as tab:
        found = tab.run(
            """
            const wait = (ms) => new Promise((done) => setTimeout(done, ms));
            const drawn = () => Timeline.all.filter((one) => one.detail.canvas.style.height).length;
            await wait(300);
            const before = drawn();
            Timeline.all.at(-1).host.scrollIntoView();
            await wait(500);
            const last = Timeline.all.at(-1).detail.canvas;
            const { data } = last.getContext("2d").getImageData(0, 0, last.width, last.height);
            const colours = new Set(new Uint32Array(data.buffer)).size;
            return { all: Timeline.all.length, before, after: drawn(), colours };
            """
        )
    assert found["all"] == 200
    assert found["before"] < 20
    assert found["before"] < found["after"] < 50
    assert found["colours"] > 5


def test_a_browser_plays_the_labels_of_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b", NAME):
        recording(tmp_path / f"in/{name}.wav", *TALK)
    prepare(capsys, tmp_path, tmp_path / "in")
    page = tmp_path / "out" / "corpus.html"
    with opened(page, tmp_path / "profile") as tab:
        tab.run("globalThis.wait = (ms) => new Promise((done) => setTimeout(done, ms));")
        times = []
        for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
            tab.press(key)
            times.append(tab.run("return Timeline.active.player.time;"))
        tab.press(" ")
        moved = tab.run(
            "await wait(600); return [Timeline.active.player.playing, Timeline.active.player.time];"
        )
        tab.press(" ")
        rests = tab.run("return !Timeline.active.player.playing;")
        last = tab.run(
            """
            const last = Timeline.all.find((one) => one.view.link.includes("%23"));
            const { canvas, frame } = last.detail;
            canvas.scrollIntoView();
            await wait(200);
            const box = canvas.getBoundingClientRect();
            const at = { clientX: box.left + frame.left + frame.width / 2, clientY: box.top + 20, pointerId: 1 };
            canvas.setPointerCapture = () => {};
            canvas.dispatchEvent(new PointerEvent("pointerdown", at));
            canvas.dispatchEvent(new PointerEvent("pointerup", at));
            const time = last.player.time;
            last.toggle();
            await wait(400);
            const { playing, audio } = last.player;
            return {
              active: Timeline.active === last, time, playing, duration: audio.duration, notice: last.notice.hidden,
              names: [...document.querySelectorAll("h3")].map((one) => one.textContent),
              bars: document.querySelectorAll("rect.bar").length,
            };
            """
        )
    assert times == pytest.approx([0.5, 1.5, 0.5], abs=0.02)
    assert moved[0]
    assert 0.5 < moved[1] < 1.5
    assert rests
    assert last["active"]
    assert last["playing"]
    assert last["notice"]
    assert last["time"] == pytest.approx(1.5, abs=0.02)
    assert last["duration"] == pytest.approx(3.0, abs=0.01)
    assert any(name.endswith(f"{NAME}.wav") for name in last["names"])
    assert last["bars"] >= 4


def test_the_page_fits_a_phone_and_is_dark_in_the_dark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b" * 100):
        recording(tmp_path / f"in/{name}.wav", *TALK)
    prepare(capsys, tmp_path, tmp_path / "in")
    check_look(tmp_path / "out" / "corpus.html", tmp_path / "profile")
