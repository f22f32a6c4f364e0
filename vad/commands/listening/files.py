"""What `vad listen` keeps of what it hears: the session, and each segment, as WAV files of 16 bits, mono.

A file's header is right after every block, so that it can be played whatever becomes of the program.
"""

import contextlib
import math
import os
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vad.detection.options import SegmentOptions
from vad.detection.segments import Event, SpeechEnd, SpeechStart
from vad.detection.stream import Stream
from vad.errors import ConfigError

__all__ = ["SegmentFiles", "SessionFile", "longest_wait_s"]

_MAX_BYTES = 2**32 - 1_000  # what a WAV header can count


def longest_wait_s(options: SegmentOptions) -> float:
    """How long after a moment it may become certain, at most, that a segment began or ended there; generously."""
    split_s = options.max_speech_duration_s if math.isfinite(options.max_speech_duration_s) else 0.0
    silence_ms = options.min_silence_duration_ms + 2 * options.speech_pad_ms
    return 5.0 + split_s + (silence_ms + options.min_speech_duration_ms) / 1000


class SessionFile:
    """The whole session in one file.

    Args:
        path: A file that does not exist yet: a recording cannot be made again.
        sample_rate: Of the stream, in Hz.

    Raises:
        ConfigError: It exists, or cannot be written.
    """

    def __init__(self, path: Path, sample_rate: int):
        self._file = _WavFile(path, sample_rate)
        self._written_s = 0.0

    def heard(self, samples: npt.NDArray[Any], stream: Stream) -> None:
        """Write the block.

        Raises:
            ConfigError: The disk is full, or gone.
        """
        self._file.write(stream.audio(self._written_s))
        self._written_s = stream.duration

    def told(self, event: Event, stream: Stream) -> None:
        """Events change nothing."""

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class SegmentFiles:
    """Each segment in a file of its own, named by the session's beginning, the process, its number and its times.

    A segment that is still open is in a file that ends in .part.wav, but for the last seconds of it.

    Args:
        folder: Made if it does not exist.
        sample_rate: Of the stream, in Hz.
        pre_roll_s: How much of what led up to a segment its file begins with.
        wait_s: How far writing stays behind: where a segment ends is known only later.

    Attributes:
        last_path: The file of the last segment; None while there is none, and where it could not be written.

    Raises:
        ConfigError: The folder cannot be made.
    """

    def __init__(self, folder: Path, sample_rate: int, *, pre_roll_s: float, wait_s: float):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{folder}: save must be a folder. Received: {error.strerror}.") from error
        self.last_path: Path | None = None
        # Two programs may share a folder, and begin in the same second.
        self._stem = str(folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
        self._sample_rate = sample_rate
        self._pre_roll_s = pre_roll_s
        self._wait_s = wait_s
        self._number = 1
        self._written_s: float | None = None  # None between segments
        self._file: _WavFile | None = None  # made when there is something to write

    def heard(self, samples: npt.NDArray[Any], stream: Stream) -> None:
        """Write what certainly belongs to the open segment.

        Raises:
            ConfigError: The disk is full, or gone.
        """
        if self._written_s is not None and stream.duration - self._wait_s > self._written_s:
            self._write_until(stream.duration - self._wait_s, stream)

    def told(self, event: Event, stream: Stream) -> None:
        """Open a segment, finish its file, or drop it.

        Raises:
            ConfigError: The disk is full, or gone.
        """
        if isinstance(event, SpeechStart):
            self.last_path = None
            self._written_s = max(0.0, event.time - self._pre_roll_s)
        elif isinstance(event, SpeechEnd):
            self._write_until(event.time, stream)
            self._finish(f"{event.segment.start:.3f}-{event.segment.end:.3f}")
        else:
            self._drop()

    def close(self) -> None:
        """Let go of a file that could not be finished; it stays as it is."""
        if self._file is not None:
            self._file.close()

    def _write_until(self, end: float, stream: Stream) -> None:
        if self._written_s is None:
            return
        if self._file is None:
            self._file = _WavFile(Path(f"{self._stem}_{self._number:04d}.part.wav"), self._sample_rate)
        self._file.write(stream.audio(self._written_s, end))
        self._written_s = end

    def _finish(self, times: str) -> None:
        if self._file is not None:
            self.last_path = self._file.rename(Path(f"{self._stem}_{self._number:04d}_{times}.wav"))
        self._number += 1
        self._file = self._written_s = None

    def _drop(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file.path.unlink(missing_ok=True)
        self._file = self._written_s = None


class _WavFile:
    """A new WAV file; every failure to write is a ConfigError that says what was kept."""

    def __init__(self, path: Path, sample_rate: int):
        self.path = path
        self._bytes = 0
        self._open_files = contextlib.ExitStack()
        try:
            self._raw = self._open_files.enter_context(open(path, "xb"))  # noqa: SIM115 (close does)
        except FileExistsError:
            raise ConfigError(f"{path}: a recording must be a new file. Received: one that exists.") from None
        except OSError as error:
            raise ConfigError(f"{path}: a recording must be writable. Received: {error.strerror}.") from error
        self._wave = self._open_files.enter_context(wave.open(self._raw, "wb"))  # noqa: SIM115 (close does)
        self._wave.setnchannels(1)
        self._wave.setsampwidth(2)
        self._wave.setframerate(sample_rate)
        self.write(np.zeros(0, np.float32))

    def write(self, samples: npt.NDArray[np.float32]) -> None:
        self._bytes += 2 * len(samples)
        try:
            if self._bytes > _MAX_BYTES:
                raise OSError(None, "4 GiB, which is all that a WAV file can hold")
            whole = np.clip(np.rint(samples * 2.0**15), -(2**15), 2**15 - 1).astype("<i2")
            self._wave.writeframes(whole.tobytes())
            self._raw.flush()
        except OSError as error:
            self.close()
            raise self._unwritable(error) from error

    def rename(self, path: Path) -> Path:
        self.close()
        try:
            return self.path.rename(path)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> ConfigError:
        return ConfigError(
            f"{self.path}: a recording must be writable. Received: {error.strerror}. What was recorded is kept; "
            "listening goes on without it."
        )

    def close(self) -> None:
        with contextlib.suppress(OSError):  # of a full disk; the header counts what is there
            self._open_files.close()
