"""Unpacks the archives of games that hold recordings of the corpus, for scripts/build_corpus.py."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

__all__ = ["unpack"]

_OGG_BEGINNING = b"OggS\0\x02"  # a page that begins a stream


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks an archive of a known kind; other files are left alone.

    Args:
        archive: ``.wz`` and ``.pk3`` are zip files, ``.rcc`` a Qt resource file, ``.1c`` what ScummVM's tools make.
        folder: Where to write, in a folder with the archive's name; the files of ``.1c`` without one.
    """
    if archive.suffix in (".wz", ".pk3"):
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder / f"{archive.name}.d")
    elif archive.suffix == ".rcc":
        _carve_ogg(archive.read_bytes(), folder / archive.stem)
    elif archive.suffix == ".1c":
        _unpack_scummvm(archive.read_bytes(), folder)


def _carve_ogg(content: bytes, folder: Path) -> None:
    """Writes the Ogg streams of a file by number, each up to its last page (RFC 3533)."""
    folder.mkdir(exist_ok=True)
    place = content.find(_OGG_BEGINNING)
    number = 0
    while place >= 0:
        end = place
        while content[end : end + 4] == b"OggS" and (end == place or content[end + 5] != 2):
            segments = content[end + 26]
            end += 27 + segments + sum(content[end + 27 : end + 27 + segments])
        (folder / f"{number:03}.ogg").write_bytes(content[place:end])
        place, number = content.find(_OGG_BEGINNING, end), number + 1


def _unpack_scummvm(content: bytes, folder: Path) -> None:
    """Writes the files that the table at the beginning names (ScummVM, engines/queen/resource.cpp)."""
    (count,) = struct.unpack_from(">H", content, 13)
    for name, _, offset, size in struct.iter_unpack(">12sBII", content[15 : 15 + 21 * count]):
        (folder / name.rstrip(b"\0").decode("ascii")).write_bytes(content[offset : offset + size])
