"""silero-vad's functions: `from silero_vad import ...` becomes `from vad.compat import ...`."""

import collections
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from vad.audio.reading import read_audio as _read_audio
from vad.audio.samples import as_array, sample_rate_problem
from vad.detection.detector import Detector
from vad.detection.options import SegmentOptions
from vad.detection.segments import SpeechEnd, SpeechStart
from vad.detection.stream import Stream
from vad.errors import AudioError, ConfigError, require, shown

__all__ = [
    "SileroModel",
    "VADIterator",
    "collect_chunks",
    "drop_chunks",
    "get_speech_timestamps",
    "load_silero_vad",
    "read_audio",
]

Timestamps: TypeAlias = list[dict[str, float]]


class SileroModel:
    """The result of `load_silero_vad`: call it with a window of samples for the probability of speech.

    Attributes:
        detector: Makes the streams.
    """

    def __init__(self, detector: Detector):
        self.detector = detector
        self._stream: Stream | None = None
        self._probability = 0.0

    def __call__(self, x: npt.ArrayLike, sr: int) -> npt.NDArray[np.float32]:
        """Process the next window. Silero takes 512 samples at 16 kHz or 256 at 8 kHz; here any number will do.

        Returns:
            The mean probability of the frames that it completes; without any, the one before. [shape=(1, 1)]

        Raises:
            AudioError: The samples are not audio, or have several channels.
        """
        _check_rate(sr)
        if self._stream is None or self._stream.sample_rate != sr:
            self._stream = self.detector.stream(sr)
        self._stream.feed(_mono(x))
        if len(self._stream.probabilities):
            self._probability = float(self._stream.probabilities.mean())
        return np.full((1, 1), self._probability, np.float32)

    def audio_forward(self, x: npt.ArrayLike, sr: int) -> npt.NDArray[np.float32]:
        """Process a whole recording: a probability for each 32 ms. [shape=(1, windows)]."""
        _check_rate(sr)
        self.reset_states()
        samples = _mono(x)
        window = round(0.032 * sr)
        padded = np.pad(samples, (0, -len(samples) % window))
        return np.hstack(
            [self(piece, sr) for piece in padded.reshape(-1, window)] or [np.zeros((1, 0), "f4")]
        )

    def reset_states(self, batch_size: int = 1) -> None:
        """Start a new recording. A `batch_size` other than 1 is a ConfigError."""
        require(batch_size == 1, "batch_size must be 1", batch_size=batch_size)
        self._stream = None
        self._probability = 0.0


def load_silero_vad(
    onnx: bool = False,
    opset_version: int = 16,
    sequence: bool = False,
    sampling_rate: int = 16000,
    max_frames: int = 512,
) -> SileroModel:
    """Load the default model. Silero's arguments choose between its files; here they do nothing."""
    return SileroModel(Detector())


def read_audio(path: str | os.PathLike[str], sampling_rate: int = 16000) -> npt.NDArray[np.float32]:
    """Read a recording as the mean of its channels, or raise an AudioError. [shape=(samples,)]."""
    return _read_audio(path, sample_rate=sampling_rate)


def get_speech_timestamps(
    audio: npt.ArrayLike,
    model: SileroModel,
    threshold: float = 0.5,
    sampling_rate: int = 16000,
    min_speech_duration_ms: float = 250,
    max_speech_duration_s: float = math.inf,
    min_silence_duration_ms: float = 100,
    speech_pad_ms: float = 30,
    return_seconds: bool = False,
    time_resolution: int = 1,
    visualize_probs: bool = False,
    progress_tracking_callback: Callable[[float], Any] | None = None,
    neg_threshold: float | None = None,
    window_size_samples: int = 512,
    min_silence_at_max_speech: float = 98,
    use_max_poss_sil_at_max_speech: bool = True,
) -> Timestamps:
    """Detect the speech in a recording. The options, their units and their defaults are Silero's.

    `audio` is one channel [shape=(samples,)] at `sampling_rate` Hz. `model` is from `load_silero_vad`, and its
    state does not change. `window_size_samples` does nothing, as in Silero. Nor do the last two options: long speech is
    split by our rule. `progress_tracking_callback` gets percentages.

    Returns:
        `start` and `end` of each segment, in samples of `audio`, or in seconds.

    Raises:
        AudioError: The samples are not audio, or have several channels.
        ConfigError: An option is out of its range, or `visualize_probs` is set.
    """
    require(not visualize_probs, "visualize_probs must be False", visualize_probs=visualize_probs)
    _check_model(model)
    _check_rate(sampling_rate)
    detector = Detector(
        model.detector.model,
        lookahead=model.detector.lookahead,
        threshold=threshold,
        neg_threshold=neg_threshold,
        min_speech_duration_ms=min_speech_duration_ms,
        min_silence_duration_ms=min_silence_duration_ms,
        speech_pad_ms=speech_pad_ms,
        max_speech_duration_s=max_speech_duration_s,
    )
    block_length = max(1, round(detector.block_duration * sampling_rate))
    blocks = _blocks_of(_mono(audio), block_length, progress_tracking_callback)
    in_units = _units(sampling_rate, return_seconds, time_resolution)
    return [
        {"start": in_units(segment.start), "end": in_units(segment.end)}
        for segment in detector.process(blocks, sampling_rate).segments
    ]


