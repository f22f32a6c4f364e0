"""silero-vad's functions: `from silero_vad import ...` becomes `from vad.compat import ...`."""

import collections
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from vad.audio.reading import read_audio as _read_audio
from vad.audio.samples import as_array
from vad.detection.detector import Detector
from vad.detection.options import SegmentOptions
from vad.detection.segments import SpeechEnd, SpeechStart
from vad.detection.stream import Stream
from vad.errors import AudioError, ConfigError

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
    """What `load_silero_vad` gives: called with a window of samples, it says how probable speech is.

    Attributes:
        detector: The network, to make streams of.
    """

    def __init__(self, detector: Detector):
        self.detector = detector
        self._stream: Stream | None = None
        self._probability = 0.0

    def __call__(self, x: npt.ArrayLike, sr: int) -> npt.NDArray[np.float32]:
        """Hear the next window; Silero asks for 512 samples at 16 kHz or 256 at 8 kHz, here any number will do.

        Returns:
            The mean probability of the frames it completed, or again the last one. [shape=(1, 1)]

        Raises:
            AudioError: The samples are no audio's, or more than one recording's.
        """
        if self._stream is None or self._stream.sample_rate != sr:
            self._stream = self.detector.stream(sr)
        self._stream.feed(_mono(x))
        if len(self._stream.probabilities):
            self._probability = float(self._stream.probabilities.mean())
        return np.full((1, 1), self._probability, np.float32)

    def audio_forward(self, x: npt.ArrayLike, sr: int) -> npt.NDArray[np.float32]:
        """Hear a whole recording from its beginning: a probability for each 32 ms. [shape=(1, windows)]."""
        self.reset_states()
        samples = _mono(x)
        window = round(0.032 * sr)
        padded = np.pad(samples, (0, -len(samples) % window))
        return np.hstack(
            [self(piece, sr) for piece in padded.reshape(-1, window)] or [np.zeros((1, 0), "f4")]
        )

    def reset_states(self, batch_size: int = 1) -> None:
        """Forget everything: the next sample is the first of a recording.

        Raises:
            ConfigError: `batch_size` is not 1.
        """
        if batch_size != 1:
            raise ConfigError(
                f"batch_size must be 1: a model hears one recording. Received: batch_size={batch_size}."
            )
        self._stream = None
        self._probability = 0.0


def load_silero_vad(
    onnx: bool = False,
    opset_version: int = 16,
    sequence: bool = False,
    sampling_rate: int = 16000,
    max_frames: int = 512,
) -> SileroModel:
    """Load the default network. The arguments chose between Silero's files; there is one network here."""
    return SileroModel(Detector())


def read_audio(path: str | os.PathLike[str], sampling_rate: int = 16000) -> npt.NDArray[np.float32]:
    """Read a recording: the mean of its channels, at a rate. [shape=(samples,)].

    Raises:
        AudioError: It cannot be read.
    """
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
    """Find the speech in a recording.

    `window_size_samples` does nothing, as in Silero; nor do the last two, for long speech is split by our rule.

    Args:
        audio: One channel. [shape=(samples,)]
        model: From `load_silero_vad`; it may be shared, its own state is left alone.
        threshold: Speech begins at a probability of at least this.
        sampling_rate: Of the audio, in Hz.
        min_speech_duration_ms: Shorter speech is dropped.
        max_speech_duration_s: Longer segments are split.
        min_silence_duration_ms: Shorter silences are filled.
        speech_pad_ms: Added on both sides of a segment.
        return_seconds: Give seconds, rounded to `time_resolution` digits, in place of samples.
        time_resolution: Digits.
        visualize_probs: Must be False.
        progress_tracking_callback: Called with the percentage that has been heard.
        neg_threshold: Speech goes on down to this probability; None is threshold - 0.15.
        window_size_samples: Ignored.
        min_silence_at_max_speech: Ignored.
        use_max_poss_sil_at_max_speech: Ignored.

    Returns:
        A dictionary of `start` and `end` for each segment, in samples of the audio that was given, or in seconds.

    Raises:
        AudioError: The samples are no audio's, or several channels'.
        ConfigError: An option is out of its range, or `visualize_probs` is set.
    """
    if visualize_probs:
        raise ConfigError("visualize_probs must be False: nothing is drawn here. Received: True.")
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
    segments = detector.process(blocks, sampling_rate).segments

    def in_units(time: float) -> float:
        return round(time, time_resolution) if return_seconds else round(time * sampling_rate)

    return [{"start": in_units(segment.start), "end": in_units(segment.end)} for segment in segments]


