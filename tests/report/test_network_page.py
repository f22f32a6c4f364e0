"""The page of `vad inspect`: pictures that can be read at any width."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from support.browser import PHONE, check_look, opened
from support.pages import Page

from vad.report.network import EmbeddedPicture, Section, network_page

TEXT = """<b>&"'$x$ 音</script>"""


@pytest.fixture(params=["png", "svg"])
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    content = io.BytesIO()
    Figure(figsize=(11, 2)).savefig(content, format=request.param, dpi=110)
    picture = EmbeddedPicture(TEXT, f"{TEXT}.", content.getvalue(), request.param)
    path = tmp_path / "look.html"
    path.write_text(network_page(TEXT, [Section(TEXT, [TEXT, TEXT], [picture] * 2)]), encoding="utf-8")
    return path


def test_a_browser_shows_what_was_given_as_text_and_pictures(page: Path, tmp_path: Path) -> None:
    assert Page(page).title == TEXT
    assert Page(page).tags.count("script") == 2
    with opened(page, tmp_path / "profile") as tab:
        found = tab.run(
            """
            await Promise.all([...document.images].map((image) => image.decode()));
            const texts = (name) => [...document.querySelectorAll(name)].map((one) => one.textContent);
            const width = Math.min(...[...document.images].map((image) => image.width));
            return { width, h1: texts("h1"), h2: texts("h2"), h3: texts("h3"), li: texts("li"),
              captions: texts("figcaption") };
            """
        )
    assert found.pop("width") > 700
    assert found == {
        "h1": [TEXT],
        "h2": [TEXT],
        "h3": [TEXT] * 2,
        "li": [TEXT] * 2,
        "captions": [f"{TEXT}."] * 2,
    }


def test_it_fits_a_phone_where_the_keyboard_moves_a_picture(page: Path, tmp_path: Path) -> None:
    check_look(page, tmp_path / "profile")
    with opened(page, tmp_path / "profile", width=PHONE) as tab:
        tab.press("Tab")
        tab.press("ArrowRight")
        moved = tab.run(
            """
            await new Promise((done) => setTimeout(done, 500));
            return [...document.querySelectorAll(".picture .scroll")].map((one) => one.scrollLeft);
            """
        )
    assert moved[0] > 0
    assert moved[1] == 0
