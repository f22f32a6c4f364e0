"""silero-vad's stream."""

import collections
from collections.abc import Iterator
from typing import Any

from vad.compat.silero.audio import check_rate, mono, number
from vad.compat.silero.model import SileroModel
from vad.errors import require

__all__ = ["VADIterator"]


class VADIterator:
    """Silero's stream: call it with window after window for the starts and ends of speech.

    The options, their units, their defaults and the rules are Silero's. Any number of iterators may share a
    `SileroModel`; of another model each needs its own. `threshold`, `min_silence_samples` and `speech_pad_samples` may
    be set at any time.

    Attributes:
        triggered: Whether the last event was a start.
        current_sample: Number of samples so far.

    Raises:
        AudioError: The sample rate is out of range.
        ConfigError: `model` is no model.
    """

    def __init__(
        self,
        model: Any,
        threshold: float = 0.5,
        sampling_rate: int = 16000,
        min_silence_duration_ms: float = 100,
        speech_pad_ms: float = 30,
    ):
        require(callable(model), "model must be a function of samples and their rate", model=model)
        check_rate(sampling_rate)
        self.model = model
        self.threshold = threshold
        self.sampling_rate = sampling_rate
        self.min_silence_samples = sampling_rate * min_silence_duration_ms / 1000
        self.speech_pad_samples = sampling_rate * speech_pad_ms / 1000
        self.reset_states()

    def reset_states(self) -> None:
        """Start a new recording, and reset the model."""
        if hasattr(self.model, "reset_states"):
            self.model.reset_states()
        if isinstance(self.model, SileroModel):
            self._stream = self.model.detector.stream(self.sampling_rate)
        self.triggered = False
        self.temp_end: float = 0
        self.current_sample = 0
        self._position = 0.0  # in samples, of the end of the last probability's frame
        self._waiting: collections.deque[dict[str, float]] = collections.deque()

    def __call__(
        self, x: Any, return_seconds: bool = False, time_resolution: int = 1
    ) -> dict[str, float] | None:
        """Process the next window, of any number of samples. [shape=(samples,) or (1, samples)].

        Returns:
            `{"start": ...}`, `{"end": ...}` or None. If a window has several events, the next calls give the others.

        Raises:
            AudioError: The samples are not audio, or have several channels.
        """
        for probability, length in self._probabilities(x):
            self._step(probability, length)
        if not self._waiting:
            return None
        ((name, sample),) = self._waiting.popleft().items()
        return {name: round(sample / self.sampling_rate, time_resolution) if return_seconds else int(sample)}

    def _probabilities(self, x: Any) -> Iterator[tuple[float, float]]:
        """The probabilities that a window completes, each with its samples. Ours are not late: the stream waits."""
        samples = mono(x)
        self.current_sample += len(samples)
        if isinstance(self.model, SileroModel):
            self._stream.feed(samples)
            frame_length = self._stream.frame_duration * self.sampling_rate
            yield from ((probability, frame_length) for probability in self._stream.probabilities.tolist())
        else:
            yield number(self.model(x, self.sampling_rate)), len(samples)

    def _step(self, probability: float, length: float) -> None:
        """Silero's rules: an end is certain when silence has lasted `min_silence_samples` after its first frame."""
        self._position += length
        if probability >= self.threshold:
            self.temp_end = 0
            if not self.triggered:
                self.triggered = True
                self._waiting.append({"start": max(0, self._position - self.speech_pad_samples - length)})
        elif probability < self.threshold - 0.15 and self.triggered:
            self.temp_end = self.temp_end or self._position
            if self._position - self.temp_end >= self.min_silence_samples:
                self._waiting.append({"end": self.temp_end + self.speech_pad_samples - length})
                self.temp_end = 0
                self.triggered = False
