"""Recordings assigned out to splits so that nobody is measured in two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vad.corpus.folders import KINDS
from vad.corpus.speakers import tied_by_speakers
from vad.labels.cells import CELL_DURATION
from vad.prepare.findings import Finding, note
from vad.prepare.measure import Measured

__all__ = ["Assigned", "assign_splits"]

_DRAWS = 1_000


@dataclass(frozen=True)
class Assigned:
    """Recordings with their splits.

    Attributes:
        recordings: The recordings; without speakers where these had to be parted.
        splits: The split of each.
        notes: What its owner should know.
    """

    recordings: Sequence[Measured]
    splits: Sequence[str]
    notes: Sequence[Finding] = ()


def assign_splits(recordings: Sequence[Measured], shares: Mapping[str, float], seed: int) -> Assigned:
    """Gives each recording its split: the one it was given in, or one that is drawn.

    Recordings that share a speaker, even by way of others, stay together: they go where one of them already is. Of
    the rest, and of a thousand draws, the one counts that brings all nearest to the shares (of speech, of noise, of
    music), with every split served where there is enough.

    Args:
        recordings: The recordings.
        shares: The share of each split; together 1.
        seed: Decides the draws.

    Returns:
        The recordings with their splits. Where no speech has a split yet and all of it hangs together by its
        speakers, recordings are assigned out one by one, and a note says so.
    """
    splits = [one.recording.split for one in recordings]
    notes: list[Finding] = []
    for number, kind in enumerate(KINDS):
        placed = [place for place, split in enumerate(splits) if split]
        its = [place for place, one in enumerate(recordings) if one.recording.kind == kind]
        waiting = [place for place in its if not splits[place]]
        places = [*waiting, *placed]
        tied = tied_by_speakers([recordings[place].recording.speakers for place in places])
        free = _follow([[places[n] for n in group] for group in tied], splits)
        if kind == "speech" and len(free) == 1 and len(its) == len(waiting) == len(free[0]) > 1:
            free = [[place] for place in waiting]
            notes = [
                note("", "speakers connect all recordings, so the splits share them: figures will flatter.")
            ]
            recordings = [replace(one, recording=replace(one.recording, speaker="")) for one in recordings]
        seconds = np.array([sum(_weight(recordings[place]) for place in group) for group in free])
        before = np.array(
            [sum(_weight(recordings[place]) for place in its if splits[place] == split) for split in shares]
        )
        drawn = _draw(np.random.default_rng([seed, number]), seconds, before, shares)
        for group, split in zip(free, drawn, strict=True):
            for place in group:
                splits[place] = split
    return Assigned(recordings, splits, notes)


def _follow(groups: Sequence[Sequence[int]], splits: list[str]) -> list[Sequence[int]]:
    """Places groups where one of their recordings already is.

    Where these are in several splits, the first counts: who gave them so is told by `check_speakers`.

    Args:
        groups: Places whose recordings hang together.
        splits: The split of each recording, "" where it has none yet; those that follow are written into it.

    Returns:
        The groups without a split.
    """
    free = []
    for group in groups:
        given = next((splits[place] for place in group if splits[place]), "")
        if not given:
            free.append(group)
        for place in group:
            splits[place] = splits[place] or given
    return free


def _weight(measured: Measured) -> float:
    """Seconds of what a split needs it for."""
    return (
        float(measured.is_speech.sum()) * CELL_DURATION
        if measured.recording.kind == "speech"
        else measured.duration
    )


def _draw(
    rng: np.random.Generator,
    seconds: npt.NDArray[np.float64],
    before: npt.NDArray[np.float64],
    shares: Mapping[str, float],
) -> list[str]:
    """Gives each group a split: the draw that brings all nearest to the shares wanted.

    Args:
        rng: Draws.
        seconds: Of each group [shape=(groups,)].
        before: What each split has already, seconds [shape=(splits,)].
        shares: What is wanted of each split.
    """
    if not len(seconds):
        return []
    wanted = np.array(list(shares.values()))
    draws = rng.choice(len(wanted), (_DRAWS, len(seconds)), p=wanted)
    given = before + np.stack([(draws == split) @ seconds for split in range(len(wanted))], axis=1)
    given /= max(seconds.sum() + before.sum(), 1e-9)
    # An empty split weighs more than any share can be off; earlier ones (train, then dev) more than later ones.
    empty = ((given == 0) & (wanted > 0)) @ (10.0 ** np.arange(len(wanted), 0, -1))
    best = int(np.argmin(np.abs(given - wanted).sum(axis=1) + empty))
    names = list(shares)
    return [names[split] for split in draws[best]]
