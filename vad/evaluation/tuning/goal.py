"""The goal of an operating point, and the cost of its errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from vad.errors import require
from vad.evaluation.segment_metrics import DetectionErrors

__all__ = ["AIMS", "Goal", "Outcome"]


@dataclass(frozen=True)
class Outcome:
    """The errors of segments in seconds; ``+`` adds those of recordings.

    Attributes:
        errors: Seconds of speech, of miss and of false alarm.
        duration: Seconds of audio.
    """

    errors: DetectionErrors = field(default_factory=DetectionErrors)
    duration: float = 0.0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.errors + other.errors, self.duration + other.duration)

    @property
    def miss(self) -> float:
        """Share of the speech that is missed; 0 where there is none."""
        return self.errors.miss / self.errors.speech if self.errors.speech else 0.0

    @property
    def false_alarm(self) -> float:
        """Share of the non-speech that is detected as speech; 0 where all is speech."""
        silence = self.duration - self.errors.speech
        return self.errors.false_alarm / silence if silence > 0 else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall in time."""
        hit = self.errors.speech - self.errors.miss
        wrong = self.errors.miss + self.errors.false_alarm
        return 2 * hit / (2 * hit + wrong) if hit + wrong else 1.0


# Shares are quotients of sums in binary: 1.99 s of 100 s may be a little over 0.0199.
_ROUNDING = 1e-6

AIMS: dict[str, Callable[[Outcome], float]] = {
    "f1": lambda outcome: 1 - outcome.f1,
    "balanced": lambda outcome: (outcome.miss + outcome.false_alarm) / 2,
    "der": lambda outcome: outcome.errors.rate,
    "miss": lambda outcome: outcome.miss,
    "false_alarm": lambda outcome: outcome.false_alarm,
}
"""The functions that a goal can minimise, by name."""


@dataclass(frozen=True)
class Goal:
    """Bounds, and a measure that is minimised within them (f1 is maximised).

    Attributes:
        max_miss: The largest share of the speech that may be missed, 0 to 1; None is no bound.
        max_false_alarm: The largest share of the rest that may be detected as speech, 0 to 1; None is no bound.
        max_latency_ms: The longest time from the end of speech until it is reported; None is no bound.
        best: A key of `AIMS`. "" takes the other error where one is bounded, balanced for two, else f1.

    Raises:
        ConfigError: A value is out of its range.
    """

    max_miss: float | None = None
    max_false_alarm: float | None = None
    max_latency_ms: float | None = None
    best: str = ""

    def __post_init__(self) -> None:
        for name in ("max_miss", "max_false_alarm"):
            value = getattr(self, name)
            require(value is None or 0 <= value <= 1, f"{name} must be between 0 and 1", **{name: value})
        latency = self.max_latency_ms
        require(latency is None or latency > 0, "max_latency_ms must be above 0", max_latency_ms=latency)
        require(self.best in ("", *AIMS), f"best must be one of {', '.join(AIMS)}", best=self.best)

    @property
    def aim(self) -> str:
        """The measure to minimise, a key of `AIMS`."""
        if self.best:
            return self.best
        if self.max_miss is not None:
            return "false_alarm" if self.max_false_alarm is None else "balanced"
        return "f1" if self.max_false_alarm is None else "miss"

    def excess(self, outcome: Outcome) -> float:
        """The amount by which an outcome breaks the bounds of miss and false alarm; 0 where it keeps them."""
        bounds = ((outcome.miss, self.max_miss), (outcome.false_alarm, self.max_false_alarm))
        return sum(max(0.0, rate - bound) for rate, bound in bounds if bound is not None)

    def cost(self, outcome: Outcome) -> tuple[int, float]:
        """The cost for the search: broken bounds first, in steps of a thousandth, then the aim."""
        return math.ceil(1000 * self.excess(outcome) - _ROUNDING), AIMS[self.aim](outcome)

    def out_of_reach(self, outcome: Outcome, latency_ms: float) -> dict[str, float]:
        """The bounds that an operating point breaks, by name, with the values it reaches."""
        reached = {
            "max_miss": outcome.miss,
            "max_false_alarm": outcome.false_alarm,
            "max_latency_ms": latency_ms,
        }
        return {
            name: figure
            for name, figure in reached.items()
            if (bound := getattr(self, name)) is not None and figure > bound + _ROUNDING
        }
