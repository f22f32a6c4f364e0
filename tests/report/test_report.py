"""The page and the picture of a recording: what they show is there, escaped, and alone."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from support.browser import check_look, run_in_page
from support.pages import Page
from support.sounds import RATE, noise, tone

import vad.report.detection
import vad.report.excerpt
from vad.cli import main
from vad.detection.detection import Detection
from vad.detection.detector import Detector
from vad.detection.segments import Segment
from vad.report.excerpt import Excerpt, take_excerpt

# What a file may be called, and what may stand in a page.
NAME = """a <b>&"'$x$ 音</script><script>x.wav""".replace("/", "∕")


def unpacked(text: str, kind: type[np.generic]) -> NDArray[Any]:
    return np.frombuffer(base64.b64decode(text), kind)


def bursts() -> NDArray[np.float32]:
    """A tone of 1 kHz from 1 to 2 s and from 3 to 3.5 s in faint noise of 4.25 s."""
    samples = noise(round(4.25 * RATE)) / 1000
    for start, seconds in ((1.0, 1.0), (3.0, 0.5)):
        first = round(start * RATE)
        samples[first : first + round(seconds * RATE)] += tone(seconds, hertz=1000.0)
    return samples


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a recording of an awkward name, where the test stands."""
    monkeypatch.chdir(tmp_path)
    soundfile.write(NAME, bursts(), RATE)
    return tmp_path


def detect(model_path: Path, *words: object) -> int:
    return main(["detect", "--model", str(model_path), *map(str, words)])


def blocks(samples: NDArray[np.float32], length: int) -> list[NDArray[np.float32]]:
    return [samples[start : start + length] for start in range(0, len(samples), length)]


def excerpt_of(samples: NDArray[np.float32], length: int = 20 * RATE) -> Excerpt:
    return take_excerpt(blocks(samples, length), RATE, len(samples) / RATE, with_sound=False)


def test_a_page_has_the_recording_its_probabilities_and_its_segments(
    folder: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert detect(model_path, NAME, "--report", "out.html", "--save-probabilities", "p.npz") == 0
    page = Page(folder / "out.html")
    view = page.data["view"]
    printed = [[float(word) for word in line.split()] for line in capsys.readouterr().out.splitlines()]
    assert len(printed) == 2
    assert view["lanes"][-1]["marks"]["detected"] == printed
    assert view["duration"] == 4.25
    probabilities = np.load("p.npz")["probabilities"]
    assert unpacked(view["probability"]["steps"], np.uint8) / 255 == pytest.approx(probabilities, abs=1 / 500)
    assert view["thresholds"] == pytest.approx([0.5, 0.35])
    sound, rate = soundfile.read(io.BytesIO(base64.b64decode(view["sound"])))
    assert (rate, len(sound)) == (RATE, round(4.25 * RATE))
    loud = np.flatnonzero(np.abs(sound) > 0.15) / RATE
    assert (loud[0], loud[-1]) == pytest.approx((1.0, 3.5), abs=0.01)


def test_a_page_is_escaped_and_needs_nothing_else(folder: Path, model_path: Path) -> None:
    assert detect(model_path, NAME, "--report", "out.html") == 0
    page = Page(folder / "out.html")
    assert page.title == page.data["name"] == NAME
    assert page.tags.count("script") == 2
    assert "b" not in page.tags
    assert page.urls == []
    assert page.addresses == ["data:,"]


def test_a_name_that_is_no_text_is_shown_as_it_can_be(tmp_path: Path, model_path: Path) -> None:
    path = tmp_path / "f\udcff.wav"
    try:
        soundfile.write(str(path).encode(errors="surrogateescape"), bursts(), RATE)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert detect(model_path, path, "--report", tmp_path / "out.html") == 0
    assert Page(tmp_path / "out.html").title.endswith("f\\udcff.wav")


def test_a_long_recording_is_played_from_where_it_lies(
    folder: Path, model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vad.report.detection, "_MAX_SOUND_S", 4.0)
    assert detect(model_path, NAME, "--report", "pages/") == 0
    (path,) = (folder / "pages").iterdir()
    view = Page(path).data["view"]
    assert view["sound"] is None
    assert view["link"].startswith("../a%20%3Cb%3E%26%22%27%24x%24%20%E9%9F%B3%3C")


def test_pictures_of_a_long_recording_are_no_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    fine = excerpt_of(bursts())
    monkeypatch.setattr(vad.report.excerpt, "_MAX_WAVEFORM_BINS", 100)
    monkeypatch.setattr(vad.report.excerpt, "_MAX_MEL_COLUMNS", 100)
    coarse = excerpt_of(bursts())
    assert len(fine.waveform.low) > 4000
    assert len(coarse.waveform.low) <= 100
    assert 0 < len(coarse.logmel.decibels) <= 100
    assert coarse.waveform.high.max() == fine.waveform.high.max()
    for seen in (coarse.logmel, fine.logmel):
        assert len(seen.decibels) * seen.column_duration == pytest.approx(4.25, abs=seen.column_duration)


@pytest.mark.parametrize("length", [1, 7, 4000])
def test_an_excerpt_does_not_depend_on_how_the_samples_are_cut(length: int) -> None:
    samples = bursts()[: round(0.3 * RATE)]
    whole, cut = excerpt_of(samples), excerpt_of(samples, length)
    assert np.array_equal(whole.waveform.low, cut.waveform.low)
    assert np.array_equal(whole.waveform.high, cut.waveform.high)
    assert cut.logmel.decibels == pytest.approx(whole.logmel.decibels, abs=1e-3)


@pytest.mark.parametrize("hertz", [150.0, 440.0, 1000.0, 3000.0, 7000.0])
def test_a_tone_stands_in_its_band_at_its_level(hertz: float) -> None:
    logmel = excerpt_of(tone(1.0, hertz=hertz, level=1.0)).logmel
    column = logmel.decibels[50]
    nearest = int(np.argmin(np.abs(logmel.centres - hertz)))
    assert abs(int(np.argmax(column)) - nearest) <= 1
    assert column.max() == pytest.approx(0.0, abs=6.0)


def test_a_column_of_log_mel_stands_at_its_own_time() -> None:
    click = np.zeros(RATE, np.float32)
    click[round(0.505 * RATE)] = 1.0
    power = excerpt_of(click).logmel.decibels.max(axis=1)
    assert np.flatnonzero(power > power.max() - 3).tolist() == [50]


@pytest.mark.parametrize("samples", [0, 1, 399, RATE // 2])
def test_silence_and_next_to_nothing_can_be_shown(samples: int) -> None:
    excerpt = excerpt_of(np.zeros(samples, np.float32))
    assert len(excerpt.logmel.decibels) == -(-samples // 160)
    low, high = excerpt.logmel.visible_range()
    assert low < high


def test_every_channel_has_its_page(tmp_path: Path, model_path: Path) -> None:
    path = tmp_path / "two.wav"
    soundfile.write(path, np.stack([bursts(), np.zeros_like(bursts())], axis=1), RATE)
    report = tmp_path / "out.html"
    words = (path, "--channel", "each", "--output", tmp_path / "labels/", "--report", report)
    assert detect(model_path, *words) == 0
    found = [Page(report.with_suffix(f".ch{n}.html")).data["view"]["lanes"][0]["marks"] for n in (0, 1)]
    assert [len(marks["detected"]) for marks in found] == [2, 0]


def test_what_came_before_damage_is_shown(
    tmp_path: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, half = tmp_path / "whole.flac", tmp_path / "half.flac"
    soundfile.write(whole, np.tile(bursts(), 4), RATE)
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    assert detect(model_path, half, "--report", tmp_path / "out.html") == 1
    assert capsys.readouterr().err.count("\n") == 1
    view = Page(tmp_path / "out.html").data["view"]
    assert 4 < view["duration"] < 17
    assert view["lanes"][0]["marks"]["detected"]


def test_a_page_of_stdin_has_its_sound(tmp_path: Path, model_path: Path) -> None:
    command = [sys.executable, "-m", "vad", "detect", "-", "--model", model_path, "--report", "out.html"]
    content = io.BytesIO()
    soundfile.write(content, bursts(), RATE, format="WAV")
    subprocess.run(command, input=content.getvalue(), cwd=tmp_path, check=True, timeout=120)
    view = Page(tmp_path / "out.html").data["view"]
    assert view["sound"]
    assert view["link"] is None


@pytest.mark.parametrize(
    ("flag", "output", "fact"),
    [
        ("--report", "out.htm", "--report must end in .html"),
        ("--plot", "out.gif", "--plot must end in .png or .svg or .pdf"),
        ("--report", "file/out.html", "file: file exists"),
        ("--plot", "file/none/out.png", "file/none: not a directory"),
    ],
)
def test_an_output_that_cannot_be_is_one_line(
    folder: Path, model_path: Path, capsys: pytest.CaptureFixture[str], flag: str, output: str, fact: str
) -> None:
    Path("file").touch()
    assert detect(model_path, NAME, flag, output) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert fact in captured.err
    assert captured.err.count("\n") == 1


def test_the_folder_of_a_page_is_made(folder: Path, model_path: Path) -> None:
    assert detect(model_path, NAME, "--report", "new/er/out.html") == 0
    assert Page(folder / "new" / "er" / "out.html").title == NAME


@pytest.mark.parametrize(("suffix", "begins"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_a_picture_is_of_the_kind_its_name_says(
    folder: Path, model_path: Path, suffix: str, begins: bytes
) -> None:
    pytest.importorskip("matplotlib")
    path = folder / f"out{suffix}"
    assert detect(model_path, NAME, "--plot", path) == 0
    assert path.read_bytes().startswith(begins)
    assert [one.name for one in folder.iterdir() if one.name.startswith(".part")] == []


def test_a_picture_of_a_day_is_drawn_like_one_of_a_minute(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    plot = pytest.importorskip("vad.report.plot", exc_type=ImportError)
    drawn: list[Any] = []
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, *_, **__: drawn.append(figure))
    seconds = 86_400.0
    probabilities = np.full(round(seconds / detector.frame_duration), 0.25, np.float32)
    probabilities[1_000_000] = 1.0
    segments = [Segment(float(start), start + 5.0) for start in range(0, 86_400, 10)]
    detection = Detection(seconds, detector.frame_duration, probabilities, segments)
    excerpt = take_excerpt([noise(RATE)], RATE, 1.0, with_sound=False)
    plot.plot("day", detector.options, detection, excerpt, io.BytesIO(), ".png")
    axes = drawn[0].axes[2]
    (line,) = axes.patches
    assert line.get_data().values.max() == 1.0
    assert len(line.get_data().values) < 10_000
    assert len(axes.get_children()) < 100  # not an artist for each segment


def test_a_picture_without_its_extra_is_said_before_the_work(
    folder: Path, model_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert detect(model_path, NAME, "--plot", "out.png") == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert "pip install 'openvad[plot]'" in written.err


def test_a_browser_shows_plays_and_obeys_the_keys(folder: Path, model_path: Path) -> None:
    assert detect(model_path, NAME, "--report", "out.html") == 0
    found = run_in_page(
        folder / "out.html",
        """
        const press = (key) => document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        const wait = (ms) => new Promise((done) => setTimeout(done, ms));
        const audio = timeline.player.audio;
        await wait(500);
        const times = [];
        for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft"]) {
          press(key);
          await wait(100);
          times.push(timeline.player.time);
        }
        press("+");
        const canvas = timeline.detail.canvas;
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        press(" ");
        const plays = !audio.paused;
        press(" ");
        const wide = document.documentElement.scrollWidth <= innerWidth;
        const box = canvas.getBoundingClientRect();
        const at = { clientX: box.left + box.width / 2, clientY: box.top + 20, pointerId: 1, bubbles: true };
        press("0");
        canvas.setPointerCapture = () => {};
        canvas.dispatchEvent(new PointerEvent("pointerdown", at));
        canvas.dispatchEvent(new PointerEvent("pointerup", at));
        return {
          heading: document.querySelector("h1").textContent,
          rows: document.querySelectorAll("tbody tr").length,
          duration: audio.duration, times, plays, wide, clicked: timeline.player.time,
          colours: new Set(new Uint32Array(data.buffer)).size,
        };
        """,
        folder / "profile",
    )
    assert found["heading"] == NAME
    assert found["rows"] == 2
    assert (
        4.2 < found["duration"] < 5.2
    )  # of 4.25: Chromium counts packets, and guesses until it has them all
    first, second = (
        one[0] for one in Page(folder / "out.html").data["view"]["lanes"][0]["marks"]["detected"]
    )
    assert found["times"] == pytest.approx([first, second, first], abs=0.001)
    assert found["plays"]
    assert found["clicked"] == pytest.approx(4.25 / 2, abs=0.2)
    assert found["colours"] > 50
    assert found["wide"]


def test_the_page_fits_a_phone_and_is_dark_in_the_dark(folder: Path, model_path: Path) -> None:
    assert detect(model_path, NAME, "--report", "out.html") == 0
    check_look(folder / "out.html", folder / "profile")
