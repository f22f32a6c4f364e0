"""The detector: a recording in, probabilities and segments out."""

import logging
import os
import warnings
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from dataclasses import asdict
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt

from vad.audio.decoding import Source, is_pipe
from vad.audio.raw_format import RawFormat
from vad.audio.reading import AudioBlocks, open_audio
from vad.audio.resampling import LiveResampler, Resampler
from vad.audio.samples import Channel, MonoInput
from vad.detection.detection import Detection, Probabilities
from vad.detection.model import Model
from vad.detection.options import SegmentOptions
from vad.detection.parallel import ParallelProbabilities, can_run_in_parallel
from vad.detection.segments import Event, Segment, SpeechEnd
from vad.detection.stream import Stream
from vad.errors import AudioError, ConfigError, ModelError, did_you_mean, require, require_bool, shown

__all__ = ["Detector", "lookahead_from", "open_recording"]

_log = logging.getLogger(__name__)
_BLOCK_DURATION_S = 20.0  # 1.3 MB of samples


class Detector:
    """Detects speech. Any number of recordings, streams and threads may share a detector.

    Args:
        model: A name in `vad.model_names()`, the path of a .tflite or .onnx file, or a loaded `Model`.
        operating_point: A set of options in the model card: "balanced", "precise" (fewer false alarms) or "eager"
            (fewer misses).
        lookahead: Read recordings ahead: turn quiet ones up (`vad.detection.lookahead_gain`), and use the model's
            lookahead output, if it has one, which is more accurate. False processes them as streams.
        **options: Fields of `SegmentOptions` that replace the operating point's: threshold, neg_threshold,
            min_speech_duration_ms, min_silence_duration_ms, speech_pad_ms, max_speech_duration_s.

    Attributes:
        model: The model.
        options: The `SegmentOptions` in force.
        lookahead: As given.
        sample_rate: The model's, in Hz. Audio of another rate is resampled.
        frame_duration: Seconds of audio per probability.
        chunk_duration: Seconds of audio that the model processes at once, several times faster than single frames.
        block_duration: Seconds of audio per block for files: whole chunks.

    Raises:
        ModelError: There is no such model, or it is damaged.
        ConfigError: There is no such operating point or option, or a value is out of its range.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | Model = "default",
        operating_point: str = "balanced",
        *,
        lookahead: bool = True,
        **options: float | None,
    ):
        self.lookahead = lookahead_from(lookahead, options)
        self.model = model if isinstance(model, Model) else Model.load(model)
        self.options = _operating_point(self.model, operating_point).replace(**options)
        self.sample_rate = self.model.sample_rate
        self.frame_duration = self.model.frame_duration
        self.stream()  # options that this model's frames cannot keep are an error now, not at each recording
        _log.debug("%r", self)
        self.chunk_duration = self.model.chunk_frames * self.model.frame_duration
        self.block_duration = self.chunk_duration * max(1, round(_BLOCK_DURATION_S / self.chunk_duration))

    def __repr__(self) -> str:
        options = "".join(f", {name}={value}" for name, value in asdict(self.options).items())
        return f"Detector(model={self.model.name!r}{options}, lookahead={self.lookahead})"

    @property
    def live(self) -> bool:
        """Deprecated: the opposite of `lookahead`."""
        warnings.warn(
            "Detector.live is now Detector.lookahead, its opposite", DeprecationWarning, stacklevel=2
        )
        return not self.lookahead

    def process(
        self,
        recording: Source | npt.ArrayLike | Iterable[npt.ArrayLike],
        sample_rate: float | None = None,
        *,
        channel: Channel = "mix",
        on_segment: Callable[[Segment], object] | None = None,
        threads: int = 1,
    ) -> Detection:
        """Analyse a whole recording in one pass. Only the probabilities take memory in proportion to its length.

        Args:
            recording: One of three:
                a path (wav, flac, ogg, opus, mp3, aiff; m4a, mp4, webm, mkv with the `media` extra), a URL (the
                `remote` extra) or a binary stream of such a file;
                samples, as an array, a tensor or a list: float in [-1, 1], or int16, int32, uint8
                [shape=(samples,) or (samples, channels)];
                an iterable of blocks of such samples, of any lengths.
            sample_rate: Of the samples, in Hz. Not for files.
            channel: "mix" for the mean of all channels, or the index of one, counted from 0.
            on_segment: Called with each segment as soon as it is certain.
            threads: Parts of a recording of several minutes that are analysed at a time. The result is the same. Models
                without gain control, models that never forget, and .onnx files use one thread.

        Raises:
            AudioError: The recording is none of these, or is damaged, or the sample rate is out of range.
                `AudioError.partial` is the `Detection` of the audio before the damage, if there is any.
            ConfigError: `channel` is neither "mix" nor an index, or a file is given a sample rate.
            MissingDependencyError: A container needs the `media` extra.
        """
        if _is_file(recording):
            if sample_rate is not None:
                raise ConfigError(
                    f"sample_rate must be None for a file. Received: sample_rate={shown(sample_rate)}."
                )
            return self._process_file(recording, channel, on_segment, threads)
        return self._process_samples(_blocks_of(recording), sample_rate, channel, on_segment, threads)

    def probabilities(self, samples: npt.ArrayLike, sample_rate: float) -> Probabilities:
        """Give the speech probabilities of samples: `Detection.probabilities` of `process`."""
        return self._process_samples([samples], sample_rate).probabilities

    def detect(self, samples: npt.ArrayLike, sample_rate: float) -> list[Segment]:
        """Detect the speech in samples: `Detection.segments` of `process`."""
        return self._process_samples([samples], sample_rate).segments

    def detect_file(self, source: Source, *, channel: Channel = "mix") -> list[Segment]:
        """Detect the speech in a file: `Detection.segments` of `process`."""
        return self._process_file(source, channel).segments

    def stream(
        self,
        sample_rate: float | None = None,
        *,
        lookahead: bool = False,
        confirm_start: bool = False,
        keep_audio_s: float = 0.0,
    ) -> Stream:
        """Start a stream: a recording that comes piece by piece. Any number may run at a time.

        Its segments are those of `process` where the detector's `lookahead` is False. At another rate than the model's,
        a boundary may differ by a frame, because another filter resamples.

        Args:
            sample_rate: Of the samples to come, in Hz; None is the model's.
            lookahead: Use the lookahead output and the resampler of `process`. The result is that of `process`, event
                by event, unless `process` turns the recording up. A stream that resamples cannot be copied.
            confirm_start: Withhold `SpeechStart` until it is certain. Then there is no `SpeechRejected`.
            keep_audio_s: Seconds of the latest audio that `Stream.audio` can return.

        Raises:
            AudioError: The sample rate is out of range.
            ConfigError: `keep_audio_s` is negative or not finite.
        """
        return self._stream(
            sample_rate,
            confirm_start=confirm_start,
            keep_audio_s=keep_audio_s,
            lookahead=require_bool("lookahead", lookahead) and self.lookahead,
            resampler=Resampler if lookahead else LiveResampler,
        )

    def _stream(self, sample_rate: float | None, **settings: Any) -> Stream:
        return Stream(self.model, self.options, sample_rate=sample_rate, **settings)

    def file_stream(self, sample_rate: float | None = None) -> Stream:
        """Deprecated: `stream` with `lookahead=True`."""
        warnings.warn("file_stream() is now stream(lookahead=True)", DeprecationWarning, stacklevel=2)
        return self.stream(sample_rate, lookahead=True)

    def listen(
        self,
        source: Iterable[npt.ArrayLike] | AsyncIterable[npt.ArrayLike],
        sample_rate: float | None = None,
        *,
        confirm_start: bool = False,
    ) -> AsyncIterator[Event]:
        """Analyse a source in an asynchronous program: `async for event in detector.listen(source)`.

        The arguments are those of `stream` and `Stream.listen`, and so are the errors.
        """
        return self.stream(sample_rate, confirm_start=confirm_start).listen(source)

    def _process_file(
        self,
        source: Source,
        channel: Channel,
        on_segment: Callable[[Segment], object] | None = None,
        threads: int = 1,
    ) -> Detection:
        """Read a file block by block, at the model's rate."""
        with open_recording(self, source, channel=channel) as blocks:
            return self._process_samples(blocks, self.sample_rate, "mix", on_segment, threads)

    def _process_samples(
        self,
        blocks: Iterable[npt.ArrayLike],
        sample_rate: float | None,
        channel: Channel = "mix",
        on_segment: Callable[[Segment], object] | None = None,
        threads: int = 1,
    ) -> Detection:
        """Feed a whole recording to a stream and gather its results. Nothing else does."""
        if sample_rate is None:
            raise AudioError("sample_rate must be a number of Hz for samples. Received: sample_rate=None.")
        chosen = MonoInput(sample_rate, channel)
        require(isinstance(threads, int) and threads >= 1, "threads must be 1 or more", threads=threads)
        frames = None
        if threads > 1 and can_run_in_parallel(self.model):
            frames = ParallelProbabilities(self.model, threads, lookahead=self.lookahead)
        stream = self._stream(
            sample_rate,
            lookahead=self.lookahead,
            turn_up=self.lookahead,
            resampler=Resampler,
            frames=frames,
        )
        segments: list[Segment] = []
        probabilities = bytearray()  # an array that grows in place: a day has 17 MB
        damage: AudioError | None = None

        def gather(events: Iterable[Event]) -> None:
            probabilities.extend(stream.probabilities.tobytes())
            for event in events:
                if isinstance(event, SpeechEnd):
                    segments.append(event.segment)
                    if on_segment is not None:
                        on_segment(event.segment)

        try:
            for block in blocks:
                gather(stream.feed(block if channel == "mix" else chosen.feed(block)))  # a stream mixes
        except AudioError as error:
            damage = error
        gather(stream.finish())
        joined = np.frombuffer(probabilities, np.float32)
        detection = Detection(stream.duration, self.frame_duration, joined, segments)
        if damage is not None:
            damage.partial = detection if stream.duration > 0 else None
            raise damage
        return detection


