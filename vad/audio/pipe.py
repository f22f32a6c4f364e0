"""Recordings from pipes, decoded as they arrive: wav, raw samples, mp3, flac, ogg.

Other formats (mp4, compressed wav, ...) need their end first, or positions before. They are kept until the pipe ends.
"""

import contextlib
import io
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Protocol, Self

from vad.audio.endless import EndlessFile
from vad.audio.pcm import PcmDecoder, check_headerless
from vad.audio.raw_format import RawFormat
from vad.audio.riff import FORMS, ForwardReader, read_header, skip_id3
from vad.audio.samples import Samples
from vad.audio.unreadable import RefusedError
from vad.errors import AudioError

__all__ = ["Decoder", "Pipe", "open_arriving"]

_MAX_MEMORY_BYTES = (
    1 << 26
)  # a longer copy is in a temporary file, which has no name and never outlives the program


class Decoder(Protocol):
    """A recording that is read once, from its beginning.

    Attributes:
        name: The recording's name in messages.
        sample_rate: In Hz.
        channels: Number of channels.
        frames: Samples per channel that the header states. None if it does not.
        subtype: libsndfile's name of the sample format.
    """

    name: str
    sample_rate: int
    channels: int
    frames: int | None
    subtype: str

    def blocks(self, block_length: int) -> Iterator[Samples]:
        """Yield blocks of about `block_length` samples [shape=(samples, channels)].

        Raises:
            AudioError: The recording is damaged or ends early. All that can be decoded was yielded.
        """


class Pipe:
    """A pipe, read once as it arrives, with a copy of what was read.

    Args:
        stream: A binary stream.
        name: The recording's name in messages.
        keep: Keep the copy, so that the recording can be read again. If not, it ends with `forget`.

    Attributes:
        is_started: Something was read.
        on_wait: Called with the bytes so far while `whole` waits.
    """

    def __init__(self, stream: IO[bytes], name: str, *, keep: bool = False):
        self.name = name
        self._read = getattr(stream, "read1", stream.read)
        self._copy: IO[bytes] | None = io.BytesIO()
        self._keep = keep
        self.is_started = False
        self.on_wait: Callable[[int], object] = int

    def __enter__(self) -> Self:
        """Return the object itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Drop the copy."""
        if self._copy is not None:
            self._copy.close()

    def read(self, count: int) -> bytes:
        """Return what has arrived, at most `count` bytes; nothing at the end.

        Raises:
            AudioError: The copy needs a temporary file, which cannot be written.
        """
        self.is_started = True
        content: bytes = self._read(count)
        try:
            self._add(content)
        except OSError as error:
            raise AudioError(
                f"{self.name}: the temporary file for a long recording from a pipe cannot be written "
                f"({error.strerror}). Use a file instead of a pipe, or set TMPDIR to a folder with space."
            ) from error
        return content

    def _add(self, content: bytes) -> None:
        """Add to the copy."""
        if self._copy is None:
            return
        if isinstance(self._copy, io.BytesIO) and self._copy.tell() + len(content) > _MAX_MEMORY_BYTES:
            file = tempfile.TemporaryFile()  # noqa: SIM115 (it is closed with the pipe)
            file.write(self._copy.getvalue())
            self._copy = file
        self._copy.write(content)

    def head(self) -> bytes:
        """Return the first four bytes, as far as they were read."""
        assert self._copy is not None, "the copy was not kept"
        self._copy.seek(0)
        return self._copy.read(4)

    def forget(self) -> None:
        """Stop the copy, unless it is to be kept."""
        if not self._keep:
            self._copy = None

    def whole(self) -> IO[bytes]:
        """Wait for the end, and return the whole recording as a stream that can seek.

        Raises:
            AudioError: As for `read`.
        """
        assert self._copy is not None, "the copy was not kept"
        self._copy.seek(0, io.SEEK_END)
        while self.read(1 << 20):
            self.on_wait(self._copy.tell())
        return self._copy


def open_arriving(
    pipe: Pipe, name: str, raw: RawFormat | None, resources: contextlib.ExitStack
) -> Decoder | None:
    """Open a recording whose samples can be decoded as they arrive.

    Args:
        pipe: The pipe.
        name: The recording's name in messages.
        raw: The format of samples without a header.
        resources: Closes what is opened.

    Returns:
        The decoder. None if the format needs the whole recording, or is unknown, or the pipe was read before.

    Raises:
        AudioError: The header is broken, or there is one although `raw` is given.
    """
    if pipe.is_started:
        return None
    forward = ForwardReader(pipe.read)
    decoder = _open_raw(forward, name, raw) if raw else _open_format(forward, name, resources)
    if decoder is not None:
        pipe.forget()
    return decoder


def _open_raw(forward: ForwardReader, name: str, raw: RawFormat) -> Decoder | None:
    head = forward.read_exactly(4)
    forward.give_back(head)
    check_headerless(head, name)
    return PcmDecoder(forward, name, raw) if head else None


def _open_format(forward: ForwardReader, name: str, resources: contextlib.ExitStack) -> Decoder | None:
    skip_id3(forward)
    head = forward.read_exactly(12)
    forward.give_back(head)
    if head.startswith(FORMS) and head[8:12] == b"WAVE":
        try:
            header = read_header(forward)
        except AudioError as error:
            raise AudioError(f"{name}: {error}") from error
        return None if header.format.encoding is None else PcmDecoder(forward, name, header)
    return _open_compressed(forward, name, head, resources)


def _open_compressed(
    forward: ForwardReader, name: str, head: bytes, resources: contextlib.ExitStack
) -> Decoder | None:
    from vad.audio.libsndfile import SoundfileDecoder
    from vad.audio.mpeg import MpegDecoder
    from vad.audio.mpeg_frames import is_mpeg
    from vad.audio.ogg import ArrivingLinks, OggDecoder

    with contextlib.suppress(RefusedError):
        if is_mpeg(head):
            return MpegDecoder(forward, name)
        if head.startswith(b"fLaC"):
            content = EndlessFile(iter(lambda: forward.read(1 << 16), b""))
            return resources.enter_context(SoundfileDecoder(content, name))
        if head.startswith(b"OggS"):
            links = ArrivingLinks(forward)
            return OggDecoder(links, name, lambda: links.skipped)
    return None
