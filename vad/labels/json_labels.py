"""Labels as JSON objects: one document (json), or one segment a line (jsonl)."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from vad.errors import shown
from vad.json_text import parse_json
from vad.labels.fields import named, times_named
from vad.labels.label_studio import is_task, recording_of, regions_of
from vad.labels.reading import Entry, Malformed, filled_lines, past_end, read_each, start_and_duration
from vad.labels.turns import Turn

__all__ = ["read_json", "read_jsonl", "write_json", "write_jsonl", "write_nemo"]

_SHORTEST_IN_SAMPLES = 1000  # silero-vad's shortest speech is 250 ms: 2,000 samples at 8 kHz
_FIRST_END_IN_SAMPLES = 10_000
_LAST_IN_SAMPLES = 2**40
_STRING_OR_BRACKET_OR_NEWLINE = re.compile(r'"(?:[^"\\]|\\.)*"|[{[\n]')


def write_json(segments: Sequence[Turn], uri: str, duration: float | None) -> str:
    """Write one object with ``file``, ``duration`` (null if unknown) and ``segments``, a segment a line."""
    rows = ",\n".join(f"    {json.dumps(_times(segment))}" for segment in segments)
    listed = f"[\n{rows}\n  ]" if rows else "[]"
    seconds = None if duration is None else round(duration, 6)
    name = json.dumps(uri, ensure_ascii=False)
    return f'{{\n  "file": {name},\n  "duration": {json.dumps(seconds)},\n  "segments": {listed}\n}}\n'


def write_jsonl(segments: Sequence[Turn], uri: str, duration: float | None) -> str:
    """Write a line for each segment: an object with ``file``, ``start`` and ``end``."""
    return _lines({"file": uri, **_times(segment)} for segment in segments)


def write_nemo(segments: Sequence[Turn], uri: str, duration: float | None) -> str:
    """Write a manifest of NVIDIA NeMo: a line for each segment, with the recording, an offset and a duration."""
    return _lines(
        {
            "audio_filepath": uri,
            **dict(zip(("offset", "duration"), start_and_duration(segment), strict=True)),
            **_channel(segment),
            "label": "speech",
            "text": "-",
        }
        for segment in segments
    )


def _lines(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def read_json(text: str) -> Iterator[Entry | Malformed]:
    """Read what `write_json` writes, a list of such objects, a bare list of segments, or tasks of Label Studio.

    A segment in ``segments`` may also be ``[start, end]``, as in the manifest of a corpus. `vad.labels.fields` has the
    names of the keys.

    Raises:
        Malformed: It is not JSON, an object without segments, or in samples.
    """
    document = _parse(text, 1)
    lines = _lines_of_brackets(text, document)
    if isinstance(document, dict) and not (
        "segments" in document or times_named(_with_offset(document)) or is_task(document)
    ):
        keys = ", ".join(document) or "none"
        raise Malformed(1, f"JSON needs a list of segments. Received: the keys {keys}.")
    items = document if isinstance(document, list) else [document]
    _refuse_samples(items)
    for item in items:
        yield from _entries(item, lines.get(id(item), 1), lines)


def read_jsonl(text: str) -> Iterator[Entry | Malformed]:
    """Read what `write_jsonl` writes, NeMo's manifests and lhotse's supervisions. Other keys are ignored.

    Raises:
        Malformed: The times are samples.
    """
    rows: list[tuple[int, Any]] = []
    for number, line in filled_lines(text):
        try:
            rows.append((number, _parse(line, number)))
        except Malformed as error:
            rows.append((number, error))
    _refuse_samples([row for _, row in rows])
    for number, row in rows:
        if isinstance(row, Malformed):
            yield row
        else:
            yield from _entries(row, number, {})


def _entries(item: Any, line: int, lines: Mapping[int, int]) -> Iterator[Entry | Malformed]:
    """Read an object.

    Args:
        item: The object.
        line: Its line.
        lines: The lines of the objects in it, by their id.
    """
    if is_task(item):
        regions, uri = regions_of(item), recording_of(item)
        yield from read_each(
            _entry, ((region, lines.get(id(value), line), uri) for region, value in regions or ())
        )
        segments = None if regions is None else [*regions]
    elif isinstance(item, dict) and "segments" in item:
        segments, uri = item["segments"], named("file", item)
        if not isinstance(segments, list):
            yield Malformed(line, f"segments must be a list. Received: {shown(segments)}.")
            return
        parts = ((_as_object(one), lines.get(id(one), line), uri) for one in segments)
        yield from (_within(entry, item.get("duration")) for entry in read_each(_entry, parts))
    else:
        yield from read_each(_entry, [(item, line, None)])
        return
    if segments == [] and uri is not None:
        yield Entry(line, 0.0, 0.0, str(uri))  # nobody speaks in it


def _times(segment: Turn) -> dict[str, float]:
    return {"start": round(segment.start, 6), "end": round(segment.end, 6), **_channel(segment)}


def _channel(segment: Turn) -> dict[str, float]:
    """The key ``channel``, where channels are told apart."""
    return {} if segment.channel is None else {"channel": segment.channel}


def _parse(text: str, first_line: int) -> Any:
    try:
        return parse_json(text)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise Malformed(
            line, f"JSON must be well-formed. Received: {error.msg} (column {error.colno})."
        ) from error
    except ValueError as error:  # a number of hundreds of digits; brackets nested too deeply
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
    """Expand ``[start, end]`` to an object."""
    return {"start": item[0], "end": item[1]} if isinstance(item, list) and len(item) == 2 else item


def _with_offset(item: dict[str, Any]) -> dict[str, Any]:
    """NeMo leaves the offset out where it is 0."""
    whole = "audio_filepath" in item and item.get("offset") is None
    return {**item, "offset": 0.0} if whole else item


def _entry(item: Any, line: int, uri: Any) -> Entry:
    item = _with_offset(item) if isinstance(item, dict) else item
    times = times_named(item) if isinstance(item, dict) else None
    if times is None:
        raise Malformed(line, f"a segment must be an object with start and end. Received: {shown(item)}.")
    if "supervisions" in item:
        rule = "a segment must be a supervision"
        raise Malformed(line, f"{rule}. Received: a cut of lhotse's; write its supervisions.")
    start, end = (_seconds(item, name, line) for name in (times.start, times.end))
    if times.is_duration:
        end = round(start + end, 9)
    file, label, speaker = (named(name, item) for name in ("file", "label", "speaker"))
    label = item.get("kind", label)  # of a corpus's manifest, where a label says where the segments come from
    return Entry(line, start, end, _text(uri if file is None else file), _text(label), _text(speaker))


def _within(entry: Entry | Malformed, duration: Any) -> Entry | Malformed:
    """Replace an entry far past the end of its recording by the rule that it breaks."""
    if isinstance(entry, Malformed) or not isinstance(duration, int | float):
        return entry
    rule = past_end(entry.start, entry.end, duration)
    return Malformed(entry.line, rule) if rule else entry


def _refuse_samples(items: Sequence[Any]) -> None:
    """Refuse the sample numbers that silero-vad's ``get_speech_timestamps`` gives without ``return_seconds``.

    They are whole numbers, and as seconds each segment would last a quarter of an hour or more.

    Raises:
        Malformed: The times are samples.
    """
    listed = [one for item in items for one in _listed(item) if isinstance(one, dict)]
    times = [(one.get("start"), one.get("end")) for one in listed]
    whole = [(start, end) for start, end in times if type(start) is int and type(end) is int]
    if not times or len(whole) < len(times):
        return
    shortest, last = min(end - start for start, end in whole), max(end for _, end in whole)
    if shortest >= _SHORTEST_IN_SAMPLES and _FIRST_END_IN_SAMPLES <= last < _LAST_IN_SAMPLES:
        rule = "times must be in seconds, as silero-vad gives them with return_seconds=True"
        raise Malformed(1, f"{rule}. Received: samples, it seems, such as {shown(listed[0])}.")


def _listed(item: Any) -> list[Any]:
    """The segments of an object; the object itself where it has none."""
    segments = item.get("segments", [item]) if isinstance(item, dict) else []
    return segments if isinstance(segments, list) else []


def _seconds(item: dict[str, Any], name: str, line: int) -> float:
    value = item[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed(line, f"{name} must be a number of seconds. Received: {shown(value)}.")
    try:
        return float(value)
    except OverflowError:
        rule = f"{name} must be a number of seconds"
        raise Malformed(line, f"{rule}. Received: one of thousands of digits.") from None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
