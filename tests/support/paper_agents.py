"""As much of pipecat and of livekit's agents as a detector meets there, made of paper: both are large."""

import asyncio
import sys
import types
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

import pytest


@dataclass
class VADParams:
    confidence: float = 0.7
    start_secs: float = 0.2
    stop_secs: float = 0.2
    min_volume: float = 0.6


class VADState(Enum):
    QUIET = 1
    STARTING = 2
    SPEAKING = 3
    STOPPING = 4


class VADAnalyzer:
    """Cuts bytes into windows of `num_frames_required`, and counts those above the confidence, in a thread."""

    def __init__(self, *, sample_rate: int | None = None, params: VADParams | None = None):
        self._init_sample_rate = sample_rate
        self.params = params or VADParams()
        self._buffer = b""
        self._executor = ThreadPoolExecutor(1)

    def set_sample_rate(self, sample_rate: int) -> None:
        self.sample_rate = self._init_sample_rate or sample_rate
        self.set_params(self.params)

    def set_params(self, params: VADParams) -> None:
        self.params = params
        self._state, self._count = VADState.QUIET, 0

    async def analyze_audio(self, buffer: bytes) -> VADState:
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._run, buffer)

    def _run(self, buffer: bytes) -> VADState:
        self._buffer += buffer
        size = 2 * self.num_frames_required()
        while len(self._buffer) >= size:
            window, self._buffer = self._buffer[:size], self._buffer[size:]
            self._window(self.voice_confidence(window) >= self.params.confidence, size / 2 / self.sample_rate)
        return self._state

    def _window(self, speaking: bool, seconds: float) -> None:
        quiet = self._state in (VADState.QUIET, VADState.STARTING)
        if speaking != quiet:
            self._state, self._count = (VADState.QUIET if quiet else VADState.SPEAKING), 0
            return
        self._count += 1
        self._state = VADState.STARTING if quiet else VADState.STOPPING
        wanted = self.params.start_secs if quiet else self.params.stop_secs
        if self._count >= round(wanted / seconds):
            self._state, self._count = (VADState.SPEAKING if quiet else VADState.QUIET), 0

    async def cleanup(self) -> None:
        self._executor.shutdown()


class VADEventType(StrEnum):
    START_OF_SPEECH = "start_of_speech"
    INFERENCE_DONE = "inference_done"
    END_OF_SPEECH = "end_of_speech"


@dataclass
class VADEvent:
    type: VADEventType
    samples_index: int
    timestamp: float
    speech_duration: float
    silence_duration: float
    frames: list[Any] = field(default_factory=list)
    probability: float = 0.0
    inference_duration: float = 0.0
    speaking: bool = False
    raw_accumulated_silence: float = 0.0
    raw_accumulated_speech: float = 0.0


class AudioFrame:
    def __init__(self, data: bytes, sample_rate: int, num_channels: int, samples_per_channel: int):
        assert len(data) == 2 * num_channels * samples_per_channel
        self.data = memoryview(data).cast("h")
        self.sample_rate = sample_rate
        self.num_channels = num_channels
        self.samples_per_channel = samples_per_channel


@dataclass
class VADCapabilities:
    update_interval: float


class VAD:
    def __init__(self, *, capabilities: VADCapabilities):
        self.capabilities = capabilities


class _Channel:
    """Sent to at once, iterated over until it is closed."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Any] = asyncio.Queue()

    def send_nowait(self, value: Any) -> None:
        self._queue.put_nowait(value)

    def close(self) -> None:
        self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Any]:
        while (value := await self._queue.get()) is not None:
            yield value


class VADStream:
    """Frames go in, a task hears them, events come out."""

    class _FlushSentinel:
        pass

    def __init__(self, vad: VAD):
        self._vad = vad
        self._input_ch, self._event_ch = _Channel(), _Channel()
        self._task = asyncio.create_task(self._main_task())
        self._task.add_done_callback(lambda _: self._event_ch.close())

    def push_frame(self, frame: AudioFrame) -> None:
        self._input_ch.send_nowait(frame)

    def flush(self) -> None:
        self._input_ch.send_nowait(self._FlushSentinel())

    def end_input(self) -> None:
        self.flush()
        self._input_ch.close()

    def __aiter__(self) -> AsyncIterator[VADEvent]:
        return aiter(self._event_ch)

    async def aclose(self) -> None:
        await self._task


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the paper where the packages would be."""
    analyzer = _module("pipecat.audio.vad.vad_analyzer", VADAnalyzer, VADParams, VADState)
    vad = _module("livekit.agents.vad", VAD, VADCapabilities, VADEvent, VADEventType, VADStream)
    rtc = _module("livekit.rtc", AudioFrame)
    for module in (analyzer, vad, rtc):
        child = module
        name = module.__name__
        while True:
            monkeypatch.setitem(sys.modules, name, child)
            parent, _, last = name.rpartition(".")
            if not parent:
                break
            package = sys.modules.get(parent) or types.ModuleType(parent)
            setattr(package, last, child)
            name, child = parent, package


def _module(name: str, *members: type) -> types.ModuleType:
    module = types.ModuleType(name)
    for member in members:
        setattr(module, member.__name__, member)
    return module
