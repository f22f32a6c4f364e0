"""From the bytes of a recording to blocks of samples at its own rate: finds the format, and opens its decoder.

    wav ─► wav    mp3, mp2 ─► mpeg    ogg, opus ─► ogg    flac, aiff, au, ... ─► libsndfile
    mp4, webm, mkv, aac, and what nobody else reads (wma, amr, ac3, avi, flv, ...) ─► containers

The content decides, whatever the name.
"""

import contextlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import IO, BinaryIO, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from vad.audio.libsndfile import RefusedError, SoundfileDecoder
from vad.audio.mpeg import MpegDecoder
from vad.audio.mpeg_frames import is_mpeg, starts_with_frames
from vad.audio.ogg import OggDecoder, links_of
from vad.audio.pipe import HEADERS, PcmDecoder
from vad.audio.raw_format import RawFormat
from vad.audio.riff import FORMS, Forward, skip_id3
from vad.audio.samples import sample_rate_problem
from vad.audio.wav import open_wav
from vad.errors import AudioError, ConfigError, MissingDependencyError, shown

__all__ = ["KNOWN_SUFFIXES", "Decoder", "Source", "open_decoder"]

Source: TypeAlias = str | os.PathLike[str] | IO[bytes]
Block: TypeAlias = npt.NDArray[np.float32]

KNOWN_SUFFIXES = frozenset({
    ".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".mpga",
    ".aiff", ".aif", ".aifc", ".au", ".snd", ".caf", ".voc", ".sph",
    # with PyAV
    ".m4a", ".m4b", ".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".webm", ".weba", ".mkv", ".mka", ".aac",
    ".wma", ".wmv", ".asf", ".avi", ".flv", ".f4v", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".vob", ".ogv",
    ".amr", ".awb", ".gsm", ".ac3", ".eac3", ".dts", ".ape", ".wv", ".tta", ".spx",
})  # fmt: skip
"""What a folder's audio files end with."""

_IN_MEMORY = 1 << 26  # bytes of a pipe that are kept without a file


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
        source: A path, or a binary stream, read from its beginning; one that cannot seek (a pipe) is read to its end
            first.
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
            stream = resources.enter_context(_spooled(stream, name))
        stream.seek(0)
        head = stream.read(12)
        stream.seek(0)
        if raw is not None and not isinstance(raw, RawFormat):
            raise ConfigError(f"raw must be a RawFormat. Received: raw={shown(raw)}.")
        if not head:
            raise AudioError(f"{name}: the file is empty. Record it again, or copy it again.")
        if raw is not None and head.startswith(HEADERS):
            raise AudioError(
                f"{name}: raw samples must have no header. Received: one ({head[:4].decode()}). Leave out its rate."
            )
        decoder = PcmDecoder(stream, name, raw) if raw else _opened(stream, name, head, resources)
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
    raise AudioError(f"{name}: cannot be read: {reason}.")


def _check_stream(stream: object) -> None:
    """Refuse what is neither a path nor a binary stream that can be read."""
    if not hasattr(stream, "read") or not hasattr(stream, "seekable") or isinstance(stream, io.TextIOBase):
        raise AudioError(f"audio must be a path or a binary stream. Received: {shown(stream)}.")
    if getattr(stream, "closed", False) or not getattr(stream, "readable", lambda: True)():
        raise AudioError(f"a stream of audio must be open to be read. Received: {shown(stream)}.")


def _spooled(stream: IO[bytes], name: str) -> IO[bytes]:
    """Keep what comes through a pipe: half of the formats have what opens them at their end."""
    start = stream.read(_IN_MEMORY)
    if len(start) < _IN_MEMORY:
        return io.BytesIO(start)
    try:
        spool = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
        spool.write(start)
        shutil.copyfileobj(stream, spool)
    except OSError as error:
        raise AudioError(
            f"{name}: a long recording from a pipe is kept in a temporary file, which cannot be written "
            f"({error.strerror}). Give it as a file, or point TMPDIR to a folder with room."
        ) from error
    spool.seek(0)
    return spool


def _opened(stream: IO[bytes], name: str, head: bytes, resources: contextlib.ExitStack) -> Decoder:
    """Open a recording that has a header, by who reads its format."""
    if _is_container(head):
        from vad.audio.containers import open_container

        return resources.enter_context(open_container(stream, name))
    refusal: str
    try:
        decoder = _own(stream, name)
        if isinstance(decoder, SoundfileDecoder):
            resources.enter_context(decoder)
        return decoder
    except RefusedError as error:
        refusal = str(error)
    return _by_ffmpeg(stream, name, refusal, resources)


def _own(stream: IO[bytes], name: str) -> "PcmDecoder | MpegDecoder | OggDecoder | SoundfileDecoder":
    """Open what needs no extra.

    Raises:
        RefusedError: It is nothing of that.
    """
    forward = Forward(stream.read)
    skip_id3(forward)
    head = forward.exactly(12)
    stream.seek(0)
    if head.startswith(FORMS) and head[8:12] == b"WAVE":
        try:
            return open_wav(stream, name)
        except AudioError as error:
            raise AudioError(f"{name}: {error}") from error
    if is_mpeg(head):
        with contextlib.suppress(RefusedError):
            return MpegDecoder(stream, name)
    stream.seek(0)
    shortfall = None
    if head.startswith(b"OggS"):
        links = links_of(stream)
        if len(links.spans) > 1:
            return OggDecoder(stream, name, links)
        if links.left:
            shortfall = f"{links.left} bytes are no whole Ogg page"
    try:
        return SoundfileDecoder(stream, name, shortfall)
    except RefusedError:
        stream.seek(0)
        if not starts_with_frames(stream.read):
            raise
    stream.seek(0)
    return MpegDecoder(stream, name)


def _by_ffmpeg(stream: IO[bytes], name: str, refusal: str, resources: contextlib.ExitStack) -> Decoder:
    """Open what libsndfile refuses, where FFmpeg reads it."""
    from vad.audio.containers import open_container

    stream.seek(0)
    remedy = " Raw samples need a --sample-rate." if name == "stdin" else ""
    try:
        return resources.enter_context(open_container(stream, name))
    except MissingDependencyError as error:
        raise AudioError(
            f"{name}: not in a format that libsndfile reads ({refusal}). With PyAV many more are read: "
            f"pip install 'openvad[media]'.{remedy}"
        ) from error
    except AudioError as error:
        reason = str(error).removeprefix(f"{name}: ").rstrip(".")
        raise AudioError(
            f"{name}: not in a format that libsndfile ({refusal}) or FFmpeg ({reason}) reads. "
            f"Convert it to wav, flac or mp3.{remedy}"
        ) from error


def _is_container(head: bytes) -> bool:
    """Tell PyAV's formats by their first bytes: mp4 and its kin, Matroska and WebM, AAC in ADTS frames."""
    adts = len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0
    return head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide") or head.startswith(b"\x1a\x45\xdf\xa3") or adts
