"""The checks of recordings and their labels, one by one and all together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from vad.corpus.folders import SPLITS
from vad.corpus.speakers import speakers_in_two_splits
from vad.labels.findings import Finding, note, problem
from vad.prepare.measure import Measured

__all__ = ["check_classes", "check_duplicates", "check_recording", "check_speakers"]

_LOWEST_RATE_HZ = 8_000
_FULL_RATE_HZ = 16_000
_ROUNDED_S = 0.1  # a label this little past the end is rounding, and is cut
_ROUNDED_SHARE = 0.01
_FAINTEST_DB = -70.0
_NOISY_DB = 15.0


def check_recording(measured: Measured) -> list[Finding]:
    """Checks that a recording can be read and that its labels fit it.

    Returns:
        Problems, which leave it out, and notes.
    """
    where, path = measured.recording.where, measured.recording.path
    if measured.error and not path.exists():
        return [problem(where, f"the recording {path} does not exist.")]
    if measured.error:
        return [problem(where, measured.error.removeprefix(f"{where}: "))]
    return [*_check_sound(measured, where), *_check_turns(measured)]


def _check_sound(measured: Measured, where: str) -> Iterator[Finding]:
    if measured.sample_rate < _LOWEST_RATE_HZ:
        rule = f"a recording must have a sample rate of {_LOWEST_RATE_HZ} Hz or more"
        yield problem(where, f"{rule}. Received: {measured.sample_rate} Hz.")
    listed = measured.recording.duration
    if listed is not None and abs(listed - measured.duration) > max(_ROUNDED_S, _ROUNDED_SHARE * listed):
        text = f"the recording lasts {measured.duration:.2f} s, but its manifest says {listed:.2f} s"
        yield problem(where, f"{text}. Is the sample rate in its header right?")
    if measured.levels_db.max(initial=-math.inf) < _FAINTEST_DB:
        yield note(where, f"it never gets louder than {_FAINTEST_DB:g} dBFS: is it empty?")
    if measured.probabilities.size and measured.range_db < _NOISY_DB:
        yield note(where, "the recording is noisy, so the model's labels may be wrong: check them.")


def _check_turns(measured: Measured) -> Iterator[Finding]:
    recording, turns = measured.recording, measured.recording.turns or ()
    if recording.kind == "speech" and not turns:
        yield note(recording.labels or recording.where, "its labels hold no speech.")
    for turn in turns:
        if turn.end > measured.duration + _ROUNDED_S:
            text = f"a label from {turn.start:g} to {turn.end:g} s lies past the end of its recording"
            yield problem(f"{recording.labels}:{turn.line}", f"{text}, {measured.duration:.3f} s.")
    for before, turn in pairwise(turns):
        if turn.start < before.end and turn.speaker == before.speaker:
            where = f"{recording.labels}:{turn.line}" if recording.labels else recording.where
            times = f"{turn.start:g} s begins before {before.end:g} s, where line {before.line} ends"
            yield note(where, f"labels of one speaker overlap and are joined: {times}.")


def check_classes(recordings: Sequence[Measured]) -> list[Finding]:
    """Checks that each split holds speech and non-speech, and that there is noise and a common bandwidth.

    Returns:
        Problems and notes.
    """
    findings = []
    for split in SPLITS:
        cells = [one.is_speech for one in recordings if one.recording.split == split]
        joined = np.concatenate([np.zeros(0, np.bool_), *cells])
        finding = note if split == "test" else problem  # training needs the other two
        if not joined.any():
            findings.append(finding("", f"the split {split} holds no speech. Add speakers or recordings."))
        elif joined.all():
            findings.append(
                finding("", f"the split {split} holds nothing but speech. Add noise/, or label the pauses.")
            )
    if all(one.is_speech.any() for one in recordings):
        remedy = "so training sees non-speech only in its pauses. Hours of your noise help most"
        findings.append(note("", f"every recording holds speech, {remedy}."))
    low = sum(one.sample_rate < _FULL_RATE_HZ for one in recordings)
    if 0 < low < len(recordings):
        text = f"{low} of {len(recordings)} recordings have a sample rate below {_FULL_RATE_HZ} Hz"
        remedy = "If they are of one kind, a network learns the kind by its bandwidth"
        findings.append(note("", f"{text}. {remedy}."))
    return findings


def check_speakers(recordings: Sequence[Measured]) -> list[Finding]:
    """Finds speakers in two splits, which can happen only where splits were given.

    Returns:
        A problem for each recording whose speaker is in another split before.
    """
    places = ((one.where, one.split, one.speakers) for one in (one.recording for one in recordings))
    return [problem(where, text) for where, text in speakers_in_two_splits(places)]


def check_duplicates(recordings: Sequence[Measured]) -> list[Finding]:
    """Finds recordings given twice: one could be in training and in test.

    Returns:
        A problem for each time but the first.
    """
    findings = []
    first: dict[Path, str] = {}
    for one in recordings:
        path, where = one.recording.path.resolve(), one.recording.where
        if path in first:
            findings.append(problem(where, f"{path} is given twice, first at {first[path]}."))
        first.setdefault(path, where)
    return findings
