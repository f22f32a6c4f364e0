"""silero-vad's functions of whole recordings."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from vad.audio.samples import as_float32
from vad.compat.silero.audio import check_rate, mono, number, tensor
from vad.compat.silero.model import WINDOW_S, SileroModel, SileroVADSequence
from vad.compat.silero.rules import Rules, padded
from vad.errors import AudioError, require

__all__ = ["get_speech_timestamps", "get_speech_timestamps_from_probs", "get_speech_timestamps_sequence"]

Timestamps: TypeAlias = list[dict[str, float]]


def get_speech_timestamps(
    audio: npt.ArrayLike,
    model: Any,
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
    """Detect the speech in a recording. The options, their units, their defaults and the rules are Silero's.

    `audio` is one channel [shape=(samples,)] at `sampling_rate` Hz. `model` is from `load_silero_vad`, or any function
    of a window of samples and their rate. It is reset first. `window_size_samples` does nothing, as in Silero.
    `progress_tracking_callback` gets the percentage after each window.

    Returns:
        `start` and `end` of each segment, in samples of `audio`, or in seconds.

    Raises:
        AudioError: The samples are not audio, or have several channels.
        ConfigError: An option is out of its range, or `visualize_probs` is set.
    """
    require(callable(model), "model must be a function of samples and their rate", model=model)
    check_rate(sampling_rate)
    samples = mono(audio)
    step, progress = 1, progress_tracking_callback
    if hasattr(model, "reset_states"):
        model.reset_states()
    probabilities: Iterable[float]
    if isinstance(model, SileroModel):
        probabilities = model.window_probabilities(samples, sampling_rate, progress)
    else:  # Silero's take 8 or 16 kHz; of multiples it drops samples
        step = sampling_rate // 16000 if sampling_rate % 16000 == 0 else 1
        samples, sampling_rate = samples[::step], sampling_rate // step
        probabilities = _window_probabilities(samples, model, sampling_rate, progress)
    return get_speech_timestamps_from_probs(
        probabilities, sampling_rate, threshold, min_speech_duration_ms, max_speech_duration_s,
        min_silence_duration_ms, speech_pad_ms, return_seconds, time_resolution, visualize_probs, neg_threshold,
        min_silence_at_max_speech, use_max_poss_sil_at_max_speech, len(samples), step,
    )  # fmt: skip


def get_speech_timestamps_from_probs(
    speech_probs: Iterable[float],
    sampling_rate: int = 16000,
    threshold: float = 0.5,
    min_speech_duration_ms: float = 250,
    max_speech_duration_s: float = math.inf,
    min_silence_duration_ms: float = 100,
    speech_pad_ms: float = 30,
    return_seconds: bool = False,
    time_resolution: int = 1,
    visualize_probs: bool = False,
    neg_threshold: float | None = None,
    min_silence_at_max_speech: float = 98,
    use_max_poss_sil_at_max_speech: bool = True,
    audio_length_samples: int | None = None,
    step: int = 1,
) -> Timestamps:
    """Turn probabilities of windows of 32 ms into segments; the options are those of `get_speech_timestamps`.

    `audio_length_samples` is the length of the recording (None: all windows in full), and `step` the samples of it per
    sample at `sampling_rate`.
    """
    require(not visualize_probs, "visualize_probs must be False", visualize_probs=visualize_probs)
    require(0 <= threshold <= 1, "threshold must be between 0 and 1", threshold=threshold)
    values = [float(probability) for probability in speech_probs]
    window = WINDOW_S * sampling_rate
    length = round(len(values) * window) if audio_length_samples is None else audio_length_samples
    per_ms = sampling_rate / 1000
    pad = speech_pad_ms * per_ms
    rules = Rules(
        window=window,
        threshold=threshold,
        neg_threshold=max(threshold - 0.15, 0.01) if neg_threshold is None else neg_threshold,
        min_speech=min_speech_duration_ms * per_ms,
        max_speech=max_speech_duration_s * sampling_rate - window - 2 * pad,
        min_silence=min_silence_duration_ms * per_ms,
        min_silence_at_max_speech=min_silence_at_max_speech * per_ms,
        use_longest_silence=use_max_poss_sil_at_max_speech,
    )

    def given(sample: int) -> float:
        if return_seconds:
            return min(round(sample / sampling_rate, time_resolution), length / sampling_rate)
        return sample * step

    spans = padded(rules.spans(values, length), pad, length)
    return [{"start": given(start), "end": given(end)} for start, end in spans]


def get_speech_timestamps_sequence(
    audio: npt.ArrayLike, model: SileroVADSequence, *args: Any, max_frames: int | None = None, **options: Any
) -> Timestamps:
    """As `get_speech_timestamps`, with the model of `load_silero_vad(sequence=True)`. `max_frames` does nothing."""
    require(isinstance(model, SileroVADSequence), "model must be a SileroVADSequence", model=model)
    return get_speech_timestamps(audio, model.model, *args, **options)


def _window_probabilities(
    samples: npt.NDArray[Any], model: Any, sampling_rate: int, progress: Callable[[float], object] | None
) -> Iterator[float]:
    """The probability of each window, by a model that is not ours."""
    if sampling_rate not in (8000, 16000):
        rule = "sampling_rate of a model that is not ours must be 8000 or a multiple of 16000 Hz"
        raise AudioError(f"{rule}. Received: sampling_rate={sampling_rate}.")
    window = round(WINDOW_S * sampling_rate)
    windows = tensor(np.pad(as_float32(samples), (0, -len(samples) % window)))
    for start in range(0, len(samples), window):
        yield number(model(windows[start : start + window], sampling_rate))
        if progress is not None:
            progress(min(start + window, len(samples)) / len(samples) * 100)
