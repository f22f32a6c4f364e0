"""Segments with the channel that they are in, as the writers of labels take them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from vad.detection.segments import Segment

__all__ = ["DEFAULT_TIER", "Turn", "is_speech_tier", "tiers_of"]

DEFAULT_TIER: Final = "speech"

_CHANNEL_TIER = re.compile(rf"{DEFAULT_TIER} channel \d+")


@dataclass(frozen=True, slots=True, order=True, repr=False)
class Turn(Segment):
    """A segment of a channel.

    Attributes:
        channel: Its index, from 0; None where channels are not told apart.
    """

    channel: int | None = None


def tiers_of(turns: Iterable[Turn]) -> dict[str, Sequence[Turn]]:
    """Give the turns of each tier: one called ``speech``, or one for each channel that has turns."""
    tiers: dict[str, list[Turn]] = {}
    for turn in sorted(turns, key=lambda turn: turn.channel or 0):
        name = DEFAULT_TIER if turn.channel is None else f"{DEFAULT_TIER} channel {turn.channel}"
        tiers.setdefault(name, []).append(turn)
    return {**tiers} or {DEFAULT_TIER: []}


def is_speech_tier(name: str) -> bool:
    """Whether a tier has a name of `tiers_of`, in any case."""
    return name.lower() == DEFAULT_TIER or _CHANNEL_TIER.fullmatch(name.lower()) is not None
