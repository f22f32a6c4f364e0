"""The names that programs give to the columns of a table and the keys of a JSON object."""

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple, TypeVar

__all__ = ["EVENT_LABEL", "Times", "named", "names_speech", "times_named"]

_Value = TypeVar("_Value")

EVENT_LABEL: Final = "event_label"
"""DCASE's column of sound events, of which only some are speech."""

_NAMES: Final = {
    "file": ("file", "filename", "audio_filepath", "recording_id"),  # DCASE, NeMo, lhotse
    "label": ("label", EVENT_LABEL, "name"),  # Audition
    "speaker": ("speaker",),
}

_TIMES: Final = (
    ("start", "end"),
    ("onset", "offset"),  # DCASE
    ("start", "duration"),  # lhotse, Audition
    ("onset", "duration"),
    ("offset", "duration"),  # NeMo
    ("time", "duration"),  # Sonic Visualiser
)

# In the names of AudioSet, DESED and TUT.
_SPEECH: Final = (
    "speech",
    "speak",
    "talk",
    "conversation",
    "narration",
    "monologue",
    "voice",
    "whisper",
    "shout",
)


class Times(NamedTuple):
    """The names of the fields that hold times.

    Attributes:
        start: The field of the start.
        end: The field of the end, or of the duration.
        is_duration: ``end`` is the field of the duration.
    """

    start: str
    end: str
    is_duration: bool


def times_named(names: Collection[str]) -> Times | None:
    """Find the fields that hold times; None where there are none."""
    for start, end in _TIMES:
        if start in names and end in names:
            return Times(start, end, end == "duration")
    return None


def named(field: str, values: Mapping[str, _Value]) -> _Value | None:
    """The value of ``file``, ``label`` or ``speaker``, under any of its names; None where there is none."""
    return next((values[name] for name in _NAMES[field] if values.get(name) is not None), None)


def names_speech(event: str) -> bool:
    """Whether the name of a sound event means speech."""
    return any(word in event.lower() for word in _SPEECH)
