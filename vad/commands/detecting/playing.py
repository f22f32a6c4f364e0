"""`vad detect --play`: plays each segment after its line, as soon as it is detected."""

import contextlib
from collections import Counter
from collections.abc import Iterator

from vad.audio.decoding import Source, open_decoder
from vad.audio.playback import Player
from vad.audio.raw_format import RawFormat
from vad.audio.samples import Samples
from vad.commands.detecting.analysis import Result
from vad.commands.detecting.recordings import AudioInput
from vad.commands.detecting.results import Results
from vad.detection.cutting import cut, spans_of
from vad.detection.segments import Segment
from vad.errors import AudioError

__all__ = ["SegmentPlayer"]


class SegmentPlayer:
    """Writes segments, and plays each, while the recording is analysed.

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
        self._reader: _Reader | None = None
        self._played: Counter[str] = Counter()  # segments of the present recording, by suffix

    def play_segment(self, recording: AudioInput, suffix: str, segment: Segment) -> None:
        """Play the next segment of a channel. Those of a pipe wait for `play`: nobody else may read it before.

        Raises:
            DeviceError: The device is in use, or gone.
        """
        if isinstance(recording.source, str):
            self._play(recording, suffix, segment)

    def play(self, result: Result) -> None:
        """Play the segments of a result that were not played.

        Raises:
            DeviceError: The device is in use, or gone.
        """
        for suffix, segments in result.channels.items():
            for segment in segments[self._played[suffix] :]:
                self._play(result.recording, suffix, segment)
        self.close()

    def close(self) -> None:
        """Close the recording."""
        if self._reader is not None:
            self._reader.close()
        self._reader = None
        self._played.clear()

    def _play(self, recording: AudioInput, suffix: str, segment: Segment) -> None:
        self._results.write_segment(recording, suffix, segment)
        if not self._played[suffix]:  # another channel is read from the beginning again
            if self._reader is not None:
                self._reader.close()
            self._reader = _Reader(recording.source, self._raw)
        self._played[suffix] += 1
        reader = self._reader
        assert reader is not None
        blocks = reader.blocks(segment)
        chosen = suffix.removeprefix(".ch") or self._channel
        if chosen == "mix":
            self._player.play(blocks, reader.sample_rate, reader.channels)
        else:
            index = int(chosen)
            self._player.play((block[:, index : index + 1] for block in blocks), reader.sample_rate, 1)


class _Reader:
    """Reads a recording segment by segment."""

    def __init__(self, source: Source, raw: RawFormat | None):
        with contextlib.ExitStack() as stack:
            decoder = stack.enter_context(open_decoder(source, raw=raw))
            self.close = stack.pop_all().close
        self.sample_rate = decoder.sample_rate
        self.channels = decoder.channels
        self._spans: list[tuple[int, int]] = []
        self._pieces = cut(decoder, self._spans)

    def blocks(self, segment: Segment) -> Iterator[Samples]:
        """Give the samples of the next segment, up to any damage."""
        self._spans += spans_of([segment], self.sample_rate)
        start, stop = self._spans[-1]
        missing = stop - start
        with contextlib.suppress(AudioError):  # detection reports it
            while missing > 0 and (piece := next(self._pieces, None)) is not None:
                missing -= len(piece[1])
                yield piece[1]
