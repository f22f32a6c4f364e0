"""Draws what the networks that ship learned, and writes it into docs/inspect/shipped.md between its two marks.

    python scripts/pictures.py [--models models] [--clip data/examples/noisy.flac]

The figures and the sentences are those of `vad inspect`, measured on the networks as they are.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

from marked_pages import write_between_marks
from PIL import Image

from vad.audio import read_audio
from vad.labels import read_labels
from vad.training.inspection.page import Picture
from vad.training.inspection.subject import Clip, load_subject
from vad.training.inspection.views import look

ROOT = Path(__file__).parent.parent
CHOSEN = {
    "default": {"weights": "first-layer", "saliency": "map"},
    "waveform": {"weights": "first-layer-responses", "saliency": "map"},
}
DPI = 85
PAGE = ROOT / "docs" / "inspect" / "shipped.md"


def main() -> int:
    """Look into each network, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="their folder")
    parser.add_argument(
        "--clip",
        type=Path,
        default=ROOT / "data" / "examples" / "noisy.flac",
        help="heard; with labels beside it",
    )
    args = parser.parse_args()
    text = "\n".join(told(name, args.models, args.clip) for name in CHOSEN)
    write_between_marks(PAGE, "inspection", text.rstrip())
    return 0


def told(name: str, models: Path, clip: Path) -> str:
    """A network's part of the text; its pictures are written beside the page."""
    subject = load_subject(str(models / f"{name}.keras"))
    heard = Clip(clip.name, read_audio(clip, sample_rate=16_000), read_labels(clip.with_suffix(".rttm")))
    lines = [f"### {name}", ""]
    for view in look(subject, list(CHOSEN[name]), heard):
        picture = next(one for one in view.pictures if one.name == CHOSEN[name][view.name])
        path = PAGE.with_name(f"{name}-{view.name}.png")
        path.write_bytes(drawn(picture))
        lines += [*(f"- {line}" for line in view.findings), ""]
        lines += [f"![{view.title}]({path.name})", "", f"{picture.seen} {picture.healthy}", ""]
    return "\n".join(lines)


def drawn(picture: Picture) -> bytes:
    """A PNG of 256 colours, chosen so that the rare ones at the ends of a scale stay: a third of the bytes."""
    full, small = io.BytesIO(), io.BytesIO()
    picture.figure.savefig(full, format="png", dpi=DPI)
    colours = (
        Image.open(full).convert("RGB").quantize(method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    )
    colours.save(small, "PNG", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    sys.exit(main())
