"""Label Studio's audio regions: its exports (JSON and JSON-MIN), and predictions that it imports.

https://labelstud.io/guide/task_format and https://labelstud.io/guide/export
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from vad.labels.reading import NON_SPEECH_LABELS
from vad.labels.turns import Turn

__all__ = ["is_task", "recording_of", "regions_of", "write_labelstudio"]

_Object = dict[str, Any]

# Completions before Label Studio 1.0; predictions alone in what is imported.
_ANNOTATIONS = ("annotations", "completions", "predictions")
_LOCAL_FILE = re.compile(r"/data/local-files/\?d=(.+)", re.DOTALL)
_UPLOAD = re.compile(r"/data/upload/\d+/(?:[0-9a-f]{8}-)?(.+)", re.DOTALL)
_ADDRESS = re.compile(r"\w+://[^/]*/([^?#]+).*", re.DOTALL)
_FILE_NAME = re.compile(r".*\.[A-Za-z][A-Za-z0-9]{1,4}", re.DOTALL)


def write_labelstudio(segments: Sequence[Turn], uri: str, duration: float | None) -> str:
    """Write a task with a prediction, to be corrected.

    It fits a labelling interface with ``<Audio name="audio" value="$audio"/>`` and
    ``<Labels name="label" toName="audio"><Label value="Speech"/></Labels>``.
    """
    length = {} if duration is None else {"original_length": round(duration, 6)}
    result = [
        {
            "id": f"speech-{number}",
            "from_name": "label",
            "to_name": "audio",
            "type": "labels",
            **length,
            "value": {
                "start": round(segment.start, 6),
                "end": round(segment.end, 6),
                "channel": segment.channel or 0,
                "labels": ["Speech"],
            },
        }
        for number, segment in enumerate(segments, 1)
    ]
    task = {"data": {"audio": uri}, "predictions": [{"model_version": "vad", "result": result}]}
    return json.dumps(task, ensure_ascii=False, indent=2) + "\n"


def is_task(item: Any) -> bool:
    """Whether a JSON value is a task of an export or an import, or a row of JSON-MIN."""
    return isinstance(item, dict) and (
        "annotation_id" in item or ("data" in item and any(name in item for name in _ANNOTATIONS))
    )


def recording_of(task: _Object) -> str | None:
    """The recording of a task: its path before Label Studio served it."""
    data = task.get("data", task)
    values = [value for value in data.values() if isinstance(value, str)] if isinstance(data, dict) else []
    named = next((value for value in values if _FILE_NAME.fullmatch(value)), None)
    uri = data.get("audio", named) if isinstance(data, dict) else None
    if not isinstance(uri, str):
        return None
    if local := _LOCAL_FILE.search(uri):
        return unquote(local[1])
    if upload := _UPLOAD.search(uri):
        return upload[1]
    if address := _ADDRESS.fullmatch(uri):
        return unquote(address[1])
    return uri


def regions_of(task: _Object) -> list[tuple[_Object, _Object]] | None:
    """The regions of a task as segments, each with the JSON value it was made from; None where nobody labelled it.

    If an annotation is marked as the ground truth, it is the only one read; else all are. A region may come more than
    once: with its label, its transcript, its choices.
    """
    if "annotation_id" in task:
        results = [(0, {"value": value}) for values in task.values() for value in _objects(values)]
    else:
        annotations = _objects(next(task[name] for name in _ANNOTATIONS if name in task))
        done = [one for one in annotations if not one.get("was_cancelled")]
        if not done:
            return None
        chosen = [one for one in done if one.get("ground_truth")] or done
        results = [
            (which, result) for which, one in enumerate(chosen) for result in _objects(one.get("result"))
        ]
    merged: dict[object, tuple[_Object, _Object]] = {}
    for which, result in results:
        value = result.get("value")
        if isinstance(value, dict) and "start" in value and "end" in value:
            key = which, str(result.get("id", (value["start"], value["end"])))
            whole, first = merged.get(key, ({}, value))
            merged[key] = {**value, **whole, "label": whole.get("label") or _label(value)}, first
    return list(merged.values())


def _label(value: Mapping[str, Any]) -> str | None:
    """One label of a region; if it has several, one that means speech."""
    lists = (one for name, one in value.items() if name.endswith("labels") and isinstance(one, list))
    labels = [str(label) for one in lists for label in one]
    return min(labels, key=lambda label: label.lower() in NON_SPEECH_LABELS, default=None)


def _objects(value: Any) -> Iterator[_Object]:
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())
