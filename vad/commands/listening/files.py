"""The files of `vad listen`: the session, and each segment, as WAV, 16 bits, mono.

The header of a file is correct after every block, so the file can be played even if the program is killed.
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

from vad.audio.writing import as_stored
from vad.commands.listening.session import Sink
from vad.detection.options import SegmentOptions
from vad.detection.segments import Event, SpeechEnd, SpeechStart
from vad.detection.stream import Stream
from vad.errors import ConfigError
from vad.files import make_folder

__all__ = ["SegmentFiles", "SessionFile", "longest_wait_s"]

_MAX_BYTES = 2**32 - 1_000  # the limit of a WAV header


def longest_wait_s(options: SegmentOptions) -> float:
    """Give a generous limit of how late a stream decides where a segment starts and ends, in seconds."""
    split_s = options.max_speech_duration_s if math.isfinite(options.max_speech_duration_s) else 0.0
    silence_ms = options.min_silence_duration_ms + 2 * options.speech_pad_ms
    return 5.0 + split_s + (silence_ms + options.min_speech_duration_ms) / 1000


class SessionFile(Sink):
    """The whole session in one file.

    Args:
        path: A new file: a recording cannot be repeated.
        sample_rate: Of the stream, in Hz.

    Raises:
        ConfigError: It exists, or cannot be written.
    """

    def __init__(self, path: Path, sample_rate: int):
        self._file = _WavFile(path, sample_rate)
        self._written_s = 0.0

    def on_block(self, samples: npt.NDArray[Any], stream: Stream) -> None:
        """Write the block.

        Raises:
            ConfigError: It cannot be written.
        """
        self._file.write(stream.audio(self._written_s))
        self._written_s = stream.duration

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class SegmentFiles(Sink):
    """Each segment in a file, whose name has the session's start, the process, its number and its times.

    The file of an open segment ends in .part.wav. It lacks the last seconds, as long as the end can still change.

    Args:
        folder: Made if it does not exist.
        sample_rate: Of the stream, in Hz.
        pre_roll_s: Seconds before the segment that its file starts with.
        wait_s: How far writing stays behind the stream, as `longest_wait_s` gives it.

    Attributes:
        last_path: The file of the last segment; None if there is none yet, or it could not be written.

    Raises:
        ConfigError: The folder cannot be made.
    """

    def __init__(self, folder: Path, sample_rate: int, *, pre_roll_s: float, wait_s: float):
        make_folder(folder)
        self.last_path: Path | None = None
        # With the process: two programs may share a folder, and start in the same second.
        self._stem = str(folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
        self._sample_rate = sample_rate
        self._pre_roll_s = pre_roll_s
        self._wait_s = wait_s
        self._number = 1
        self._written_s: float | None = None  # None between segments
        self._file: _WavFile | None = None  # None until the first write

    def on_block(self, samples: npt.NDArray[Any], stream: Stream) -> None:
        """Write what certainly belongs to the open segment.

        Raises:
            ConfigError: It cannot be written.
        """
        if self._written_s is not None and stream.duration - self._wait_s > self._written_s:
            self._write_until(stream.duration - self._wait_s, stream)

    def on_event(self, event: Event, stream: Stream) -> None:
        """Open a segment, finish its file, or delete it.

        Raises:
            ConfigError: It cannot be written.
        """
        if isinstance(event, SpeechStart):
            self.last_path = None
            self._written_s = max(0.0, event.time - self._pre_roll_s)
            return
        if isinstance(event, SpeechEnd):
            self._write_until(event.time, stream)
            if self._file is not None:
                times = f"{event.segment.start:.3f}-{event.segment.end:.3f}"
                self.last_path = self._file.rename(Path(f"{self._stem}_{self._number:04d}_{times}.wav"))
            self._number += 1
        elif self._file is not None:
            self._file.close()
            self._file.path.unlink(missing_ok=True)
        self._file = self._written_s = None

    def close(self) -> None:
        """Close a file that could not be finished; it stays."""
        if self._file is not None:
            self._file.close()

    def _write_until(self, end: float, stream: Stream) -> None:
        if self._written_s is None:
            return
        if self._file is None:
            self._file = _WavFile(Path(f"{self._stem}_{self._number:04d}.part.wav"), self._sample_rate)
        self._file.write(stream.audio(self._written_s, end))
        self._written_s = end


class _WavFile:
    """A new WAV file. Every failure is a ConfigError that says what was kept."""

    def __init__(self, path: Path, sample_rate: int):
        self.path = path
        self._bytes = 0
        self._open_files = contextlib.ExitStack()
        try:
            self._raw = self._open_files.enter_context(open(path, "xb"))  # noqa: SIM115 (close does)
        except FileExistsError:
            raise ConfigError(f"{path} exists. Give the recording a new name.") from None
        except OSError as error:
            raise ConfigError(f"cannot write {path}: {error.strerror}.") from error
        self._wave = self._open_files.enter_context(wave.open(self._raw, "wb"))  # noqa: SIM115 (close does)
        self._wave.setnchannels(1)
        self._wave.setsampwidth(2)
        self._wave.setframerate(sample_rate)
        self.write(np.zeros(0, np.float32))

    def write(self, samples: npt.NDArray[np.float32]) -> None:
        self._bytes += 2 * len(samples)
        try:
            if self._bytes > _MAX_BYTES:
                raise OSError(None, "a WAV file ends at 4 GiB")
            self._wave.writeframes(as_stored(samples, "PCM_16").astype("<i2").tobytes())
            self._raw.flush()
        except OSError as error:
            self.close()
            raise self._stopped(error) from error

    def rename(self, path: Path) -> Path:
        self.close()
        try:
            return self.path.rename(path)
        except OSError as error:
            raise self._stopped(error) from error

    def _stopped(self, error: OSError) -> ConfigError:
        return ConfigError(
            f"cannot write {self.path}: {error.strerror}. What was written is kept. Listening goes on."
        )

    def close(self) -> None:
        with contextlib.suppress(OSError):  # of a full disk; the header counts what is there
            self._open_files.close()
