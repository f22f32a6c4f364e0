"""livekit-agents: `AgentSession(vad=VAD.load())`, with the options and the rules of livekit-plugins-silero."""

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from vad.adapters import client, given_or_default
from vad.audio.writing import as_stored
from vad.detection.detector import Detector
from vad.detection.stream import Stream
from vad.detection.threads import network_threads

with client("livekit-agents"):
    from livekit import agents, rtc
    from livekit.agents.vad import VADEvent, VADEventType

__all__ = ["VAD", "VADOptions", "VADStream"]

_ROUNDING_S = 1e-9


@dataclass(frozen=True)
class VADOptions:
    """livekit's options: seconds, and thresholds of the probability."""

    activation_threshold: float
    deactivation_threshold: float
    min_speech_duration: float = 0.05
    min_silence_duration: float = 0.55
    prefix_padding_duration: float = 0.5
    max_buffered_speech: float = 60.0


class VAD(agents.vad.VAD):
    """livekit's detector. Streams may share it.

    Args:
        detector: Its model and its thresholds. None is one with the default model.
        **options: Fields of `VADOptions`.
    """

    def __init__(self, detector: Detector | None = None, **options: float):
        self.detector = given_or_default(detector)
        super().__init__(
            capabilities=agents.vad.VADCapabilities(update_interval=self.detector.frame_duration)
        )
        threshold, release = self.detector.options.threshold, self.detector.options.release_threshold
        self.options = replace(VADOptions(threshold, release), **options)

    @classmethod
    def load(cls, **options: Any) -> Self:
        """As livekit-plugins-silero has it."""
        return cls(**options)

    @property
    def model(self) -> str:
        """Name of the model in livekit's metrics."""
        return self.detector.model.name

    @property
    def provider(self) -> str:
        """Name of this package in livekit's metrics."""
        return "vad"

    @property
    def min_silence_duration(self) -> float:
        """Seconds of silence after which speech ends. livekit's turn detector asks for it."""
        return self.options.min_silence_duration

    def update_options(self, **options: float) -> None:
        """Change fields of `VADOptions`, also of the streams that run. A longer buffer is for later recordings."""
        self.options = replace(self.options, **options)

    def stream(self) -> "VADStream":
        """Start a stream, inside an event loop."""
        return VADStream(self)


class VADStream(agents.vad.VADStream):
    """Takes audio frames, and gives livekit's events. `flush` drops the speech so far without an event."""

    async def _main_task(self) -> None:
        loop = asyncio.get_running_loop()
        stream: Stream | None = None
        async for frame in self._input_ch:
            if isinstance(frame, self._FlushSentinel):
                stream = None
                continue
            if stream is None:
                stream = self._begin(frame.sample_rate)
            samples = np.frombuffer(frame.data, np.int16).reshape(-1, frame.num_channels)
            began = time.perf_counter()
            await loop.run_in_executor(network_threads(), stream.feed, samples)
            self._report(stream, time.perf_counter() - began)

    def _begin(self, sample_rate: int) -> Stream:
        """Begin a recording. All fields are seconds of audio."""
        self._speaking = False
        self._start = self._until = 0.0  # of the speech with its prefix, and of what has been reported
        self._loud = self._quiet = self._speech = self._silence = 0.0
        options: VADOptions = self._vad.options
        kept = options.max_buffered_speech + options.prefix_padding_duration + 1
        return self._vad.detector.stream(sample_rate, keep_audio_s=kept)

    def _report(self, stream: Stream, took: float) -> None:
        """Report each probability that the last audio gave, and what it changes."""
        frame, count = stream.frame_duration, len(stream.probabilities)
        for number, probability in enumerate(stream.probabilities.tolist(), 1):
            begin = self._until
            self._until = stream.duration if number == count else begin + frame
            if self._speaking:
                self._speech += frame
            else:
                self._silence += frame
            self._send(
                VADEventType.INFERENCE_DONE,
                stream,
                begin,
                probability=probability,
                inference_duration=took / count,
                raw_accumulated_speech=self._loud,
                raw_accumulated_silence=self._quiet,
            )
            self._decide(stream, probability)

    def _decide(self, stream: Stream, probability: float) -> None:
        """Livekit's rules: speech starts and ends after so many seconds above and below the thresholds."""
        options: VADOptions = self._vad.options
        threshold = options.deactivation_threshold if self._speaking else options.activation_threshold
        if probability >= threshold:
            self._loud, self._quiet = self._loud + stream.frame_duration, 0.0
            if not self._speaking and self._loud >= options.min_speech_duration - _ROUNDING_S:
                self._speaking, self._speech, self._silence = True, self._loud, 0.0
                start = self._until - stream.delay - self._loud - options.prefix_padding_duration
                self._start = max(0.0, start)
                self._send(VADEventType.START_OF_SPEECH, stream, self._start)
        else:
            self._loud, self._quiet = 0.0, self._quiet + stream.frame_duration
            if self._speaking and self._quiet >= options.min_silence_duration - _ROUNDING_S:
                self._speaking, self._silence = False, self._quiet
                self._speech = max(0.0, self._speech - self._quiet)
                self._send(VADEventType.END_OF_SPEECH, stream, self._start)
                self._speech = 0.0

    def _send(self, kind: VADEventType, stream: Stream, begin: float, **rest: float) -> None:
        """Send an event with the audio from `begin` until now, or its last `max_buffered_speech` seconds."""
        options: VADOptions = self._vad.options
        longest = options.max_buffered_speech + options.prefix_padding_duration
        audio = stream.audio(max(begin, self._until - longest), self._until)
        pcm = as_stored(audio, "PCM_16").tobytes()
        self._event_ch.send_nowait(
            VADEvent(
                type=kind,
                samples_index=round(self._until * self._vad.detector.sample_rate),
                timestamp=self._until,
                speech_duration=self._speech,
                silence_duration=self._silence,
                frames=[rtc.AudioFrame(pcm, int(stream.sample_rate), 1, len(audio))],
                speaking=self._speaking,
                **rest,
            )
        )
