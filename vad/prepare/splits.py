"""The assignment of recordings to splits, with each speaker in one split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from vad.corpus.folders import KINDS
from vad.corpus.speakers import tied_by_speakers
from vad.labels.cells import CELL_DURATION
from vad.labels.findings import Finding, note
from vad.prepare.measure import Measured

__all__ = ["assign_splits"]

_DRAWS = 1_000


def assign_splits(
    recordings: Sequence[Measured], shares: Mapping[str, float], seed: int
) -> tuple[list[Measured], list[Finding]]:
    """Gives each recording without a split that of its speakers, or else one that is drawn.

    Recordings that share a speaker, also by way of others, stay together. Of a thousand draws the best is taken: it
    leaves no split empty if possible, and brings the splits nearest to their shares of speech, noise and music.

    Args:
        recordings: The recordings.
        shares: The share of each split; the sum is 1.
        seed: Decides the draws.

    Returns:
        The recordings with their splits, and notes. Where no speech has a split yet and speakers connect all of it,
        its recordings are drawn one by one without their speakers, and a note says so.
    """
    splits = [one.recording.split for one in recordings]
    weights = [_weight(one) for one in recordings]
    notes: list[Finding] = []
    for number, kind in enumerate(KINDS):
        given = [index for index, split in enumerate(splits) if split]
        of_kind = [index for index, one in enumerate(recordings) if one.recording.kind == kind]
        unassigned = [index for index in of_kind if not splits[index]]
        indices = [*unassigned, *given]
        tied = tied_by_speakers([recordings[index].recording.speakers for index in indices])
        groups = _follow([[indices[n] for n in group] for group in tied], splits)
        if kind == "speech" and len(groups) == 1 and len(of_kind) == len(groups[0]) > 1:
            groups = [[index] for index in unassigned]
            text = "speakers connect all recordings, so the splits share speakers and the figures will be too good."
            notes = [note("", text)]
            recordings = [replace(one, recording=replace(one.recording, speaker="")) for one in recordings]
        seconds = np.array([sum(weights[index] for index in group) for group in groups])
        before = np.array(
            [sum(weights[index] for index in of_kind if splits[index] == split) for split in shares]
        )
        drawn = _draw(np.random.default_rng([seed, number]), seconds, before, shares)
        for group, split in zip(groups, drawn, strict=True):
            for index in group:
                splits[index] = split
    pairs = zip(recordings, splits, strict=True)
    return [replace(one, recording=replace(one.recording, split=split)) for one, split in pairs], notes


def _follow(groups: Sequence[list[int]], splits: list[str]) -> list[list[int]]:
    """Assigns groups to the split that one of their recordings already has.

    Where these have several splits, the first counts; `check_speakers` reports the others.

    Args:
        groups: Indices of recordings that stay together.
        splits: The split of each recording, "" where it has none; those that follow are written into it.

    Returns:
        The groups without a split.
    """
    free = []
    for group in groups:
        given = next((splits[index] for index in group if splits[index]), "")
        if not given:
            free.append(group)
        for index in group:
            splits[index] = splits[index] or given
    return free


def _weight(measured: Measured) -> float:
    """Seconds of speech of a recording of speech; seconds of any other."""
    if measured.recording.kind != "speech":
        return measured.duration
    return float(measured.is_speech.sum()) * CELL_DURATION


def _draw(
    rng: np.random.Generator,
    seconds: npt.NDArray[np.float64],
    before: npt.NDArray[np.float64],
    shares: Mapping[str, float],
) -> list[str]:
    """Draws the split of each group.

    Args:
        rng: The random numbers.
        seconds: Length of each group [shape=(groups,)].
        before: Seconds that each split has already [shape=(splits,)].
        shares: The share of each split.
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
