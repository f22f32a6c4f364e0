"""The model card's fields that running a model depends on, and the one check of them."""

from collections.abc import Mapping
from typing import Any

from vad.errors import ModelError

__all__ = ["CARD_FORMAT_VERSION", "check_card"]

CARD_FORMAT_VERSION = 1

# late_frames may be missing: then there is no late decision.
# What else a card tells (metrics, data sources, versions, ...) is for people and is not checked. Its receptive_field_s
# is null where a network remembers all it heard: then no piece of a recording, with whatever before it, stands for it.
_FIELDS: dict[str, type] = {
    "sample_rate": int,
    "frame_length": int,
    "delay_frames": int,
    "chunk_frames": int,
    "states": dict,
    "segment_options": dict,
    "sha256": str,
}
_OPTIONAL: dict[str, type] = {"late_frames": int}
_LEAST = {"sample_rate": 1, "frame_length": 1, "delay_frames": 0, "late_frames": 0, "chunk_frames": 1}


def check_card(card: Any, source: str) -> Mapping[str, Any]:
    """Make sure that `card` has all that running its model needs.

    Args:
        card: What the card's JSON holds.
        source: What error messages call the model.

    Returns:
        The card, unchanged.

    Raises:
        ModelError: It is of another format version, or lacks a field, or has one of another type or range.
    """
    version = card.get("format_version") if isinstance(card, Mapping) else None
    if version != CARD_FORMAT_VERSION:
        raise ModelError(
            f"a model card must have format_version {CARD_FORMAT_VERSION}. "
            f"Received: format_version={version!r} for {source}. Export the model again with `vad export`."
        )
    present = {field: kind for field, kind in _OPTIONAL.items() if field in card}
    for field, kind in (_FIELDS | present).items():
        if not isinstance(card.get(field), kind):
            raise ModelError(
                f"{field} in a model card must be of type {kind.__name__}. "
                f"Received: {field}={card.get(field)!r} for {source}. Restore the card from the export."
            )
    for name, shape in card["states"].items():
        if not (isinstance(shape, list) and all(isinstance(length, int) for length in shape)):
            raise ModelError(
                f"a state in a model card must be a list of lengths. "
                f"Received: {name}={shape!r} for {source}. Restore the card from the export."
            )
    for name, options in card["segment_options"].items():
        if not isinstance(options, dict):
            raise ModelError(
                f"an operating point in a model card must be an object of segment options. "
                f"Received: {name}={options!r} for {source}. Restore the card from the export."
            )
    for field, least in _LEAST.items():
        if card.get(field, least) < least:
            raise ModelError(
                f"{field} in a model card must be at least {least}. "
                f"Received: {field}={card[field]} for {source}. Restore the card from the export."
            )
    if 0 < card.get("late_frames", 0) <= card["delay_frames"]:
        raise ModelError(
            f"late_frames in a model card must be 0 or more than delay_frames={card['delay_frames']}. "
            f"Received: late_frames={card['late_frames']} for {source}. Restore the card from the export."
        )
    return card  # type: ignore[no-any-return]
