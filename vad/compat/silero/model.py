"""The models that `load_silero_vad` gives, over a detector."""

import math
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from vad.compat.silero.audio import check_rate, mono, rows, tensor
from vad.detection.default import default_model
from vad.detection.detector import Detector
from vad.detection.stream import Stream
from vad.errors import require_number

__all__ = ["WINDOW_S", "SileroModel", "SileroVADSequence", "load_silero_vad"]

WINDOW_S = 0.032  # 512 samples at 16 kHz, 256 at 8 kHz


class SileroModel:
    """The result of `load_silero_vad`: call it with a window of samples for the probability of speech.

    Attributes:
        detector: Makes the streams. All models that `load_silero_vad` gives share one network.
    """

    def __init__(self, detector: Detector | None = None):
        self.detector = Detector(default_model()) if detector is None else detector
        self._streams: list[Stream] = []
        self._probabilities: npt.NDArray[np.float32] = np.zeros((1, 1), np.float32)

    def __call__(self, x: Any, sr: int) -> Any:
        """Process the next window. Silero takes 512 samples at 16 kHz or 256 at 8 kHz; here any number will do.

        Returns:
            The mean probability of the frames that it completes; without any, the one before. A tensor if `x` is one.
            [shape=(batch, 1)]

        Raises:
            AudioError: The samples are not audio.
        """
        check_rate(sr)
        batch = rows(x, sr)
        if [stream.sample_rate for stream in self._streams] != [sr] * len(batch):
            self._streams = [self.detector.stream(sr) for _ in batch]
            self._probabilities = np.zeros((len(batch), 1), np.float32)
        for index, (stream, samples) in enumerate(zip(self._streams, batch, strict=True)):
            stream.feed(samples)
            if len(stream.probabilities):
                self._probabilities[index] = stream.probabilities.mean()
        return tensor(self._probabilities.copy(), like=x)

    def audio_forward(self, x: Any, sr: int) -> Any:
        """Process a whole recording, or a batch: a probability for each 32 ms, without the delay of a call.

        Returns:
            A tensor if `x` is one. [shape=(batch, windows)]
        """
        check_rate(sr)
        self.reset_states()
        return tensor(np.stack([self.window_probabilities(samples, sr) for samples in rows(x, sr)]), like=x)

    def window_probabilities(
        self, samples: npt.NDArray[Any], sr: float, progress: Callable[[float], object] | None = None
    ) -> npt.NDArray[np.float32]:
        """The mean probability of each window of 32 ms, weighted by how much of each frame lies in it.

        `progress` is called with the percentage after each window, when its block is processed.
        """
        window, block = WINDOW_S * sr, max(1, round(self.detector.block_duration * sr))
        ends = np.minimum(np.arange(1, math.ceil(len(samples) / window - 1e-9) + 1) * window, len(samples))

        def blocks() -> Iterator[npt.NDArray[Any]]:
            for position in range(0, len(samples), block):
                yield samples[position : position + block]
                if progress is not None:
                    for end in ends[(position < ends) & (ends <= position + block)].tolist():
                        progress(end / len(samples) * 100)

        probabilities = self.detector.process(blocks(), sr).probabilities
        frame_edges_s = np.arange(len(probabilities) + 1) * self.detector.frame_duration
        sums = (
            np.concatenate([[0.0], np.cumsum(probabilities, dtype=np.float64)]) * self.detector.frame_duration
        )
        edges_s = np.concatenate([[0.0], ends / sr])
        means = np.diff(np.interp(edges_s, frame_edges_s, sums)) / np.diff(edges_s)
        return np.asarray(np.clip(means, 0, 1), np.float32)

    def reset_states(self, batch_size: int = 1) -> None:
        """Start a new recording, or a batch of any size."""
        require_number("batch_size", batch_size)
        self._streams = []

    def to(self, *_: object, **__: object) -> Self:
        """What a torch module has; it changes nothing."""
        return self

    eval = train = cpu = cuda = half = float = requires_grad_ = to


class SileroVADSequence:
    """The result of `load_silero_vad(sequence=True)`. The arguments do nothing.

    Attributes:
        model: The same network, as a `SileroModel`.
    """

    def __init__(self, path: object = None, sampling_rate: int = 16000, max_frames: int = 512, **_: object):
        self.model = SileroModel()
        self.sampling_rate = sampling_rate
        self.max_frames = max_frames

    def audio_forward(
        self, audio: Any, sampling_rate: int = 16000, max_frames: int | None = None
    ) -> npt.NDArray[np.float32]:
        """Process a whole recording: a probability for each 32 ms. [shape=(windows,)]."""
        check_rate(sampling_rate)
        return self.model.window_probabilities(mono(audio), sampling_rate)


def load_silero_vad(
    onnx: bool = False,
    opset_version: int = 16,
    sequence: bool = False,
    sampling_rate: int = 16000,
    max_frames: int = 512,
) -> Any:
    """Load the default model: a `SileroModel`, or a `SileroVADSequence`. The other arguments do nothing here."""
    return SileroVADSequence(None, sampling_rate, max_frames) if sequence else SileroModel()
