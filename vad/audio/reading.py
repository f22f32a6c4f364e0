"""Recordings as blocks of mono float32 at the model's rate.

    path or stream ─► decoder, at the recording's rate ─► validation, choice of channel ─► soxr ─► blocks

One block at a time is in memory. The block length does not change the samples.
"""

import contextlib
from collections.abc import Callable, Generator, Iterator
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np

from vad.audio.decoding import Source, decoded_blocks, open_decoder
from vad.audio.raw_format import RawFormat
from vad.audio.resampling import Resampler
from vad.audio.samples import (
    Channel,
    MonoInput,
    Samples,
    check_channel,
    sample_rate_problem,
    samples_before_fault,
)
from vad.errors import AudioError

__all__ = ["AudioBlocks", "OnPosition", "open_audio", "read_audio", "watched"]

OnPosition: TypeAlias = Callable[[float, float | None], object]
"""Takes the seconds of a recording that were processed, and all seconds if they are known."""


def open_audio(
    source: Source,
    *,
    sample_rate: int = 16000,
    channel: Channel = "mix",
    block_duration: float = 1.0,
    raw: RawFormat | None = None,
    name: str | None = None,
) -> "AudioBlocks":
    """Open a recording as mono blocks at one sample rate.

    Args:
        source: A path or a binary stream. A stream that cannot seek is read to its end first.
        sample_rate: Rate of the blocks, in Hz.
        channel: "mix" for the mean of all channels, or the index of one, from 0.
        block_duration: Seconds of each block but the last one, which may be shorter.
        raw: The format of samples without a header.
        name: The recording's name in messages. None uses the path.

    Returns:
        An iterator over blocks [shape=(samples,)]. Use it in a `with` statement, or read it to its end.

    Raises:
        AudioError: It cannot be opened. Reading raises it for a missing channel, no samples, invalid samples or
            damage, after all blocks before that.
        ConfigError: `channel` is neither "mix" nor an index.
        MissingDependencyError: The format needs PyAV.
    """
    return AudioBlocks(source, sample_rate, channel, block_duration, raw, name)


def watched(audio: "AudioBlocks", on_position: OnPosition) -> Iterator[Samples]:
    """Yield the blocks of a recording, and tell after each how far it is."""
    for block in audio:
        yield block
        on_position(audio.samples / audio.sample_rate, audio.duration)


def read_audio(
    source: Source, *, sample_rate: int = 16000, channel: Channel = "mix", raw: RawFormat | None = None
) -> Samples:
    """Read a whole recording as mono float32 at one sample rate. [shape=(samples,)].

    The arguments and errors are those of `open_audio`. A damaged recording raises, and no samples are returned.
    """
    with open_audio(source, sample_rate=sample_rate, channel=channel, raw=raw) as blocks:
        return np.concatenate(list(blocks))


class AudioBlocks:
    """The blocks of a recording, in order, once. `open_audio` makes it.

    Attributes:
        name: The recording's name in messages.
        sample_rate: Rate of the blocks, in Hz.
        source_sample_rate: Rate of the recording, in Hz.
        channels: Channels of the recording.
        samples: Number of samples in the blocks so far.
        duration: Seconds. At first as the header states, or None; after the last block, what was decoded.
    """

    def __init__(
        self,
        source: Source,
        sample_rate: int,
        channel: Channel,
        block_duration: float,
        raw: RawFormat | None,
        name: str | None,
    ):
        check_channel(channel)
        problem = sample_rate_problem(sample_rate)
        if problem is not None:
            raise AudioError(problem)
        self._resources = contextlib.ExitStack()
        decoder = self._resources.enter_context(open_decoder(source, name=name, raw=raw))
        self.name = decoder.name
        self.sample_rate = sample_rate
        self.source_sample_rate = decoder.sample_rate
        self.channels = decoder.channels
        self.samples = 0
        self.duration = None if decoder.frames is None else decoder.frames / decoder.sample_rate
        self._input = MonoInput(decoder.sample_rate, channel, channels=decoder.channels, name=decoder.name)
        decoded = decoded_blocks(decoder, block_duration)
        self._blocks = self._even(self._resampled(decoded), max(1, round(block_duration * sample_rate)))

    def __iter__(self) -> Iterator[Samples]:
        """Iterate over the blocks, once."""
        return self._blocks

    def __enter__(self) -> Self:
        """Return the object itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file. No more blocks follow."""
        self._blocks.close()
        self._resources.close()

    def _even(self, pieces: Iterator[Samples], block_length: int) -> Generator[Samples, None, None]:
        """Join and cut pieces into blocks of one length. The last one, also before an error, may be shorter."""
        rest = np.zeros(0, np.float32)
        damage: AudioError | None = None
        with self._resources:
            try:
                for piece in pieces:
                    joined = np.concatenate([rest, piece]) if len(rest) else piece
                    whole = len(joined) - len(joined) % block_length
                    for start in range(0, whole, block_length):
                        self.samples += block_length
                        yield joined[start : start + block_length]
                    rest = joined[whole:]
            except AudioError as error:
                damage = error
            if len(rest):
                self.samples += len(rest)
                yield rest
            if damage is not None:
                raise damage

    def _resampled(self, decoded: Iterator[Samples]) -> Iterator[Samples]:
        """Validate, mix and resample. Everything before damage is given, up to the last sample."""
        resampler = Resampler(self.source_sample_rate, self.sample_rate)
        samples = 0
        damage: AudioError | None = None
        try:
            for block in decoded:
                for mono in self._mono(block):
                    samples += len(mono)
                    yield resampler.feed(mono)
        except AudioError as error:
            damage = error
        yield resampler.finish()
        self.duration = samples / self.source_sample_rate
        if damage is not None:
            raise damage
        if samples == 0:
            raise AudioError(f"{self.name}: the file has a header and no samples. Record it again.")

    def _mono(self, block: Samples) -> Iterator[Samples]:
        """Give the mono samples of a block, up to the first invalid one."""
        try:
            yield self._input.feed(block)
        except AudioError as error:
            before = samples_before_fault(block)
            if 0 < before < len(block):
                yield self._input.feed(block[:before])
            raise AudioError(f"{self.name}: {error}") from error
