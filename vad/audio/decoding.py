"""From the bytes of a recording to blocks of samples at its own rate. The one room that knows libsndfile.

libsndfile reads wav, flac, ogg, opus, mp3 and aiff (and w64, rf64, au, caf). It is asked for float32 always
(as int16 it would read a float WAV without scaling: silence) and never to seek, so that decoding is one pass
and a FLAC of unknown length can be read. A file that ends before its header's promise, which libsndfile does
not always report, is told here; an Ogg stream that was cut looks like a shorter one and cannot be told.

mp4, m4a, mov, webm, mkv and aac go to `vad.audio.containers`.
"""

import contextlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import soundfile

from vad.audio.samples import sample_rate_problem
from vad.errors import AudioError, ConfigError, did_you_mean, require_number, shown

__all__ = ["ENCODINGS", "HEADERS", "KNOWN_SUFFIXES", "Decoder", "RawFormat", "Source", "open_decoder"]

Source: TypeAlias = str | os.PathLike[str] | IO[bytes]
Block: TypeAlias = npt.NDArray[np.float32]

ENCODINGS = {
    "s16le": ("PCM_16", 2),
    "s24le": ("PCM_24", 3),
    "s32le": ("PCM_32", 4),
    "f32le": ("FLOAT", 4),
    "u8": ("PCM_U8", 1),
    "mulaw": ("ULAW", 1),
    "alaw": ("ALAW", 1),
}
"""Encodings of raw samples: libsndfile's name and the bytes of a sample."""

CONTAINER_SUFFIXES = frozenset({".m4a", ".mp4", ".mov", ".webm", ".mkv", ".aac"})
KNOWN_SUFFIXES = CONTAINER_SUFFIXES | {
    ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".w64", ".rf64", ".au", ".caf",
}  # fmt: skip
"""What a folder's audio files end with. A file is opened by its content, whatever its name."""

# A recorder that writes into a pipe cannot know the length and puts a number near 2 or 4 GiB.
_PLACEHOLDER_BYTES = 0x7FFF0000
_SHORTFALL = re.compile(r": (\d+) \(should be (\d+)\)")
_HEADER_SLACK_BYTES = 64

HEADERS = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"FORM", b"ID3")
"""What a recording that is no raw samples begins with."""


@dataclass(frozen=True)
class RawFormat:
    """How samples without a header lie in a stream, channels interleaved.

    Attributes:
        sample_rate: Samples a second and channel, 4000 to 384000.
        channels: At least 1.
        encoding: One of `ENCODINGS`: s16le, s24le, s32le, f32le, u8, mulaw, alaw.

    Raises:
        ConfigError: A value is out of its range.
    """

    sample_rate: int
    channels: int = 1
    encoding: str = "s16le"

    def __post_init__(self) -> None:
        """Check every value."""
        problem = sample_rate_problem(self.sample_rate)
        if problem is not None:
            raise ConfigError(problem)
        if require_number("channels", self.channels) < 1:
            raise ConfigError(f"channels must be at least 1. Received: channels={self.channels}.")
        if not isinstance(self.encoding, str) or self.encoding not in ENCODINGS:
            raise ConfigError(
                f"encoding must be one of {', '.join(ENCODINGS)}. Received: encoding={self.encoding!r}."
                + did_you_mean(str(self.encoding), ENCODINGS)
            )


class Decoder(Protocol):
    """A recording being read, once, from its beginning.

    Attributes:
        name: What messages call it.
        sample_rate: Its own, in Hz.
        channels: How many it has.
        frames: Samples a channel that the header promises; None where it does not say.
        subtype: libsndfile's name for how its samples are kept.
    """

    name: str
    sample_rate: int
    channels: int
    frames: int | None
    subtype: str

    def blocks(self, block_length: int) -> Iterator[Block]:
        """Yield blocks of about `block_length` samples [shape=(samples, channels)].

        Raises:
            AudioError: The recording is damaged or ends early; all that could be read came before.
        """


