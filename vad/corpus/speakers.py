"""Who speaks in several recordings, and so ties them together: such recordings are never learned from and judged by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

__all__ = ["tied_by_speakers"]


def tied_by_speakers(speakers: Sequence[Sequence[str]]) -> list[list[int]]:
    """Groups of recordings that share a speaker, even by way of others.

    Args:
        speakers: Who speaks in each; in none, it stands alone.

    Returns:
        The groups, each of the places of its recordings, in order of their first.
    """
    leader = list(range(len(speakers)))

    def find(place: int) -> int:
        while leader[place] != place:
            place = leader[place]
        return place

    first_of: dict[str, int] = {}
    for place, names in enumerate(speakers):
        for name in names:
            leader[find(place)] = find(first_of.setdefault(name, place))
    groups: dict[int, list[int]] = defaultdict(list)
    for place in range(len(speakers)):
        groups[find(place)].append(place)
    return list(groups.values())
