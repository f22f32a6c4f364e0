"""Save the speech of a recording as WAV: the original samples, at their own rate and depth.

With the channel "mix" a file has all channels of the recording.
"""

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from vad.audio.decoding import Decoder, open_decoder
from vad.audio.raw_format import RawFormat
from vad.audio.samples import Channel
from vad.detection.segments import Segment
from vad.errors import AudioError
from vad.files import writing

__all__ = ["as_stored", "save_segments", "save_speech"]

Block = npt.NDArray[np.float32]

# Bytes per sample. Other encodings (compressed, double) are written as PCM_16.
_DEPTHS = {"PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4}
_MAX_WAV_BYTES = 2**32 - 1_000


def save_segments(
    source: str,
    segments: Sequence[Segment],
    stem: Path,
    *,
    channel: Channel = "mix",
    raw: RawFormat | None = None,
) -> list[Path]:
    """Write each segment to its own file, with its number and its times in the name.

    Args:
        source: The recording.
        segments: In order.
        stem: Beginning of the names: `out/clip` gives `out/clip_0001_3.240-5.810.wav`.
        channel: Index of the channel to keep; "mix" keeps all.
        raw: Format of samples without a header.

    Returns:
        The paths, in order.

    Raises:
        AudioError: The recording cannot be opened. Damage later in it only ends the work.
        ConfigError: A file cannot be written.
    """
    paths = [
        stem.with_name(f"{stem.name}_{number:04d}_{segment.start:.3f}-{segment.end:.3f}.wav")
        for number, segment in enumerate(segments, 1)
    ]
    with open_decoder(source, raw=raw) as decoder:
        for index, pieces in itertools.groupby(_cut(decoder, segments), itemgetter(0)):
            blocks = (block for _, block in pieces)
            _write(paths[index], blocks, decoder, channel, segments[index].duration)
    return paths


def save_speech(
    source: str,
    segments: Sequence[Segment],
    path: Path,
    *,
    channel: Channel = "mix",
    raw: RawFormat | None = None,
) -> None:
    """Write all segments to one file, one after the other; see `save_segments`."""
    with open_decoder(source, raw=raw) as decoder:
        blocks = (block for _, block in _cut(decoder, segments))
        _write(path, blocks, decoder, channel, sum(segment.duration for segment in segments))


def _cut(decoder: Decoder, segments: Sequence[Segment]) -> Iterator[tuple[int, Block]]:
    """Give the samples of the segments in pieces, each with the index of its segment, up to any damage."""
    rate = decoder.sample_rate
    spans = [(round(segment.start * rate), round(segment.end * rate)) for segment in segments]
    index = 0
    position = 0
    with contextlib.suppress(AudioError):  # detection has reported it
        for block in decoder.blocks(rate):
            after = position + len(block)
            while index < len(spans) and spans[index][0] < after:
                start, stop = spans[index]
                yield index, block[max(0, start - position) : stop - position]
                if stop > after:
                    break
                index += 1
            position = after


def _write(path: Path, blocks: Iterable[Block], decoder: Decoder, channel: Channel, duration: float) -> None:
    """Write a WAV file of the decoder's format; `duration` decides whether it needs RF64."""
    subtype = decoder.subtype if decoder.subtype in _DEPTHS else "PCM_16"
    channels = decoder.channels if channel == "mix" else 1
    large = duration * decoder.sample_rate * channels * _DEPTHS[subtype] > _MAX_WAV_BYTES
    kind = "RF64" if large else "WAV"
    with writing(path) as temporary:
        open(temporary, "wb").close()  # its error gives the reason, libsndfile's does not
        try:
            with soundfile.SoundFile(
                temporary, "w", decoder.sample_rate, channels, subtype, format=kind
            ) as file:
                for block in blocks:
                    chosen = block if channel == "mix" else block[:, channel : channel + 1]
                    file.write(as_stored(chosen, subtype))
        except soundfile.LibsndfileError as error:
            reason = error.error_string.rstrip(".")
            raise OSError("the disk may be full" if reason == "System error" else reason) from error


def as_stored(samples: Block, subtype: str) -> Any:
    """Scale samples to the integers of a file. libsndfile would scale by one step less."""
    for bits, names, kind in (
        (15, ("PCM_U8", "PCM_16"), np.int16),
        (31, ("PCM_24", "PCM_32"), np.int32),
    ):
        if subtype in names:
            return np.clip(np.rint(samples * 2.0**bits), -(2**bits), 2**bits - 1).astype(kind)
    return samples
