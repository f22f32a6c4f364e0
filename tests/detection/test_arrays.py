"""Arrays at the public doors: what they hold is processed to its end, or refused in one line."""

from collections.abc import Callable

import numpy as np
import pytest
from support.listening import RATE, tone_bursts

import vad

SOUND = tone_bursts([(1.0, 2.0), (3.0, 4.0)], 5.0)


class Tensor:
    """As torch's tensors that require a gradient."""

    def __init__(self, values: np.ndarray):
        self._values = values
        self.shape, self.ndim = values.shape, values.ndim

    def __array__(self, *_: object) -> np.ndarray:
        raise RuntimeError(
            "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
        )

    def detach(self) -> np.ndarray:
        return self._values


def test_blocks_of_one_row_are_one_channel(detector: vad.Detector) -> None:
    """PyAV, aiortc and torchaudio give such blocks."""
    stream = detector.stream()
    found = []
    for start in range(0, len(SOUND), 480):
        found += stream.feed(SOUND[np.newaxis, start : start + 480])
    found += stream.finish()
    assert stream.duration == 5.0
    assert sum(isinstance(event, vad.SpeechEnd) for event in found) == 2


@pytest.mark.parametrize(
    "same",
    [lambda: Tensor(SOUND), lambda: SOUND.astype(np.float16), lambda: np.stack([SOUND, -SOUND], axis=1)],
    ids=["requires grad", "float16", "out of phase"],
)
def test_what_holds_the_sound_gives_its_segments(detector: vad.Detector, same: Callable[[], object]) -> None:
    expected = detector.detect(SOUND, RATE)
    assert len(expected) == 2
    found = detector.detect(same(), RATE)  # type: ignore[arg-type]
    for name in ("start", "end"):
        times = [getattr(one, name) for one in expected]
        assert [getattr(one, name) for one in found] == pytest.approx(times, abs=0.05)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((20, 480), np.float32),
        np.zeros((16000, 65), np.float32),
        np.round(SOUND * 2**15).astype(np.int32),
    ],
    ids=["channels before samples", "65 channels", "16 bits in int32"],
)
def test_what_cannot_be_understood_is_refused_in_one_line(detector: vad.Detector, wrong: object) -> None:
    for door in (detector.detect, detector.probabilities, lambda values, _: detector.stream().feed(values)):
        with pytest.raises(vad.AudioError) as error:
            door(wrong, RATE)  # type: ignore[arg-type]
        assert "\n" not in str(error.value)
