"""Small charts as SVG text: what a page or a picture needs, without a plotting library."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["histogram", "lines", "strip"]

_COLOURS = ("#1f5fa8", "#c2571a", "#3b7d3b", "#7a4fa3")
_NEUTRAL = "#333"
_STYLE = f'font-family="sans-serif" font-size="11" fill="{_NEUTRAL}"'
_LEFT, _BOTTOM, _TOP, _RIGHT = 52, 38, 24, 14


def histogram(values: Sequence[float], title: str, unit: str, *, width: int = 340, height: int = 190) -> str:
    """Draws how often values come.

    Args:
        values: Finite ones count.
        title: Above the chart.
        unit: Below the axis.
        width: Pixels.
        height: Pixels.
    """
    finite = np.array([value for value in values if math.isfinite(value)])
    if not len(finite):
        return ""
    counts, edges = np.histogram(finite, bins=min(20, max(5, len(finite) // 3)))
    frame = _Frame((float(edges[0]), float(edges[-1])), (0.0, float(counts.max())), width, height)
    bars = (
        f'<rect x="{frame.x(low) + 0.5:.1f}" y="{frame.y(count):.1f}" width="{frame.x(high) - frame.x(low) - 1:.1f}" '
        f'height="{frame.y(0) - frame.y(count):.1f}" fill="{_COLOURS[0]}"/>'
        for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True)
        if count
    )
    return frame.svg("".join(bars), title, unit, "recordings")


def lines(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    title: str,
    x_label: str,
    y_label: str,
    *,
    marks: Mapping[str, tuple[float, float]] | None = None,
    limits: Mapping[str, float] | None = None,
    width: int = 560,
    height: int = 360,
) -> str:
    """Draws curves.

    Args:
        series: The x and y of each, by its name.
        title: Above the chart.
        x_label: Below the axis, with its unit.
        y_label: Beside the axis, with its unit.
        marks: Points to point out, by what they are called.
        limits: Heights to draw a dashed line at, likewise.
        width: Pixels.
        height: Pixels.
    """
    marks, limits = marks or {}, limits or {}
    xs = [x for points, _ in series.values() for x in points] + [x for x, _ in marks.values()]
    ys = [y for _, points in series.values() for y in points] + [y for _, y in marks.values()]
    ys += limits.values()
    frame = _Frame((min(xs), max(xs)), (min(ys), max(ys)), width, height)
    parts = []
    for number, (name, (x_points, y_points)) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in zip(x_points, y_points, strict=True))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
        parts.append(
            f'<text x="{width - _RIGHT}" y="{_TOP + 14 * (number + 1)}" text-anchor="end" {_STYLE} '
            f'style="fill:{colour}">{html.escape(name)}</text>'
        )
    # Marks lie on limits often: their names are kept apart.
    on_left = all(frame.x(x) > width * 0.45 for x, _ in marks.values())
    for number, (name, at) in enumerate(limits.items()):
        shift = 6 + 150 * number
        place = (_LEFT + shift, "start") if on_left else (width - _RIGHT - shift, "end")
        parts.append(_limit(frame, name, at, width, place))
    parts += [_mark(frame, name, x, y, width) for name, (x, y) in marks.items()]
    return frame.svg("".join(parts), title, x_label, y_label)


def _limit(frame: _Frame, name: str, at: float, width: int, place: tuple[int, str]) -> str:
    y = f"{frame.y(at):.1f}"
    return (
        f'<line x1="{_LEFT}" x2="{width - _RIGHT}" y1="{y}" y2="{y}" stroke="{_NEUTRAL}" stroke-dasharray="6 4"/>'
        f'<text x="{place[0]}" y="{y}" dy="-5" text-anchor="{place[1]}" {_STYLE}>'
        f"{html.escape(name)}</text>"
    )


def _mark(frame: _Frame, name: str, x: float, y: float, width: int) -> str:
    """A dot that has no curve's colour: it need not lie on one."""
    anchor = "end" if frame.x(x) > width * 0.6 else "start"
    shift = -8 if anchor == "end" else 8
    return (
        f'<circle cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="4" fill="{_NEUTRAL}"/>'
        f'<text x="{frame.x(x) + shift:.1f}" y="{frame.y(y) - 8:.1f}" text-anchor="{anchor}" {_STYLE}>'
        f"{html.escape(name)}</text>"
    )


