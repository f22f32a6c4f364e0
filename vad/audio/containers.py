"""The sound track of a container (mp4, m4a, mov, webm, mkv, aac) and of what else FFmpeg reads.

The one room that knows PyAV, which has FFmpeg in it.
"""

import contextlib
import itertools
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from vad.audio.libsndfile import cut_off
from vad.audio.resampling import conform
from vad.audio.samples import as_float32
from vad.errors import AudioError, MissingDependencyError, install_hint

__all__ = ["ContainerDecoder", "open_container"]

# A track may begin late or have holes (a recorder that pauses, packets that were lost). Times must be the
# film's, or subtitles would not fit: a hole is heard as silence. One of over an hour is a broken clock.
_MIN_HOLE_S = 0.1
_MAX_HOLE_S = 3600.0
_MOST_PADDING_S = 0.25  # of what a container promises, codecs may leave out so much

_DTYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
"""By FFmpeg's names of how a sample is kept."""


@contextlib.contextmanager
def open_container(stream: IO[bytes], name: str) -> Iterator["ContainerDecoder"]:
    """Open the first sound track of a container.

    Args:
        stream: A binary stream that can seek.
        name: What messages call it.

    Raises:
        AudioError: FFmpeg refuses it, or it has no sound track.
        MissingDependencyError: PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError(
            f"{name}: mp4, m4a, webm, mkv and aac are read with PyAV, which is not installed. "
            + install_hint("media")
        ) from error
    try:
        container = av.open(stream, metadata_errors="ignore")
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise AudioError(f"{name}: FFmpeg cannot read it: {_reason(error)}.") from error
    with container:
        if not container.streams.audio:
            raise AudioError(f"{name}: there is no sound track in it.")
        if container.streams.audio[0].codec_context is None:
            raise AudioError(f"{name}: FFmpeg has no decoder for its sound track.")
        yield ContainerDecoder(container, name)


class ContainerDecoder:
    """The first sound track of an open container; see `vad.audio.decoding.Decoder`."""

    def __init__(self, container: Any, name: str):
        """Read what the container says of its track, and what its first frame says: it alone is sure."""
        self._container = container
        self._track = container.streams.audio[0]
        self.name = name
        self._damage: tuple[float, str] | None = None
        parts = self._decoded()
        first = next(parts, None)
        if first is None:
            reason = "no samples are in it" if self._damage is None else self._damage[1]
            raise AudioError(f"{name}: nothing of its sound track can be decoded: {reason}.")
        self._parts = itertools.chain([first], parts)
        self.sample_rate = first[0]
        self.channels: int = first[1].shape[1]
        self.subtype = str(self._track.codec_context.name).upper()
        duration = self._promised_duration()
        self.frames = None if duration is None else round(duration * self.sample_rate)

    def _promised_duration(self) -> float | None:
        """Give the track's length in seconds, where the container tells and does not guess."""
        if not self._container.format.name.startswith(("mov", "matroska")):
            return None
        if self._track.duration is not None:
            return float(self._track.duration * self._track.time_base)
        if self._container.duration is not None and len(self._container.streams) == 1:
            return float(self._container.duration) / 1e6
        return None

    def blocks(self, block_length: int) -> Iterator[npt.NDArray[np.float32]]:
        """Yield blocks of about `block_length` samples [shape=(samples, channels)].

        Raises:
            AudioError: Parts of the track are damaged, or it ends early.
        """
        heard = given = 0
        waiting: list[npt.NDArray[np.float32]] = []
        for block in conform(self._parts, self.sample_rate, self.channels):
            waiting.append(block)
            heard += len(block)
            if heard - given >= block_length:
                yield np.concatenate(waiting)
                waiting = []
                given = heard
        if waiting:
            yield np.concatenate(waiting)
        heard_s = heard / self.sample_rate
        at, reason = self._damage or (heard_s, "the file ends there")
        promised_s = 0.0 if self.frames is None else self.frames / self.sample_rate
        if at >= heard_s and (self._damage or heard_s < promised_s - _MOST_PADDING_S):
            raise cut_off(self.name, heard_s, promised_s, reason)
        if at < heard_s:
            raise AudioError(
                f"{self.name}: damaged at {at:.2f} s: {reason}. Results cover the rest, {heard_s:.2f} s."
            )

    def _decoded(self) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
        """Yield what can be decoded with its rate, silence for holes with it, and note the first damage."""
        import av

        heard_s = 0.0
        packets = self._container.demux(self._track)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
            except (av.error.FFmpegError, OSError, ValueError) as error:
                self._damage = self._damage or (heard_s, _reason(error))
                return
            try:
                frames = [frame for frame in packet.decode() if frame.samples and frame.layout.nb_channels]
            except av.error.FFmpegError as error:
                self._damage = self._damage or (heard_s, _reason(error))
                continue
            for frame in frames:
                for block in (*self._silence_before(frame, heard_s), _samples(frame)):
                    heard_s += len(block) / frame.sample_rate
                    yield frame.sample_rate, block

    def _silence_before(self, frame: Any, heard_s: float) -> Iterator[npt.NDArray[np.float32]]:
        """Yield the silence between what was heard and where this frame's clock says that it belongs."""
        if frame.pts is None:
            return
        film_start = (self._container.start_time or 0) / 1e6
        hole = float(frame.pts * frame.time_base) - film_start - heard_s
        missing = round(hole * frame.sample_rate) if _MIN_HOLE_S < hole < _MAX_HOLE_S else 0
        while missing > 0:
            length = min(missing, frame.sample_rate)
            yield np.zeros((length, frame.layout.nb_channels), np.float32)
            missing -= length


def _samples(frame: Any) -> npt.NDArray[np.float32]:
    """Turn a decoded frame into float32 in [-1, 1] [shape=(samples, channels)].

    PyAV's own `to_ndarray` counts planes until a null pointer, and beyond 8 channels there is none: it crashes.
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
