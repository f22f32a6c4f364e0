"""The page of `vad inspect`: sections of findings and pictures."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vad.report.page import fill_page

__all__ = ["EmbeddedPicture", "Section", "network_page"]

_MEDIA_TYPES = {"png": "image/png", "svg": "image/svg+xml"}


@dataclass(frozen=True)
class EmbeddedPicture:
    """A picture that the page holds.

    Attributes:
        title: Its heading.
        caption: The text below it.
        content: The bytes of its file.
        format: "png" or "svg".
    """

    title: str
    caption: str
    content: bytes
    format: str


@dataclass(frozen=True)
class Section:
    """A section of the page: its heading, its findings (a sentence each), and its pictures."""

    title: str
    findings: Sequence[str]
    pictures: Sequence[EmbeddedPicture]


def network_page(title: str, sections: Sequence[Section]) -> str:
    """Give the page as HTML in one file."""
    data = {
        "title": title,
        "sections": [
            {"title": one.title, "findings": one.findings, "pictures": [*map(_picture_data, one.pictures)]}
            for one in sections
        ],
    }
    return fill_page(title, ["network.js"], data)


def _picture_data(picture: EmbeddedPicture) -> dict[str, Any]:
    encoded = base64.b64encode(picture.content).decode("ascii")
    address = f"data:{_MEDIA_TYPES[picture.format]};base64,{encoded}"
    return {"title": picture.title, "caption": picture.caption, "address": address}
