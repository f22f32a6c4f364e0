"""The views of an inspection, and how they are written: pictures, one page that needs no other file, and arrays."""

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
    """A picture, explained to a newcomer.

    Attributes:
        name: The stem of its file.
        title: Its heading.
        figure: The picture.
        seen: What it shows.
        healthy: What a healthy one looks like.
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
        name: The command's word for it.
        title: The heading.
        findings: The results in words.
        pictures: In order.
        arrays: The data of the pictures, by name.
    """

    name: str
    title: str
    findings: Sequence[str]
    pictures: Sequence[Picture]
    arrays: Mapping[str, npt.NDArray[np.generic]]


def write(views: Sequence[View], folder: Path, *, name: str, title: str, format: str = "png") -> Path:
    """Writes ``<view>-<picture>.<format>`` and ``<view>.npz`` of each view, and one page of all, ``<name>.html``.

    The format is "png" or "svg". Returns the path of the page, which holds its pictures and needs no other file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sections = []
    for view in views:
        shown = []
        for picture in view.pictures:
            buffer = io.BytesIO()
            picture.figure.savefig(buffer, format=format, dpi=_DPI)
            content = buffer.getvalue()
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
