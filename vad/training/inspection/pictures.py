"""What a view shows, and how it is written: pictures, one page that needs no other file, and the arrays."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from vad.files import writing
from vad.report.network import EmbeddedPicture, Section, network_page

__all__ = ["Picture", "View", "write"]

_DPI = 110


@dataclass(frozen=True)
class Picture:
    """A picture, explained to somebody who sees its kind for the first time.

    Attributes:
        name: The stem of its file.
        title: Its heading.
        figure: The picture.
        seen: One sentence: what you see.
        healthy: One sentence: what a healthy one looks like.
    """

    name: str
    title: str
    figure: Figure
    seen: str
    healthy: str


@dataclass(frozen=True)
class View:
    """One way of looking into a network.

    Attributes:
        name: What the command calls it.
        title: The heading.
        findings: What the figures say, in words.
        pictures: In order.
        arrays: What the pictures were drawn from, by name.
    """

    name: str
    title: str
    findings: Sequence[str]
    pictures: Sequence[Picture]
    arrays: Mapping[str, npt.NDArray[np.generic]]


def write(views: Sequence[View], folder: Path, *, name: str, title: str, format: str = "png") -> Path:
    """Writes ``<view>-<picture>.<format>`` and ``<view>.npz`` of each view, and one page for all, ``<name>.html``.

    Args:
        views: What was looked at.
        folder: Where to; it is made if it is not there.
        name: The page's stem.
        title: The page's heading.
        format: "png" or "svg", of the files and of the pictures in the page.

    Returns:
        The path of the page, which holds its pictures and needs no other file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sections = []
    for view in views:
        shown = []
        for picture in view.pictures:
            content = _drawn(picture.figure, format)
            with writing(folder / f"{view.name}-{picture.name}.{format}") as unfinished:
                unfinished.write_bytes(content)
            caption = f"{picture.seen} {picture.healthy}"
            shown.append(EmbeddedPicture(picture.title, caption, content, format))
        sections.append(Section(view.title, view.findings, shown))
        with writing(folder / f"{view.name}.npz") as unfinished, unfinished.open("wb") as file:
            np.savez_compressed(file, **dict(view.arrays))  # type: ignore[arg-type]  # its own keywords are others
    page = folder / f"{name}.html"
    with writing(page) as unfinished:
        unfinished.write_text(network_page(title, sections), encoding="utf-8")
    return page


def _drawn(figure: Figure, format: str) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=format, dpi=_DPI)
    return buffer.getvalue()
