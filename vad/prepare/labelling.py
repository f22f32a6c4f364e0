"""Whose the labels are: each label file is read, and its lines go to the recordings that they name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vad.labels import Entry
from vad.labels.owners import LabelOwners
from vad.labels.reading import shown
from vad.prepare.findings import Finding, note, problem
from vad.prepare.inputs import Candidate, InputOptions

__all__ = ["assign_labels"]


def assign_labels(
    recordings: Sequence[Candidate], reading: InputOptions
) -> tuple[list[Candidate], list[Finding]]:
    """Gives speech without turns those that label files have for it, as `vad.labels.owners` says.

    Args:
        recordings: All there are.
        reading: How they are labelled.

    Returns:
        The recordings with their turns, and what is wrong with those left out.
    """
    waiting = [one for one in recordings if one.turns is None]
    owners = LabelOwners((one.path for one in waiting), reading.tiers)
    if reading.labels is not None and not reading.labels.is_dir():
        owners.read(reading.labels)
    else:
        own: dict[str, set[Path]] = defaultdict(set)
        for one in waiting:
            own[one.labels].add(one.path)
        for file in filter(None, own):
            owners.read(Path(file), own[file])
    findings = [problem(fault.where, fault.text) for fault in owners.faults]
    findings += [note(remark.where, remark.text) for remark in owners.remarks]
    labelled = []
    for one in recordings:
        if one.turns is not None:
            labelled.append(one)
        elif one.path in owners.spoiled:
            continue
        elif one.path in owners.labels:
            labelled.append(_with_turns(one, *owners.labels[one.path], reading))
        elif reading.may_lack_labels:
            labelled.append(one)
        else:
            findings.append(_unlabelled(one, reading))
    given = {one.path for one in waiting}
    named = [bool(one.speaker) for one in labelled if one.path in given and one.turns != ()]
    if reading.speaker == "labels" and not all(named):
        findings.append(_nameless(named.count(False), len(named)))
    return labelled, findings + _unread_tiers(owners)


def _with_turns(recording: Candidate, file: str, turns: Sequence[Entry], reading: InputOptions) -> Candidate:
    spoken = [turn for turn in turns if turn.is_speech]
    in_order = tuple(sorted(spoken, key=lambda turn: (turn.start, turn.end)))
    named = " + ".join(sorted({turn.speaker for turn in spoken if turn.speaker}))
    speaker = named if reading.speaker == "labels" else recording.speaker
    return replace(recording, turns=in_order, labels=file, speaker=speaker)


def _nameless(nameless: int, labelled: int) -> Finding:
    rule = "labels must name who speaks, as --speaker is labels"
    received = f"{nameless} of {labelled} recordings in which they name nobody, so splits may share speakers"
    return note("", f"{rule}. Received: {received}. Name them, or give --speaker folder, file or a pattern.")


def _unlabelled(recording: Candidate, reading: InputOptions) -> Finding:
    beside = f"Write {recording.path.with_suffix('.rttm').name} beside it, give --labels"
    received, remedy = "none", beside
    if reading.labels is not None:
        received = f"none in {reading.labels}"
        remedy = "Add them there (where nobody speaks, a CSV row without times), lay what is noise in noise/"
    clean = "or let a model label clean recordings with --label-with default"
    return problem(recording.path, f"speech must have labels. Received: {received}. {remedy}, {clean}.")


def _unread_tiers(owners: LabelOwners) -> list[Finding]:
    """Says which tiers of TextGrids were passed over: another talker's would be taken for no speech."""
    rule = "tiers of a TextGrid besides the first must be named"
    return [
        note(
            files[0],
            f"{rule}. Received: {shown(list(names))}, not read here{_also(files)}. Give --tier for each.",
        )
        for names, files in owners.unread_tiers.items()
    ]


def _also(files: Sequence[str]) -> str:
    return f", nor in {len(files) - 1} more files" if len(files) > 1 else ""