def _units(sampling_rate: int, seconds: bool, resolution: int) -> Callable[[float], float]:
    """How times are given: rounded seconds, or samples."""
    return lambda time: round(time, resolution) if seconds else round(time * sampling_rate)


def _blocks_of(
    samples: npt.NDArray[Any], block_length: int, progress: Callable[[float], Any] | None
) -> Iterator[npt.NDArray[Any]]:
    """Cut a recording into blocks, and report the percentage that is done after each."""
    for position in range(0, len(samples), block_length):
        yield samples[position : position + block_length]
        if progress is not None:
            progress(min(position + block_length, len(samples)) / len(samples) * 100)


class VADIterator:
    """Silero's stream: call it with window after window for the starts and ends of speech.

    The options, their units and their defaults are Silero's. Any number of iterators may share a model.

    Attributes:
        triggered: Whether the last reported event was a start.
        current_sample: Number of samples so far.

    Raises:
        AudioError: The sample rate is out of range.
        ConfigError: An option is out of its range.
    """

    def __init__(
        self,
        model: SileroModel,
        threshold: float = 0.5,
        sampling_rate: int = 16000,
        min_silence_duration_ms: float = 100,
        speech_pad_ms: float = 30,
    ):
        _check_model(model)
        self.model = model
        self.threshold = threshold
        self.sampling_rate = sampling_rate
        options = SegmentOptions(
            threshold=threshold,
            min_speech_duration_ms=0,
            min_silence_duration_ms=min_silence_duration_ms,
            speech_pad_ms=speech_pad_ms,
        )
        self._stream = Stream(model.detector.model, options, sample_rate=sampling_rate)
        self.reset_states()

    def reset_states(self) -> None:
        """Start a new recording."""
        self._stream.reset()
        self._waiting: collections.deque[SpeechStart | SpeechEnd] = collections.deque()
        self.triggered = False
        self.current_sample = 0

    def __call__(
        self, x: npt.ArrayLike, return_seconds: bool = False, time_resolution: int = 1
    ) -> dict[str, float] | None:
        """Process the next window, of any number of samples. [shape=(samples,) or (1, samples)].

        Returns:
            `{"start": ...}`, `{"end": ...}` or None. If a window has several events, the next calls give the others.

        Raises:
            AudioError: The samples are not audio, or have several channels.
        """
        samples = _mono(x)
        events = self._stream.feed(samples)
        self._waiting += [event for event in events if isinstance(event, SpeechStart | SpeechEnd)]
        self.current_sample += len(samples)
        if not self._waiting:
            return None
        event = self._waiting.popleft()
        self.triggered = isinstance(event, SpeechStart)
        in_units = _units(self.sampling_rate, return_seconds, time_resolution)
        return {"start" if self.triggered else "end": in_units(event.time)}


def collect_chunks(
    tss: Sequence[Mapping[str, float]], wav: Any, seconds: bool = False, sampling_rate: int | None = None
) -> Any:
    """Join parts of a recording, given by `start` and `end` in samples, or in seconds with `seconds=True`.

    `wav` is one channel, an array or a tensor [shape=(samples,)], and so is the result.

    Raises:
        ConfigError: `seconds` without `sampling_rate`.
    """
    places = [np.arange(len(wav))[start:end] for start, end in _bounds(tss, seconds, sampling_rate)]
    return wav[np.concatenate([np.zeros(0, np.intp), *places])]


def drop_chunks(
    tss: Sequence[Mapping[str, float]], wav: Any, seconds: bool = False, sampling_rate: int | None = None
) -> Any:
    """Join the rest of a recording without these parts; the arguments are those of `collect_chunks`."""
    kept = np.ones(len(wav), bool)
    for start, end in _bounds(tss, seconds, sampling_rate):
        kept[start:end] = False
    return wav[np.flatnonzero(kept)]


def _bounds(
    tss: Sequence[Mapping[str, float]], seconds: bool, sampling_rate: int | None
) -> Iterator[tuple[int, int]]:
    """Starts and ends in samples."""
    rule = "sampling_rate must be a number of Hz where the times are seconds"
    require(not seconds or bool(sampling_rate), rule, sampling_rate=sampling_rate)
    scale = sampling_rate if seconds and sampling_rate else 1
    try:
        yield from [(round(chunk["start"] * scale), round(chunk["end"] * scale)) for chunk in tss]
    except (TypeError, KeyError, IndexError, ValueError) as error:
        rule = "tss must be a list of {'start': ..., 'end': ...}"
        raise ConfigError(f"{rule}. Received: {shown(tss)}.") from error


def _check_model(model: object) -> None:
    rule = "model must be the result of load_silero_vad()"
    require(isinstance(model, SileroModel), rule, model=model)


def _check_rate(sampling_rate: float) -> None:
    problem = sample_rate_problem(sampling_rate)
    if problem is not None:
        raise AudioError(problem)


def _mono(audio: Any) -> npt.NDArray[Any]:
    """One channel, from an array, a list or a torch tensor, without axes of length 1."""
    values = as_array(audio)
    samples = np.atleast_1d(values.squeeze())
    if samples.ndim != 1:
        raise AudioError(f"audio must have one channel. Received: shape={values.shape}.")
    return samples
