"""The page of a look into a network: sections of findings and pictures."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from vad.report.page import fill_page

__all__ = ["Section", "ShownPicture", "network_page", "shown_picture"]


@dataclass(frozen=True)
class ShownPicture:
    """A picture of the page.

    Attributes:
        title: Its heading.
        caption: Below it.
        address: The picture itself, as a data URL.
    """

    title: str
    caption: str
    address: str


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        title: Its heading.
        findings: A sentence each.
        pictures: In order.
    """

    title: str
    findings: Sequence[str]
    pictures: Sequence[ShownPicture]


def network_page(title: str, sections: Sequence[Section]) -> str:
    """Show what was seen in a network.

    Args:
        title: Of the page.
        sections: In order.

    Returns:
        HTML in one file.
    """
    data = {"title": title, "sections": [asdict(section) for section in sections]}
    return fill_page(title, ["network.js"], data)


def shown_picture(title: str, caption: str, content: bytes, format: str) -> ShownPicture:
    """Make a picture ready to be shown.

    Args:
        title: Its heading.
        caption: Below it.
        content: The picture's file.
        format: "png" or "svg".
    """
    kind = {"png": "image/png", "svg": "image/svg+xml"}[format]
    return ShownPicture(title, caption, f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}")
