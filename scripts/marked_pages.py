"""Writes figures into a page that people wrote: between two marks, which no reader sees."""

from __future__ import annotations

import re
import sys
from pathlib import Path

__all__ = ["write_between_marks"]


def write_between_marks(page: Path, name: str, text: str) -> None:
    """Replaces what stands between ``<!-- name -->`` and ``<!-- end of name -->``."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    old = page.read_text(encoding="utf-8")
    new, count = re.subn(f"{begin}.*{end}", lambda _: f"{begin}\n{text}\n{end}", old, flags=re.DOTALL)
    if count != 1:
        sys.exit(f"{page} must hold {begin} and {end} once. Received: {count} times.")
    page.write_text(new, encoding="utf-8")
