"""Audio as silero-vad's programs have it: torch tensors in, torch tensors out. torch is never imported."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vad.audio.reading import read_audio as _read_audio
from vad.audio.samples import as_array, as_float32, sample_rate_problem
from vad.audio.writing import WRITTEN_SUFFIXES, write_audio
from vad.errors import AudioError, ConfigError, require, shown

__all__ = [
    "check_rate",
    "collect_chunks",
    "drop_chunks",
    "mono",
    "number",
    "read_audio",
    "rows",
    "save_audio",
    "tensor",
]

_LEAST_S = 0.032  # as in Silero


def read_audio(path: str | os.PathLike[str], sampling_rate: int = 16000) -> Any:
    """Read a recording as the mean of its channels.

    Returns:
        A tensor if the program has imported torch, else an array. [shape=(samples,)]

    Raises:
        AudioError: The recording cannot be read.
    """
    return tensor(_read_audio(path, sample_rate=sampling_rate))


def save_audio(path: str | os.PathLike[str], tensor: npt.ArrayLike, sampling_rate: int = 16000) -> None:
    """Write samples with 16 bits, in the format that the suffix names. [shape=(samples,) or (channels, samples)].

    Raises:
        AudioError: `tensor` is not audio.
        ConfigError: The suffix names no format, or the file cannot be written.
    """
    samples = as_float32(np.atleast_2d(as_array(tensor))).T
    suffixes = ", ".join(WRITTEN_SUFFIXES)
    require(
        Path(path).suffix.lower() in WRITTEN_SUFFIXES, f"path must end in one of {suffixes}", path=str(path)
    )
    check_rate(sampling_rate)
    duration = len(samples) / sampling_rate
    write_audio(Path(path), [samples], sampling_rate, samples.shape[1], "PCM_16", duration)


def collect_chunks(
    tss: Sequence[Mapping[str, float]], wav: Any, seconds: bool = False, sampling_rate: int | None = None
) -> Any:
    """Join parts of a recording, given by `start` and `end` in samples, or in seconds with `seconds=True`.

    `wav` is one channel, an array or a tensor [shape=(samples,)], and so is the result.

    Raises:
        AudioError: `wav` is no array. It is a TypeError too, which silero-vad raises.
        ConfigError: `seconds` without `sampling_rate`.
    """
    places = [np.arange(_length(wav))[start:end] for start, end in _bounds(tss, seconds, sampling_rate)]
    return wav[np.concatenate([np.zeros(0, np.intp), *places])]


def drop_chunks(
    tss: Sequence[Mapping[str, float]], wav: Any, seconds: bool = False, sampling_rate: int | None = None
) -> Any:
    """Join the rest of a recording without these parts; the arguments are those of `collect_chunks`."""
    kept = np.ones(_length(wav), bool)
    for start, end in _bounds(tss, seconds, sampling_rate):
        kept[start:end] = False
    return wav[np.flatnonzero(kept)]


class _NoArrayError(AudioError, TypeError):
    """What is no array, for programs that expect silero-vad's TypeError."""


def _length(wav: Any) -> int:
    try:
        if hasattr(wav, "__array__") or hasattr(wav, "detach"):
            return len(wav)
    except TypeError:  # an array of no axis
        pass
    raise _NoArrayError(f"wav must be an array or a tensor of samples. Received: {shown(wav)}.")


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


def check_rate(sampling_rate: float) -> None:
    """Raise an AudioError for a sample rate that is out of range."""
    problem = sample_rate_problem(sampling_rate)
    if problem is not None:
        raise AudioError(problem)


def mono(audio: Any) -> npt.NDArray[Any]:
    """One channel, from an array, a list or a tensor, without axes of length 1. [shape=(samples,)]."""
    values = as_array(audio)
    samples = np.atleast_1d(values.squeeze())
    if samples.ndim != 1:
        raise AudioError(f"audio must have one channel. Received: shape={values.shape}.")
    return samples


def number(probability: Any) -> float:
    """A probability that a model gives, as a number: of a tensor, an array or a number."""
    return float(probability.item() if hasattr(probability, "item") else probability)


def rows(audio: Any, sampling_rate: float) -> npt.NDArray[Any]:
    """A batch of recordings, or one, as a batch. [shape=(batch, samples)]."""
    values = np.atleast_2d(as_array(audio))
    if values.ndim != 2:
        raise AudioError(
            f"audio must have the shape (samples,) or (batch, samples). Received: {values.shape}."
        )
    if (
        len(values) > 1 and values.shape[1] < _LEAST_S * sampling_rate
    ):  # more likely the channels of a recording
        raise AudioError(
            f"the recordings of a batch must last {_LEAST_S} s. Received: shape={values.shape}. "
            "Transpose (samples, batch), or mix the channels of one recording."
        )
    return values


def tensor(values: npt.NDArray[Any], like: Any = None) -> Any:
    """An array as a tensor: on the device of `like` if that is one; without `like`, if the program has torch."""
    if like is not None:
        return like.new_tensor(values) if hasattr(like, "new_tensor") else values
    torch = sys.modules.get("torch")
    return values if torch is None else torch.from_numpy(values)