def strip(
    levels: npt.NDArray[np.float32],
    spans: Sequence[tuple[float, float]],
    duration: float,
    *,
    width: int = 900,
    height: int = 44,
) -> str:
    """Draws a recording's loudness from -90 to 0 dBFS, with spans shaded behind it.

    Args:
        levels: dBFS, evenly over the recording [shape=(points,)].
        spans: Start and end, seconds.
        duration: Seconds.
        width: Pixels.
        height: Pixels.
    """
    shades = (
        f'<rect x="{start / duration * width:.1f}" y="0" width="{max((end - start) / duration * width, 0.5):.1f}" '
        f'height="{height}" fill="#ffd58a"/>'
        for start, end in spans
    )
    heights = height * (1 - np.clip((levels + 90) / 90, 0, 1))
    path = " ".join(
        f"{place:.1f},{y:.1f}"
        for place, y in zip(np.linspace(0, width, len(heights)), heights.tolist(), strict=True)
    )
    return (
        f'<svg width="{width}" height="{height}" role="img">{"".join(shades)}'
        f'<polyline points="0,{height} {path} {width},{height}" fill="{_COLOURS[0]}" fill-opacity="0.75"/></svg>'
    )


class _Frame:
    """Axes around a chart: where values lie in pixels."""

    def __init__(self, x_range: tuple[float, float], y_range: tuple[float, float], width: int, height: int):
        self._x, self._y = _widened(x_range), _widened(y_range)
        self._width, self._height = width, height

    def x(self, value: float) -> float:
        low, high = self._x
        return _LEFT + (value - low) / (high - low) * (self._width - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        low, high = self._y
        return self._height - _BOTTOM - (value - low) / (high - low) * (self._height - _BOTTOM - _TOP)

    def svg(self, content: str, title: str, x_label: str, y_label: str) -> str:
        middle, right = (self._width + _LEFT - _RIGHT) / 2, self._width - _RIGHT
        below = f'y="{self._height - _BOTTOM + 14}" text-anchor="middle" {_STYLE}'
        ticks = [f'<text x="{self.x(at):.1f}" {below}>{at:.3g}</text>' for at in _ticks(*self._x)]
        for at in _ticks(*self._y):
            y = f"{self.y(at):.1f}"
            ticks.append(f'<line x1="{_LEFT}" x2="{right}" y1="{y}" y2="{y}" stroke="#e4e4e4"/>')
            ticks.append(f'<text x="{_LEFT - 5}" y="{y}" dy="4" text-anchor="end" {_STYLE}>{at:.3g}</text>')
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self._width}" height="{self._height}" role="img">'
            f'<rect width="100%" height="100%" fill="white"/>{"".join(ticks)}{content}'
            f'<text x="{middle}" y="15" text-anchor="middle" {_STYLE} font-weight="bold">{html.escape(title)}</text>'
            f'<text x="{middle}" y="{self._height - 6}" text-anchor="middle" {_STYLE}>{html.escape(x_label)}</text>'
            f'<text transform="translate(12 {self._height / 2}) rotate(-90)" text-anchor="middle" {_STYLE}>'
            f"{html.escape(y_label)}</text></svg>"
        )


def _widened(span: tuple[float, float]) -> tuple[float, float]:
    low, high = span
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers within a span: four to eight, by steps of 1, 2 or 5."""
    power = 10 ** math.floor(math.log10((high - low) / 4))
    step = power * max(one for one in (1, 2, 5) if one * power <= (high - low) / 4)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]
