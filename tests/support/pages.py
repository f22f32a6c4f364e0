"""A page as a browser takes it apart."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any


class Page(HTMLParser):
    """Tags, addresses, title and data of a page.

    Attributes:
        text: All of it.
        tags: In order.
        addresses: What any `src` or `href` says.
        title: As text.
    """

    def __init__(self, path: Path):
        super().__init__()
        self.text = path.read_text(encoding="utf-8")
        self.tags: list[str] = []
        self.addresses: list[str | None] = []
        self.title = ""
        self._data = ""
        self._within = ""
        self.feed(self.text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        self._within = dict(attrs).get("id") or tag

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within == "title":
            self.title += data
        if self._within == "data":
            self._data += data

    @property
    def urls(self) -> list[str]:
        """Whatever looks like an address elsewhere; the name of SVG's elements looks like one, and is none."""
        return [
            url
            for url in re.findall(r"\w{1,9}://[^\s\"']*", self.text)
            if url != "http://www.w3.org/2000/svg"
        ]

    @property
    def data(self) -> Any:
        """What the scripts show."""
        return json.loads(self._data)
