"""Detects the format of a recording from its content, and opens the decoder.

wav ─► wav    mp3, mp2 ─► mpeg    ogg, opus ─► ogg    flac, aiff, au, ... ─► libsndfile
mp4, webm, mkv, aac, and what these do not read (wma, amr, ac3, avi, flv, ...) ─► containers

A decoder is imported for the first recording that needs it: WAV, the most common, needs none of the others.
"""

import contextlib
import io
import logging
import os
from collections.abc import Callable, Iterator
from typing import IO, TypeAlias, TypeVar, cast

from vad.audio.pcm import check_headerless, open_pcm
from vad.audio.pipe import Decoder, Pipe, open_arriving
from vad.audio.raw_format import RawFormat
from vad.audio.remote import is_url, open_url, reason_text
from vad.audio.riff import FORMS, ForwardReader, skip_id3
from vad.audio.samples import Samples, sample_rate_problem
from vad.audio.sections import file_descriptor
from vad.audio.unreadable import RefusedError
from vad.audio.wav import open_wav
from vad.errors import AudioError, ConfigError, MissingDependencyError, shown

__all__ = ["KNOWN_SUFFIXES", "Decoder", "Source", "decoded_blocks", "is_pipe", "open_decoder"]

Source: TypeAlias = str | os.PathLike[str] | IO[bytes] | Pipe

KNOWN_SUFFIXES = frozenset({
    ".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".mpga",
    ".aiff", ".aif", ".aifc", ".au", ".snd", ".caf", ".voc", ".sph",
    # with PyAV
    ".m4a", ".m4b", ".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".webm", ".weba", ".mkv", ".mka", ".aac",
    ".wma", ".wmv", ".asf", ".avi", ".flv", ".f4v", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".vob", ".ogv",
    ".amr", ".awb", ".gsm", ".ac3", ".eac3", ".dts", ".ape", ".wv", ".tta", ".spx",
})  # fmt: skip
"""The suffixes of audio files in a folder."""

_Value = TypeVar("_Value")

_WEB_PAGE = (b"<!doctype", b"<html")  # what servers give for a folder, or in place of what needs a login
_MAX_BLOCK_BYTES = 1 << 25  # 20 s of 8 channels at 48 kHz: a header may state far more

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def open_decoder(
    source: Source, *, name: str | None = None, raw: RawFormat | None = None
) -> Iterator[Decoder]:
    """Open a recording of any known format.

    Args:
        source: A path, a URL, or a binary stream, read from its beginning. A stream that cannot seek (a pipe) is
            decoded as it arrives, or read to its end first where its format needs that.
        name: The recording's name in messages. None uses the path.
        raw: The format of samples without a header.

    Raises:
        AudioError: It cannot be read, is empty, has no known format, or has a header although `raw` is given.
        MissingDependencyError: The format (mp4, webm, ...) needs PyAV, which is not installed.
    """
    with contextlib.ExitStack() as resources:
        if raw is not None and not isinstance(raw, RawFormat):
            raise ConfigError(f"raw must be a RawFormat. Received: raw={shown(raw)}.")
        stream: IO[bytes] | Pipe
        if isinstance(source, str | os.PathLike):
            name = name or os.fspath(source)
            opened = _open_file(source, name, resources)
            stream = cast(IO[bytes], _Foreign(opened, name)) if is_url(source) else opened
        elif isinstance(source, Pipe):
            stream, name = source, source.name
        else:
            _check_stream(source)
            name = name or str(getattr(source, "name", None) or "stream")
            is_plain = type(source) is io.BytesIO or file_descriptor(source) is not None
            stream = source if is_plain else cast(IO[bytes], _Foreign(source, name))
        if not isinstance(stream, Pipe) and not _can_seek(stream):
            stream = resources.enter_context(Pipe(stream, name))
        decoder = open_arriving(stream, name, raw, resources) if isinstance(stream, Pipe) else None
        if decoder is None:
            whole = stream.whole() if isinstance(stream, Pipe) else stream
            decoder = _open_whole(whole, name, raw, resources)
        problem = sample_rate_problem(decoder.sample_rate)
        if problem is not None:
            raise AudioError(f"{name}: {problem}")
        kind, rate = type(decoder).__name__, decoder.sample_rate
        _log.debug("%s: %s (%s), %d Hz, channels: %d", name, kind, decoder.subtype, rate, decoder.channels)
        yield decoder


