"""Speakers across recordings: who ties recordings together, and who is in two splits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["speakers_in_two_splits", "tied_by_speakers"]


def tied_by_speakers(speakers: Sequence[Sequence[str]]) -> list[list[int]]:
    """Groups recordings that share a speaker, also by way of others.

    Args:
        speakers: The speakers of each recording; one without speakers stands alone.

    Returns:
        The groups of recordings' indices, in order of their first.
    """
    leader = list(range(len(speakers)))

    def find(index: int) -> int:
        while leader[index] != index:
            index = leader[index]
        return index

    first_of: dict[str, int] = {}
    for index, names in enumerate(speakers):
        for name in names:
            leader[find(index)] = find(first_of.setdefault(name, index))
    groups: dict[int, list[int]] = defaultdict(list)
    for index in range(len(speakers)):
        groups[find(index)].append(index)
    return list(groups.values())


def speakers_in_two_splits(recordings: Iterable[tuple[str, str, Sequence[str]]]) -> Iterator[tuple[str, str]]:
    """Finds recordings whose speaker is in another split before.

    Args:
        recordings: The place of each in messages, its split and its speakers.

    Yields:
        The place and a message.
    """
    first: dict[str, tuple[str, str]] = {}
    for where, split, speakers in recordings:
        for speaker in speakers:
            other, other_where = first.setdefault(speaker, (split, where))
            if other != split:
                received = f"{speaker!r} in {split}, but in {other} at {other_where}"
                yield where, f"a speaker must be in one split. Received: {received}."
