"""The first step of the segmenter: it divides probabilities into runs of speech and of silence."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from vad.errors import ModelError, shown

__all__ = ["Hysteresis"]


class Hysteresis:
    """Speech is on from one threshold, and off below a lower one. Frames between the two change nothing.

    Args:
        threshold: Speech begins at this probability.
        release_threshold: Speech ends below this probability.
    """

    def __init__(self, threshold: float, release_threshold: float) -> None:
        self._threshold = threshold
        self._release_threshold = release_threshold
        self.reset()

    def reset(self) -> None:
        """Start a new recording."""
        self._frames = 0
        self._speaking = False

    def feed(self, probabilities: Iterable[float]) -> Iterator[tuple[bool, npt.NDArray[np.float64]]]:
        """Take the next frames.

        Args:
            probabilities: Of any number of frames, 0 to 1. [shape=(frames,)]

        Returns:
            Runs that together are these frames: whether it is speech, and its probabilities. [shape=(frames,)]

        Raises:
            ModelError: A value is not a probability. None of these frames was used.
        """
        values = _as_array(probabilities)
        within = (values >= 0.0) & (values <= 1.0)
        if not within.all():
            wrong = int(within.argmin())
            raise ModelError(
                f"a probability must be between 0 and 1. Received: {values[wrong]} (frame {self._frames + wrong})."
            )
        self._frames += len(values)
        return self._runs(values)

    def _runs(self, values: npt.NDArray[np.float64]) -> Iterator[tuple[bool, npt.NDArray[np.float64]]]:
        starts = values >= self._threshold
        (deciding,) = (starts | (values < self._release_threshold)).nonzero()
        speaking = starts[deciding]
        changes = deciding[speaking != np.concatenate(([self._speaking], speaking[:-1]))]
        begin = 0
        for change in (*changes.tolist(), len(values)):
            if change > begin:
                yield self._speaking, values[begin:change]
            if change < len(values):
                self._speaking = not self._speaking
            begin = change


def _as_array(probabilities: Iterable[float]) -> npt.NDArray[np.float64]:
    try:
        values = np.asarray(
            probabilities if isinstance(probabilities, np.ndarray) else [*map(float, probabilities)],
            np.float64,  # the thresholds' precision
        )
        if values.ndim != 1:
            raise ValueError("not one axis")
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"probabilities must be numbers, one per frame. Received: {shown(probabilities)}."
        ) from error
    return values
