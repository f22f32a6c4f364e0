"""`vad detect --play`: plays each segment after its line."""

import contextlib
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from vad.audio.decoding import Decoder, open_decoder
from vad.audio.playback import Player
from vad.audio.raw_format import RawFormat
from vad.audio.samples import Samples
from vad.commands.detecting.analysis import Result
from vad.commands.detecting.results import Results
from vad.detection.cutting import cut, spans_of
from vad.detection.segments import Segment
from vad.errors import AudioError

__all__ = ["SegmentPlayer"]


class SegmentPlayer:
    """Writes the segments of results, and plays each.

    Args:
        results: Where the segments are written.
        channel: "mix" plays all channels, "each" each by itself, an index that one.
        raw: The format of raw samples; None for recordings with a header.

    Raises:
        DeviceError: No device can play.
    """

    def __init__(self, results: Results, channel: str | int, raw: RawFormat | None):
        self._player = Player()
        self._results = results
        self._channel = channel
        self._raw = raw

    def play(self, result: Result) -> None:
        """Play all segments of a result.

        Raises:
            DeviceError: The device is in use, or gone.
        """
        for suffix, segments in result.channels.items():
            chosen = suffix.removeprefix(".ch") or self._channel
            with (
                contextlib.suppress(AudioError),  # detection has reported it
                open_decoder(result.recording.source, raw=self._raw) as decoder,
            ):
                for segment, blocks in _by_segment(decoder, segments):
                    self._results.write_segment(result.recording, suffix, segment)
                    if chosen == "mix":
                        self._player.play(blocks, decoder.sample_rate, decoder.channels)
                    else:
                        index = int(chosen)
                        one = (block[:, index : index + 1] for block in blocks)
                        self._player.play(one, decoder.sample_rate, 1)


def _by_segment(decoder: Decoder, segments: list[Segment]) -> Iterator[tuple[Segment, Iterator[Samples]]]:
    pieces = cut(decoder, spans_of(segments, decoder.sample_rate))
    for index, parts in groupby(pieces, itemgetter(0)):
        yield segments[index], (block for _, block in parts)
