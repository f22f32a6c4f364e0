"""The options of the segmenter, under the names that other detectors use."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from vad.errors import ConfigError, did_you_mean, require, require_number, shown

__all__ = ["SegmentOptions"]


@dataclass(frozen=True, slots=True)
class SegmentOptions:
    """How probabilities become segments. `vad.detection.segmenter` draws the steps.

    A model's operating points have values of their own: `Detector(...).options` are those in force.

    Attributes:
        threshold: Speech begins at this probability or above, 0 to 1.
        neg_threshold: Speech continues down to this probability, 0 to `threshold`. None is `threshold - 0.15`, but at
            least 0.01 and at most `threshold`.
        min_speech_duration_ms: Shorter speech is dropped, measured before padding.
        min_silence_duration_ms: Shorter silences between speech are filled.
        speech_pad_ms: Added on both sides of a segment.
        max_speech_duration_s: Longer segments, padding included, are split; infinity never splits.

    Raises:
        ConfigError: A value is out of its range, or is not a number.
    """

    threshold: float = 0.5
    neg_threshold: float | None = None
    min_speech_duration_ms: float = 100.0
    min_silence_duration_ms: float = 150.0
    speech_pad_ms: float = 30.0
    max_speech_duration_s: float = math.inf

    def __post_init__(self) -> None:
        for option in fields(self):
            value = getattr(self, option.name)
            if value is not None or option.name != "neg_threshold":
                object.__setattr__(self, option.name, require_number(option.name, value))
        require(0 <= self.threshold <= 1, "threshold must be between 0 and 1", threshold=self.threshold)
        if self.neg_threshold is not None:
            require(
                0 <= self.neg_threshold <= self.threshold,
                f"neg_threshold must be between 0 and threshold={self.threshold}",
                neg_threshold=self.neg_threshold,
            )
        for name in ("min_speech_duration_ms", "min_silence_duration_ms", "speech_pad_ms"):
            value = getattr(self, name)
            require(0 <= value < math.inf, f"{name} must be finite and 0 or more", **{name: value})
        require(
            self.max_speech_duration_s > 0,
            "max_speech_duration_s must be more than 0 (infinity never splits)",
            max_speech_duration_s=self.max_speech_duration_s,
        )

    @property
    def release_threshold(self) -> float:
        """The probability below which speech ends: `neg_threshold`, or the value that its None stands for."""
        if self.neg_threshold is not None:
            return self.neg_threshold
        return min(self.threshold, max(self.threshold - 0.15, 0.01))

    @classmethod
    def from_dict(cls, options: Mapping[str, Any]) -> Self:
        """Build from names and values, as in TOML or JSON.

        Raises:
            ConfigError: As for `replace`.
        """
        if not isinstance(options, Mapping) or not all(isinstance(name, str) for name in options):
            raise ConfigError(f"options must map names to values. Received: {shown(options)}.")
        return cls().replace(**options)

    def replace(self, **options: Any) -> Self:
        """Return a copy with these options changed.

        A `neg_threshold` that was set keeps its distance when only `threshold` changes.

        Raises:
            ConfigError: A name is unknown, or a value is out of its range.
        """
        known = [option.name for option in fields(self)]
        for name, value in options.items():
            if name not in known:
                raise ConfigError(
                    f"an option must be one of {', '.join(known)}. Received: {name}={value!r}."
                    + did_you_mean(name, known)
                )
        if self.neg_threshold is None or "threshold" not in options or "neg_threshold" in options:
            return replace(self, **options)
        moved = replace(self, neg_threshold=None, **options)
        distance = self.threshold - self.neg_threshold
        return replace(moved, neg_threshold=max(0.0, moved.threshold - distance))
