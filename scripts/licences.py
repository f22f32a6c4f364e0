"""Writes the licence of each package that `vad` and its extras install into docs/licences.md.

    python scripts/licences.py

It reads the metadata of the present environment, which needs all extras: pip install -e '.[dev,bench]'.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement

PAGE = Path(__file__).parent.parent / "docs" / "licences.md"
NOT_FOR_USERS = {"dev", "docs"}
_HEAD = """# Licences

The package is under the MIT licence. This is what it and its extras install, without `dev` and `docs`, as the metadata
of the packages say it. Wheels hold libraries with licences of their own: `soundfile` libsndfile (LGPL-2.1), `av` FFmpeg
(LGPL or GPL, as it was built), `sounddevice` PortAudio (MIT). `python scripts/licences.py` writes this page.

| licence | packages |
|---|---|
"""
_SPELLINGS = {"Apache Software License": "Apache-2.0", "Apache 2.0": "Apache-2.0", "MIT License": "MIT"}


def main() -> int:
    """Write the page."""
    found: dict[str, str] = {}
    missing: set[str] = set()
    extras = set(distribution("openvad").metadata.get_all("Provides-Extra", [])) - NOT_FOR_USERS
    for extra in ("", *sorted(extras)):
        _collect("openvad", extra, found, missing)
    del found["openvad"]
    packages = defaultdict(list)
    for name, licence in sorted(found.items()):
        packages[licence].append(name)
    rows = sorted(packages.items(), key=lambda row: (-len(row[1]), row[0]))
    PAGE.write_text(
        _HEAD + "".join(f"| {licence} | {', '.join(names)} |\n" for licence, names in rows), "utf-8"
    )
    if missing:
        print(f"not installed: {', '.join(sorted(missing))}", file=sys.stderr)
    return int(bool(missing))


def _collect(name: str, extra: str, found: dict[str, str], missing: set[str]) -> None:
    """Add a package, and what it needs with an extra or without."""
    try:
        package = distribution(name)
    except PackageNotFoundError:
        missing.add(name)
        return
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in found and not extra:
        return
    found[key] = _licence(package)
    environment = default_environment() | {"extra": extra}
    for line in package.requires or []:
        needed = Requirement(line)
        if needed.marker is None or needed.marker.evaluate(environment):
            for one in needed.extras or [""]:
                _collect(needed.name, one, found, missing)


def _licence(package: Distribution) -> str:
    """The SPDX expression, or else the classifiers, or else the first line of the field License."""
    metadata = package.metadata
    classifiers = [
        text.split(" :: ")[-1]
        for text in metadata.get_all("Classifier", [])
        if text.startswith("License :: OSI")
    ]
    first = (metadata.get("License") or "not stated").strip().splitlines()[0]
    text = metadata.get("License-Expression") or ", ".join(sorted(classifiers)) or first
    return _SPELLINGS.get(text, text)


if __name__ == "__main__":
    sys.exit(main())
