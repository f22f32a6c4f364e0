"""What must hold for recordings with their labels, one by one and all together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from vad.corpus.folders import SPLITS
from vad.prepare.findings import Finding, note, problem
from vad.prepare.measure import Measured

__all__ = ["check_classes", "check_recording", "check_speakers", "check_twice"]

_LOWEST_RATE_HZ = 8_000
_FULL_RATE_HZ = 16_000
_ROUNDED_S = 0.1  # a label this little past the end is rounding, and is cut
_ROUNDED_SHARE = 0.01
_FAINTEST_DB = -70.0
_NOISY_DB = 15.0


def check_recording(measured: Measured) -> list[Finding]:
    """Checks a recording: can it be measured, do its labels fit it.

    Returns:
        Problems, which leave it out, and notes.
    """
    where = measured.recording.where
    if measured.error:
        missing = not measured.recording.path.exists()
        reason = (
            f"a recording must exist. Received: {measured.recording.path}." if missing else measured.error
        )
        return [problem(where, reason.removeprefix(f"{where}: "))]
    return [*_check_sound(measured, where), *_check_turns(measured)]


def _check_sound(measured: Measured, where: str) -> Iterator[Finding]:
    if measured.sample_rate < _LOWEST_RATE_HZ:
        rule = f"a recording must have a sample rate of {_LOWEST_RATE_HZ} Hz or more"
        yield problem(where, f"{rule}. Received: {measured.sample_rate} Hz.")
    told = measured.recording.duration
    if told is not None and abs(told - measured.duration) > max(_ROUNDED_S, _ROUNDED_SHARE * told):
        rule = f"a recording must be as long as its manifest says, {told:.2f} s"
        yield problem(
            where, f"{rule}. Received: {measured.duration:.2f} s. Is the sample rate in its header right?"
        )
    if measured.levels_db.max(initial=-math.inf) < _FAINTEST_DB:
        yield note(where, f"it never gets louder than {_FAINTEST_DB:g} dBFS: is it empty?")
    if measured.probabilities.size and measured.range_db < _NOISY_DB:
        yield note(where, "it is not clean, so a model's labels of it are guesses: look at them.")


def _check_turns(measured: Measured) -> Iterator[Finding]:
    recording, turns = measured.recording, measured.recording.turns or ()
    if recording.kind == "speech" and not turns:
        yield note(recording.labels or recording.where, "no speech in it by its labels.")
    for turn in turns:
        if turn.end > measured.duration + _ROUNDED_S:
            rule = f"a label must end with its recording, at {measured.duration:.3f} s"
            yield problem(
                f"{recording.labels}:{turn.line}", f"{rule}. Received: {turn.start:g} to {turn.end:g} s."
            )
    for before, turn in pairwise(turns):
        if turn.start < before.end and turn.speaker == before.speaker:
            where = f"{recording.labels}:{turn.line}" if recording.labels else recording.where
            times = f"{turn.start:g} s begins before {before.end:g} s, where line {before.line} ends"
            yield note(where, f"labels of one speaker overlap and are joined: {times}.")


def check_classes(recordings: Sequence[Measured], splits: Sequence[str]) -> list[Finding]:
    """Checks that each split has what it is for: speech, and something else; and that noise and rates are sound.

    Args:
        recordings: The recordings.
        splits: The split of each.

    Returns:
        Problems and notes.
    """
    found = []
    for split in SPLITS:
        cells = [one.is_speech for one, its in zip(recordings, splits, strict=True) if its == split]
        together = np.concatenate([np.zeros(0, np.bool_), *cells])
        say = note if split == "test" else problem  # training needs the other two
        if not together.any():
            found.append(
                say("", f"the split {split} must hold speech. Received: none. Add speakers or recordings.")
            )
        elif together.all():
            rule = f"the split {split} must hold something else than speech"
            found.append(say("", f"{rule}. Received: speech alone. Add noise/, or label the pauses."))
    if all(one.is_speech.any() for one in recordings):
        reason = "so false alarms are learned from its pauses alone; hours of your noise help most"
        found.append(note("", f"every recording holds speech, {reason}."))
    low = sum(one.sample_rate < _FULL_RATE_HZ for one in recordings)
    if 0 < low < len(recordings):
        received = f"{low} of {len(recordings)} recordings have a sample rate below {_FULL_RATE_HZ} Hz"
        found.append(
            note("", f"{received}: where these are of one kind, a network learns the kind by its bandwidth.")
        )
    return found


def check_speakers(recordings: Sequence[Measured], splits: Sequence[str]) -> list[Finding]:
    """Checks that nobody is measured in two splits, which can only be where splits were given.

    Returns:
        A problem for each recording that tears a speaker apart.
    """
    found = []
    seen: dict[str, tuple[str, str]] = {}
    for one, split in zip(recordings, splits, strict=True):
        where = one.recording.where
        for speaker in one.recording.speakers:
            first, first_where = seen.setdefault(speaker, (split, where))
            if first != split:
                received = f"{speaker!r} in {split}, but in {first} at {first_where}"
                found.append(problem(where, f"a speaker must be in one split. Received: {received}."))
    return found


def check_twice(recordings: Sequence[Measured]) -> list[Finding]:
    """Checks that no recording is given twice: it could be learned from and held out at once.

    Returns:
        A problem for each time but the first.
    """
    found = []
    seen: dict[Path, str] = {}
    for one in recordings:
        path, where = one.recording.path.resolve(), one.recording.where
        if path in seen:
            found.append(
                problem(where, f"a recording must be given once. Received: {path}, as at {seen[path]}.")
            )
        seen.setdefault(path, where)
    return found
