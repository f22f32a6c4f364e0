"""Adapters of voice agents, in the real packages where installed, and in paper ones; the program of docs/live.md."""

import asyncio
import importlib
import re
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from support import paper_agents
from support.bursts import DURATION, RATE, bursts
from support.paper_portaudio import InputStream
from support.places import ROOT

from vad.detection.detector import Detector
from vad.detection.model import Model


def adapter(name: str, package: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An adapter, for the package itself or for the paper one."""
    if kind == "paper":
        paper_agents.install(monkeypatch)
    else:
        pytest.importorskip(package, reason=f"needs {package}: pip install pipecat-ai livekit-agents")
    module = f"vad.adapters.{name}"
    monkeypatch.setitem(sys.modules, module, types.ModuleType(module))  # forgotten after the test
    del sys.modules[module]
    return importlib.import_module(module)


@pytest.fixture(params=["paper", "real"])
def pipecat(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    return adapter("pipecat", "pipecat.audio.vad.vad_analyzer", request.param, monkeypatch)


@pytest.fixture(params=["paper", "real"])
def livekit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    return adapter("livekit", "livekit.agents", request.param, monkeypatch)


def pieces(sample_rate: int, seconds: float) -> Iterator[np.ndarray]:
    """The bursts as 16-bit samples, and silence after them, in pieces."""
    samples = np.append(bursts(sample_rate), np.zeros(sample_rate, np.float32))
    length = round(seconds * sample_rate)
    for position in range(0, len(samples), length):
        yield np.round(samples[position : position + length] * 32767).astype("<i2")


@pytest.mark.parametrize("rate", [8000, 16000, 24000])
def test_pipecat_detects_starts_and_ends(pipecat: Any, detector: Detector, rate: int) -> None:
    async def call() -> list[tuple[str, float]]:
        analyzer = pipecat.Analyzer(detector)
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


def test_pipecat_parameters_may_change_amid_a_call(pipecat: Any, detector: Detector) -> None:
    """Its state machine starts again, but the state of the network stays."""

    def confidences(changes: bool) -> list[float]:
        analyzer = pipecat.Analyzer(detector, sample_rate=RATE)
        analyzer.set_sample_rate(48000)
        assert analyzer.num_frames_required() == 320, "the rate it was made for"
        confidence = []
        for number, piece in enumerate(pieces(RATE, 0.02)):
            if changes and number == 25:
                analyzer.set_params(pipecat.VADParams(confidence=0.9))
            confidence.append(analyzer.voice_confidence(piece.tobytes()))
        asyncio.run(analyzer.cleanup())
        return confidence

    assert confidences(changes=True) == confidences(changes=False)


MIN_SILENCE_S = 0.3


def livekit_events(
    livekit: Any, detector: Detector, rate: int, channels: int = 1, flush: bool = True, **update: float
) -> list[Any]:
    """The events of a recording that is flushed amid speech, and of the whole recording after it."""
    frame = importlib.import_module("livekit.rtc").AudioFrame

    async def call() -> list[Any]:
        shared = livekit.VAD.load(detector=detector, min_silence_duration=MIN_SILENCE_S)
        stream = shared.stream()

        def push(begin: float, end: float) -> None:
            for piece in list(pieces(rate, 0.01))[round(begin * 100) : round(end * 100)]:
                data = np.repeat(piece, channels).tobytes()
                stream.push_frame(frame(data, rate, channels, len(piece)))

        if flush:
            push(0, 0.6)
            stream.flush()
        push(0, 1.0)
        if update:
            while (await anext(aiter(stream))).timestamp < 0.9:
                pass
            shared.update_options(**update)
        push(1.0, DURATION + 1)
        stream.end_input()
        events = [event async for event in stream]
        await stream.aclose()
        return events

    return asyncio.run(call())


def audio(events: list[Any]) -> np.ndarray:
    return np.concatenate([np.asarray(frame.data) for event in events for frame in event.frames])


@pytest.mark.parametrize(("rate", "channels"), [(16000, 1), (48000, 2)])
def test_livekit_gets_speech_with_its_audio(
    livekit: Any, detector: Detector, rate: int, channels: int
) -> None:
    events = livekit_events(livekit, detector, rate, channels)
    spoken = [event for event in events if event.type != "inference_done"]
    start, end = "start_of_speech", "end_of_speech"
    assert [event.type.value for event in spoken] == [start, start, end, start, end], "a flush is silent"
    samples = np.concatenate(list(pieces(rate, 0.01)))
    for begun, ended, burst in zip(spoken[1::2], spoken[2::2], [(0.3, 0.7), (1.5, 1.77)], strict=True):
        assert begun.timestamp - begun.speech_duration == pytest.approx(burst[0] + 0.04, abs=0.06)
        assert ended.silence_duration == pytest.approx(MIN_SILENCE_S)
        assert ended.speech_duration == pytest.approx(burst[1] - burst[0], abs=0.2)
        assert (begun.speaking, ended.speaking) == (True, False)
        starts = [event.timestamp - len(audio([event])) / rate for event in (begun, ended)]
        assert starts == pytest.approx([max(0.0, burst[0] - 0.5)] * 2, abs=0.06)
        for event in (begun, ended):
            pcm = samples[: round(event.timestamp * rate)][-len(audio([event])) :]
            np.testing.assert_allclose(audio([event]), pcm, atol=1)


def test_livekit_follows_the_probability(livekit: Any, detector: Detector) -> None:
    events = livekit_events(livekit, detector, RATE, flush=False)
    events = [event for event in events if event.type == "inference_done"]
    samples = np.concatenate(list(pieces(RATE, 0.01)))
    np.testing.assert_allclose(audio(events), samples[: len(audio(events))], atol=1)
    assert len(samples) - len(audio(events)) < 320
    expected = detector.probabilities(samples, RATE)
    np.testing.assert_allclose([event.probability for event in events], expected[: len(events)], atol=1e-5)
    loudest = max(events, key=lambda event: event.raw_accumulated_speech)
    assert loudest.raw_accumulated_speech == pytest.approx(0.4, abs=0.2)
    assert loudest.speaking
    assert events[-1].raw_accumulated_silence == pytest.approx(0.9, abs=0.2)
    assert not events[-1].speaking


def test_livekit_changes_options_of_streams_that_run(livekit: Any, detector: Detector) -> None:
    events = livekit_events(livekit, detector, RATE, flush=False, activation_threshold=1.1)
    assert [event for event in events if event.type == "start_of_speech"] == []
    shared = livekit.VAD(detector, min_silence_duration=0.4)
    shared.update_options(min_silence_duration=0.7)
    assert shared.min_silence_duration == 0.7
    with pytest.raises(TypeError, match="min_silence"):
        shared.update_options(min_silence=0.7)


def test_livekits_metrics_name_the_model(livekit: Any, detector: Detector) -> None:
    shared = livekit.VAD(detector)
    assert (shared.model, shared.provider) == ("tiny", "vad")
    if not hasattr(shared, "on"):
        return  # of paper
    metrics: list[Any] = []
    shared.on("metrics_collected", metrics.append)

    async def call() -> None:
        stream = shared.stream()
        for piece in pieces(RATE, 0.05):
            stream.push_frame(
                importlib.import_module("livekit.rtc").AudioFrame(piece.tobytes(), RATE, 1, len(piece))
            )
        stream.end_input()
        async for _ in stream:
            pass
        await stream.aclose()

    asyncio.run(call())
    assert [(one.metadata.model_name, one.inference_count) for one in metrics] == [("tiny", 50)] * 2


def test_an_adapter_without_its_program_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "livekit", None)
    monkeypatch.setitem(sys.modules, "vad.adapters.livekit", types.ModuleType("forgotten"))
    del sys.modules["vad.adapters.livekit"]
    with pytest.raises(ImportError, match="pip install livekit-agents"):
        importlib.import_module("vad.adapters.livekit")


def test_asyncio_listens_until_the_microphone_is_gone(
    portaudio: types.SimpleNamespace,
    model: Model,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Model, "load", lambda *_: model)
    monkeypatch.setattr(InputStream, "vanishes", True)
    InputStream.plays.append(bursts())
    page = (ROOT / "docs" / "live.md").read_text(encoding="utf-8")
    (code,) = re.findall("<!-- asyncio -->\n```python\n(.*?)```", page, flags=re.DOTALL)
    program: dict[str, Any] = {"__name__": "asyncio"}
    exec(compile(code, "docs/live.md", "exec"), program)
    asyncio.run(program["main"]())
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("(")[0] for line in lines[:-1]] == ["SpeechStart", "SpeechEnd"] * 2
    assert "Webcam" in lines[-1]
    assert InputStream.made[0].closed
