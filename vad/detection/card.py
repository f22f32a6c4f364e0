"""Model cards: where they lie, and the check of the fields that running a model depends on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vad.errors import ModelError

__all__ = ["CARD_FORMAT_VERSION", "card_path", "check_card"]

CARD_FORMAT_VERSION = 1

# All other fields (metrics, data sources, ...) are for people.
_FIELDS: dict[str, type] = {
    "sample_rate": int,
    "frame_length": int,
    "delay_frames": int,
    "late_frames": int,  # of the lookahead output; may be missing, and 0 is no such output
    "chunk_frames": int,
    "states": dict,
    "segment_options": dict,
    "sha256": str,
    "format": str,  # of the file; may be missing, and is tflite then
}
_FORMATS = ("tflite", "onnx")
_LEAST = {"sample_rate": 1, "frame_length": 1, "delay_frames": 0, "late_frames": 0, "chunk_frames": 1}


def card_path(graph: Path) -> Path:
    """The card of a .tflite or .onnx file: one name may have both files."""
    return graph.with_suffix(".json") if graph.suffix == ".tflite" else graph.with_name(f"{graph.name}.json")


def check_card(card: Any, source: str) -> Mapping[str, Any]:
    """Check the fields that running a model depends on.

    Args:
        card: The content of the card's JSON.
        source: Name of the model in error messages.

    Returns:
        The card, unchanged.

    Raises:
        ModelError: The card has another format version, lacks a field, or a field has a wrong type or value.
    """

    def check(
        holds: bool, rule: str, name: str, value: Any, remedy: str = "Restore the card from the export."
    ) -> None:
        if not holds:
            raise ModelError(f"{rule}. Received: {name}={value!r} for {source}. {remedy}")

    version = card.get("format_version") if isinstance(card, Mapping) else None
    rule = f"a model card must have format_version {CARD_FORMAT_VERSION}"
    again = "Export the model again with `vad export`."
    check(version == CARD_FORMAT_VERSION, rule, "format_version", version, again)
    fields = {"late_frames": 0, "format": "tflite", **card}
    for name, kind in _FIELDS.items():
        value = fields.get(name)
        check(isinstance(value, kind), f"{name} in a model card must be of type {kind.__name__}", name, value)
    for name, least in _LEAST.items():
        check(fields[name] >= least, f"{name} in a model card must be at least {least}", name, fields[name])
    rule = f"format in a model card must be one of {', '.join(_FORMATS)}"
    check(fields["format"] in _FORMATS, rule, "format", fields["format"])
    for name, shape in card["states"].items():
        lengths = isinstance(shape, list) and all(isinstance(length, int) for length in shape)
        check(lengths, "a state in a model card must be a list of lengths", name, shape)
    rule = "an operating point in a model card must be an object of segment options"
    for name, options in card["segment_options"].items():
        check(isinstance(options, dict), rule, name, options)
    delay, late = card["delay_frames"], fields["late_frames"]
    rule = f"late_frames in a model card must be 0 or more than delay_frames={delay}"
    check(late == 0 or late > delay, rule, "late_frames", late)
    return card  # type: ignore[no-any-return]