def _blocks_of(
    samples: npt.NDArray[Any], block_length: int, progress: Callable[[float], Any] | None
) -> Iterator[npt.NDArray[Any]]:
    """Cut a recording into blocks, and say after each how much of it was processed, in percent."""
    for position in range(0, len(samples), block_length):
        yield samples[position : position + block_length]
        if progress is not None:
            progress(min(position + block_length, len(samples)) / len(samples) * 100)


class VADIterator:
    """Silero's stream: fed window after window, it says when speech starts and ends.

    Args:
        model: From `load_silero_vad`; any number of iterators may share one.
        threshold: Speech begins at a probability of at least this, and goes on down to 0.15 below.
        sampling_rate: Of the windows, in Hz.
        min_silence_duration_ms: Silence that ends speech.
        speech_pad_ms: Added on both sides of speech.

    Attributes:
        triggered: Speech is going on.
        current_sample: How many samples were heard.

    Raises:
        AudioError: Nobody records at such a sample rate.
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
        """Forget everything: the next sample is the first of a recording."""
        self._stream.reset()
        self._untold: collections.deque[SpeechStart | SpeechEnd] = collections.deque()
        self.triggered = False
        self.current_sample = 0

    def __call__(
        self, x: npt.ArrayLike, return_seconds: bool = False, time_resolution: int = 1
    ) -> dict[str, float] | None:
        """Hear the next window.

        Args:
            x: Any number of samples. [shape=(samples,) or (1, samples)]
            return_seconds: Give seconds, rounded to `time_resolution` digits, in place of samples.
            time_resolution: Digits.

        Returns:
            `{"start": ...}`, `{"end": ...}` or None; where a window decides several, the next calls tell the rest.

        Raises:
            AudioError: The samples are no audio's, or several channels'.
        """
        samples = _mono(x)
        events = self._stream.feed(samples)
        self._untold += [event for event in events if isinstance(event, SpeechStart | SpeechEnd)]
        self.current_sample += len(samples)
        if not self._untold:
            return None
        event = self._untold.popleft()
        self.triggered = isinstance(event, SpeechStart)
        time = (
            round(event.time, time_resolution) if return_seconds else round(event.time * self.sampling_rate)
        )
        return {"start" if self.triggered else "end": time}


def collect_chunks(
    tss: Sequence[Mapping[str, float]], wav: Any, seconds: bool = False, sampling_rate: int | None = None
) -> Any:
    """Cut chunks out of a recording and join them.

    Args:
        tss: A `start` and an `end` for each, in samples, or in seconds.
        wav: One channel, an array or a tensor. [shape=(samples,)]
        seconds: The times are seconds.
        sampling_rate: Of the recording, in Hz; needed for seconds.

    Returns:
        What `wav` is: an array, or a tensor. [shape=(samples,)]

    Raises:
        ConfigError: `seconds` without `sampling_rate`.
    """
    places = [np.arange(len(wav))[start:end] for start, end in _bounds(tss, seconds, sampling_rate)]
    return wav[np.concatenate([np.zeros(0, np.intp), *places])]


def drop_chunks(
    tss: Sequence[Mapping[str, float]], wav: Any, seconds: bool = False, sampling_rate: int | None = None
) -> Any:
    """Join what is left of a recording without some chunks; the arguments are those of `collect_chunks`."""
    kept = np.ones(len(wav), bool)
    for start, end in _bounds(tss, seconds, sampling_rate):
        kept[start:end] = False
    return wav[np.flatnonzero(kept)]


def _bounds(
    tss: Sequence[Mapping[str, float]], seconds: bool, sampling_rate: int | None
) -> Iterator[tuple[int, int]]:
    """Chunks as numbers of samples."""
    if seconds and not sampling_rate:
        raise ConfigError(
            f"sampling_rate must be given where the times are seconds. Received: {sampling_rate}."
        )
    scale = sampling_rate if seconds and sampling_rate else 1
    for chunk in tss:
        yield round(chunk["start"] * scale), round(chunk["end"] * scale)


def _mono(audio: Any) -> npt.NDArray[Any]:
    """One channel of samples, from an array, a list or a torch tensor, without its axes of length 1."""
    values = as_array(audio)
    samples = np.atleast_1d(values.squeeze())
    if samples.ndim != 1:
        raise AudioError(f"audio must be of one channel. Received: the shape {values.shape}.")
    return samples
