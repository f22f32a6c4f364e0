"""The text of a label file: UTF-8, UTF-16 with a byte order mark, packed by gzip, or a binary TextGrid."""

import codecs
import gzip
import io
import os
import zlib
from pathlib import Path

from vad.errors import LabelError
from vad.labels.praat_binary import BINARY, short_text
from vad.labels.reading import Malformed

__all__ = ["read_text"]

_GZIP = b"\x1f\x8b"
# Unpacked bytes: labels have at most a fiftieth of their size when they are packed, and a hostile file a thousandth.
_ALWAYS_ALLOWED = 1 << 24
_ALLOWED_TIMES = 100


def read_text(path: str | os.PathLike[str]) -> str:
    """Read a file's text.

    Raises:
        LabelError: It cannot be read, or is not text.
    """
    source = os.fspath(path)
    try:
        content = Path(path).read_bytes()
        content = _unpacked(content) if content.startswith(_GZIP) else content
    except (OSError, EOFError, ValueError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise LabelError(f"cannot read {source}: {reason}.") from error
    if content.startswith(BINARY):
        try:
            return short_text(content)
        except Malformed as error:
            raise LabelError(f"{source}:{error.line}: {error.rule}") from None
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        if not wide and b"\0" in content:
            raise UnicodeDecodeError("utf-8", content, content.index(b"\0"), content.index(b"\0") + 1, "NUL")
        return content.decode("utf-16" if wide else "utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        rule = "a label file must be text in UTF-8, or in UTF-16 with a byte order mark"
        raise LabelError(f"{source}:{line}: {rule}. Received: byte {content[error.start]:#04x}.") from error


def _unpacked(content: bytes) -> bytes:
    limit = max(_ALWAYS_ALLOWED, _ALLOWED_TIMES * len(content))
    with gzip.open(io.BytesIO(content)) as file:
        unpacked = file.read(limit + 1)
    if len(unpacked) > limit:
        raise ValueError(f"it unpacks to more than {limit / 1e6:.0f} MB, which no labels do")
    return unpacked
