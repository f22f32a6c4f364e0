"""The figures of `vad prepare`: the rows of the manifest and the table of the summary."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.prepared import TALK, prepare, recording

from vad.labels import Entry
from vad.prepare.checks import check_classes
from vad.prepare.inputs import Candidate
from vad.prepare.manifest import manifest_text
from vad.prepare.measure import Measured
from vad.prepare.summary import summarise, summary_text


def measured(name: str, *turns: tuple[float, float], rate: int = 16_000) -> Measured:
    """A recording of 1.2345 s with speech of -20.04 dBFS over a background of -60."""
    entries = tuple(Entry(1, start, end) for start, end in turns)
    one = Measured(
        Candidate(Path(name), "speech", split="train", turns=entries),
        duration=1.2345,
        sample_rate=rate,
        levels_db=np.full(123, -60.0, np.float32),
    )
    one.levels_db[one.is_speech] = -20.04
    return one


def row_of(one: Measured) -> dict[str, Any]:
    (line,) = manifest_text([one], Path("corpus")).splitlines()
    row: dict[str, Any] = json.loads(line)
    return row


def test_a_row_has_times_to_the_millisecond_and_levels_to_the_tenth() -> None:
    assert row_of(measured("corpus/a.wav", (0.1234, 0.5678), (0.9, 3.0))) == {
        "audio_filepath": "a.wav",
        "kind": "speech",
        "duration": 1.234,
        "split": "train",
        "range_db": 40.0,
        "snr_db": 40.0,
        "segments": [[0.123, 0.568], [0.9, 1.234]],
    }


def test_names_are_written_as_people_write_them() -> None:
    assert "grüße/здравствуй.wav" in manifest_text([measured("corpus/grüße/здравствуй.wav")], Path("corpus"))


def test_a_recording_on_another_drive_keeps_its_whole_path(monkeypatch: pytest.MonkeyPatch) -> None:
    def relpath(path: object, start: object) -> str:
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(os.path, "relpath", relpath)
    assert row_of(measured("there/a.wav"))["audio_filepath"] == Path("there/a.wav").resolve().as_posix()


def test_a_recording_shorter_than_a_cell_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "ab":
        recording(tmp_path / f"in/speech/{name}.wav", *TALK)
    recording(tmp_path / "in/noise/short.wav", seconds=0.005)
    code, items, err = prepare(capsys, tmp_path, tmp_path / "in")
    assert code == 0, err
    assert [(item.duration, item.range_db) for item in items if item.kind == "noise"] == [(0.005, 0.0)]


def test_the_columns_of_the_table_are_aligned() -> None:
    lines = summary_text(summarise([measured("a.wav", (0.1, 0.5))])).splitlines()
    assert len(lines) == 2
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize(
    ("rates", "is_told"),
    [
        ((8_000, 16_000, 16_000), True),
        ((8_000, 15_999, 16_000), True),
        ((16_000,) * 3, False),
        ((8_000,) * 3, False),
    ],
)
def test_a_part_with_a_low_sample_rate_is_told(rates: tuple[int, ...], is_told: bool) -> None:
    findings = check_classes([measured(f"{rate}.wav", (0.1, 0.5), rate=rate) for rate in rates])
    assert any("sample rate" in str(one) for one in findings) == is_told