def open_recording(
    detector: Detector,
    source: Source,
    *,
    channel: Channel = "mix",
    raw: RawFormat | None = None,
    name: str | None = None,
) -> AudioBlocks:
    """Open a recording in blocks that suit a detector: from a pipe shorter ones, so that results come sooner.

    The other arguments, and the errors, are those of `open_audio`.
    """
    duration = detector.chunk_duration if is_pipe(source) else detector.block_duration
    return open_audio(
        source,
        sample_rate=detector.sample_rate,
        channel=channel,
        block_duration=duration,
        raw=raw,
        name=name,
    )


def _operating_point(model: Model, name: str) -> SegmentOptions:
    """The options of an operating point in the model card."""
    points = model.card["segment_options"]
    if not isinstance(name, str) or name not in points:
        raise ConfigError(
            f"operating_point must be one of {', '.join(points)}. Received: operating_point={shown(name)}."
            + did_you_mean(str(name), points)
        )
    try:
        return SegmentOptions.from_dict(points[name])
    except ConfigError as error:
        raise ModelError(f"operating point {name!r} of the model {model.name!r}: {error}") from error


def lookahead_from(lookahead: bool, options: dict[str, float | None]) -> bool:
    """Remove the deprecated `live=` from the options of the caller's caller, and give the `lookahead` that it means."""
    if "live" in options:
        warnings.warn("live=True is now lookahead=False", DeprecationWarning, stacklevel=3)
        lookahead = not options.pop("live")
    return require_bool("lookahead", lookahead)


def _is_file(recording: object) -> TypeGuard[Source]:
    return isinstance(recording, str | os.PathLike) or hasattr(recording, "read")


def _blocks_of(recording: Any) -> Iterable[npt.ArrayLike]:
    """Give blocks as they are. Samples (an array, or a list without arrays) are one block."""
    if isinstance(recording, list | tuple):
        first = recording[0] if recording else 0.0
        return recording if hasattr(first, "__array__") and np.ndim(first) > 0 else [recording]
    if hasattr(recording, "__array__"):
        return [recording]
    if not isinstance(recording, Iterable) or isinstance(recording, bytes | bytearray | memoryview):
        raise AudioError(
            "a recording must be a path, a binary stream, samples, or an iterable of blocks of samples. "
            f"Received: {shown(recording)}."
        )
    return recording