def decoded_blocks(decoder: Decoder, seconds: float) -> Iterator[Samples]:
    """Yield blocks of so many seconds [shape=(samples, channels)], or of 32 MB, whichever is less.

    Raises:
        AudioError: As `Decoder.blocks`.
    """
    length = min(round(seconds * decoder.sample_rate), _MAX_BLOCK_BYTES // (4 * decoder.channels))
    return decoder.blocks(max(1, length))


def is_pipe(source: Source) -> bool:
    """Whether a recording comes from a pipe: then it may arrive as slowly as it is recorded.

    Raises:
        AudioError: It is neither a path nor a binary stream that can be read.
    """
    if isinstance(source, str | os.PathLike):
        return os.path.exists(source) and not os.path.isfile(source)
    if isinstance(source, Pipe):
        return not source.is_started
    _check_stream(source)
    return not _can_seek(source)


def _open_whole(
    stream: IO[bytes], name: str, raw: RawFormat | None, resources: contextlib.ExitStack
) -> Decoder:
    """Open a recording in a stream that can seek."""
    stream.seek(0)
    head = stream.read(12)
    stream.seek(0)
    if not head:
        raise AudioError(f"{name}: the file is empty. Record it again, or copy it again.")
    if raw is not None:
        check_headerless(head, name)
        return open_pcm(stream, name, raw)
    return _open_format(stream, name, head, resources)


def _open_file(path: str | os.PathLike[str], name: str, resources: contextlib.ExitStack) -> IO[bytes]:
    try:
        return resources.enter_context(open_url(path) if is_url(path) else open(path, "rb"))
    except FileNotFoundError:
        reason = "there is no such file"
    except IsADirectoryError:
        reason = "it is a folder"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    raise AudioError(f"{name}: cannot be read: {reason}.")


def _check_stream(stream: object) -> None:
    """Check that it is a readable binary stream."""
    if not hasattr(stream, "read") or not hasattr(stream, "seekable") or isinstance(stream, io.TextIOBase):
        raise AudioError(f"audio must be a path or a binary stream. Received: {shown(stream)}.")
    try:
        is_open = not getattr(stream, "closed", False) and getattr(stream, "readable", lambda: True)()
    except ValueError:  # it was detached
        is_open = False
    if not is_open:
        raise AudioError(f"an audio stream must be open for reading. Received: {shown(stream)}.")


def _can_seek(stream: IO[bytes]) -> bool:
    try:
        return stream.seekable()
    except AttributeError:  # a member of an archive that is read forwards
        return False


class _Foreign(io.RawIOBase):
    """A stream of any class. What its methods raise becomes an AudioError: packed files have errors of their own."""

    def __init__(self, stream: IO[bytes], name: str):
        self._stream = stream
        self._name = name

    def read(self, count: int = -1, /) -> bytes:
        return self._call(self._stream.read, count)

    def read1(self, count: int, /) -> bytes:
        read: Callable[[int], bytes] = getattr(self._stream, "read1", self._stream.read)
        return self._call(read, count)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._call(self._stream.seek, offset, whence)

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._call(self._stream.tell)

    def seekable(self) -> bool:
        return _can_seek(self._stream)

    def _call(self, method: Callable[..., _Value], *values: int) -> _Value:
        try:
            return method(*values)
        except Exception as error:
            raise AudioError(f"{self._name}: cannot be read further: {reason_text(error)}.") from error


def _open_format(stream: IO[bytes], name: str, head: bytes, resources: contextlib.ExitStack) -> Decoder:
    """Open a recording with a header."""
    if head.lstrip().lower().startswith(_WEB_PAGE):
        folder = "If it lists a folder, end the URL with `/`. Else give" if is_url(name) else "Download"
        raise AudioError(f"{name}: this is a web page, not a recording. {folder} the recording itself.")
    if _is_container(head):
        from vad.audio.containers import open_container

        return resources.enter_context(open_container(stream, name))
    try:
        decoder = _open_without_ffmpeg(stream, name)
    except RefusedError as error:
        reason = str(error)
    else:
        if isinstance(decoder, contextlib.AbstractContextManager):
            resources.enter_context(decoder)
        return decoder
    return _open_with_ffmpeg(stream, name, reason, resources)


def _open_without_ffmpeg(stream: IO[bytes], name: str) -> Decoder:
    """Open a format that needs no optional package.

    Raises:
        RefusedError: It is not one of those.
    """
    forward = ForwardReader(stream.read)
    skip_id3(forward)
    head = forward.read_exactly(12)
    stream.seek(0)
    if head.startswith(FORMS) and head[8:12] == b"WAVE":
        try:
            return open_wav(stream, name)
        except AudioError as error:
            reason = str(error).removeprefix(f"{name}: ")
            raise AudioError(f"{name}: {reason}") from error
    return _open_compressed(stream, name, head)


def _open_compressed(stream: IO[bytes], name: str, head: bytes) -> Decoder:
    """Open a format other than WAV, as `_open_without_ffmpeg` does."""
    from vad.audio.libsndfile import SoundfileDecoder
    from vad.audio.mpeg import MpegDecoder
    from vad.audio.mpeg_frames import is_mpeg, starts_with_frames
    from vad.audio.ogg import OggDecoder, find_links

    if is_mpeg(head):
        with contextlib.suppress(RefusedError):
            return MpegDecoder(stream, name)
    stream.seek(0)
    problem = None
    if head.startswith(b"OggS"):
        links = find_links(stream)
        if len(links.spans) > 1:
            return OggDecoder(links.sections(stream), name, lambda: links.skipped)
        if links.skipped:
            problem = f"{links.skipped} bytes are not complete Ogg pages"
    try:
        return SoundfileDecoder(stream, name, problem)
    except RefusedError:
        stream.seek(0)
        if not starts_with_frames(stream.read(1 << 16)):
            raise
    stream.seek(0)
    return MpegDecoder(stream, name)


def _open_with_ffmpeg(stream: IO[bytes], name: str, reason: str, resources: contextlib.ExitStack) -> Decoder:
    """Open what libsndfile does not read. `reason` is why."""
    from vad.audio.containers import open_container

    stream.seek(0)
    remedy = " Raw samples need a --sample-rate." if name == "stdin" else ""
    try:
        return resources.enter_context(open_container(stream, name))
    except MissingDependencyError as error:
        raise AudioError(
            f"{name}: libsndfile cannot read this format ({reason}). If it is audio, install PyAV, which reads many "
            f"more formats: pip install 'openvad[media]'.{remedy}"
        ) from error
    except AudioError as error:
        ffmpeg_reason = str(error).removeprefix(f"{name}: ").rstrip(".")
        raise AudioError(
            f"{name}: neither libsndfile ({reason}) nor FFmpeg ({ffmpeg_reason}) can read this format. "
            f"Convert it to wav, flac or mp3.{remedy}"
        ) from error


def _is_container(head: bytes) -> bool:
    """Return whether the first bytes are of an MP4 (or similar), Matroska, WebM, or AAC in ADTS frames."""
    adts = len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0
    return head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide") or head.startswith(b"\x1a\x45\xdf\xa3") or adts
