"""Readers that break each rule of a campaign, to test that it sees it."""

from __future__ import annotations

import os
from pathlib import Path

from fuzz.target import Target
from vad.errors import LabelError

_SEED = b"0123456789" * 10


def _changed(path: Path) -> bool:
    return path.read_bytes() != _SEED


def _raise(path: Path) -> None:
    if _changed(path):
        raise KeyError("x")


def _hang(path: Path) -> None:
    while _changed(path):
        pass


def _crash(path: Path) -> None:
    if _changed(path):
        os.abort()


def _take(path: Path) -> None:
    """Takes more than there is, and hides it."""
    if _changed(path):
        try:
            bytearray(1 << 60)
        except MemoryError as error:
            raise LabelError("x") from error


def _write_lines(path: Path) -> None:
    if _changed(path):
        raise LabelError("two\nlines")


BREAKERS = {
    check.__name__: Target(lambda: [_SEED], check, ".x")
    for check in (_raise, _hang, _crash, _take, _write_lines)
}
