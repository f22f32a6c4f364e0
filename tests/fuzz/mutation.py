"""Changes inputs at random: bytes of any format, and the parts of formats that hold others or sums of their bytes."""

from __future__ import annotations

import contextlib
import gzip
import io
import random
import re
import struct
import zipfile
from collections.abc import Callable, Sequence

__all__ = ["Mutator", "gzip_content", "ogg_sums", "zip_members"]


_MAX_BYTES = 1 << 18
_SIZES = (0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_WORDS = (
    *(b"", b"-1", b"0", b"1e400", b"-0.0", b"nan", b"inf", b"9" * 5000, b"9" * 400, b"1_0", b"0x10", b"1e-9"),
    *("٣".encode(), "²".encode(), "é".encode(), b"\xff\xfe", b"\xef\xbb\xbf", b"\x1f\x8b", b"\0", b"\r", b"\x85"),
    *(b'"', b'""', b"'", b"\t", b",", b";", b"\n", b" ", b"{", b"}", b"[", b"]", b"[" * 3000, b":", b"<", b"&#1;"),
    *(b"null", b"true", b"[]", b"{}", b"\\", b"\\ud800", b"-->", b"<!--", b"]]>", b"=", b"#", b"..", b"/", b"|"),
)  # fmt: skip
_NUMBER = re.compile(rb"\d+(?:\.\d+)?")


class Mutator:
    """Makes new inputs from known ones.

    Args:
        seed: The same one gives the same inputs.
        repair: Puts right what would be refused at once after a change, such as the sums of Ogg pages. It is left out
            for every third input, since the refusal is to be tested too.
    """

    def __init__(self, seed: int, repair: Callable[[bytes, Mutator], bytes] | None = None):
        self.random = random.Random(seed)
        self._repair = repair

    def mutated(self, content: bytes, others: Sequence[bytes]) -> bytes:
        """A changed copy; pieces of the other inputs may get into it."""
        self._others = others
        if self._repair is not None and self.random.random() > 1 / 3:
            with contextlib.suppress(Exception):  # too broken to be repaired
                return self._repair(content, self)
        return self.changed(content)

    def changed(self, content: bytes) -> bytes:
        """A copy with one to six changes."""
        changes = (
            *(self._flip, self._byte, self._number, self._size, self._word, self._word),
            *(self._remove, self._repeat, self._swap, self._cut, self._splice),
        )
        for _ in range(self.random.choice((1, 1, 1, 2, 3, 6))):
            content = self.random.choice(changes)(content)[:_MAX_BYTES]
        return content

    def _place(self, content: bytes) -> int:
        """A position. Half of them are near the beginning, where the headers are."""
        end = len(content)
        return self.random.randrange(min(end, 128) if self.random.random() < 0.5 else end) if end else 0

    def _span(self, content: bytes) -> tuple[int, int]:
        start = self._place(content)
        return start, min(len(content), start + int(2 ** self.random.uniform(0, 12)))

    def _flip(self, content: bytes) -> bytes:
        return self._put(content, 1, lambda old: bytes([old[0] ^ 1 << self.random.randrange(8)]))

    def _byte(self, content: bytes) -> bytes:
        return self._put(content, 1, lambda _: self.random.randbytes(1))

    def _size(self, content: bytes) -> bytes:
        """A number as headers have it, that is extreme or near to what was there."""
        order, (code, length) = self.random.choice("<>"), self.random.choice((("H", 2), ("I", 4), ("Q", 8)))

        def other(old: bytes) -> bytes:
            (value,) = struct.unpack(order + code, old)
            near = (value + 1, value - 1, value * 2, value // 2, value ^ 1 << 8 * length - 1)
            return struct.pack(order + code, self.random.choice(near + _SIZES) % (1 << 8 * length))

        return self._put(content, length, other)

    def _put(self, content: bytes, length: int, make: Callable[[bytes], bytes]) -> bytes:
        start = self._place(content)
        old = content[start : start + length]
        return content if len(old) < length else content[:start] + make(old) + content[start + length :]

    def _number(self, content: bytes) -> bytes:
        """Another number in a text."""
        found = list(_NUMBER.finditer(content, 0, 40_000))
        if not found:
            return self._byte(content)
        one = self.random.choice(found)
        known = self.random.choice(_WORDS[:12])
        digits = str(self.random.choice((*_SIZES, self.random.random() * 10))).encode()
        return content[: one.start()] + self.random.choice((known, digits)) + content[one.end() :]

    def _word(self, content: bytes) -> bytes:
        start, end = self._span(content)
        end = self.random.choice((start, min(end, start + 8)))
        return content[:start] + self.random.choice(_WORDS) + content[end:]

    def _remove(self, content: bytes) -> bytes:
        start, end = self._span(content)
        return content[:start] + content[end:]

    def _repeat(self, content: bytes) -> bytes:
        start, end = self._span(content)
        times = self.random.choice((1, 1, 2, 50))
        return content[:end] + content[start:end] * times + content[end:]

    def _swap(self, content: bytes) -> bytes:
        start, end = self._span(content)
        to = self._place(content)
        piece, rest = content[start:end], content[:start] + content[end:]
        return rest[:to] + piece + rest[to:]

    def _cut(self, content: bytes) -> bytes:
        return content[: self.random.randrange(len(content) + 1)]

    def _splice(self, content: bytes) -> bytes:
        other = self.random.choice(self._others)
        start, end = self._span(content)
        first, last = self._span(other)
        return content[:start] + other[first:last] + content[self.random.choice((start, end)) :]


def ogg_sums(content: bytes, mutator: Mutator) -> bytes:
    """Change an Ogg file, and put the sums of its pages right (RFC 3533, 6)."""
    from vad.audio.ogg import _checksum  # late: not all campaigns need it

    fixed = bytearray(mutator.changed(content))
    at = fixed.find(b"OggS")
    while at >= 0 and at + 27 <= len(fixed):
        lacing = fixed[at + 27 : at + 27 + fixed[at + 26]]
        end = at + 27 + len(lacing) + sum(lacing)
        fixed[at + 22 : at + 26] = _checksum(bytes(fixed[at:end]))
        at = fixed.find(b"OggS", at + 27)
    return bytes(fixed)


def zip_members(content: bytes, mutator: Mutator) -> bytes:
    """Change a member of a ZIP archive, and pack it again."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = mutator.random.choice(list(members))
    members[name] = mutator.changed(members[name])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return packed.getvalue()


def gzip_content(content: bytes, mutator: Mutator) -> bytes:
    """Change what is packed."""
    return gzip.compress(mutator.changed(gzip.decompress(content)), 1)
