"""Figures in pages: written between marks, and equal to those in the cards of the models."""

import json
import re
from pathlib import Path

import model_pages
import pytest


def test_figures_are_written_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    begin, end = "<!-- speed -->", "<!-- end of speed -->"
    page.write_text(f"before\n{begin}\nold\n{end}\nafter\n", encoding="utf-8")
    model_pages.write_between_marks(page, "speed", r"new \1")
    assert page.read_text(encoding="utf-8") == f"before\n{begin}\nnew \\1\n{end}\nafter\n"
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(SystemExit, match="must hold <!-- speed --> and"):
        model_pages.write_between_marks(page, "speed", "new")


def test_the_pages_say_of_the_models_what_their_cards_say() -> None:
    for path, sections in model_pages.pages().items():
        page = path.read_text(encoding="utf-8")
        for name, text in sections.items():
            expected = f"<!-- {name} -->\n{text}\n<!-- end of {name} -->"
            assert expected in page, f"{path} needs scripts/model_pages.py: {name}"


def test_the_comparisons_are_of_the_models_that_ship() -> None:
    for report in ("benchmark.md", "benchmark-speech.md"):
        text = (model_pages.MODELS / report).read_text(encoding="utf-8")
        models = re.findall(r"^\| (\w+) \|.*\| [^|]*sha256 (\w+) \|$", text, re.MULTILINE)
        assert {name for name, _ in models} >= {"default", "tiny", "waveform"}
        for name, sha in models:
            card = json.loads((model_pages.MODELS / f"{name}.json").read_text(encoding="utf-8"))
            assert card["sha256"].startswith(sha), f"{report} is of another {name}: vad benchmark"
