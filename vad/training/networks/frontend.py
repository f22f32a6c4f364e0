"""The one front end: waveform to normalised log-mel, inside the model."""

from __future__ import annotations

from math import log
from typing import Any, TypeAlias

import librosa
import numpy as np
import numpy.typing as npt

from vad.training.backend import FULL_PRECISION, keras, ops

__all__ = ["GaborFilters", "LogMel", "LogPower", "decibels", "folded_dft", "hann_from_centre", "overlapping"]

Samples: TypeAlias = npt.NDArray[np.float32]


@keras.saving.register_keras_serializable("vad")
class LogMel(keras.layers.Layer):
    """log(mel power spectrogram + floor), causal, with operations every runtime has.

    Equals ``librosa.feature.melspectrogram(y, center=False, n_fft=win_length, ...)`` followed by the logarithm,
    with librosa's Slaney mel bands. Window i covers samples [i * hop_length, i * hop_length + win_length), so
    ``win_length - hop_length`` samples of history in front make it one window a hop.

    How the DFT of 400 points is done was measured in LiteRT on one thread (64 mels, 25/10 ms), times real time in
    blocks of 2 s and of one 20 ms frame, and the size of the constants::

        matrices, folded twice (this one)         6,600    2,040    219 KB
        matrices, folded once                     5,000    1,480    375 KB
        strided convolution                       2,270    1,140    692 KB

    On an earlier machine, the RFFT operation of 512 points was slower than matrices. Bins that no mel band uses (0 Hz
    and the Nyquist frequency) are left out.

    Args:
        sample_rate: Hz.
        win_length: Samples of the periodic Hann window; also the number of points of the DFT. A multiple of 4.
        hop_length: Samples between windows.
        n_mels: Mel bands.
        fmin: Lowest frequency of the bands, Hz.
        fmax: Highest, Hz.
        floor: Added to the power before the logarithm: the faintest sound, after gain control, that differs from
            silence. At 3e-7 sound under -85 dBFS sinks in it. It also hides the rounding of float32 under a loud tone.
    """

    def __init__(
        self,
        sample_rate: int = 16_000,
        win_length: int = 400,
        hop_length: int = 160,
        n_mels: int = 64,
        fmin: float = 0.0,
        fmax: float = 8_000.0,
        floor: float = 3e-7,
        **kwargs: Any,
    ):
        super().__init__(**FULL_PRECISION | kwargs)
        self.sample_rate, self.win_length, self.hop_length = sample_rate, win_length, hop_length
        self.n_mels, self.fmin, self.fmax, self.floor = n_mels, fmin, fmax, floor
        mel = librosa.filters.mel(sr=sample_rate, n_fft=win_length, n_mels=n_mels, fmin=fmin, fmax=fmax)
        used = np.flatnonzero(mel.any(axis=0))
        self._window = hann_from_centre(win_length)
        self._even, self._odd = (
            (*folded_dft(win_length, bins), np.ascontiguousarray(mel[:, bins].T, np.float32))
            for bins in (used[used % 2 == 0], used[used % 2 == 1])
        )

    @property
    def window(self) -> tuple[float, int]:
        """Length and step, samples."""
        return self.win_length, self.hop_length

    @property
    def macs(self) -> int:
        """Multiply-adds a window."""
        return sum(matrix.size for matrix in (*self._even, *self._odd))

    def call(self, inputs: Any) -> Any:
        """Maps [shape=(batch, win_length + (frames - 1) * hop_length)] to [shape=(batch, frames, n_mels)]."""
        frames = overlapping(inputs, self.win_length, self.hop_length)
        half = self.win_length // 2
        before, after = ops.flip(frames[..., 1 : half + 1], axis=-1), frames[..., half:]
        even_cosines, odd_cosines = _folded((after + before) * self._window)
        odd_sines, even_sines = _folded((after - before) * self._window)
        centre = frames[..., half : half + 1]
        power = self.floor
        for cosines, sines, (cosine_matrix, sine_matrix, mel) in (
            (even_cosines, even_sines, self._even),
            (odd_cosines, odd_sines, self._odd),
        ):
            real = ops.matmul(cosines, cosine_matrix) + centre
            imaginary = ops.matmul(sines, sine_matrix)
            power += ops.matmul(ops.square(real) + ops.square(imaginary), mel)
        return ops.log(power)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """One step a hop."""
        n = input_shape[1]
        return (
            input_shape[0],
            None if n is None else (n - self.win_length) // self.hop_length + 1,
            self.n_mels,
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that rebuild the layer."""
        names = ("sample_rate", "win_length", "hop_length", "n_mels", "fmin", "fmax", "floor")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def overlapping(samples: Any, length: int, step: int) -> Any:
    """Cuts into overlapping windows by slices of rows of one step: LiteRT is slow at gathers and slices with strides.

    From [shape=(batch, samples)], at least one window, to [shape=(batch, windows, length)].
    """
    whole, rest = divmod(length, step)
    windows = (ops.shape(samples)[1] - length) // step + 1
    n_rows = windows + whole - 1
    rows = ops.reshape(samples[:, : n_rows * step], (-1, n_rows, step))
    parts = [rows[:, i : windows + i] for i in range(whole)]
    if rest:
        start = length - step
        ends = ops.reshape(samples[:, start : start + windows * step], (-1, windows, step))
        parts.append(ends[..., step - rest :])
    return ops.concatenate(parts, axis=-1)


def hann_from_centre(win_length: int) -> Samples:
    """The first half of a periodic Hann window (librosa's), from its centre on [shape=(win_length // 2,)].

    The window is symmetrical about sample ``win_length // 2`` and zero at sample 0.
    """
    phase = 2 * np.pi * np.arange(win_length // 2) / win_length
    return (0.5 + 0.5 * np.cos(phase)).astype(np.float32)


def folded_dft(win_length: int, bins: npt.NDArray[np.intp]) -> tuple[Samples, Samples]:
    """The DFT as two matrices over a quarter of a window: a quarter of the multiplications and constants.

    With phases counted from the centre of the window, cosines see only the sum of the samples k after and k before it,
    and sines only their difference. So do the samples k and ``win_length // 2 - k`` after it in an even bin: cosines
    see only their sum, and sines their difference. In an odd bin it is the other way round. Power does not depend on
    where phase starts. The sample at the centre, whose cosine is 1, is not in the matrices.

    Args:
        win_length: Samples of the window and points of the DFT, a multiple of 4.
        bins: Which bins to compute, all even or all odd.

    Returns:
        Cosines and sines, each [shape=(win_length // 4, len(bins))]. Row k - 1 belongs to the samples k from the centre
        and from the ends. The last row pairs a sample with itself, and is halved.
    """
    distance = np.arange(1, win_length // 4 + 1)
    phase = 2 * np.pi * np.outer(distance, bins) / win_length
    cosines, sines = np.cos(phase), np.sin(phase)
    cosines[-1] /= 2
    sines[-1] /= 2
    return cosines.astype(np.float32), sines.astype(np.float32)


def _folded(half: Any) -> tuple[Any, Any]:
    """Sums and differences of the samples k and ``length - k`` [shape=(batch, frames, length)], for k from 1."""
    quarter = half.shape[-1] // 2
    near, far = half[..., 1 : quarter + 1], ops.flip(half[..., quarter:], axis=-1)
    return near + far, near - far


def decibels(normalization: keras.layers.Normalization) -> keras.Sequential:
    """The inverse of the front end's normalisation, scaled to decibels of mel power.

    Args:
        normalization: The adapted layer of a trained network.

    Returns:
        A model from normalised features to dB, shape kept.
    """
    mean, variance = (
        ops.convert_to_numpy(x).reshape(-1) for x in (normalization.mean, normalization.variance)
    )
    invert = keras.layers.Normalization(axis=-1, mean=mean, variance=variance, invert=True)
    return keras.Sequential([invert, keras.layers.Rescaling(10 / log(10))])


@keras.saving.register_keras_serializable("vad")
class GaborFilters(keras.initializers.Initializer):
    """First values of a learned filter bank: cosine and sine pairs at mel-spaced frequencies.

    Zeghidour et al., "Learning filterbanks from raw speech for phone recognition" (2018), start the same way. Filter
    2i is a cosine, 2i + 1 the sine of the same band, each under a Gaussian as wide in frequency as its mel band.

    Args:
        sample_rate: Hz.
    """

    def __init__(self, sample_rate: int = 16_000):
        self.sample_rate = sample_rate

    def __call__(self, shape: tuple[int, int, int], dtype: Any = None) -> Any:
        """The kernel [shape=(taps, 1, 2 * bands)]."""
        taps, _, filters = shape
        edges = librosa.mel_frequencies(filters // 2 + 2, fmin=0.0, fmax=self.sample_rate / 2)
        centre, width = edges[1:-1], (edges[2:] - edges[:-2]) / 2
        time = (np.arange(taps) - taps / 2)[:, None] / self.sample_rate
        envelope = np.exp(-0.5 * (np.pi * width * time) ** 2) * np.hanning(taps + 1)[:-1, None]
        envelope /= np.sqrt(np.square(envelope).sum(axis=0))
        pairs = np.stack(
            [envelope * np.cos(2 * np.pi * centre * time), envelope * np.sin(2 * np.pi * centre * time)], -1
        )
        return ops.convert_to_tensor(pairs.reshape(taps, 1, filters), dtype or "float32")

    def get_config(self) -> dict[str, Any]:
        """The arguments that rebuild the initializer."""
        return {"sample_rate": self.sample_rate}


@keras.saving.register_keras_serializable("vad")
class LogPower(keras.layers.Layer):
    """log(a² + b² + floor) of neighbouring channels a, b: the energy of a quadrature pair.

    Args:
        floor: Added to the power before the logarithm; with `GaborFilters` 3e-8 hides what 3e-7 hides in `LogMel`.
    """

    def __init__(self, floor: float = 3e-8, **kwargs: Any):
        super().__init__(**FULL_PRECISION | kwargs)
        self.floor = floor

    def call(self, inputs: Any) -> Any:
        """Maps [shape=(batch, steps, 2 * bands)] to [shape=(batch, steps, bands)]."""
        square = ops.square(inputs)
        return ops.log(square[..., 0::2] + square[..., 1::2] + self.floor)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Half the channels."""
        return (*input_shape[:-1], input_shape[-1] // 2)  # type: ignore[operator]

    def get_config(self) -> dict[str, Any]:
        """The arguments that rebuild the layer."""
        return {**super().get_config(), "floor": self.floor}
