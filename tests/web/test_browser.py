"""The package in web/, in Chromium: its probabilities, segments and resampler are those of Python."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from support import browser
from support.places import EXAMPLES, MEETINGS, ROOT

import vad
from vad.audio.resampling import LiveResampler

WEB = ROOT / "web"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where web/ and data/ are served, with the package freshly built."""
    if shutil.which("npm") is None or not (WEB / "node_modules").is_dir():
        pytest.skip("needs npm, and `npm ci` in web/")
    if browser.CHROMIUM is None:
        pytest.skip("chromium is not installed")
    subprocess.run(["npm", "run", "build", "--silent"], cwd=WEB, check=True)
    with browser.served(ROOT) as address:
        yield address


@pytest.fixture(scope="module")
def blank(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Tab]:
    """A page of the server without content, in a browser."""
    with browser.opened(f"{address}/web/test/blank.html", tmp_path_factory.mktemp("profile")) as tab:
        yield tab


def in_page(tab: browser.Tab, script: str, **values: Any) -> Any:
    """What a script gives that knows the package and these values."""
    known = "".join(f"const {name} = {json.dumps(value)};" for name, value in values.items())
    return tab.run(f'const openvad = await import("openvad"); {known} {script}')


def example(name: str) -> tuple[np.ndarray, int]:
    samples, sample_rate = soundfile.read(EXAMPLES / name, dtype="float32", always_2d=True)
    return samples.mean(axis=1), sample_rate


ANALYSE = """
const detector = await openvad.Detector.load({ model });
const { probabilities, segments } = await detector.process(Float32Array.from(samples), 16000, { lookahead });
detector.destroy();
return { probabilities: [...probabilities], segments };
"""


@pytest.mark.parametrize(
    ("model", "lookahead"), [("default", True), *((name, False) for name in vad.model_names())]
)
def test_probabilities_and_segments_are_those_of_python(
    blank: browser.Tab, model: str, lookahead: bool
) -> None:
    samples, _ = example("clip.wav")
    ours = vad.Detector(model, lookahead=lookahead).process(samples, 16_000)
    # By their addresses, models that the package does not have run too.
    name = model if model == "default" else f"/models/{model}.tflite"
    theirs = in_page(blank, ANALYSE, model=name, samples=samples.tolist(), lookahead=lookahead)
    np.testing.assert_allclose(theirs["probabilities"], ours.probabilities, atol=1e-4)
    assert [(one["start"], one["end"]) for one in theirs["segments"]] == [
        (pytest.approx(one.start), pytest.approx(one.end)) for one in ours.segments
    ]


def test_a_quiet_recording_is_turned_up_as_in_python(blank: browser.Tab) -> None:
    """Its level rises, falls in a long pause, and is above the target at times."""
    clip, _ = example("clip.wav")
    pause = np.random.default_rng(1).standard_normal(16_000 * 75).astype(np.float32) * 1e-4
    samples = np.concatenate([0.01 * clip, pause, 0.06 * clip, pause, 0.005 * clip]).astype(np.float32)
    ours = vad.Detector("tiny").process(samples, 16_000)
    theirs = in_page(blank, ANALYSE, model="tiny", samples=samples.tolist(), lookahead=True)
    np.testing.assert_allclose(theirs["probabilities"], ours.probabilities, atol=1e-3)
    as_streamed = vad.Detector("tiny", lookahead=False).probabilities(samples, 16_000)
    assert np.abs(as_streamed - ours.probabilities).max() > 0.1, "the gain matters here"


@pytest.mark.acceptance
def test_five_minutes_of_meetings_give_the_probabilities_of_python(blank: browser.Tab) -> None:
    meetings = sorted(MEETINGS.glob("*.flac"))
    if not meetings:
        pytest.skip("needs the labelled meetings")
    samples = np.tile(np.concatenate([soundfile.read(path, dtype="float32")[0] for path in meetings]), 2)
    (WEB / "dist" / "meetings.f32").write_bytes(samples.tobytes())
    script = """
    const samples = new Float32Array(await (await fetch("/web/dist/meetings.f32")).arrayBuffer());
    const detector = await openvad.Detector.load();
    const outputs = {};
    for (const lookahead of [true, false]) {
      outputs[lookahead] = [...(await detector.process(samples, 16000, { lookahead })).probabilities];
    }
    return outputs;
    """
    outputs = in_page(blank, script)
    for lookahead in (True, False):
        ours = vad.Detector(lookahead=lookahead).probabilities(samples, 16_000)
        np.testing.assert_allclose(outputs[str(lookahead).lower()], ours, atol=1e-4)


