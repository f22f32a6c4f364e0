"""What detection gives: segments of speech, and the events of a stream."""

from dataclasses import dataclass, fields
from typing import TypeAlias

__all__ = ["Event", "Segment", "SpeechEnd", "SpeechRejected", "SpeechStart"]


class _Times:
    """Printed as a dataclass is, with times to the microsecond."""

    __slots__ = ()

    def __repr__(self) -> str:
        values = [(one.name, getattr(self, one.name)) for one in fields(self)]  # type: ignore[arg-type]
        shown = (f"{name}={v if isinstance(v, _Times) else round(float(v), 6)!r}" for name, v in values)
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(frozen=True, slots=True, order=True, repr=False)
class Segment(_Times):
    """A stretch of speech.

    Attributes:
        start: seconds from the beginning of the recording.
        end: seconds from the beginning of the recording, not before ``start``.
    """

    start: float
    end: float

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, repr=False)
class SpeechStart(_Times):
    """Somebody speaks. A ``SpeechEnd`` or a ``SpeechRejected`` of the same start follows.

    Attributes:
        time: where the segment starts, padding included, in seconds.
        decided_at: how much audio, in seconds, had been heard when it became known.
    """

    time: float
    decided_at: float


@dataclass(frozen=True, slots=True, repr=False)
class SpeechEnd(_Times):
    """The speech is over, and this is its segment.

    Attributes:
        segment: the final segment; its start is the ``time`` of the last ``SpeechStart``.
        time: the segment's end in seconds.
        decided_at: how much audio, in seconds, had been heard when it became known.
    """

    segment: Segment
    time: float
    decided_at: float


@dataclass(frozen=True, slots=True, repr=False)
class SpeechRejected(_Times):
    """The last ``SpeechStart`` is taken back: it turned out shorter than ``min_speech_duration_ms``.

    Attributes:
        time: the ``time`` of the start that is taken back, in seconds.
        decided_at: how much audio, in seconds, had been heard when it became known.
    """

    time: float
    decided_at: float


Event: TypeAlias = SpeechStart | SpeechEnd | SpeechRejected
