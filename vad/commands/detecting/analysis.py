"""One recording of `vad detect`: its segments, and the files that were asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from vad.audio.decoding import is_pipe
from vad.audio.raw_format import RawFormat
from vad.audio.reading import AudioBlocks, open_audio, watched
from vad.audio.samples import Channel
from vad.commands.detecting.outputs import save_probabilities
from vad.commands.detecting.recordings import AudioInput, Task
from vad.commands.detecting.segment_names import write_table
from vad.detection.chunks import Chunker, chunk_options, chunks_of
from vad.detection.cutting import save_segments, save_speech
from vad.detection.detection import Detection
from vad.detection.detector import Detector, open_recording
from vad.detection.pieces import PieceResult, Span, analyse_piece, join, spans_of
from vad.detection.segments import Segment
from vad.errors import AudioError, VadError

__all__ = ["Analyser", "OutputError", "Piece", "Result", "Watcher"]


@dataclass(frozen=True)
class Result:
    """The result of a recording.

    Attributes:
        recording: The recording.
        channels: The segments of each channel, by a suffix for names: "" for the mix or a chosen channel, and ".ch0",
            ".ch1", ... with `--channel each`. Empty if nothing could be processed.
        duration: Seconds that were processed.
        problem: What went wrong, in one line; the channels then have the segments before it.
    """

    recording: AudioInput
    channels: dict[str, list[Segment]] = field(default_factory=dict)
    duration: float = 0.0
    problem: str | None = None


class OutputError(BaseException):
    """A `Watcher` cannot write: the run ends. An `Exception` would count as an error of one recording.

    Args:
        reason: Why.
    """

    def __init__(self, reason: OSError):
        super().__init__(reason)
        self.reason = reason


class Watcher(Protocol):
    """Follows the work on a recording."""

    def on_segment(self, recording: AudioInput, suffix: str, segment: Segment) -> None:
        """Take the next segment of a channel; the suffix is that of `Result.channels`."""

    def on_position(self, seconds: float, duration: float | None, stage: str) -> None:
        """Take the seconds that were processed, and those of the whole recording, if its header states them.

        The stage is what the recording is read for; "" is detection.
        """


@dataclass(frozen=True)
class Piece:
    """A part of the work on a long recording.

    Attributes:
        task: The recording.
        suffix: Of its channel, as in `Result.channels`.
        channel: Its channel.
        span: The piece of it.
    """

    task: Task
    suffix: str
    channel: Channel
    span: Span


@dataclass(frozen=True)
class _ChannelResult:
    channel: Channel
    suffix: str
    detection: Detection
    duration: float
    problem: str | None

    def path(self, path: Path) -> Path:
        """Give the path of this channel's file."""
        return path.with_name(f"{path.stem}{self.suffix}{path.suffix}")


