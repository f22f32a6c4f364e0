"""What a view shows, and how it is written: pictures, one page that needs no other file, and the arrays."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from vad.files import writing

__all__ = ["Picture", "View", "write"]

_DPI = 110
_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body {
  font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff;
  max-width: 72rem; margin: 2rem auto; padding: 0 1rem;
}
img { max-width: 100%; height: auto; }
figure { margin: 1rem 0 2.5rem; }
figcaption { max-width: 48rem; }
li { max-width: 48rem; }
</style>
</head>
<body>
<h1>$title</h1>
$body
</body>
</html>
""")


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
        lines = "".join(f"<li>{html.escape(line)}</li>\n" for line in view.findings)
        sections.append(f"<h2>{html.escape(view.title)}</h2>\n<ul>\n{lines}</ul>")
        for picture in view.pictures:
            content = _drawn(picture.figure, format)
            with writing(folder / f"{view.name}-{picture.name}.{format}") as unfinished:
                unfinished.write_bytes(content)
            sections.append(_section(picture, content, format))
        with writing(folder / f"{view.name}.npz") as unfinished, unfinished.open("wb") as file:
            np.savez_compressed(file, **dict(view.arrays))  # type: ignore[arg-type]  # its own keywords are others
    page = folder / f"{name}.html"
    with writing(page) as unfinished:
        text = _PAGE.substitute(title=html.escape(title), body="\n".join(sections))
        unfinished.write_text(text, encoding="utf-8")
    return page


def _drawn(figure: Figure, format: str) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=format, dpi=_DPI)
    return buffer.getvalue()


def _section(picture: Picture, content: bytes, format: str) -> str:
    kind = {"png": "image/png", "svg": "image/svg+xml"}[format]
    return (
        f"<h3>{html.escape(picture.title)}</h3>\n<figure>\n"
        f'<img src="data:{kind};base64,{base64.b64encode(content).decode()}" alt="{html.escape(picture.title)}">\n'
        f"<figcaption>{html.escape(picture.seen)} {html.escape(picture.healthy)}</figcaption>\n</figure>"
    )