def test_block_lengths_and_streams_side_by_side_change_nothing(blank: browser.Tab) -> None:
    """A stream of odd blocks, beside another one, gives the events and probabilities of one block."""
    samples, _ = example("clip.wav")
    script = """
    const detector = await openvad.Detector.load({ model: "tiny" });
    const audio = Float32Array.from(samples);
    const begun = (length) => ({ length, stream: detector.stream(), events: [], probabilities: [] });
    const streams = [audio.length, 777].map(begun);
    const take = (one, events) => { one.events.push(...events); one.probabilities.push(...one.stream.probabilities); };
    for (let position = 0; position < audio.length; position += 777) {
      for (const one of streams) {
        if (position % one.length === 0) take(one, one.stream.feed(audio.subarray(position, position + one.length)));
      }
    }
    for (const one of streams) take(one, one.stream.finish());
    return streams.map(({ events, probabilities }) => ({ events, probabilities }));
    """
    whole, pieces = in_page(blank, script, samples=samples.tolist())
    assert whole["events"] == pieces["events"] != []
    np.testing.assert_allclose(pieces["probabilities"], whole["probabilities"], atol=1e-5)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 11_127])
def test_the_resampler_is_that_of_live_streams(blank: browser.Tab, rate: int) -> None:
    samples = np.random.default_rng(rate).uniform(-0.5, 0.5, rate // 10 + 1).astype(np.float32)
    ours = LiveResampler(rate, 16_000)
    script = """
    const resampler = new openvad.Resampler(rate, 16000);
    const audio = Float32Array.from(samples);
    return [...resampler.feed(audio.subarray(0, 333)), ...resampler.feed(audio.subarray(333)), ...resampler.finish()];
    """
    theirs = in_page(blank, script, samples=samples.tolist(), rate=rate)
    expected = np.concatenate([ours.feed(samples), ours.finish()])
    np.testing.assert_allclose(theirs, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("openvad.Detector.load({ positiveSpeechThreshold: 0.6 })", "positiveSpeechThreshold"),
        ("openvad.Detector.load({ threshold: 2 })", "threshold"),
        ("openvad.Detector.load({ model: 'huge' })", "huge"),
        ("openvad.Detector.load({ model: 'tiny', operatingPoint: 'bold' })", "bold"),
        ("openvad.MicVAD.new({ model: 'tiny', onSpeech() {} })", "onSpeech"),
        (
            "openvad.Detector.load({ model: 'tiny' }).then((d) => d.stream().feed(new Float32Array([NaN])))",
            "NaN",
        ),
        ("openvad.Detector.load({ model: 'tiny' }).then((d) => d.stream({ sampleRate: 100 }))", "100"),
    ],
)
def test_wrong_use_is_told(blank: browser.Tab, script: str, expected: str) -> None:
    answer = in_page(blank, f"return await {script}.then(() => 'no error', (error) => error.message);")
    assert expected in answer


def test_a_model_with_the_card_of_another_is_refused_and_the_next_one_runs(blank: browser.Tab) -> None:
    """LiteRT would stop for good at a state of another length."""
    shutil.copy(ROOT / "models" / "tiny.tflite", WEB / "dist" / "mixed.tflite")
    shutil.copy(ROOT / "models" / "default.json", WEB / "dist" / "mixed.json")
    script = """
    const message = (error) => error.message;
    const mixed = await openvad.Detector.load({ model: "/web/dist/mixed.tflite" }).then(() => "no error", message);
    return [mixed, await openvad.Detector.load({ model: "tiny" }).then(() => "no error", message)];
    """
    refused, next_one = in_page(blank, script)
    assert "mixed.tflite does not match its card" in refused
    assert next_one == "no error"


LISTEN = """
const told = { starts: [], ends: [], misfires: 0, frames: [] };
const mic = await openvad.MicVAD.new({
  onSpeechStart: (event) => told.starts.push(event.time),
  onSpeechEnd: (audio, segment) => told.ends.push({ ...segment, audio: [...audio] }),
  onMisfire: () => told.misfires++,
  onFrameProcessed: ({ isSpeech }, frame) => told.frames.push({ isSpeech, samples: [...frame] }),
});
await mic.start();
await new Promise((done) => setTimeout(done, seconds * 1000));
const listening = mic.listening;
await mic.pause();
told.listening = [listening, mic.listening];
await mic.destroy();
return told;
"""


def microphone_playing(samples: np.ndarray, folder: Path) -> list[str]:
    """The browser's flags for a microphone that plays these samples once."""
    recording = folder / "microphone.wav"
    # The page misses the first moment.
    soundfile.write(recording, np.concatenate([np.zeros(8_000, np.float32), samples]), 16_000)
    flags = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    return [*flags, f"--use-file-for-fake-audio-capture={recording}%noloop"]


