"""One recording heard from beginning to end: its speech, and what is kept of it on the way."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from vad.audio.raw_format import RawFormat
from vad.audio.reading import AudioBlocks, open_audio
from vad.audio.samples import Channel
from vad.commands.detecting.outputs import save_probabilities
from vad.commands.detecting.recordings import AudioInput
from vad.commands.options.detection import DetectionSettings
from vad.detection.cutting import save_segments, save_speech
from vad.detection.detector import Detection, Detector
from vad.detection.segments import Segment
from vad.errors import AudioError, VadError

__all__ = ["Analyser", "AnalysisSettings", "Findings", "Order"]


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
        report: Where to write the page that shows it, if anywhere.
        plot: Where to write the picture of it, if anywhere.
    """

    recording: AudioInput
    probabilities: Path | None = None
    segments: Path | None = None
    speech: Path | None = None
    report: Path | None = None
    plot: Path | None = None


@dataclass(frozen=True)
class Findings:
    """What was found in a recording.

    Attributes:
        recording: What was heard.
        channels: The segments of each channel that was heard, by what it adds to a name: nothing
            for a mix or a chosen channel, ".ch0", ".ch1", ... for each. Empty where nothing could be heard.
        duration: Seconds that were heard.
        problem: What went wrong, in one line; the channels then hold what came before it.
    """

    recording: AudioInput
    channels: dict[str, list[Segment]] = field(default_factory=dict)
    duration: float = 0.0
    problem: str | None = None


class Analyser:
    """Hears recordings with one detector, one after the other."""

    def __init__(self, settings: AnalysisSettings):
        self._settings = settings
        self._detector: Detector = settings.detection.detector()

    def __call__(self, order: Order) -> Findings:
        """Hear a recording; no error of its own ends the run."""
        name, problem = order.recording.name, order.recording.problem
        findings = Findings(order.recording)
        try:
            if problem is None:
                heard = self._hear(order.recording)
                findings = _findings(order.recording, heard)
                problem = findings.problem
                self._keep(order, heard)
        except VadError as error:
            problem = problem or str(error)
        except Exception as error:  # a fault of ours must not cost the recordings that follow
            reason = " ".join(str(error).split())
            problem = (
                f"{name}: no error must come of a recording. Received: {type(error).__name__}: {reason}."
            )
        return replace(findings, problem=problem)

    def _hear(self, recording: AudioInput) -> list["_Part"]:
        """Hear the channels that were chosen."""
        chosen = self._settings.channel
        if chosen != "each":
            return [self._hear_channel(recording, chosen, "")]
        with open_audio(recording.path, raw=self._settings.raw, name=recording.name) as audio:
            channels = audio.channels
        return [self._hear_channel(recording, index, f".ch{index}") for index in range(channels)]

    def _hear_channel(self, recording: AudioInput, channel: Channel, suffix: str) -> "_Part":
        """Process one channel; damage ends it, and what came before counts."""
        problem = None
        with self._open(recording, channel) as audio:
            try:
                detection = self._detector.process(audio, audio.sample_rate)
            except AudioError as error:
                if error.partial is None:
                    raise
                detection, problem = error.partial, str(error)
        return _Part(channel, suffix, detection, audio.duration or 0.0, problem)

    def _open(self, recording: AudioInput, channel: Channel) -> AudioBlocks:
        return open_audio(
            recording.path,
            sample_rate=self._detector.sample_rate,
            channel=channel,
            block_duration=self._detector.block_duration,
            raw=self._settings.raw,
            name=recording.name,
        )

    def _keep(self, order: Order, heard: list["_Part"]) -> None:
        """Save what was asked for."""
        source, raw = order.recording.path, self._settings.raw
        if order.probabilities is not None:
            kept = np.stack([part.detection.probabilities for part in heard])
            kept = kept if self._settings.channel == "each" else kept[0]
            save_probabilities(order.probabilities, kept, self._detector.frame_duration)
        for part in heard:
            if order.segments is not None:
                stem = order.segments.with_name(order.segments.name + part.suffix)
                save_segments(source, part.detection.segments, stem, channel=part.channel, raw=raw)
            if order.speech is not None:
                path = _of_channel(order.speech, part)
                save_speech(source, part.detection.segments, path, channel=part.channel, raw=raw)
            if order.report is not None or order.plot is not None:
                self._show(order, part)

    def _show(self, order: Order, part: "_Part") -> None:
        """Save the page and the picture that were asked for."""
        from vad.report.detection import Detection as Shown
        from vad.report.saving import heard_excerpt, save_plot, save_report

        recording, detector = order.recording, self._detector
        shown = Shown(
            recording.name + part.suffix,
            detector.model.name,
            detector.options,
            detector.frame_duration,
            part.detection.probabilities,
            part.detection.segments,
        )
        with self._open(recording, part.channel) as audio:
            excerpt = heard_excerpt(audio, len(part.detection.probabilities) * detector.frame_duration)
        if order.report is not None:
            save_report(_of_channel(order.report, part), shown, excerpt, recording.name)
        if order.plot is not None:
            save_plot(_of_channel(order.plot, part), shown, excerpt)


@dataclass(frozen=True)
class _Part:
    """One channel: which it is, what it adds to names, and what was heard in it."""

    channel: Channel
    suffix: str
    detection: Detection
    duration: float
    problem: str | None


def _of_channel(path: Path, part: _Part) -> Path:
    return path.with_name(f"{path.stem}{part.suffix}{path.suffix}")


def _findings(recording: AudioInput, heard: list[_Part]) -> Findings:
    channels = {part.suffix: part.detection.segments for part in heard}
    return Findings(recording, channels, heard[0].duration, heard[0].problem)