@contextlib.contextmanager
def open_decoder(
    source: Source, *, name: str | None = None, raw: RawFormat | None = None
) -> Iterator[Decoder]:
    """Open a recording of any known format, told by its content.

    Args:
        source: A path, or a binary stream, read from its beginning; one that cannot seek (a pipe) is first
            copied to a temporary file.
        name: What messages call it; None takes the path.
        raw: Given where the stream is samples without a header.

    Raises:
        AudioError: It cannot be read, is empty or in no known format, or has a header where it is said to be raw.
        MissingDependencyError: It is a container (mp4, webm, ...) and PyAV is not installed.
    """
    with contextlib.ExitStack() as resources:
        if isinstance(source, str | os.PathLike):
            name = name or os.fspath(source)
            stream: IO[bytes] = resources.enter_context(_open_file(source, name))
        else:
            stream, name = source, name or str(getattr(source, "name", "stream"))
            _check_stream(stream)
        if not stream.seekable():
            stream = resources.enter_context(_spooled(stream))
        stream.seek(0)
        head = stream.read(12)
        stream.seek(0)
        if raw is not None and not isinstance(raw, RawFormat):
            raise ConfigError(f"raw must be a RawFormat. Received: raw={shown(raw)}.")
        if not head:
            raise AudioError(f"{name}: audio must hold samples. Received: an empty file.")
        if raw is not None and head.startswith(HEADERS):
            raise AudioError(
                f"{name}: raw samples must have no header. Received: one ({head[:4].decode()}). Leave out its rate."
            )
        decoder: Decoder
        if raw is None and _is_container(head):
            from vad.audio.containers import open_container

            decoder = resources.enter_context(open_container(stream, name))
        else:
            decoder = resources.enter_context(_open_soundfile(stream, name, raw))
        problem = sample_rate_problem(decoder.sample_rate)
        if problem is not None:
            raise AudioError(f"{name}: {problem}")
        yield decoder


def _open_file(path: str | os.PathLike[str], name: str) -> BinaryIO:
    try:
        return open(path, "rb")
    except FileNotFoundError:
        reason = "there is no such file"
    except IsADirectoryError:
        reason = "it is a folder"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    raise AudioError(f"{name}: audio must be a file that can be read. Received: {reason}.")


def _check_stream(stream: object) -> None:
    """Refuse what is neither a path nor a binary stream that can be read."""
    if not hasattr(stream, "read") or not hasattr(stream, "seekable") or isinstance(stream, io.TextIOBase):
        raise AudioError(f"audio must be a path or a binary stream. Received: {shown(stream)}.")
    if getattr(stream, "closed", False) or not getattr(stream, "readable", lambda: True)():
        raise AudioError(f"a stream of audio must be open to be read. Received: {shown(stream)}.")


def _spooled(stream: IO[bytes]) -> IO[bytes]:
    """Copy a pipe to a temporary file: half of the formats keep what opens them at their end."""
    spool = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    shutil.copyfileobj(stream, spool)
    spool.seek(0)
    return spool


def _is_container(head: bytes) -> bool:
    """Tell PyAV's formats by their first bytes: mp4 and its kin, Matroska and WebM, AAC in ADTS frames."""
    adts = len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0
    return head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide") or head.startswith(b"\x1a\x45\xdf\xa3") or adts


class _ForwardSoundFile(soundfile.SoundFile):  # type: ignore[misc]
    """A SoundFile that never seeks; it would after every read, and a FLAC of unknown length refuses that."""

    def seekable(self) -> bool:
        return False


