"""One recording heard from beginning to end: its speech, and what is kept of it on the way."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from vad.audio import Channel, RawFormat, open_audio
from vad.commands.cuts import save_segments, save_speech
from vad.commands.detection_options import DetectionSettings
from vad.commands.outputs import save_probabilities
from vad.commands.recordings import Recording
from vad.detector import Detector
from vad.errors import AudioError, VadError
from vad.segments import Segment, SpeechEnd

__all__ = ["Analyser", "AnalysisSettings", "Findings", "Order"]

Probabilities = npt.NDArray[np.float32]

# Long enough that most of a file goes to the model in chunks, short enough to be nothing in memory.
_BLOCK_DURATION_S = 20.0


@dataclass(frozen=True)
class AnalysisSettings:
    """What holds for every recording.

    Attributes:
        detection: What the detector is made of.
        channel: "mix", an index, or "each".
        raw: How samples without a header lie; None where recordings have one.
    """

    detection: DetectionSettings
    channel: Channel | Literal["each"] = "mix"
    raw: RawFormat | None = None

    def analyser(self) -> "Analyser":
        """Load the model. Raises what `DetectionSettings.detector` does."""
        return Analyser(self)


@dataclass(frozen=True)
class Order:
    """A recording and what is to be kept of it.

    Attributes:
        recording: What to hear.
        probabilities: Where to write its frame probabilities, if anywhere.
        segments: What the names of its cut segments begin with, if they are to be cut.
        speech: Where to write its speech alone, if anywhere.
    """

    recording: Recording
    probabilities: Path | None = None
    segments: Path | None = None
    speech: Path | None = None


@dataclass(frozen=True)
class Findings:
    """What was found in a recording.

    Attributes:
        recording: What was heard.
        channels: The segments of each channel that was heard, by what it adds to a name: nothing
            for a mix or a chosen channel, ".ch0", ".ch1", ... for each. Empty where nothing could be heard.
        duration: Seconds that were heard.
        elapsed: Seconds that it took.
        problem: What went wrong, in one line; the channels then hold what came before it.
    """

    recording: Recording
    channels: dict[str, list[Segment]] = field(default_factory=dict)
    duration: float = 0.0
    elapsed: float = 0.0
    problem: str | None = None


class Analyser:
    """Hears recordings with one detector, one after the other."""

    def __init__(self, settings: AnalysisSettings):
        self._settings = settings
        self._detector: Detector = settings.detection.detector()

    def __call__(self, order: Order) -> Findings:
        """Hear a recording; no error of its own ends the run."""
        began = time.perf_counter()
        findings = Findings(order.recording, problem=order.recording.problem)
        if findings.problem is None:
            try:
                findings = self._hear(order)
            except VadError as error:
                findings = replace(findings, problem=str(error))
            except Exception as error:  # a fault of ours must not cost the recordings that follow
                reason = " ".join(str(error).split())
                problem = f"{order.recording.name}: {type(error).__name__}: {reason}. This should not happen."
                findings = replace(findings, problem=problem)
        return replace(findings, elapsed=time.perf_counter() - began)

    def _hear(self, order: Order) -> Findings:
        channels = self._channels(order.recording)
        heard = {suffix: self._hear_channel(order.recording, channel) for suffix, channel in channels.items()}
        first = next(iter(heard.values()))
        if order.probabilities is not None:
            kept = np.stack([part.probabilities for part in heard.values()])
            kept = kept if self._settings.channel == "each" else kept[0]
            save_probabilities(order.probabilities, kept, self._detector.frame_duration)
        for suffix, channel in channels.items():
            self._cut(order, suffix, channel, heard[suffix].segments)
        found = {suffix: part.segments for suffix, part in heard.items()}
        return Findings(order.recording, found, first.duration, problem=first.problem)

    def _channels(self, recording: Recording) -> dict[str, Channel]:
        """Say which channels to hear, and what each adds to the recording's name."""
        chosen = self._settings.channel
        if chosen != "each":
            return {"": chosen}
        with open_audio(recording.path, raw=self._settings.raw, name=recording.name) as audio:
            return {f".ch{index}": index for index in range(audio.channels)}

    def _hear_channel(self, recording: Recording, channel: Channel) -> "_Heard":
        """Hear one channel; damage ends it, and what came before counts."""
        model = self._detector.model
        chunk_duration = model.chunk_frames * model.frame_duration
        stream = self._detector.stream()
        events = []
        probabilities = []
        problem = None
        with open_audio(
            recording.path,
            sample_rate=model.sample_rate,
            channel=channel,
            block_duration=chunk_duration * max(1, round(_BLOCK_DURATION_S / chunk_duration)),
            raw=self._settings.raw,
            name=recording.name,
        ) as audio:
            try:
                for block in audio:
                    events += stream.feed(block)
                    probabilities.append(stream.probabilities)
            except AudioError as error:
                if stream.duration == 0:
                    raise
                problem = str(error)
        events += stream.finish()
        probabilities.append(stream.probabilities)
        segments = [event.segment for event in events if isinstance(event, SpeechEnd)]
        return _Heard(segments, np.concatenate(probabilities), audio.duration or 0.0, problem)

    def _cut(self, order: Order, suffix: str, channel: Channel, segments: list[Segment]) -> None:
        """Save what was asked for of one channel."""
        source, raw = order.recording.path, self._settings.raw
        if order.segments is not None:
            stem = order.segments.with_name(order.segments.name + suffix)
            save_segments(source, segments, stem, channel=channel, raw=raw)
        if order.speech is not None:
            path = order.speech.with_name(f"{order.speech.stem}{suffix}{order.speech.suffix}")
            save_speech(source, segments, path, channel=channel, raw=raw)


@dataclass(frozen=True)
class _Heard:
    segments: list[Segment]
    probabilities: Probabilities
    duration: float
    problem: str | None
