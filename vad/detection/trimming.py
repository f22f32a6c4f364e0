"""Trim a recording: remove the silence at its ends, and shorten the pauses between segments.

A pause loses its middle. Its two ends are joined by a crossfade, whose gains add up to 1, so it never clips.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path

import numpy as np

from vad.audio.decoding import Decoder, Source, open_decoder
from vad.audio.raw_format import RawFormat
from vad.audio.samples import Samples
from vad.audio.writing import check_suffix, write_audio
from vad.detection.cutting import cut, spans_of
from vad.detection.segments import Segment
from vad.errors import AudioError, ConfigError, require, require_number

__all__ = ["check_pauses", "trim_file"]

_FADE_S = 0.01
_LONGEST_PAUSE_S = 3600.0


def trim_file(
    source: Source,
    segments: Sequence[Segment],
    output: str | os.PathLike[str],
    *,
    max_pause: float | None = None,
    pause: float | None = None,
    raw: RawFormat | None = None,
) -> None:
    """Write a recording without the silence before the first and after the last segment.

    The sample rate, the channels and, where the format has it, the sample format stay as they are. The ends are faded
    in and out, and parts are joined by crossfades, over 10 ms. Memory does not grow with the length.

    Args:
        source: The recording: a path or a binary stream.
        segments: The speech, as `detect_file` gives it.
        output: A file, which is replaced: .wav, .flac, .ogg, .opus, .mp3, .aiff, .aif, .au, .caf or .w64.
        max_pause: Seconds; longer pauses between segments are shortened to this. None keeps them. A pause that is at
            most 10 ms longer stays as it is.
        pause: Seconds; all pauses between segments get this length: digital silence is added to shorter ones. None
            keeps them.
        raw: The format of samples without a header.

    Raises:
        AudioError: There is no segment, or the recording cannot be read. If it is damaged later, the output has the
            part before the damage.
        ConfigError: The output cannot be written, a value is out of range, or both `max_pause` and `pause` are given.
    """
    check_pauses(max_pause, pause)
    path = Path(output)
    check_suffix(path, "output")
    damage: list[AudioError] = []
    with open_decoder(source, raw=raw) as decoder:
        if not segments:
            raise AudioError(f"{decoder.name}: there is no speech in it. Nothing was written.")
        rate = decoder.sample_rate
        pieces = _plan(spans_of(sorted(segments), rate), rate, max_pause, pause)
        duration = sum(piece.length + piece.silence for piece in pieces) / rate
        blocks = _joined(decoder, pieces, damage)
        write_audio(path, blocks, rate, decoder.channels, decoder.subtype, duration)
    if damage:
        raise damage[0]


def check_pauses(max_pause: float | None, pause: float | None) -> None:
    """Check the lengths of pauses.

    Raises:
        ConfigError: Both are given, or one is out of range.
    """
    for name, value in (("max_pause", max_pause), ("pause", pause)):
        if value is not None:
            rule = f"{name} must be between 0 and {_LONGEST_PAUSE_S:g} seconds"
            require(0 <= require_number(name, value) <= _LONGEST_PAUSE_S, rule, **{name: value})
    if max_pause is not None and pause is not None:
        raise ConfigError("max_pause and pause exclude each other. Give one of the two.")


@dataclass(frozen=True)
class _Piece:
    """A part of the recording that is kept, in samples.

    Attributes:
        start: Its first sample.
        stop: The sample after its last.
        fade_in: Length of its fade.
        fade_out: Length of its fade. The next piece begins with it, unless silence follows.
        silence: Length of the silence after it.
    """

    start: int
    stop: int
    fade_in: int
    fade_out: int
    silence: int = 0

    @property
    def length(self) -> int:
        """Its length."""
        return self.stop - self.start

    def faded(self, block: Samples, position: int) -> Samples:
        """Fade a block that begins at a position in the piece."""
        middles = np.arange(position, position + len(block))[:, np.newaxis] + 0.5
        rising = middles / (self.fade_in or 0.5)
        falling = (self.length - middles) / (self.fade_out or 0.5)
        within = np.clip(np.minimum(rising, falling), 0.0, 1.0)
        gains: Samples = np.square(np.sin(np.pi / 2 * within)).astype(np.float32)
        return block * gains


def _plan(
    spans: Sequence[tuple[int, int]], sample_rate: int, max_pause: float | None, pause: float | None
) -> list[_Piece]:
    """Decide what is kept.

    Args:
        spans: Of the segments, sorted; they may overlap.
        sample_rate: In Hz.
        max_pause: As for `trim_file`.
        pause: As for `trim_file`.
    """
    merged = [spans[0]]
    for begin, end in spans[1:]:
        if begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    longest = round(_FADE_S * sample_rate)
    fades = [min(longest, (end - begin) // 2) for begin, end in merged]
    start = merged[0][0]
    fade_in = fades[0] if start else 0
    pieces = []
    for index, ((_, end), (following, _)) in enumerate(pairwise(merged)):
        gap, fade = following - end, min(fades[index : index + 2])
        wanted = gap
        if pause is not None:
            wanted = round(pause * sample_rate)
        elif max_pause is not None:
            wanted = min(gap, round(max_pause * sample_rate))
        if wanted > gap:
            stop = resumed = end + gap // 2
        elif wanted + fade < gap:
            stop = end + (wanted + fade) // 2
            resumed = following - (wanted + fade - (wanted + fade) // 2)
        else:
            continue
        pieces.append(_Piece(start, stop, fade_in, fade, max(0, wanted - gap)))
        start, fade_in = resumed, fade
    return [*pieces, _Piece(start, merged[-1][1], fade_in, fades[-1])]


def _joined(decoder: Decoder, pieces: Sequence[_Piece], damage: list[AudioError]) -> Iterator[Samples]:
    """Give the samples of the output. Damage of the recording ends them, and is added to `damage`."""
    held: Samples = np.zeros((0, decoder.channels), np.float32)  # the fade that the next piece begins with
    spans = [(piece.start, piece.stop) for piece in pieces]
    try:
        for index, parts in groupby(cut(decoder, spans), itemgetter(0)):
            piece = pieces[index]
            position = 0
            fade_out = [held[:0]]
            for _, part in parts:
                block = piece.faded(part, position)
                overlap = min(len(held), len(block))
                block[:overlap] += held[:overlap]
                held = held[overlap:]
                body = max(0, piece.length - piece.fade_out - position)
                yield block[:body]
                fade_out.append(block[body:])
                position += len(block)
            held = np.concatenate(fade_out)
            if piece.silence:
                yield held
                held = held[:0]
                for begin in range(0, piece.silence, decoder.sample_rate):
                    length = min(decoder.sample_rate, piece.silence - begin)
                    yield np.zeros((length, decoder.channels), np.float32)
    except AudioError as error:
        damage.append(error)
    yield held
