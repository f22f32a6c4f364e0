"""A part of a recording, small enough for a page at any length: peaks, log-mel spectrogram, compressed audio.

The pictures get coarser with the length: those of eight hours are no larger than those of one. The audio grows by 13 MB
an hour.
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from vad.audio.reading import OnPosition, open_audio
from vad.report.logmel import LogMel, LogMelColumns

__all__ = ["Excerpt", "Samples", "Waveform", "blocks_between", "take_excerpt"]

Samples = NDArray[np.float32]

_WAVEFORM_BIN_S = 0.001
_MAX_WAVEFORM_BINS = 1_000_000  # 2 bytes each
_MAX_MEL_COLUMNS = 100_000  # 64 bytes each

# Vorbis plays and seeks in every browser, and encodes at 600 x real time on a slow core (Opus: 45 x, and no smaller at
# these rates). This is the highest compression that libsndfile takes at every rate: 28 kbit/s.
_COMPRESSION = 0.9


@dataclass(frozen=True)
class Waveform:
    """The least and the greatest sample of every bin [shape=(bins,)] of `bin_duration` seconds."""

    low: Samples
    high: Samples
    bin_duration: float


@dataclass(frozen=True)
class Excerpt:
    """A part of a recording, from `start` on, in seconds; `sound` is Ogg Vorbis, mono, or empty."""

    start: float
    duration: float
    waveform: Waveform
    logmel: LogMel
    sound: bytes


def take_excerpt(
    blocks: Iterable[Samples],
    sample_rate: int,
    duration: float,
    *,
    start: float = 0.0,
    with_sound: bool,
) -> Excerpt:
    """Make an excerpt of blocks, in one pass.

    Args:
        blocks: Mono samples in [-1, 1], the first at `start` [shape=(samples,)].
        sample_rate: Hz.
        duration: Expected seconds; they decide how coarse the pictures are.
        start: Seconds from the start of the recording.
        with_sound: Compress the audio as well.

    Returns:
        The excerpt, as long as the blocks.
    """
    samples_expected = max(1, round(duration * sample_rate))
    peaks = _Peaks(samples_expected, sample_rate, _MAX_WAVEFORM_BINS)
    logmel = LogMelColumns(sample_rate, samples_expected, _MAX_MEL_COLUMNS)
    sound = _Sound(sample_rate) if with_sound else None
    length = 0
    for block in blocks:
        length += len(block)
        peaks.feed(block)
        logmel.feed(block)
        if sound is not None:
            sound.feed(block)
    return Excerpt(
        start,
        length / sample_rate,
        peaks.finish(),
        logmel.finish(),
        b"" if sound is None else sound.finish(),
    )


def blocks_between(
    path: Path | str, start: float, end: float, sample_rate: int, on_position: OnPosition | None = None
) -> Iterator[Samples]:
    """Read a part of a recording, from `start` to `end` in seconds; nothing after it is decoded.

    Args:
        path: The recording.
        start: Of the part.
        end: Of the part.
        sample_rate: Of the samples, in Hz.
        on_position: Called with the position, on the way to `end`.

    Raises:
        AudioError: The recording cannot be read.
    """
    first, last = round(start * sample_rate), round(end * sample_rate)
    position = 0
    with contextlib.closing(open_audio(path, sample_rate=sample_rate)) as audio:
        for block in audio:
            yield block[max(0, first - position) : max(0, last - position)]
            position += len(block)
            if on_position is not None:
                on_position(position / sample_rate, end)
            if position >= last:
                break


class _Peaks:
    def __init__(self, samples: int, sample_rate: int, max_bins: int):
        self._length = max(round(_WAVEFORM_BIN_S * sample_rate), math.ceil(samples / max_bins))
        self._bin_duration = self._length / sample_rate
        self._rest: Samples = np.zeros(0, np.float32)
        self._extremes: list[tuple[Samples, Samples]] = []

    def feed(self, samples: Samples) -> None:
        joined = np.concatenate([self._rest, samples])
        whole = len(joined) - len(joined) % self._length
        bins = joined[:whole].reshape(-1, self._length)
        self._extremes.append((bins.min(axis=1), bins.max(axis=1)))
        self._rest = joined[whole:]

    def finish(self) -> Waveform:
        if len(self._rest):
            self._extremes.append((self._rest.min(keepdims=True), self._rest.max(keepdims=True)))
        lows, highs = zip(*self._extremes, strict=True) if self._extremes else ((), ())
        none: Samples = np.zeros(0, np.float32)
        return Waveform(np.concatenate([none, *lows]), np.concatenate([none, *highs]), self._bin_duration)


class _Sound:
    def __init__(self, sample_rate: int):
        self._piece = sample_rate  # libsndfile encodes each call on the stack: a second fits
        self._bytes = io.BytesIO()
        self._file = soundfile.SoundFile(
            self._bytes, "w", sample_rate, 1, "VORBIS", format="OGG", compression_level=_COMPRESSION
        )

    def feed(self, samples: Samples) -> None:
        for start in range(0, len(samples), self._piece):
            self._file.write(samples[start : start + self._piece])

    def finish(self) -> bytes:
        self._file.close()
        return self._bytes.getvalue()
