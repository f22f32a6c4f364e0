"""The audio track of a container (mp4, m4a, mov, webm, mkv, aac) or of another format that FFmpeg (PyAV) reads."""

import contextlib
import itertools
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from vad.audio.resampling import conform
from vad.audio.samples import Samples, as_float32
from vad.audio.unreadable import cut_off
from vad.errors import AudioError, MissingDependencyError, install_hint

__all__ = ["ContainerDecoder", "open_container"]

# A track may begin late or have gaps (a paused recorder, lost packets). They become silence, so that times match the
# video. A gap of more than an hour is a broken time stamp.
_MIN_GAP_S = 0.1
_MAX_GAP_S = 3600.0
_MAX_PADDING_S = 0.25  # codecs may remove so much of the stated duration

_DTYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
"""By FFmpeg's name of the sample format."""


@contextlib.contextmanager
def open_container(stream: IO[bytes], name: str) -> Iterator["ContainerDecoder"]:
    """Open the first audio track of a container.

    Args:
        stream: A binary stream that can seek.
        name: The recording's name in messages.

    Raises:
        AudioError: FFmpeg cannot read it, or it has no audio track.
        MissingDependencyError: PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError(
            f"{name}: mp4, m4a, webm, mkv and aac need PyAV, which is not installed. " + install_hint("media")
        ) from error
    try:
        container = av.open(stream, "r", metadata_errors="ignore")
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise AudioError(f"{name}: FFmpeg cannot read it: {_reason(error)}.") from error
    with container:
        if not container.streams.audio:
            raise AudioError(f"{name}: it has no audio track.")
        if container.streams.audio[0].codec_context is None:
            raise AudioError(f"{name}: FFmpeg has no decoder for its audio track.")
        yield ContainerDecoder(container, name)


class ContainerDecoder:
    """The first audio track of an open container; see `vad.audio.decoding.Decoder`."""

    def __init__(self, container: Any, name: str):
        self._container = container
        self._track = container.streams.audio[0]
        self.name = name
        self._damage: tuple[float, str] | None = None  # seconds, reason
        # The container may state another rate and other channels than the first block has.
        blocks = self._decoded()
        first = next(blocks, None)
        if first is None:
            reason = "it has no samples" if self._damage is None else self._damage[1]
            raise AudioError(f"{name}: its audio track cannot be decoded: {reason}.")
        self._decoded_blocks = itertools.chain([first], blocks)
        self.sample_rate = first[0]
        self.channels: int = first[1].shape[1]
        self.subtype = str(self._track.codec_context.name).upper()
        duration = self._stated_duration()
        self.frames = None if duration is None else round(duration * self.sample_rate)

    def _stated_duration(self) -> float | None:
        """Return the duration of the track in seconds, if the container states it and does not estimate."""
        if not self._container.format.name.startswith(("mov", "matroska")):
            return None
        if self._track.duration is not None:
            return float(self._track.duration * self._track.time_base)
        if self._container.duration is not None and len(self._container.streams) == 1:
            return float(self._container.duration) / 1e6
        return None

    def blocks(self, block_length: int) -> Iterator[Samples]:
        """Yield blocks of about `block_length` samples [shape=(samples, channels)].

        Raises:
            AudioError: The track is damaged or ends early.
        """
        decoded = yielded = 0
        pending: list[Samples] = []
        for block in conform(self._decoded_blocks, self.sample_rate, self.channels):
            pending.append(block)
            decoded += len(block)
            if decoded - yielded >= block_length:
                yield np.concatenate(pending)
                pending = []
                yielded = decoded
        if pending:
            yield np.concatenate(pending)
        decoded_s = decoded / self.sample_rate
        at, reason = self._damage or (decoded_s, "the file ends there")
        stated_s = 0.0 if self.frames is None else self.frames / self.sample_rate
        if at >= decoded_s and (self._damage or decoded_s < stated_s - _MAX_PADDING_S):
            raise cut_off(self.name, decoded_s, stated_s, reason)
        if at < decoded_s:
            raise AudioError(
                f"{self.name}: damaged at {at:.2f} s: {reason}. Results cover the rest, {decoded_s:.2f} s."
            )

    def _decoded(self) -> Iterator[tuple[int, Samples]]:
        """Yield blocks and their rates, with silence in the gaps, and record the first damage."""
        import av

        decoded_s = 0.0
        packets = self._container.demux(self._track)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
            except IndexError:  # a packet of a track that begins here, which PyAV does not know
                packets = self._container.demux(self._track)
                continue
            except (av.error.FFmpegError, OSError, ValueError) as error:
                self._damage = self._damage or (decoded_s, _reason(error))
                return
            try:
                frames = [frame for frame in packet.decode() if frame.samples and frame.layout.nb_channels]
            except av.error.FFmpegError as error:
                self._damage = self._damage or (decoded_s, _reason(error))
                continue
            for frame in frames:
                for block in itertools.chain(self._silence_before(frame, decoded_s), [_samples(frame)]):
                    decoded_s += len(block) / frame.sample_rate
                    yield frame.sample_rate, block

    def _silence_before(self, frame: Any, decoded_s: float) -> Iterator[Samples]:
        """Yield silence up to the time stamp of a frame."""
        if frame.pts is None:
            return
        start_s = (self._container.start_time or 0) / 1e6
        gap = float(frame.pts * frame.time_base) - start_s - decoded_s
        missing = round(gap * frame.sample_rate) if _MIN_GAP_S < gap < _MAX_GAP_S else 0
        while missing > 0:
            length = min(missing, frame.sample_rate)
            yield np.zeros((length, frame.layout.nb_channels), np.float32)
            missing -= length


def _samples(frame: Any) -> Samples:
    """Convert a frame to float32 in [-1, 1]. [shape=(samples, channels)].

    PyAV's `to_ndarray` crashes with more than 8 channels: it counts planes up to a null pointer, and there is none.
    """
    dtype = np.dtype(_DTYPES[frame.format.name.removesuffix("p")])
    channels = frame.layout.nb_channels
    if not frame.format.is_planar:
        values = np.frombuffer(frame.planes[0], dtype, frame.samples * channels).reshape(-1, channels)
    else:
        planes = frame.planes[:channels]
        values = np.stack([np.frombuffer(plane, dtype, frame.samples) for plane in planes], axis=1)
    return as_float32(values / 2.0**63 if values.dtype == np.int64 else values)


def _reason(error: Any) -> str:
    return str(getattr(error, "strerror", None) or error).rstrip(". ")
