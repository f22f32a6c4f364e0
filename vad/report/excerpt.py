"""A stretch of a recording, small enough for a page whatever its length: peaks, log-mel, compressed audio.

Columns are as fine as can be seen, and coarser where a recording is so long that there would be too many. So
pictures of eight hours are no larger than those of one; the audio grows by 13 MB an hour.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import soundfile
from numpy.typing import NDArray

from vad.report.logmel import LogMel, LogMelColumns

__all__ = ["Excerpt", "Waveform", "take_excerpt"]

Samples = NDArray[np.float32]

_WAVEFORM_BIN_S = 0.001
_MAX_WAVEFORM_BINS = 1_000_000  # 2 bytes each
_MAX_MEL_COLUMNS = 100_000  # 64 bytes each

# Vorbis: every browser plays it and finds any place in it, and it is written 600 x real time on a slow core (Opus,
# which is no smaller at these rates, 45 x). The highest compression that libsndfile takes at every rate: 28 kbit/s.
_COMPRESSION = 0.9


@dataclass(frozen=True)
class Waveform:
    """The least and the greatest sample of every bin.

    Attributes:
        low: [shape=(bins,)]
        high: [shape=(bins,)]
        bin_duration: Seconds.
    """

    low: Samples
    high: Samples
    bin_duration: float


@dataclass(frozen=True)
class Excerpt:
    """What is to be seen and heard of a stretch.

    Attributes:
        start: Where it begins in the recording, seconds.
        duration: Seconds.
        waveform: Its peaks.
        logmel: Its log-mel spectrogram.
        sound: Ogg Vorbis, mono; empty where it was not asked for.
    """

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
    """Hear a stretch once, block by block.

    Args:
        blocks: Mono samples in [-1, 1], the first at `start` [shape=(samples,)].
        sample_rate: Hz.
        duration: Seconds to expect; the columns are as wide as they must be for it.
        start: Where the stretch begins in its recording, seconds.
        with_sound: Compress the audio as well.

    Returns:
        The excerpt, as long as what the blocks held.
    """
    samples_expected = max(1, round(duration * sample_rate))
    peaks = _Peaks(samples_expected, sample_rate, _MAX_WAVEFORM_BINS)
    logmel = LogMelColumns(sample_rate, samples_expected, _MAX_MEL_COLUMNS)
    sound = _Sound(sample_rate) if with_sound else None
    heard = 0
    for block in blocks:
        heard += len(block)
        peaks.feed(block)
        logmel.feed(block)
        if sound is not None:
            sound.feed(block)
    return Excerpt(
        start,
        heard / sample_rate,
        peaks.finish(),
        logmel.finish(),
        b"" if sound is None else sound.finish(),
    )


class _Peaks:
    """Bins of samples to their extremes."""

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
    """Samples to Ogg Vorbis."""

    def __init__(self, sample_rate: int):
        self._piece = sample_rate  # libsndfile encodes a call on the stack: a second is little
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
