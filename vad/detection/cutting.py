"""Speech cut out of a recording: from the original samples, at its own rate and depth, as WAV.

With `--channel mix` a cut has all channels of the recording; of a single channel, only that one.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from vad.audio.decoding import Decoder, open_decoder
from vad.audio.reading import Channel, RawFormat
from vad.detection.segments import Segment
from vad.errors import AudioError
from vad.files import writing

__all__ = ["save_segments", "save_speech"]

Block = npt.NDArray[np.float32]

# The bytes of a sample; what is kept otherwise (compressed, double) is written in the nearest of these.
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
    """Write each segment to a file of its own, named by its number and its times in seconds.

    Args:
        source: The recording.
        segments: In order.
        stem: What the names begin with: `out/clip` gives `out/clip_0001_3.240-5.810.wav`.
        channel: The one to keep; "mix" keeps all.
        raw: How samples without a header lie.

    Returns:
        The paths, in order.

    Raises:
        AudioError: The recording cannot be read; what could be is written.
        ConfigError: A file cannot be written.
    """
    paths = [
        stem.with_name(f"{stem.name}_{number:04d}_{segment.start:.3f}-{segment.end:.3f}.wav")
        for number, segment in enumerate(segments, 1)
    ]
    with open_decoder(source, raw=raw) as decoder, contextlib.ExitStack() as current:
        writing_to = -1
        for index, samples in _cut(decoder, segments):
            if index != writing_to:
                current.close()
                file = current.enter_context(
                    _wav(paths[index], decoder, channel, segments[index : index + 1])
                )
                writing_to = index
            _write(file, samples, channel)
    return paths


def save_speech(
    source: str,
    segments: Sequence[Segment],
    path: Path,
    *,
    channel: Channel = "mix",
    raw: RawFormat | None = None,
) -> None:
    """Write all segments to one file, one after the other.

    Args:
        source: The recording.
        segments: In order.
        path: Where to write.
        channel: The one to keep; "mix" keeps all.
        raw: How samples without a header lie.

    Raises:
        AudioError: The recording cannot be read; what could be is written.
        ConfigError: The file cannot be written.
    """
    with open_decoder(source, raw=raw) as decoder, _wav(path, decoder, channel, segments) as file:
        for _, samples in _cut(decoder, segments):
            _write(file, samples, channel)


def _cut(decoder: Decoder, segments: Sequence[Segment]) -> Iterator[tuple[int, Block]]:
    """Yield what lies in each segment, piece by piece, with the segment's index, up to any damage."""
    rate = decoder.sample_rate
    spans = [(round(segment.start * rate), round(segment.end * rate)) for segment in segments]
    index = 0
    position = 0
    with contextlib.suppress(AudioError):  # detection has met it before, and told
        for block in decoder.blocks(rate):
            after = position + len(block)
            while index < len(spans) and spans[index][0] < after:
                start, stop = spans[index]
                yield index, block[max(0, start - position) : stop - position]
                if stop > after:
                    break
                index += 1
            position = after


@contextlib.contextmanager
def _wav(path: Path, decoder: Decoder, channel: Channel, segments: Sequence[Segment]) -> Iterator[Any]:
    subtype = decoder.subtype if decoder.subtype in _DEPTHS else "PCM_16"
    channels = decoder.channels if channel == "mix" else 1
    seconds = sum(segment.duration for segment in segments)
    large = seconds * decoder.sample_rate * channels * _DEPTHS[subtype] > _MAX_WAV_BYTES
    kind = "RF64" if large else "WAV"
    with writing(path) as temporary:
        open(temporary, "wb").close()  # its error says why, libsndfile's does not
        try:
            with soundfile.SoundFile(
                temporary, "w", decoder.sample_rate, channels, subtype, format=kind
            ) as file:
                yield file
        except soundfile.LibsndfileError as error:
            raise OSError(error.error_string.rstrip(".")) from error


def _write(file: Any, samples: Block, channel: Channel) -> None:
    """Write samples as integers where the file has integers: libsndfile scales floats by one step less."""
    chosen = samples if channel == "mix" else samples[:, channel : channel + 1]
    if file.subtype in ("PCM_U8", "PCM_16"):
        file.write(np.clip(np.rint(chosen * 2.0**15), -(2**15), 2**15 - 1).astype(np.int16))
    elif file.subtype in ("PCM_24", "PCM_32"):
        file.write(np.clip(np.rint(chosen * 2.0**31), -(2**31), 2**31 - 1).astype(np.int32))
    else:
        file.write(chosen)
