"""The labels of recordings: each label file is read, and its entries go to the recordings that they name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vad.errors import shown
from vad.labels import Entry
from vad.labels.findings import Finding, note, problem
from vad.labels.owners import LabelOwners
from vad.prepare.inputs import Candidate, InputOptions

__all__ = ["assign_labels"]


def assign_labels(
    recordings: Sequence[Candidate], options: InputOptions
) -> tuple[list[Candidate], list[Finding]]:
    """Gives speech without turns those of its label files, by the rules of `vad.labels.owners`.

    Returns:
        The recordings with their turns, and the problems of those left out.
    """
    unread = {one.path: one for one in recordings if one.turns is None}
    owners = LabelOwners(unread, options.tiers)
    if options.labels is not None and not options.labels.is_dir():
        owners.read(options.labels)
    else:
        owners.read_own({path: Path(one.labels) if one.labels else None for path, one in unread.items()})
    findings = list(owners.findings)
    labelled = []
    for one in recordings:
        if one.turns is None and one.path in owners.rejected:
            continue
        if one.turns is None and one.path in owners.labels:
            labelled.append(_with_turns(one, *owners.labels[one.path], options))
        elif one.turns is not None or options.may_lack_labels:
            labelled.append(one)
        else:
            findings.append(_unlabelled(one, options))
    named = [bool(one.speaker) for one in labelled if one.path in unread and one.turns != ()]
    if options.speaker == "labels" and not all(named):
        text = f"the labels of {named.count(False)} of {len(named)} recordings name no speaker, so splits may share one"
        findings.append(note("", f"{text}. Name them, or give --speaker folder, file or a pattern."))
    return labelled, findings + _unread_tiers(owners)


def _with_turns(
    recording: Candidate, file: str, entries: Sequence[Entry], options: InputOptions
) -> Candidate:
    turns = sorted((one for one in entries if one.is_speech), key=lambda turn: (turn.start, turn.end))
    names = " + ".join(sorted({turn.speaker for turn in turns if turn.speaker}))
    speaker = names if options.speaker == "labels" else recording.speaker
    return replace(recording, turns=tuple(turns), labels=file, speaker=speaker)


def _unlabelled(recording: Candidate, options: InputOptions) -> Finding:
    where, remedy = "", f"Write {recording.path.with_suffix('.rttm').name} beside it, give --labels"
    if options.labels is not None:
        where = f" in {options.labels}"
        remedy = "Add them (where nobody speaks, a CSV row without times), put noise in a folder noise/"
    clean = "or let a model label clean recordings with --label-with default"
    return problem(recording.path, f"this recording of speech has no labels{where}. {remedy}, {clean}.")


def _unread_tiers(owners: LabelOwners) -> list[Finding]:
    """Notes on tiers of TextGrids that were not read: another speaker's turns would count as non-speech."""
    findings = []
    for names, files in owners.unread_tiers.items():
        also = f" The same holds for {len(files) - 1} more files." if len(files) > 1 else ""
        text = f"the tiers {shown(list(names))} are not read. Give --tier for each tier with speech."
        findings.append(note(files[0], text + also))
    return findings
