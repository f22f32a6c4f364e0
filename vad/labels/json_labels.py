"""Labels as JSON objects: one document (json), or one segment a line (jsonl)."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from vad.detection.segments import Segment
from vad.labels.reading import Entry, Malformed, filled_lines, read_each, shown

__all__ = ["read_json", "read_jsonl", "write_json", "write_jsonl"]

_STRING_OR_BRACKET_OR_NEWLINE = re.compile(r'"(?:[^"\\]|\\.)*"|[{[\n]')


def write_json(segments: Sequence[Segment], uri: str, duration: float | None) -> str:
    """Write one object with ``file``, ``duration`` (null if unknown) and ``segments``, a segment a line."""
    rows = ",\n".join(f"    {json.dumps(_times(segment))}" for segment in segments)
    listed = f"[\n{rows}\n  ]" if rows else "[]"
    seconds = None if duration is None else round(duration, 6)
    name = json.dumps(uri, ensure_ascii=False)
    return f'{{\n  "file": {name},\n  "duration": {json.dumps(seconds)},\n  "segments": {listed}\n}}\n'


def write_jsonl(segments: Sequence[Segment], uri: str, duration: float | None) -> str:
    """Write an object with ``file``, ``start`` and ``end`` a line."""
    rows = ({"file": uri, **_times(segment)} for segment in segments)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def read_json(text: str) -> Iterator[Entry | Malformed]:
    """Read what `write_json` writes, a list of such objects, or a bare list of segments.

    Under ``segments`` one may also be ``[start, end]``, as in the manifest of a corpus.

    Raises:
        Malformed: it is no JSON, or an object without segments.
    """
    document = _parse(text, 1)
    lines = _lines_of_brackets(text, document)
    if isinstance(document, dict) and "segments" not in document:
        raise Malformed(
            1, f"JSON needs a list of segments. Received: the keys {', '.join(document) or 'none'}."
        )
    for item in document if isinstance(document, list) else [document]:
        if not isinstance(item, dict) or "segments" not in item:
            yield from read_each(_entry, [(item, lines.get(id(item), 1), None)])
            continue
        line, segments, uri = lines[id(item)], item["segments"], item.get("file")
        if isinstance(segments, list):
            yield from read_each(
                _entry, ((_as_object(one), lines.get(id(one), line), uri) for one in segments)
            )
        else:
            yield Malformed(line, f"segments must be a list. Received: {shown(segments)}.")


def read_jsonl(text: str) -> Iterator[Entry | Malformed]:
    """Read what `write_jsonl` writes; further keys may be there."""
    return read_each(lambda number, line: _entry(_parse(line, number), number, None), filled_lines(text))


def _times(segment: Segment) -> dict[str, float]:
    return {"start": round(segment.start, 6), "end": round(segment.end, 6)}


def _parse(text: str, first_line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise Malformed(
            line, f"JSON must be well-formed. Received: {error.msg} (column {error.colno})."
        ) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; brackets nested as deep
        raise Malformed(first_line, f"JSON must be well-formed. Received: {error}.") from error


def _lines_of_brackets(text: str, document: Any) -> dict[int, int]:
    """The line where each object and list begins, by its id: the n-th one of the document opens the n-th bracket."""
    line, lines = 1, []
    for token in _STRING_OR_BRACKET_OR_NEWLINE.findall(text):
        if token == "\n":
            line += 1
        elif token in "{[":
            lines.append(line)
    return {id(item): line for item, line in zip(_bracketed(document), lines, strict=False)}


def _bracketed(value: Any) -> Iterator[dict[str, Any] | list[Any]]:
    """All objects and lists in the order of their opening brackets."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict | list):
            yield item
            waiting.extend(reversed(item if isinstance(item, list) else list(item.values())))


def _as_object(item: Any) -> Any:
    """A pair as the object that it is short for."""
    return {"start": item[0], "end": item[1]} if isinstance(item, list) and len(item) == 2 else item


def _entry(item: Any, line: int, uri: Any) -> Entry:
    if not isinstance(item, dict) or not {"start", "end"} <= item.keys():
        raise Malformed(line, f"a segment must be an object with start and end. Received: {shown(item)}.")
    return Entry(
        line,
        _seconds(item, "start", line),
        _seconds(item, "end", line),
        _text(item.get("file", uri)),
        _text(item.get("label")),
        _text(item.get("speaker")),
    )


def _seconds(item: dict[str, Any], name: str, line: int) -> float:
    value = item[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed(line, f"{name} must be a number of seconds. Received: {shown(value)}.")
    try:
        return float(value)
    except OverflowError:
        raise Malformed(
            line, f"{name} must be a number of seconds. Received: one of thousands of digits."
        ) from None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