def test_the_microphone_gives_the_segments_of_a_stream(address: str, tmp_path: Path) -> None:
    """Chromium's microphone plays an example. The page's events are right for what it received, and for the example."""
    samples, _ = example("clip.wav")
    flags = microphone_playing(samples, tmp_path)
    with browser.opened(f"{address}/web/test/blank.html", tmp_path / "profile", flags=flags) as tab:
        told = in_page(tab, LISTEN, seconds=len(samples) / 16_000 + 0.5)
    detector = vad.Detector(lookahead=False)
    received = np.concatenate([frame["samples"] for frame in told["frames"]]).astype(np.float32)
    exact = detector.process(received, 16_000)
    np.testing.assert_allclose(
        [frame["isSpeech"] for frame in told["frames"]], exact.probabilities, atol=1e-4
    )
    segments = [(one["start"], one["end"]) for one in told["ends"]]
    assert segments == [(pytest.approx(one.start), pytest.approx(one.end)) for one in exact.segments]
    assert told["starts"] == [start for start, _ in segments]
    assert told["misfires"] == 0
    assert told["listening"] == [True, False]
    for end, (start, stop) in zip(told["ends"], segments, strict=True):
        expected = received[round((start - 0.3) * 16_000) : round(stop * 16_000)]
        np.testing.assert_array_equal(np.float32(end["audio"]), expected)
    correlation = np.fft.irfft(np.fft.rfft(received, 1 << 19) * np.fft.rfft(samples, 1 << 19).conj())
    shift = int(correlation.argmax()) / 16_000
    expected_segments = [
        (one.start + shift, one.end + shift) for one in detector.process(samples, 16_000).segments
    ]
    # The frames begin elsewhere than in the example, so a slow fall crosses the threshold some frames apart.
    np.testing.assert_allclose(segments, expected_segments, atol=0.1)


def shown_code() -> list[str]:
    """The JavaScript of the documentation, as a script can run it."""
    page = (ROOT / "docs" / "browser.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```js\n(.*?)```", page, re.DOTALL)
    return [re.sub(r'import (.*) from "openvad";', r"const \1 = openvad;", block) for block in blocks]


def test_what_the_page_shows_of_recordings_and_streams_runs(blank: browser.Tab) -> None:
    samples, _ = example("clip.wav")
    _, recording, stream = shown_code()
    given = """
    const samples = Float32Array.from(audio), blocks = [samples], rows = [], kinds = [];
    const addRow = (...times) => rows.push(times), handle = (event) => kinds.push(event.kind);
    """
    script = f"{given} {{ {recording} }} {{ {stream} }} return {{ rows, kinds }};"
    shown = in_page(blank, script, audio=np.repeat(samples, 3).tolist())  # 48 kHz
    expected = vad.Detector(operating_point="precise").detect(samples, 16_000)
    np.testing.assert_allclose(shown["rows"], [(one.start, one.end) for one in expected], atol=0.04)
    assert shown["kinds"] == ["start", "end"] * 2


def test_the_demonstration_listens_and_so_does_what_the_page_shows(address: str, tmp_path: Path) -> None:
    samples, _ = example("clip.wav")
    page = f"{address}/web/demo/"
    browser.check_look(page, tmp_path / "look")
    script = f"""
    const openvad = await import("/web/dist/index.js");
    const button = {{}}, words = [], speaking = [];
    const showSpeaking = (speaks) => speaking.push(speaks), transcribe = (audio, start) => words.push(audio.length);
    {shown_code()[0]}
    const listen = document.getElementById("listen");
    listen.click();
    await button.onclick();
    await new Promise((done) => setTimeout(done, 6000));
    const rows = document.querySelectorAll("#segments tr").length;
    listen.click();
    await microphone.destroy();
    const texts = ["loaded", "error"].map((id) => document.getElementById(id).textContent);
    const recording = await (await fetch("/data/examples/clip.wav")).blob();
    const chosen = new DataTransfer();
    chosen.items.add(new File([recording], "clip.wav"));
    const input = document.getElementById("file");
    while (input.disabled) await new Promise((done) => setTimeout(done, 50));
    input.files = chosen.files;
    input.dispatchEvent(new Event("change"));
    while (listen.disabled) await new Promise((done) => setTimeout(done, 50));
    const opened = [...document.querySelectorAll("#segments tr")].map((row) => [...row.cells].map((c) => c.innerText));
    return {{ rows, words, speaking, texts, opened }};
    """
    flags = microphone_playing(samples[: int(4.5 * 16_000)], tmp_path)
    with browser.opened(page, tmp_path / "profile", flags=flags) as tab:
        shown = tab.run(script)
    assert shown["rows"] == len(shown["words"]) == len(shown["speaking"]) == 1
    loaded, error = shown["texts"]
    others = {*vad.model_names()} - {"default"}
    assets = [path for path in (WEB / "dist" / "assets").iterdir() if path.stem not in others]
    size = sum(path.stat().st_size for path in assets)
    assert float(re.findall(r"[\d.]+", loaded)[0]) == pytest.approx(size / 1e6, abs=0.1)
    assert error == ""
    expected = [[f"{one.start:.2f}", f"{one.end:.2f}"] for one in vad.detect_file(EXAMPLES / "clip.wav")]
    assert [row[:2] for row in shown["opened"]] == expected[::-1]  # the latest first


def test_the_package_has_the_version_of_python_and_names_no_registry() -> None:
    assert json.loads((WEB / "package.json").read_text())["version"] == vad.__version__
    assert "://" not in (WEB / "package-lock.json").read_text()
