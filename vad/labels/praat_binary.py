"""Praat's binary TextGrids, converted to the short text form."""

import struct

from vad.errors import shown
from vad.labels.reading import Malformed

__all__ = ["BINARY", "short_text"]

BINARY = b"ooBinaryFile"


def short_text(content: bytes) -> str:
    """Write a binary TextGrid as Praat's "Save as short text file" does; lines in messages are those of this file.

    All numbers are big-endian. A class is one byte of length and ASCII; a text is two bytes of length and Latin-1 or,
    after 0xFFFF, two bytes of length and UTF-16.

    Raises:
        Malformed: It is not a TextGrid, or is cut off.
    """
    binary = _Binary(content)
    kind = binary.name()
    if not kind.startswith("TextGrid"):
        raise Malformed(1, f'TextGrid needs "TextGrid". Received: {shown(kind)}.')
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", *binary.numbers(2)]
    if not binary.integer(1):
        return "\n".join([*lines, "<absent>"])
    n_tiers = binary.integer(4)
    lines += ["<exists>", str(n_tiers)]
    for _ in range(n_tiers):
        kind = binary.name()
        lines += [_quoted(kind), _quoted(binary.text()), *binary.numbers(2)]
        n_parts = binary.integer(4)
        lines.append(str(n_parts))
        for _ in range(n_parts):
            lines += [*binary.numbers(1 if kind == "TextTier" else 2), _quoted(binary.text())]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


class _Binary:
    """The parts of a binary file, one after the other."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._next = len(BINARY)

    def integer(self, size: int) -> int:
        return int.from_bytes(self._bytes(size), "big")

    def numbers(self, count: int) -> list[str]:
        return [repr(number) for number in struct.unpack(f">{count}d", self._bytes(8 * count))]

    def name(self) -> str:
        return self._bytes(self.integer(1)).decode("latin-1")

    def text(self) -> str:
        length = self.integer(2)
        if length == 0xFFFF:
            return self._bytes(2 * self.integer(2)).decode("utf-16-be", errors="replace")
        return self._bytes(length).decode("latin-1")

    def _bytes(self, size: int) -> bytes:
        part = self._content[self._next : self._next + size]
        if len(part) < size:
            raise Malformed(
                1, f"a binary TextGrid must be whole. Received: {len(self._content)} bytes, cut off."
            )
        self._next += size
        return part
