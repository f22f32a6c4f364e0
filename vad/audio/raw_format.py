"""The format of raw samples, which have no header."""

from dataclasses import dataclass

from vad.audio.samples import sample_rate_problem
from vad.errors import ConfigError, did_you_mean, require_number

__all__ = ["ENCODINGS", "RawFormat"]

ENCODINGS = {
    "s16le": ("PCM_16", 2),
    "s24le": ("PCM_24", 3),
    "s32le": ("PCM_32", 4),
    "f32le": ("FLOAT", 4),
    "u8": ("PCM_U8", 1),
    "mulaw": ("ULAW", 1),
    "alaw": ("ALAW", 1),
}
"""Encodings of raw samples: libsndfile's name, and bytes of a sample."""


@dataclass(frozen=True)
class RawFormat:
    """The format of raw samples, whose channels are interleaved.

    Attributes:
        sample_rate: In Hz, 4000 to 384000.
        channels: Number of channels, at least 1.
        encoding: s16le, s24le, s32le, f32le, u8, mulaw or alaw.

    Raises:
        ConfigError: A value is out of range.
    """

    sample_rate: int
    channels: int = 1
    encoding: str = "s16le"

    def __post_init__(self) -> None:
        """Check every value."""
        problem = sample_rate_problem(self.sample_rate)
        if problem is not None:
            raise ConfigError(problem)
        if require_number("channels", self.channels) < 1:
            raise ConfigError(f"channels must be at least 1. Received: channels={self.channels}.")
        if not isinstance(self.encoding, str) or self.encoding not in ENCODINGS:
            raise ConfigError(
                f"encoding must be one of {', '.join(ENCODINGS)}. Received: encoding={self.encoding!r}."
                + did_you_mean(str(self.encoding), ENCODINGS)
            )