class Analyser:
    """Processes recordings with one detector, one after the other.

    Args:
        make_detector: Loads the detector.
        channel: "mix", an index, or "each".
        raw: The format of raw samples; None for recordings with a header.
        chunk_duration_s: Join segments to chunks of at most this many seconds; None does not.
        watcher: Follows the work, in this process.

    Attributes:
        threads: Threads that analyse one recording.
    """

    threads = 1

    def __init__(
        self,
        make_detector: Callable[[], Detector],
        channel: Channel | Literal["each"],
        raw: RawFormat | None,
        *,
        chunk_duration_s: float | None = None,
        watcher: Watcher | None = None,
    ):
        self._detector = make_detector()
        self._chunk_duration_s = chunk_duration_s
        if chunk_duration_s is not None:
            options = asdict(chunk_options(self._detector.options, chunk_duration_s))
            self._detector = Detector(self._detector.model, lookahead=self._detector.lookahead, **options)
        self._channel = channel
        self._raw = raw
        self.watcher = watcher

    def __call__(self, task: Task) -> Result:
        """Process a recording. Errors become the result's problem, so that the next recordings are processed."""
        recording = task.recording
        result = Result(recording, problem=recording.problem)
        if result.problem is not None:
            return result
        try:
            channels = self._process(recording)
            segments = {one.suffix: one.detection.segments for one in channels}
            result = Result(recording, segments, channels[0].duration, channels[0].problem)
            self._write_files(task, channels)
        except VadError as error:
            result = replace(result, problem=result.problem or str(error))
        except Exception as error:  # a bug must not cost the recordings that follow
            reason = " ".join(str(error).split())
            problem = f"{recording.name}: an error in vad itself: {type(error).__name__}: {reason}. Please report it."
            result = replace(result, problem=problem)
        return result

    def facts(self) -> dict[str, object]:
        """Give all that changes results, by the names of options."""
        detector = self._detector
        return {
            "model": detector.model.name,
            "weights": detector.model.card["sha256"][:12],
            "lookahead": detector.lookahead,
            **asdict(detector.options),
            "channel": self._channel,
            "raw": None if self._raw is None else asdict(self._raw),
            "chunks": self._chunk_duration_s,
        }

    def pieces(self, task: Task, n_pieces: int) -> list[Piece]:
        """Divide a recording into at most so many pieces. None of one that is short or cannot be opened."""
        recording = task.recording
        if recording.problem is not None:
            return []
        try:
            with open_audio(recording.source, raw=self._raw, name=recording.name) as audio:
                duration, channels = audio.duration or 0.0, self._channels(audio.channels)
        except Exception:  # reported when the recording is processed
            return []
        spans = spans_of(duration, self._detector, n_pieces)
        if len(spans) == 1:
            return []
        return [Piece(task, suffix, channel, span) for suffix, channel in channels.items() for span in spans]

    def work(self, item: Task | Piece) -> Result | PieceResult | None:
        """Process a recording, or a piece of one. None if a piece fails: the recording is then to do in one pass."""
        if isinstance(item, Task):
            return self(item)
        try:
            with self._open(item.task.recording, item.channel) as audio:
                return analyse_piece(self._detector, audio, item.span)
        except Exception:
            return None

    def join(self, task: Task, channels: Mapping[str, Sequence[PieceResult]]) -> Result | None:
        """Join the pieces of each channel. None if they are not what one pass gives."""
        result = Result(task.recording)
        for suffix, pieces in channels.items():
            detection = join(self._detector, pieces)
            if detection is None:
                return None
            segments = detection.segments
            if self._chunk_duration_s is not None:
                chunks = chunks_of(segments, self._chunk_duration_s)
                segments = [Segment(one.start, one.end) for one in chunks]
            result.channels[suffix] = segments
        return replace(result, duration=next(iter(channels.values()))[-1].duration)

    def _channels(self, count: int) -> dict[str, Channel]:
        """The channels to analyse of a recording that has so many, by their suffixes."""
        if self._channel != "each":
            return {"": self._channel}
        return {f".ch{index}": index for index in range(count)}

    def _process(self, recording: AudioInput) -> list[_ChannelResult]:
        count = 1
        if self._channel == "each":
            with open_audio(recording.source, raw=self._raw, name=recording.name) as audio:
                count = audio.channels
        return [
            self._process_channel(recording, channel, suffix)
            for suffix, channel in self._channels(count).items()
        ]

    def _process_channel(self, recording: AudioInput, channel: Channel, suffix: str) -> _ChannelResult:
        """Process one channel, up to any damage."""
        problem = None
        segments: list[Segment] = []
        chunker = None if self._chunk_duration_s is None else Chunker(self._chunk_duration_s)

        def gather(found: Segment) -> None:
            ended = (
                [found] if chunker is None else [Segment(one.start, one.end) for one in chunker.feed(found)]
            )
            segments.extend(ended)
            for segment in ended:
                if self.watcher is not None:
                    self.watcher.on_segment(recording, suffix, segment)

        piped = is_pipe(recording.source)
        with self._open(recording, channel) as audio:
            try:
                blocks = watched(audio, self._show_position)
                threads = 1 if piped else self.threads  # results of a pipe are to come as it does
                detection = self._detector.process(
                    blocks, audio.sample_rate, on_segment=gather, threads=threads
                )
            except AudioError as error:
                if error.partial is None:
                    raise
                detection, problem = error.partial, str(error)
        if chunker is not None:
            segments += [Segment(one.start, one.end) for one in chunker.finish()]
        detection = replace(detection, segments=segments)
        return _ChannelResult(channel, suffix, detection, audio.duration or 0.0, problem)

    def _show_position(self, seconds: float, duration: float | None, stage: str = "") -> None:
        if self.watcher is not None:
            self.watcher.on_position(seconds, duration, stage)

    def _open(self, recording: AudioInput, channel: Channel) -> AudioBlocks:
        return open_recording(
            self._detector, recording.source, channel=channel, raw=self._raw, name=recording.name
        )

    def _write_files(self, task: Task, channels: list[_ChannelResult]) -> None:
        source, raw = task.recording.source, self._raw
        cutting = partial(self._show_position, stage="cutting")
        if task.probabilities is not None:
            stacked = np.stack([one.detection.probabilities for one in channels])
            save_probabilities(
                task.probabilities,
                stacked if self._channel == "each" else stacked[0],
                self._detector.frame_duration,
            )
        for one in channels:
            segments = one.detection.segments
            if task.segments is not None:
                paths = task.segments.paths(segments, one.suffix)
                save_segments(source, segments, paths, channel=one.channel, raw=raw, on_position=cutting)
                if task.segments.table is not None:
                    write_table(one.path(task.segments.table), paths, segments)
            if task.speech is not None:
                path = one.path(task.speech)
                save_speech(source, segments, path, channel=one.channel, raw=raw, on_position=cutting)
            if task.trimmed is not None:
                from vad.detection.trimming import trim_file

                trim_file(source, segments, task.trimmed, raw=raw, **task.pauses)
            if task.report is not None or task.plot is not None:
                self._write_views(task, one)

    def _write_views(self, task: Task, result: _ChannelResult) -> None:
        from vad.report.detection import save_plot, save_report, whole_excerpt

        detector, detection, recording = self._detector, result.detection, task.recording
        name = recording.name + result.suffix
        with self._open(recording, result.channel) as audio:
            blocks = watched(audio, partial(self._show_position, stage="page or picture"))
            excerpt = whole_excerpt(
                blocks, audio.sample_rate, len(detection.probabilities) * detector.frame_duration
            )
        if task.report is not None:
            save_report(result.path(task.report), name, detector, detection, excerpt, recording.name)
        if task.plot is not None:
            save_plot(result.path(task.plot), name, detector, detection, excerpt)
