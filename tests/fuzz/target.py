"""What a target of a campaign is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fuzz.mutation import Mutator

__all__ = ["Target"]


@dataclass(frozen=True)
class Target:
    """A reader, and files for it.

    Attributes:
        seeds: Makes whole files.
        check: Reads a file, and checks what it gives. Only a `VadError` may come out of it. It may return a text:
            what differs between inputs that were read.
        suffix: The extension of the files.
        repair: As for `Mutator`.
        is_native: It runs a program in C++ that a hostile file can end, as SECURITY.md says: crashes and too much
            memory are counted, and are no finds.
    """

    seeds: Callable[[], list[bytes]]
    check: Callable[[Path], object]
    suffix: str
    repair: Callable[[bytes, Mutator], bytes] | None = None
    is_native: bool = False
