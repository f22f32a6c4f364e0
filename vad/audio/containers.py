"""The sound track of a container (mp4, m4a, mov, webm, mkv, aac). The one room that knows PyAV (FFmpeg)."""

import contextlib
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from vad.audio.samples import as_float32
from vad.errors import AudioError, MissingDependencyError, install_hint

__all__ = ["ContainerDecoder", "open_container"]

# A track may begin late or have holes (a recorder that pauses, packets that were lost). Times must be the
# film's, or subtitles would not fit: a hole is heard as silence. One of over an hour is a broken clock.
_MIN_HOLE_S = 0.1
_MAX_HOLE_S = 3600.0


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
            f"{name}: mp4, m4a, webm, mkv and aac need PyAV. Received: none installed. "
            + install_hint("media")
        ) from error
    try:
        container = av.open(stream, metadata_errors="ignore")
    except av.error.FFmpegError as error:
        raise AudioError(
            f"{name}: audio must be in a container that FFmpeg reads. Received: {error.strerror}."
        ) from error
    with container:
        if not container.streams.audio:
            raise AudioError(f"{name}: audio must have a sound track. Received: a container without one.")
        yield ContainerDecoder(container, name)


class ContainerDecoder:
    """The first sound track of an open container; see `vad.audio.decoding.Decoder`."""

    def __init__(self, container: Any, name: str):
        """Read what the container says of its track."""
        self._container = container
        self._track = container.streams.audio[0]
        self.name = name
        self.sample_rate: int = self._track.codec_context.sample_rate
        self.channels: int = self._track.codec_context.channels
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
            AudioError: The track is damaged, changes its rate or its channels, or ends early.
        """
        import av

        heard = given = 0
        waiting: list[npt.NDArray[np.float32]] = []
        problem: str | None = None
        try:
            for frame in self._container.decode(self._track):
                if (frame.sample_rate, len(frame.layout.channels)) != (self.sample_rate, self.channels):
                    problem = "the track changes its rate or its channels"
                    break
                for block in (*self._silence_before(frame, heard, block_length), _samples(frame)):
                    waiting.append(block)
                    heard += len(block)
                    if heard - given >= block_length:
                        yield np.concatenate(waiting)
                        waiting = []
                        given = heard
        except av.error.FFmpegError as error:
            problem = str(error.strerror)
        if waiting:
            yield np.concatenate(waiting)
        if problem is None and self.frames is not None and heard < self.frames - self.sample_rate // 4:
            problem = "the file ends there"
        if problem is not None:
            seconds = heard / self.sample_rate
            raise AudioError(f"{self.name}: audio must be whole. Received: {seconds:.2f} s, then {problem}.")

    def _silence_before(self, frame: Any, heard: int, block_length: int) -> Iterator[npt.NDArray[np.float32]]:
        """Yield the silence between what was heard and where this frame's clock says that it belongs."""
        if frame.pts is None:
            return
        film_start = (self._container.start_time or 0) / 1e6
        hole = float(frame.pts * frame.time_base) - film_start - heard / self.sample_rate
        missing = round(hole * self.sample_rate) if _MIN_HOLE_S < hole < _MAX_HOLE_S else 0
        while missing > 0:
            yield np.zeros((min(missing, block_length), self.channels), np.float32)
            missing -= block_length


def _samples(frame: Any) -> npt.NDArray[np.float32]:
    """Turn a decoded frame into float32 in [-1, 1] [shape=(samples, channels)]."""
    values = frame.to_ndarray()
    values = values.T if frame.format.is_planar else values.reshape(frame.samples, -1)
    return as_float32(values)
