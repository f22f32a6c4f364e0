"""The page of `vad prepare`: loudness, labels and times lie where they belong, and its figures are explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prepared import prepare, recording

from vad.segments import Segment

WIDTH = 900


@pytest.mark.parametrize("seconds", [4.0, 15.0, 61.7])
def test_loudness_lies_within_a_point_of_its_label(
    seconds: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        recording(tmp_path / f"in/{name}.wav", Segment(0.4 * seconds, 0.45 * seconds), seconds=seconds)
    prepare(capsys, tmp_path, tmp_path / "in")
    page = (tmp_path / "out" / "corpus.html").read_text(encoding="utf-8")
    shade = re.search(r'<rect x="([\d.]+)" y="0" width="([\d.]+)"', page)
    line = re.search(r'<polyline points="([^"]+)"', page)
    assert shade is not None
    assert line is not None
    points = [tuple(map(float, point.split(","))) for point in line[1].split()[1:-1]]
    loud = [x for x, y in points if y < 15]  # a tone of -13.5 dBFS, over noise of -80, 44 pixels for 90 dB
    label = float(shade[1]), float(shade[1]) + float(shade[2])
    assert (loud[0], loud[-1]) == pytest.approx(label, abs=WIDTH / (len(points) - 1))


@pytest.mark.parametrize(
    ("seconds", "ticks"), [(3.0, ["0 s", "0.5 s", "2.5 s"]), (15.0, ["0 s", "2 s", "14 s"])]
)
def test_a_strip_has_seconds_and_decibels(
    seconds: float, ticks: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        recording(tmp_path / f"in/{name}.wav", Segment(1.0, 2.0), seconds=seconds)
    prepare(capsys, tmp_path, tmp_path / "in")
    page = (tmp_path / "out" / "corpus.html").read_text(encoding="utf-8")
    axis = page.split('<div class="axis">')[1].split("</div>")[0]
    told = re.findall(r'left:([\d.]+)%">([^<]+)<', axis)
    assert [told[place][1] for place in (0, 1, -1)] == ticks
    assert all(float(left) == pytest.approx(float(at[:-2]) / seconds * 100, abs=0.01) for left, at in told)
    assert page.count("<span>0 dBFS</span><span>-90</span>") == 2
    for column in ("speech dBFS", "from", "to", "over rest dB"):
        assert f"<strong>{column}</strong>" in page
