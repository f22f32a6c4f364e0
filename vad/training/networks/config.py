"""The options of all architectures: frames, delays, and how frames come out of hops."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from vad.errors import require
from vad.training.networks.gain_control import GainControl

__all__ = ["NetworkConfig", "current_name"]

# Names in the cards, runs and TOML files of vad 0.1.0.
_OLD_NAMES = {"late_frames": "lookahead_frames", "late_channels": "lookahead_channels"}


def current_name(option: str) -> str:
    """The name of a network option today, from that or an old one."""
    return _OLD_NAMES.get(option, option)


@dataclass(frozen=True)
class NetworkConfig:
    """The sizes of a network; each architecture is a subclass with more of them.

    Attributes:
        architecture: Its name in `vad.training.networks.ARCHITECTURES`.
        frame_ms: Length of a frame: 20 to 100, a multiple of 10.
        delay_frames: Frames between the end of a frame and its output; together at most 500 ms.
        lookahead_frames: Likewise for the lookahead output, which files use and streams do not wait for; more than
            ``delay_frames`` and at most 2000 ms. 0 is no such output.
        lookahead_channels: Width of the layers of the lookahead output.

    Raises:
        ConfigError: A value out of its range.
    """

    SAMPLE_RATE: ClassVar[int] = 16_000
    WIN_LENGTH: ClassVar[int] = 400
    HOP_LENGTH: ClassVar[int] = 160
    FRAME_STEP_MS: ClassVar[int] = 10
    MAX_LOOKAHEAD_MS: ClassVar[int] = 2_000
    architecture: str = field(default="", init=False)
    frame_ms: int = 20
    delay_frames: int = 3
    lookahead_frames: int = 0
    lookahead_channels: int = 32

    def __post_init__(self) -> None:
        require(
            20 <= self.frame_ms <= 100 and self.frame_ms % self.FRAME_STEP_MS == 0,
            f"frame_ms must be a multiple of {self.FRAME_STEP_MS} from 20 to 100",
            frame_ms=self.frame_ms,
        )
        require(
            0 <= self.delay_frames * self.frame_ms <= 500,
            f"delay_frames must span 0 to 500 ms, at {self.frame_ms} ms each",
            delay_frames=self.delay_frames,
        )
        require(
            self.lookahead_frames == 0
            or self.delay_frames < self.lookahead_frames <= self.MAX_LOOKAHEAD_MS / self.frame_ms,
            f"lookahead_frames must be 0, or more than delay_frames={self.delay_frames} and span at most "
            f"{self.MAX_LOOKAHEAD_MS} ms, at {self.frame_ms} ms each",
            lookahead_frames=self.lookahead_frames,
        )
        # After the four fields above, all are sizes.
        for one in fields(self)[4:]:
            size = getattr(self, one.name)
            least = min(size, default=0) if isinstance(size, tuple) else size
            require(least >= 1, f"{one.name} must be 1 or more", **{one.name: size})

    @property
    def frame_length(self) -> int:
        """Samples a frame."""
        return self.SAMPLE_RATE * self.frame_ms // 1000

    @property
    def delays(self) -> tuple[int, ...]:
        """The delay of each output in frames, low-latency first."""
        return (self.delay_frames, self.lookahead_frames) if self.lookahead_frames else (self.delay_frames,)

    @property
    def time_strides(self) -> tuple[int, int]:
        """How frames come out of hops: the stride early in the network, and the one near its end.

        Halving the rate early makes everything behind it cheaper.
        """
        hops = self.frame_length // self.HOP_LENGTH
        early = 2 if hops % 2 == 0 else 1
        return early, hops // early

    def control_gain(self, samples: Any) -> Any:
        """Adds the gain control, from samples to samples."""
        return GainControl(bridged=30, lasting=100, name="level")(samples)

    def draw(self, samples: Any) -> Any:
        """Adds the network's layers, up to the features that the outputs are computed from.

        From [shape=(batch, frames * frame_length)] to [shape=(batch, frames, features)].
        """
        raise NotImplementedError
