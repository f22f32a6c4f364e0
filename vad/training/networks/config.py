"""What all architectures share: the clock, and how frames come out of hops."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from vad.errors import require

__all__ = ["NetworkConfig"]


@dataclass(frozen=True)
class NetworkConfig:
    """What a network is built from; each architecture is a subclass with sizes of its own.

    Attributes:
        architecture: Its name in `vad.training.networks.ARCHITECTURES`.
        frame_ms: How much sound one probability speaks of: 20 to 100, a multiple of 10.
        delay_frames: Frames heard past the one spoken of; together at most 500 ms.
        late_frames: Likewise for a second, surer decision, of which files make use and nobody at a microphone waits
            for; more than ``delay_frames`` and at most 2000 ms. 0 is no such decision.
        late_channels: Width of what it is read from.

    Raises:
        ConfigError: A value out of its range.
    """

    SAMPLE_RATE: ClassVar[int] = 16_000
    WIN_LENGTH: ClassVar[int] = 400
    HOP_LENGTH: ClassVar[int] = 160
    LATEST_MS: ClassVar[int] = 2_000
    architecture: str = field(default="", init=False)
    frame_ms: int = 20
    delay_frames: int = 3
    late_frames: int = 0
    late_channels: int = 32

    def __post_init__(self) -> None:
        require(
            20 <= self.frame_ms <= 100 and self.frame_ms % 10 == 0,
            "frame_ms must be a multiple of 10 from 20 to 100",
            frame_ms=self.frame_ms,
        )
        require(
            0 <= self.delay_frames * self.frame_ms <= 500,
            f"delay_frames must span 0 to 500 ms, at {self.frame_ms} ms each",
            delay_frames=self.delay_frames,
        )
        require(
            self.late_frames == 0 or self.delay_frames < self.late_frames <= self.LATEST_MS / self.frame_ms,
            f"late_frames must be 0, or more than delay_frames={self.delay_frames} and span at most "
            f"{self.LATEST_MS} ms, at {self.frame_ms} ms each",
            late_frames=self.late_frames,
        )
        require(self.late_channels >= 1, "late_channels must be 1 or more", late_channels=self.late_channels)
        for one in fields(self)[len(fields(NetworkConfig)) :]:
            size = getattr(self, one.name)
            least = min(size, default=0) if isinstance(size, tuple) else size
            require(least >= 1, f"{one.name} must be 1 or more", **{one.name: size})

    @property
    def frame_length(self) -> int:
        """Samples a frame."""
        return self.SAMPLE_RATE * self.frame_ms // 1000

    @property
    def delays(self) -> tuple[int, ...]:
        """Frames that each decision waits: the prompt one's, and the late one's where there is one."""
        return (self.delay_frames, self.late_frames) if self.late_frames else (self.delay_frames,)

    @property
    def time_strides(self) -> tuple[int, int]:
        """How frames come out of hops: the stride early in the network, then the one before what is last.

        Halving the rate early makes everything behind it cheaper; what remains is done late, where it costs little.
        """
        hops = self.frame_length // self.HOP_LENGTH
        early = 2 if hops % 2 == 0 else 1
        return early, hops // early

    def draw(self, samples: Any) -> Any:
        """The network from samples [shape=(batch, frames * frame_length)] to features of frames.

        Returns:
            What the speech probability is read from. [shape=(batch, frames, features)]
        """
        raise NotImplementedError
