"""pipecat: `LLMUserAggregatorParams(vad_analyzer=Analyzer(detector))`."""

import numpy as np

from vad.adapters import client, given_or_default
from vad.detection.detector import Detector

with client("pipecat-ai"):
    from pipecat.audio.vad.vad_analyzer import VADAnalyzer, VADParams

__all__ = ["Analyzer"]


class Analyzer(VADAnalyzer):
    """Gives pipecat a probability for each frame of 20 ms, at any sample rate. pipecat counts those that are enough.

    Args:
        detector: Calls may share it. None is one with the default model.
        sample_rate: In Hz; None is the pipeline's.
        params: None is the detector's threshold, `start_secs=0.1`, and no `min_volume`, which would drop quiet voices.
    """

    def __init__(
        self,
        detector: Detector | None = None,
        *,
        sample_rate: int | None = None,
        params: VADParams | None = None,
    ):
        self.detector = given_or_default(detector)
        threshold = self.detector.options.threshold
        super().__init__(
            sample_rate=sample_rate,
            params=params or VADParams(confidence=threshold, start_secs=0.1, min_volume=0.0),
        )
        self._confidence = 0.0

    def set_sample_rate(self, sample_rate: int) -> None:
        """Start a new stream."""
        super().set_sample_rate(sample_rate)
        self._stream = self.detector.stream(self.sample_rate)

    def num_frames_required(self) -> int:
        """Samples of a window."""
        return round(self.sample_rate * self.detector.frame_duration)

    def voice_confidence(self, buffer: bytes) -> float:
        """The probability of speech after the next window of 16-bit samples."""
        self._stream.feed(np.frombuffer(buffer, np.int16))
        if len(self._stream.probabilities):
            self._confidence = float(self._stream.probabilities[-1])
        return self._confidence