@contextlib.contextmanager
def _open_soundfile(stream: IO[bytes], name: str, raw: RawFormat | None) -> Iterator["_SoundfileDecoder"]:
    options: dict[str, Any] = {}
    if raw is not None:
        subtype, _ = ENCODINGS[raw.encoding]
        options = {"format": "RAW", "subtype": subtype, "endian": "LITTLE"}
        options |= {"samplerate": raw.sample_rate, "channels": raw.channels}
    # Reading a stream, libsndfile would call Python back, and a Ctrl-C that comes then is lost: a file is better.
    descriptor = _descriptor(stream)
    if descriptor is not None:
        os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        file = _ForwardSoundFile(stream if descriptor is None else descriptor, closefd=False, **options)
    except soundfile.LibsndfileError as error:
        remedy = " Raw samples need a --sample-rate." if name == "stdin" else ""
        raise AudioError(
            f"{name}: audio must be wav, flac, ogg, opus, mp3, aiff, m4a, mp4, webm or mkv. "
            f"Received: a file that libsndfile refuses ({_reason(error)}).{remedy}"
        ) from error
    with file:
        yield _SoundfileDecoder(file, stream, name, raw)


def _descriptor(stream: IO[bytes]) -> int | None:
    """Give the file descriptor of a stream; None where it lies in memory, or where libraries cannot share it."""
    try:
        return stream.fileno() if os.name == "posix" else None
    except OSError:
        return None


class _SoundfileDecoder:
    """A recording that libsndfile reads; see `Decoder`."""

    def __init__(self, file: _ForwardSoundFile, stream: IO[bytes], name: str, raw: RawFormat | None):
        self.name = name
        self.sample_rate: int = file.samplerate
        self.channels: int = file.channels
        self.frames: int | None = file.frames if file.frames < 1 << 62 else None
        self.subtype: str = file.subtype
        self._file = file
        self._stream = stream
        self._raw = raw

    def blocks(self, block_length: int) -> Iterator[Block]:
        heard = 0
        while True:
            block = np.empty((block_length, self.channels), np.float32)
            try:
                filled = self._file.read(out=block)
            except soundfile.LibsndfileError as error:
                rest = max(0, self._file.tell() - heard)  # what was decoded before the damage
                yield block[:rest]
                raise AudioError(self._not_whole(heard + rest, _reason(error))) from error
            if not len(filled):
                break
            heard += len(filled)
            yield filled
        problem = self._problem_at_end(heard)
        if problem is not None:
            raise AudioError(self._not_whole(heard, problem))

    def _problem_at_end(self, heard: int) -> str | None:
        """Compare what was read with what the file promised."""
        if self._raw is not None:
            frame_bytes = ENCODINGS[self._raw.encoding][1] * self._raw.channels
            rest = self._stream.seek(0, os.SEEK_END) % frame_bytes
            return f"{rest} bytes left over after frames of {frame_bytes} bytes" if rest else None
        if self.frames is not None and heard < self.frames:
            return "the file ends there"
        for promised, present in _SHORTFALL.findall(self._file.extra_info):
            if int(promised) - int(present) > _HEADER_SLACK_BYTES and int(promised) < _PLACEHOLDER_BYTES:
                return f"the header promises {promised} bytes and {present} are there"
        if self._file.format == "MP3":
            return _unread_mp3(self._stream)
        return None

    def _not_whole(self, heard: int, reason: str) -> str:
        received = f"{heard / self.sample_rate:.2f} s"
        if self.frames is not None and heard < self.frames:
            received += f" of {self.frames / self.sample_rate:.2f} s"
        return f"{self.name}: audio must be whole. Received: {received}, then {reason}."


def _unread_mp3(stream: IO[bytes]) -> str | None:
    """Tell whether libsndfile left music unread.

    The length of an MP3 that does not state it (a cut or a recorded stream) is guessed from its first frames,
    and libsndfile stops there. The tags that may end a file are smaller than what is tolerated here.
    """
    descriptor = _descriptor(stream)
    position = stream.tell() if descriptor is None else os.lseek(descriptor, 0, os.SEEK_CUR)
    size = stream.seek(0, os.SEEK_END)
    unread = size - position
    if unread < max(65_536, size // 20):
        return None
    return f"{unread} of {size} bytes are unread, for this MP3 does not state its length. Convert it to FLAC"


def _reason(error: soundfile.LibsndfileError) -> str:
    return str(error.error_string).removeprefix("Error : ").rstrip(". ")
