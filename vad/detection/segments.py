"""What detection gives: segments of speech, and the events of a stream. All times are seconds of audio."""

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
    """A period of speech.

    Attributes:
        start: Seconds from the beginning of the recording.
        end: Seconds from the beginning of the recording, not before `start`.
    """

    start: float
    end: float

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, repr=False)
class SpeechStart(_Times):
    """Speech begins. A `SpeechEnd` or a `SpeechRejected` of the same start follows.

    Attributes:
        time: Where the segment starts, padding included.
        decided_at: Seconds of audio after which the stream decided this.
    """

    time: float
    decided_at: float


@dataclass(frozen=True, slots=True, repr=False)
class SpeechEnd(_Times):
    """Speech is over.

    Attributes:
        segment: The final segment. It starts at the `time` of the last `SpeechStart`.
        time: The end of the segment.
        decided_at: Seconds of audio after which the stream decided this.
    """

    segment: Segment
    time: float
    decided_at: float


@dataclass(frozen=True, slots=True, repr=False)
class SpeechRejected(_Times):
    """The last `SpeechStart` was wrong: the speech was shorter than `min_speech_duration_ms`.

    Attributes:
        time: The `time` of that start.
        decided_at: Seconds of audio after which the stream decided this.
    """

    time: float
    decided_at: float


Event: TypeAlias = SpeechStart | SpeechEnd | SpeechRejected
