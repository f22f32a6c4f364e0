"""Small charts: what they show, and in which colours."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from vad.charts import lines

SVG = "{http://www.w3.org/2000/svg}"
SERIES = {"miss": ([0.0, 1.0], [0.0, 10.0]), "false alarm": ([0.0, 1.0], [10.0, 0.0])}


def chart(**also: object) -> ElementTree.Element:
    return ElementTree.fromstring(lines(SERIES, "title", "x", "y", **also))


def test_a_mark_has_the_colour_of_no_curve() -> None:
    drawn = chart(marks={"here": (0.5, 5.0)})
    colours = {one.get("stroke") for one in drawn.iter(f"{SVG}polyline")}
    (dot,) = drawn.iter(f"{SVG}circle")
    assert len(colours) == 2
    assert dot.get("fill") not in colours


def test_a_limit_is_a_dashed_line_within_the_chart_though_no_curve_goes_so_far() -> None:
    drawn = chart(limits={"at most <20>": 20.0})
    (dashed,) = (one for one in drawn.iter(f"{SVG}line") if one.get("stroke-dasharray"))
    tops = [
        min(float(pair.split(",")[1]) for pair in one.get("points", "").split())
        for one in drawn.iter(f"{SVG}polyline")
    ]
    assert dashed.get("y1") == dashed.get("y2")
    assert 0 < float(dashed.get("y1", "0")) < min(tops)
    assert "at most <20>" in {one.text for one in drawn.iter(f"{SVG}text")}
    assert not any(one.get("stroke-dasharray") for one in chart().iter(f"{SVG}line"))
