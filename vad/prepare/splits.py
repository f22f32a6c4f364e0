"""Recordings dealt out to splits so that nobody is heard in two."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vad.corpus import KINDS
from vad.prepare.findings import Finding, note
from vad.prepare.hearing import CELL_DURATION, Heard

__all__ = ["Dealt", "deal_out"]

_DRAWS = 1_000


@dataclass(frozen=True)
class Dealt:
    """Recordings with their splits.

    Attributes:
        all_heard: The recordings; without speakers where these had to be parted.
        splits: The split of each.
        notes: What its owner should know.
    """

    all_heard: Sequence[Heard]
    splits: Sequence[str]
    notes: Sequence[Finding] = ()


def deal_out(all_heard: Sequence[Heard], shares: Mapping[str, float], seed: int) -> Dealt:
    """Gives each recording its split: the one it was given in, or one that is drawn.

    Recordings that share a speaker, even by way of others, stay together. Of a thousand draws the one counts that
    comes nearest to the shares (of speech, of noise, of music), with every split served where there is enough.

    Args:
        all_heard: The recordings.
        shares: The share of each split; together 1.
        seed: Decides the draws.

    Returns:
        The recordings with their splits. Where all hang together by their speakers, recordings are dealt out
        one by one, and a note says so.
    """
    splits = [one.recording.split for one in all_heard]
    notes: list[Finding] = []
    for number, kind in enumerate(KINDS):
        places = [i for i, one in enumerate(all_heard) if one.recording.kind == kind and not splits[i]]
        groups = _groups(all_heard, places)
        if kind == "speech" and len(groups) == 1 < len(places):
            groups = [[place] for place in places]
            notes = [
                note("", "speakers connect all recordings, so the splits share them: figures will flatter.")
            ]
            all_heard = [replace(one, recording=replace(one.recording, speaker="")) for one in all_heard]
        seconds = np.array([sum(_weight(all_heard[place]) for place in group) for group in groups])
        drawn = _draw(np.random.default_rng([seed, number]), seconds, shares)
        for group, split in zip(groups, drawn, strict=True):
            for place in group:
                splits[place] = split
    return Dealt(all_heard, splits, notes)


def _weight(heard: Heard) -> float:
    """Seconds of what a split needs it for."""
    return (
        float(heard.is_speech.sum()) * CELL_DURATION if heard.recording.kind == "speech" else heard.duration
    )


def _draw(
    rng: np.random.Generator, seconds: npt.NDArray[np.float64], shares: Mapping[str, float]
) -> list[str]:
    """The split of each group: the draw with the shares nearest to those wanted."""
    if not len(seconds):
        return []
    wanted = np.array(list(shares.values()))
    draws = rng.choice(len(wanted), (_DRAWS, len(seconds)), p=wanted)
    given = np.stack([(draws == split) @ seconds for split in range(len(wanted))], axis=1)
    given /= max(seconds.sum(), 1e-9)
    # An empty split weighs more than any share can be off; earlier ones (train, then dev) more than later ones.
    empty = ((given == 0) & (wanted > 0)) @ (10.0 ** np.arange(len(wanted), 0, -1))
    best = int(np.argmin(np.abs(given - wanted).sum(axis=1) + empty))
    names = list(shares)
    return [names[split] for split in draws[best]]


def _groups(all_heard: Sequence[Heard], places: Sequence[int]) -> list[list[int]]:
    """Places whose recordings hang together by their speakers."""
    leader = {place: place for place in places}

    def find(place: int) -> int:
        while leader[place] != place:
            place = leader[place]
        return place

    first_of: dict[str, int] = {}
    for place in places:
        for speaker in all_heard[place].recording.speakers:
            leader[find(place)] = find(first_of.setdefault(speaker, place))
    groups: dict[int, list[int]] = defaultdict(list)
    for place in places:
        groups[find(place)].append(place)
    return list(groups.values())
