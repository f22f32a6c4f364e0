"""Whose labels these are: the same lines pass or fail alike at every door that reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from support.prepared import recording, rttm

from vad.corpus.manifest import read_corpus
from vad.detection.segments import Segment
from vad.errors import LabelError, VadError
from vad.evaluation.external_labels import read_hypotheses
from vad.labels import write_labels
from vad.labels.owners import labels_of
from vad.prepare.inputs import InputOptions, find_recordings
from vad.prepare.labelling import assign_labels

Said = Mapping[str, tuple[Segment, ...]] | None
DOORS = (
    "beside",
    "prepare",
    "prepare --labels DIR",
    "prepare --labels FILE",
    "hypothesis DIR",
    "hypothesis FILE",
)


def said(door: str, place: Path, files: Mapping[str, str]) -> Said:
    """What a door reads of the recordings a and b, by name; None where it refuses."""
    for name in ("a", "b"):
        recording(place / f"rec/{name}.wav")
    folder = place / "rec" if door in ("beside", "prepare") else place / "labels"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    given = folder / next(iter(files)) if "FILE" in door else folder
    if door == "beside":
        try:
            return {item.path.stem: item.segments for item in read_corpus(place / "rec")}
        except VadError:
            return None
    if door.startswith("prepare"):
        reading = InputOptions(given if "--labels" in door else None)
        found, _ = find_recordings([place / "rec"], reading)
        labelled, findings = assign_labels(found, reading)
        if any(finding.is_problem for finding in findings):
            return None
        return {
            one.path.stem: tuple(Segment(turn.start, turn.end) for turn in one.turns or ())
            for one in labelled
        }
    write_labels(place / "rec/a.rttm", [])
    write_labels(place / "rec/b.rttm", [])
    items = read_corpus(place / "rec")
    try:
        found = read_hypotheses(given, items)
    except VadError:
        return None
    if any(isinstance(one, VadError) for one in found.values()) or len(found) < len(items):
        return None
    return {Path(key).stem: tuple(one) for key, one in found.items()}


FIRST, SECOND = (Segment(0.5, 1.0),), (Segment(1.0, 2.0),)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["a 0.5 0.5", "b 1 1"], {"a": FIRST, "b": SECOND}),
        (["a.wav 0.5 0.5", "rec/b 1 1"], {"a": FIRST, "b": SECOND}),
        (["rec/a 0.5 0.5", r"rec\b.wav 1 1"], {"a": FIRST, "b": SECOND}),
        (["a 0.5 0.5", "b 1 1", "gone 0 3"], {"a": FIRST, "b": SECOND}),
        (["b 1 1", "gone 0 3"], None),  # called like a, it says nothing of it
        (["other/a 0.5 0.5", "b 1 1"], None),
        (["a 0.5 x", "b 1 1"], None),
    ],
)
def test_one_file_about_both_is_read_alike(
    lines: list[str], expected: Said, door: str, tmp_path: Path
) -> None:
    assert said(door, tmp_path, {"a.rttm": rttm(*lines)}) == expected


@pytest.mark.parametrize("door", [door for door in DOORS if "FILE" not in door])
@pytest.mark.parametrize(
    ("of_a", "of_b", "expected"),
    [
        (["a 0.5 0.5"], ["b 1 1"], {"a": FIRST, "b": SECOND}),
        (["take1 0.5 0.5"], ["a 1 1"], {"a": FIRST, "b": SECOND}),  # a single name counts for nothing
        (["a 0.5 0.5", "b 1 1"], ["a 0.5 0.5", "b 1 1"], {"a": FIRST, "b": SECOND}),
        (["a 0.5 0.5"], ["b 1 1", "a 1 1"], None),  # they contradict each other
        (["a 0.5 0.5", "b 1 1"], ["gone 1 1", "away 0 1"], None),
    ],
)
def test_two_files_are_read_alike(
    of_a: list[str], of_b: list[str], expected: Said, door: str, tmp_path: Path
) -> None:
    assert said(door, tmp_path, {"a.rttm": rttm(*of_a), "b.rttm": rttm(*of_b)}) == expected


def test_a_single_foreign_name_is_passed_over_at_every_door(tmp_path: Path) -> None:
    for door in DOORS:
        place = tmp_path / door
        texts = {"a.rttm": rttm("take1 0.5 0.5")} | ({} if "FILE" in door else {"b.rttm": rttm("take1 1 1")})
        found = said(door, place, texts)
        assert found == (None if "FILE" in door else {"a": FIRST, "b": SECOND}), door


def test_a_recording_that_is_looked_into_has_its_own_lines_alone(tmp_path: Path) -> None:
    (tmp_path / "all.rttm").write_text(rttm("rec/a 0.5 0.5", "b 1 1"))
    assert labels_of(tmp_path / "rec/a.wav", tmp_path / "all.rttm") == list(FIRST)
    with pytest.raises(LabelError, match=r"all\.rttm: .*c\.wav"):
        labels_of(tmp_path / "c.wav", tmp_path / "all.rttm")
