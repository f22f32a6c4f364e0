"""Anything that can be heard, as blocks of mono float32 at the model's rate.

    path or stream ─► decoder, at its own rate ─► validate, choose channel ─► soxr ─► mono float32 blocks

Memory is one block, whatever the length. soxr's stream gives the same samples however they are cut, so that
a file read in blocks and a file resampled whole are equal to the last bit.
"""

import contextlib
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt

from vad.audio.decoding import RawFormat, Source, open_decoder
from vad.audio.resampling import Resampler
from vad.audio.samples import (
    Channel,
    MonoInput,
    check_channel,
    sample_rate_problem,
    samples_before_fault,
    validate_samples,
)
from vad.errors import AudioError

__all__ = [
    "AudioBlocks",
    "Channel",
    "RawFormat",
    "Resampler",
    "Source",
    "open_audio",
    "read_audio",
    "validate_samples",
]

Samples: TypeAlias = npt.NDArray[np.float32]


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
        source: A path, or a binary stream (a pipe is copied to a temporary file first).
        sample_rate: The rate of the blocks, in Hz.
        channel: "mix" for the mean of all channels, or the index of one, counted from 0.
        block_duration: Seconds of a block; only the last one is shorter.
        raw: How the samples lie, where the stream has no header.
        name: What messages call it; None takes the path.

    Returns:
        An iterator over blocks [shape=(samples,)]; use it in a `with` statement, or read it to its end.

    Raises:
        AudioError: It cannot be read. No such channel, no samples, samples that are no audio, and damage are
            raised while iterating, after all that could be read.
        ConfigError: `channel` is neither "mix" nor an index.
        MissingDependencyError: A container needs PyAV.
    """
    return AudioBlocks(source, sample_rate, channel, block_duration, raw, name)


def read_audio(
    source: Source, *, sample_rate: int = 16000, channel: Channel = "mix", raw: RawFormat | None = None
) -> Samples:
    """Read a whole recording: mono float32 at one sample rate [shape=(samples,)].

    Args and errors are those of `open_audio`; a damaged recording is an error as a whole.
    """
    with open_audio(source, sample_rate=sample_rate, channel=channel, raw=raw) as blocks:
        return np.concatenate(list(blocks))


class AudioBlocks:
    """A recording as mono float32 blocks, in order, once. Made by `open_audio`.

    Attributes:
        name: What messages call it.
        sample_rate: Of the blocks, in Hz.
        source_sample_rate: Of the recording, in Hz.
        channels: Of the recording.
        duration: Seconds: what the header promises (None where it does not), and in the end what there was.
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
        self.duration = None if decoder.frames is None else decoder.frames / decoder.sample_rate
        self._input = MonoInput(decoder.sample_rate, channel, channels=decoder.channels, name=decoder.name)
        decoded = decoder.blocks(max(1, round(block_duration * decoder.sample_rate)))
        self._blocks = self._even(self._read(decoded), max(1, round(block_duration * sample_rate)))

    def __iter__(self) -> Iterator[Samples]:
        """Give the blocks, once."""
        return self._blocks

    def __enter__(self) -> Self:
        """Leave the file to the `with` statement."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the file."""
        self.close()

    def close(self) -> None:
        """Let go of the file; there are no more blocks."""
        self._blocks.close()
        self._resources.close()

    def _even(self, pieces: Iterator[Samples], block_length: int) -> Generator[Samples, None, None]:
        """Join and cut what comes to blocks of one length; what is left before an error is a block too."""
        rest = np.zeros(0, np.float32)
        damage: AudioError | None = None
        with self._resources:
            try:
                for piece in pieces:
                    joined = np.concatenate([rest, piece]) if len(rest) else piece
                    whole = len(joined) - len(joined) % block_length
                    for start in range(0, whole, block_length):
                        yield joined[start : start + block_length]
                    rest = joined[whole:]
            except AudioError as error:
                damage = error
            if len(rest):
                yield rest
            if damage is not None:
                raise damage

    def _read(self, decoded: Iterator[Samples]) -> Iterator[Samples]:
        """Validate and resample what was decoded; what came before damage is heard to its last sample."""
        resampler = Resampler(self.source_sample_rate, self.sample_rate)
        heard = 0
        damage: AudioError | None = None
        try:
            for block in decoded:
                for mono in self._mono(block):
                    heard += len(mono)
                    yield resampler.feed(mono)
        except AudioError as error:
            damage = error
        yield resampler.finish()
        self.duration = heard / self.source_sample_rate
        if damage is not None:
            raise damage
        if heard == 0:
            raise AudioError(f"{self.name}: the file has a header and no samples. Record it again.")

    def _mono(self, block: Samples) -> Iterator[Samples]:
        """Give the samples of a block, up to the first that is none."""
        try:
            yield self._input.feed(block)
        except AudioError as error:
            before = samples_before_fault(block)
            if 0 < before < len(block):
                yield self._input.feed(block[:before])
            raise AudioError(f"{self.name}: {error}") from error
