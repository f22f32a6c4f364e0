"""Regions that Sonic Visualiser exported (.svl): XML with times in frames of the recording."""

from collections.abc import Iterator

from vad.errors import shown
from vad.labels.reading import Entry, Malformed, read_each
from vad.labels.xml_elements import parse_xml

__all__ = ["read_svl"]

_Attributes = dict[str, str]


def read_svl(text: str) -> Iterator[Entry | Malformed]:
    """Read the points with a duration, with any text.

    Raises:
        Malformed: It is not XML, or has no layer with durations.
    """
    rates: _Attributes = {}  # by dataset; the model of each has its rate
    points: list[tuple[int, _Attributes, str]] = []
    dataset = ""

    def start(line: int, name: str, attributes: _Attributes) -> None:
        nonlocal dataset
        if name == "model" and "dataset" in attributes:
            rates[attributes["dataset"]] = attributes.get("sampleRate", "")
        elif name == "dataset":
            dataset = attributes.get("id", "")
        elif name == "point":
            points.append((line, attributes, dataset))

    parse_xml(text, "a layer of Sonic Visualiser's", start)
    regions = [point for point in points if "duration" in point[1]]
    if points and not regions:
        raise Malformed(points[0][0], "a layer needs regions, which have durations. Received: moments alone.")
    return read_each(lambda line, point, of: _entry(line, point, rates.get(of, "")), regions)


def _entry(line: int, point: _Attributes, rate: str) -> Entry:
    values = {"sampleRate": rate, "frame": point.get("frame", ""), "duration": point["duration"]}
    for name, value in values.items():
        if not value.isdecimal() or (name == "sampleRate" and float(value) == 0):
            raise Malformed(line, f"a region needs a whole number as its {name}. Received: {shown(value)}.")
    start, frames = float(point["frame"]), float(point["duration"])
    return Entry(line, start / float(rate), (start + frames) / float(rate), label=point.get("label"))
