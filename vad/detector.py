"""The whole path in one call: audio in, probabilities or segments out."""

import functools
import os
from collections.abc import AsyncIterable, AsyncIterator, Iterable

import numpy as np
import numpy.typing as npt

from vad.audio import Channel, Resampler, Source, open_audio
from vad.errors import ConfigError, ModelError, did_you_mean
from vad.runtime import Model
from vad.segments import Event, Segment, SegmentOptions, SpeechEnd
from vad.stream import Stream

__all__ = ["Detector", "detect", "detect_file", "ways_to_hear"]

_BLOCK_DURATION_S = 20.0  # nothing in memory


class Detector:
    """Finds speech. One detector may serve any number of recordings, streams and threads.

    Args:
        model: A name in `vad.runtime.model_names()`, the path of a .tflite file, or a loaded `Model`.
        operating_point: The set of options that the model card recommends: "balanced", "precise" (fewer false
            alarms) or "eager" (fewer misses).
        live: Decide in recordings as soon as at a microphone, without the late decisions of a model that has them.
        **options: Fields of `SegmentOptions` that replace the operating point's: threshold, neg_threshold,
            min_speech_duration_ms, min_silence_duration_ms, speech_pad_ms, max_speech_duration_s.

    Attributes:
        model: The model.
        options: The options in force.
        live: As given.
        sample_rate: The model's, in Hz. Audio of any other is resampled.
        frame_duration: Seconds of audio that one probability speaks of.
        block_duration: Seconds of audio to feed at once where nobody waits for events: whole chunks of the
            model, which are several times cheaper than their frames one by one.

    Raises:
        ModelError: There is no such model, or it is damaged.
        ConfigError: There is no such operating point or option, or a value is out of its range.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | Model = "default",
        operating_point: str = "balanced",
        *,
        live: bool = False,
        **options: float | None,
    ):
        self.live = live
        self.model = model if isinstance(model, Model) else Model.load(model)
        self.options = _operating_point(self.model, operating_point).replace(**options)
        self.sample_rate = self.model.sample_rate
        self.frame_duration = self.model.frame_duration
        self.stream()  # options that this model's frames cannot keep are an error now, not at every recording
        chunk_duration = self.model.chunk_frames * self.model.frame_duration
        self.block_duration = chunk_duration * max(1, round(_BLOCK_DURATION_S / chunk_duration))

    def probabilities(self, samples: npt.ArrayLike, sample_rate: float) -> npt.NDArray[np.float32]:
        """Say how probable speech is, frame by frame.

        Args:
            samples: Float in [-1, 1], or int16, int32, uint8; channels are mixed.
                [shape=(samples,) or (samples, channels)]
            sample_rate: Their rate in Hz.

        Returns:
            The probability of each frame, in [0, 1]; frame t begins at t * frame_duration seconds. The last
            frame may be partial, and no samples have no frames. [shape=(frames,)]

        Raises:
            AudioError: The samples or their rate are no audio's.
        """
        return self._hear(samples, sample_rate)[1]

    def detect(self, samples: npt.ArrayLike, sample_rate: float) -> list[Segment]:
        """Find the speech in samples.

        Args:
            samples: Float in [-1, 1], or int16, int32, uint8; channels are mixed.
                [shape=(samples,) or (samples, channels)]
            sample_rate: Their rate in Hz.

        Returns:
            The segments in order, in seconds.

        Raises:
            AudioError: The samples or their rate are no audio's.
        """
        return _segments(self._hear(samples, sample_rate)[0])

    def detect_file(self, source: Source, *, channel: Channel = "mix") -> list[Segment]:
        """Find the speech in a recording, read block by block: memory does not grow with its length.

        Args:
            source: A path (wav, flac, ogg, opus, mp3, aiff; m4a, mp4, webm, mkv with the `media` extra), or a
                binary stream of such a file.
            channel: "mix" for the mean of all channels, or the index of one, counted from 0.

        Returns:
            The segments in order, in seconds.

        Raises:
            AudioError: The recording cannot be read, or ends in damage.
            ConfigError: `channel` is neither "mix" nor an index.
            MissingDependencyError: A container needs the `media` extra.
        """
        stream = self.file_stream()
        with open_audio(
            source, sample_rate=self.sample_rate, channel=channel, block_duration=self.block_duration
        ) as blocks:
            events = [event for block in blocks for event in stream.feed(block)]
        return _segments(events + stream.finish())

    def stream(
        self, sample_rate: float | None = None, *, confirm_start: bool = False, keep_audio_s: float = 0.0
    ) -> Stream:
        """Begin a recording that comes piece by piece; there may be thousands at a time.

        What it finds is known as soon as it can be. Its `SpeechEnd` segments are those of `detect` where the model has
        no late decisions, or the detector is `live`; at another rate than the model's, where a lighter filter resamples
        what somebody waits for, a boundary may lie a frame beside.

        Args:
            sample_rate: Rate of the samples that will be fed, in Hz; None is the model's.
            confirm_start: Withhold `SpeechStart` until it is certain; then nothing is ever rejected.
            keep_audio_s: Seconds of the latest audio that `Stream.audio` can give back.

        Raises:
            AudioError: Nobody records at such a sample rate.
            ConfigError: `keep_audio_s` is negative or not finite.
        """
        return Stream(
            self.model,
            self.options,
            sample_rate=sample_rate,
            confirm_start=confirm_start,
            keep_audio_s=keep_audio_s,
        )

    def file_stream(self, sample_rate: float | None = None) -> Stream:
        """Begin a recording that nobody waits for, as `detect` hears it: with late decisions where the model has them.

        Args:
            sample_rate: Rate of the samples that will be fed, in Hz; None is the model's.

        Raises:
            AudioError: Nobody records at such a sample rate.
        """
        return Stream(
            self.model, self.options, sample_rate=sample_rate, late=not self.live, resampler=Resampler
        )

    def listen(
        self,
        source: Iterable[npt.ArrayLike] | AsyncIterable[npt.ArrayLike],
        sample_rate: float | None = None,
        *,
        confirm_start: bool = False,
    ) -> AsyncIterator[Event]:
        """Hear a source in an asynchronous program: `async for event in detector.listen(source)`.

        Args:
            source: Blocks as `Stream.feed` takes them, from an iterable, which may wait for them, or an
                asynchronous one.
            sample_rate: Their rate in Hz; None is the model's.
            confirm_start: Withhold `SpeechStart` until it is certain; then nothing is ever rejected.

        Returns:
            The events as they happen; `Stream.listen` says more.

        Raises:
            AudioError: Nobody records at such a sample rate.
        """
        return self.stream(sample_rate, confirm_start=confirm_start).listen(source)

    def _hear(
        self, samples: npt.ArrayLike, sample_rate: float
    ) -> tuple[list[Event], npt.NDArray[np.float32]]:
        """Hear a whole recording as a file is heard: its events and probabilities."""
        stream = self.file_stream(sample_rate)
        events = stream.feed(samples)
        fed = stream.probabilities
        events += stream.finish()
        return events, np.concatenate([fed, stream.probabilities])


def ways_to_hear(model: Model) -> dict[str, Detector]:
    """A model as it hears a "file", and one that decides late also as it hears "live", by these names."""
    ways = {"file": Detector(model)}
    return ways | {"live": Detector(model, live=True)} if model.late_frames else ways


def detect(
    samples: npt.ArrayLike,
    sample_rate: float,
    *,
    operating_point: str = "balanced",
    live: bool = False,
    **options: float | None,
) -> list[Segment]:
    """Find the speech in samples with the default model, loaded once: `Detector.detect` says more."""
    return Detector(_default_model(), operating_point, live=live, **options).detect(samples, sample_rate)


def detect_file(
    source: Source,
    *,
    channel: Channel = "mix",
    operating_point: str = "balanced",
    live: bool = False,
    **options: float | None,
) -> list[Segment]:
    """Find the speech in a file with the default model, loaded once: `Detector.detect_file` says more."""
    return Detector(_default_model(), operating_point, live=live, **options).detect_file(
        source, channel=channel
    )


@functools.cache
def _default_model() -> Model:
    return Model.load()


def _operating_point(model: Model, name: str) -> SegmentOptions:
    """The options that the model card recommends under a name."""
    points = model.card["segment_options"]
    if name not in points:
        raise ConfigError(
            f"operating_point must be one of {', '.join(points)}. Received: operating_point={name!r}."
            + did_you_mean(name, points)
        )
    try:
        return SegmentOptions.from_dict(points[name])
    except ConfigError as error:
        raise ModelError(f"operating point {name!r} of the model {model.name!r}: {error}") from error


def _segments(events: list[Event]) -> list[Segment]:
    return [event.segment for event in events if isinstance(event, SpeechEnd)]
