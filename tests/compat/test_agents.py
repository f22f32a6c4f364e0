"""The programs of docs/agents.md and docs/live.md: in the real packages where installed, and in paper ones."""

import asyncio
import importlib
import re
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from support import paper_agents
from support.bursts import DURATION, RATE, bursts, ends, streamed
from support.paper_portaudio import InputStream
from support.places import ROOT

from vad.detection.detector import Detector
from vad.detection.model import Model

PAGES = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("agents.md", "live.md"))


def program(name: str) -> dict[str, Any]:
    """What the code of a page defines."""
    (code,) = re.findall(f"<!-- {name} -->\n```python\n(.*?)```", PAGES, flags=re.DOTALL)
    defined: dict[str, Any] = {"__name__": name}
    exec(compile(code, f"docs, {name}", "exec"), defined)
    return defined


def adapter(name: str, package: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An adapter, for the package itself or for the paper one."""
    if kind == "paper":
        paper_agents.install(monkeypatch)
    else:
        pytest.importorskip(package, reason=f"needs {package}: pip install pipecat-ai livekit-agents")
    return program(name)


@pytest.fixture(params=["paper", "real"])
def pipecat(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    return adapter("pipecat", "pipecat.audio.vad.vad_analyzer", request.param, monkeypatch)


@pytest.fixture(params=["paper", "real"])
def livekit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    return adapter("livekit", "livekit.agents", request.param, monkeypatch)


def pieces(sample_rate: int, seconds: float) -> Iterator[np.ndarray]:
    """The bursts as 16-bit samples, and silence after them, in pieces."""
    samples = np.append(bursts(sample_rate), np.zeros(sample_rate, np.float32))
    length = round(seconds * sample_rate)
    for position in range(0, len(samples), length):
        yield np.round(samples[position : position + length] * 32767).astype("<i2")


@pytest.mark.parametrize("rate", [8000, 16000, 24000])
def test_pipecat_detects_starts_and_ends(pipecat: dict[str, Any], detector: Detector, rate: int) -> None:
    async def call() -> list[tuple[str, float]]:
        analyzer = pipecat["Analyzer"](detector)
        analyzer.set_sample_rate(rate)
        events, duration, last = [], 0.0, "QUIET"
        for piece in pieces(rate, 0.016):  # not its windows
            state = await analyzer.analyze_audio(piece.tobytes())
            duration += len(piece) / rate
            if state.name != last and state.name in ("QUIET", "SPEAKING"):
                last = state.name
                events.append((last, duration))
        await analyzer.cleanup()
        return events

    events = asyncio.run(call())
    assert [name for name, _ in events] == ["SPEAKING", "QUIET"] * 2
    # Each boundary, the model's delay, and the 0.1 or 0.2 s that pipecat waits.
    expected = [0.3 + 0.04 + 0.1, 0.7 + 0.04 + 0.2, 1.5 + 0.04 + 0.1, DURATION + 0.04 + 0.2]
    assert [at for _, at in events] == pytest.approx(expected, abs=0.2)


def test_pipecat_parameters_may_change_amid_a_call(pipecat: dict[str, Any], detector: Detector) -> None:
    """Its state machine starts again, but the state of the network stays."""

    def confidences(changes: bool) -> list[float]:
        analyzer = pipecat["Analyzer"](detector, sample_rate=RATE)
        analyzer.set_sample_rate(48000)
        assert analyzer.num_frames_required() == 320, "the rate it was made for"
        confidence = []
        for number, piece in enumerate(pieces(RATE, 0.02)):
            if changes and number == 25:
                analyzer.set_params(pipecat["VADParams"](confidence=0.9))
            confidence.append(analyzer.voice_confidence(piece.tobytes()))
        asyncio.run(analyzer.cleanup())
        return confidence

    assert confidences(changes=True) == confidences(changes=False)


def livekit_events(livekit: dict[str, Any], detector: Detector, rate: int, channels: int = 1) -> list[Any]:
    """The events of a recording that is flushed amid speech, and of the whole recording after it."""
    frame = importlib.import_module("livekit.rtc").AudioFrame

    async def call() -> list[Any]:
        stream = livekit["VAD"](detector).stream()

        def push(seconds: float) -> None:
            for piece in list(pieces(rate, 0.01))[: round(seconds * 100)]:
                data = np.repeat(piece, channels).tobytes()
                stream.push_frame(frame(data, rate, channels, len(piece)))

        push(0.6)
        stream.flush()
        push(DURATION + 1)
        stream.end_input()
        events = [event async for event in stream]
        await stream.aclose()
        return events

    return asyncio.run(call())


@pytest.mark.parametrize(("rate", "channels"), [(16000, 1), (48000, 2)])
def test_livekit_gets_speech_with_its_audio(
    livekit: dict[str, Any], model: Model, rate: int, channels: int
) -> None:
    detector = Detector(model, min_silence_duration_ms=300)
    events = livekit_events(livekit, detector, rate, channels)
    spoken = [event for event in events if event.type != "inference_done"]
    kinds = ["start_of_speech", "end_of_speech"]
    assert [event.type.value for event in spoken] == kinds * 3
    assert spoken[1].timestamp == pytest.approx(0.6), "the flush ends who still speaks"
    samples = np.concatenate(list(pieces(rate, 0.01)))
    expected = ends(streamed(detector.stream(rate), [samples])[0])
    for start, end, segment in zip(spoken[2::2], spoken[3::2], expected, strict=True):
        assert end.speech_duration == pytest.approx(segment.duration)
        assert end.timestamp - end.silence_duration == pytest.approx(segment.end)
        assert start.timestamp - start.speech_duration == pytest.approx(segment.start)
        for event in (start, end):
            (frame,) = event.frames
            begin, until = max(segment.start - 0.5, 0.0), event.timestamp
            pcm = samples[round(begin * rate) : round(until * rate)]
            np.testing.assert_allclose(np.asarray(frame.data), pcm, atol=1)


def test_livekit_follows_the_probability(livekit: dict[str, Any], model: Model) -> None:
    detector = Detector(model, min_silence_duration_ms=300)
    events = [event for event in livekit_events(livekit, detector, RATE) if event.type == "inference_done"]
    again = next(i for i in range(1, len(events)) if events[i].timestamp < events[i - 1].timestamp)
    events = events[again:]
    expected = detector.probabilities(np.concatenate(list(pieces(RATE, 0.01))), RATE)
    np.testing.assert_allclose([event.probability for event in events], expected[: len(events)], atol=1e-5)
    loudest = max(events, key=lambda event: event.raw_accumulated_speech)
    assert loudest.raw_accumulated_speech == pytest.approx(0.4, abs=0.15)
    assert loudest.speaking
    assert loudest.speech_duration == pytest.approx(0.45, abs=0.15)
    assert events[-1].raw_accumulated_silence == pytest.approx(0.9, abs=0.15)
    assert not events[-1].speaking


def test_asyncio_listens_until_the_microphone_is_gone(
    portaudio: types.SimpleNamespace,
    model: Model,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Model, "load", lambda *_: model)
    monkeypatch.setattr(InputStream, "vanishes", True)
    InputStream.plays.append(bursts())
    asyncio.run(program("asyncio")["main"]())
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("(")[0] for line in lines[:-1]] == ["SpeechStart", "SpeechEnd"] * 2
    assert "Webcam" in lines[-1]
    assert InputStream.made[0].closed
