"""Save the speech of a recording: the original samples, at their own rate and depth.

With the channel "mix" a file has all channels of the recording.
"""

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path

from vad.audio.decoding import Decoder, Source, decoded_blocks, open_decoder
from vad.audio.raw_format import RawFormat
from vad.audio.reading import OnPosition
from vad.audio.samples import Channel, Samples
from vad.audio.writing import write_audio
from vad.detection.segments import Segment
from vad.errors import AudioError

__all__ = ["cut", "save_segments", "save_speech", "spans_of"]


def save_segments(
    source: Source,
    segments: Sequence[Segment],
    paths: Sequence[Path],
    *,
    channel: Channel = "mix",
    raw: RawFormat | None = None,
    on_position: OnPosition | None = None,
) -> None:
    """Write each segment to its own file.

    Args:
        source: The recording.
        segments: In order.
        paths: Of the files; the suffixes choose the formats.
        channel: Index of the channel to keep; "mix" keeps all.
        raw: Format of samples without a header.
        on_position: Called with the position.

    Raises:
        AudioError: The recording cannot be opened. Damage later in it only ends the work.
        ConfigError: A file cannot be written.
    """
    with open_decoder(source, raw=raw) as decoder:
        for index, pieces in itertools.groupby(_cut(decoder, segments, on_position), itemgetter(0)):
            blocks = (block for _, block in pieces)
            _write(paths[index], blocks, decoder, channel, segments[index].duration)


def save_speech(
    source: Source,
    segments: Sequence[Segment],
    path: Path,
    *,
    channel: Channel = "mix",
    raw: RawFormat | None = None,
    on_position: OnPosition | None = None,
) -> None:
    """Write all segments to one file, one after the other; see `save_segments`."""
    with open_decoder(source, raw=raw) as decoder:
        blocks = (block for _, block in _cut(decoder, segments, on_position))
        _write(path, blocks, decoder, channel, sum(segment.duration for segment in segments))


def spans_of(segments: Sequence[Segment], sample_rate: float) -> list[tuple[int, int]]:
    """Give the first sample of each segment, and the one after its last."""
    return [(round(segment.start * sample_rate), round(segment.end * sample_rate)) for segment in segments]


def cut(
    decoder: Decoder, spans: Sequence[tuple[int, int]], on_position: OnPosition | None = None
) -> Iterator[tuple[int, Samples]]:
    """Give the samples of the spans in pieces, each with the index of its span.

    Args:
        decoder: The recording.
        spans: In samples; they are in order and do not overlap. More may be added while the pieces are taken.
        on_position: Called with the position.

    Raises:
        AudioError: The recording is damaged. All samples before the damage were given.
    """
    index = 0
    position = 0
    for block in decoded_blocks(decoder, 1.0):
        after = position + len(block)
        while index < len(spans) and spans[index][0] < after:
            start, stop = spans[index]
            yield index, block[max(0, start - position) : stop - position]
            if stop > after:
                break
            index += 1
        position = after
        if on_position is not None:
            rate = decoder.sample_rate
            on_position(position / rate, None if decoder.frames is None else decoder.frames / rate)


def _cut(
    decoder: Decoder, segments: Sequence[Segment], on_position: OnPosition | None
) -> Iterator[tuple[int, Samples]]:
    with contextlib.suppress(AudioError):  # detection has reported it
        yield from cut(decoder, spans_of(segments, decoder.sample_rate), on_position)


def _write(
    path: Path, blocks: Iterable[Samples], decoder: Decoder, channel: Channel, duration: float
) -> None:
    """Write a file with the rate, the channels and the sample format of the recording."""
    if channel == "mix":
        write_audio(path, blocks, decoder.sample_rate, decoder.channels, decoder.subtype, duration)
    else:
        chosen = (block[:, channel : channel + 1] for block in blocks)
        write_audio(path, chosen, decoder.sample_rate, 1, decoder.subtype, duration)
