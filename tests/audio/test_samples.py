"""Validation of samples, and the mix of channels."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sounds import RATE, Samples, noise, tone

from vad.audio.samples import MonoInput, validate_samples
from vad.errors import AudioError


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([-32768, 16384], np.int16), [-1.0, 0.5]),
        (np.array([-(2**31), 2**30], np.int32), [-1.0, 0.5]),
        (np.array([0, 192, 128], np.uint8), [-1.0, 0.5, 0.0]),
        (np.array([-1.5, 0.5], np.float64), [-1.5, 0.5]),
        (np.array([-0.5, 0.25], np.float16), [-0.5, 0.25]),
        (np.array([[0.5, -0.5, 0.25]], np.float32), [0.5, -0.5, 0.25]),
        (np.array([[8192, -16384]], np.int16), [0.25, -0.5]),
        (np.zeros((0, 2), np.float32), []),
        (np.array([[0.5, -0.5], [1.0, 0.0]], np.float32), [0.0, 0.5]),
        (np.zeros(0, np.float32), []),
    ],
)
def test_samples_of_every_type_are_scaled(values: npt.NDArray[np.generic], expected: list[float]) -> None:
    mono = validate_samples(values, RATE)
    assert mono.dtype == np.float32
    assert mono.tolist() == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([1, 2], np.int64), "int64"),
        (np.array(["a"]), "<U1|str"),
        (np.zeros((2, 2, 2), np.float32), r"\(2, 2, 2\)"),
        (np.zeros((2, 16000), np.float32), "Transpose"),
        (np.zeros((2, 3), np.float32), "no more channels than samples"),
        (np.zeros((4000, 65), np.float32), "at most 64 channels"),
        (np.array([[0.1], [0.2, 0.3]], object), "must be float32"),
        (np.float32(0.5), r"Received: \(\)"),
        (np.array([0.0, np.inf]), "Received: inf"),
        (np.array([[0.0, 0.1], [0.2, -np.inf]]), "Received: -inf at 0.000 s"),
        (np.array([1e300]), "Received: inf"),
        (np.array([0.0, 32768.0]), "peak of 32768"),
    ],
)
def test_invalid_samples_are_refused(values: npt.NDArray[np.generic], message: str) -> None:
    with pytest.raises(AudioError, match=message):
        validate_samples(values, RATE)


@pytest.mark.parametrize("values", [b"\0\1" * 400, bytearray(800), memoryview(bytes(800))])
def test_bytes_are_refused_with_a_hint(values: bytes) -> None:
    with pytest.raises(AudioError, match=r"numpy.frombuffer\(samples, 'int16'\)"):
        validate_samples(values, RATE)


@pytest.mark.parametrize("values", [[0, 1, 2], [[0.1], [0.2, 0.3]], "speech", None, object()])
def test_objects_that_are_not_samples_are_refused_in_one_line(values: object) -> None:
    with pytest.raises(AudioError) as failure:
        validate_samples(values, RATE)  # type: ignore[arg-type]
    assert "\n" not in str(failure.value)


class Tensor:
    """Like torch's: it becomes an array only after `detach`."""

    def __init__(self, values: npt.NDArray[np.float32], requires_grad: bool = True):
        self._values = values
        self._requires_grad = requires_grad

    def detach(self) -> "Tensor":
        return Tensor(self._values, requires_grad=False)

    def __array__(self, dtype: object = None, copy: bool | None = None) -> npt.NDArray[np.float32]:
        if self._requires_grad:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            )
        return self._values


def test_a_tensor_that_requires_a_gradient_is_accepted() -> None:
    values = noise(500)
    assert np.array_equal(validate_samples(Tensor(values), RATE), values)  # type: ignore[arg-type]


def test_blocks_of_shape_1_by_n_are_one_channel() -> None:
    """Read as one sample of 480 channels, a minute of speech would be 0.1 s."""
    values = noise(4800)
    source = MonoInput(RATE)
    mono = [source.feed(values[np.newaxis, start : start + 480]) for start in range(0, 4800, 480)]
    assert np.array_equal(np.concatenate(mono), values)


@pytest.mark.parametrize("length", [2, 480])
def test_a_last_block_of_one_stereo_sample_is_one_sample(length: int) -> None:
    values = noise(length + 1, channels=2)
    source = MonoInput(RATE)
    mono = np.concatenate([source.feed(values[:length]), source.feed(values[length:])])
    assert len(mono) == length + 1


def test_int16_in_int32_is_refused_whole_and_in_blocks() -> None:
    values = (noise(RATE) * 20000).astype(np.int32)
    with pytest.raises(AudioError, match=r"samples.astype\('int16'\)"):
        validate_samples(values, RATE)
    source = MonoInput(RATE)
    for start in range(0, RATE // 2 - 320, 320):
        source.feed(values[start : start + 320])
    with pytest.raises(AudioError, match="as of 16 bits"):
        source.feed(values[:640])


def test_int32_may_begin_softly_and_24_bits_may_stay_soft() -> None:
    soft = (noise(RATE) * 60).astype(np.int32) << 8
    assert np.abs(validate_samples(soft, RATE)).max() < 1e-4
    source = MonoInput(RATE)
    assert len(source.feed((noise(4000) * 20000).astype(np.int32))) == 4000
    assert len(source.feed((noise(RATE) * 2**30).astype(np.int32))) == RATE


def inverted(seconds: float) -> Samples:
    voice = tone(seconds) + 0.1 * noise(round(seconds * RATE))
    return np.stack([voice, -0.9 * voice], axis=1)


def test_stereo_of_opposite_phase_is_its_louder_channel_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    values = inverted(3.0)
    mono = validate_samples(values, RATE)
    assert np.array_equal(mono[1000:], values[1000:, 0])
    assert len(caplog.records) == 1
    assert "Channel 0" in caplog.text


@given(cuts=st.lists(st.integers(0, 3 * RATE), max_size=8))
def test_block_lengths_do_not_change_the_mix(cuts: list[int]) -> None:
    values = np.concatenate([noise(RATE, channels=2), inverted(1.0), noise(RATE, channels=2)])
    source = MonoInput(RATE)
    pieces = [source.feed(piece) for piece in np.split(values, sorted(cuts)) if len(piece) != 1]
    if sum(map(len, pieces)) == len(values):
        assert np.array_equal(np.concatenate(pieces), validate_samples(values, RATE))


@pytest.mark.parametrize("channels", [2, 6, 16])
def test_channels_that_do_not_cancel_out_are_mixed(channels: int, caplog: pytest.LogCaptureFixture) -> None:
    alone = np.zeros((RATE, channels), np.float32)
    alone[:, 1] = tone(1.0)
    for values in (noise(RATE, channels=channels), np.stack([tone(1.0)] * channels, axis=1), alone):
        assert np.allclose(validate_samples(values, RATE), values.mean(axis=1), atol=1e-6)
    assert caplog.records == []


@pytest.mark.parametrize("sample_rate", [0, -16000, 16, float("nan")])
def test_an_invalid_sample_rate_is_refused(sample_rate: float) -> None:
    with pytest.raises(AudioError, match="sample_rate must be between"):
        validate_samples(np.zeros(10, np.float32), sample_rate)


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=50))
def test_int16_equals_the_scaled_floats(values: list[int]) -> None:
    integers = np.array(values, np.int16)
    assert np.array_equal(validate_samples(integers, RATE), validate_samples(integers / 32768.0, RATE))
