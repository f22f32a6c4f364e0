"""The journal of `vad detect --resume`: which recordings are the same, and lines that are damaged."""

from pathlib import Path, PurePath

import pytest

from vad.commands.detecting.journal import Identity, Journal, open_journal
from vad.commands.detecting.recordings import AudioInput
from vad.errors import ConfigError

RECORDING = AudioInput("a.wav", "a.wav", PurePath("a.wav"))


@pytest.mark.parametrize(
    ("now", "before", "is_same"),
    [
        (Identity(5, "1"), Identity(5, "1"), True),
        (Identity(5, "1"), Identity(6, "1"), False),
        (Identity(5, "1"), Identity(5, "2"), False),
        (Identity(5, "1", "aa"), Identity(5, "1"), True),  # --hash is new, or left out
        (Identity(5, "1"), Identity(5, "1", "aa"), True),
        (Identity(5, "1", "aa"), Identity(5, "2", "aa"), True),
        (Identity(5, "1", "aa"), Identity(5, "1", "bb"), False),
        (Identity(-1, "tag"), Identity(-1, "tag"), True),  # a store that does not say the size
        (Identity(5, ""), Identity(5, ""), True),  # one that says nothing else
        (Identity(-1, ""), Identity(-1, ""), False),  # nothing is known
    ],
)
def test_a_recording_is_the_same_by_its_content_or_else_by_size_and_version(
    now: Identity, before: Identity, is_same: bool
) -> None:
    assert now.is_same(before) == is_same


def write_line(path: Path, result: str) -> None:
    identity = '"size": 1, "version": "2", "sha256": null, "problem": null'
    path.write_text(f'{{"options": {{}}}}\n{{"recording": "a.wav", {identity}, {result}}}\n')


def reason(journal: Journal) -> str | None:
    return journal.reason(RECORDING, Identity(1, "2"))


@pytest.mark.parametrize(
    "result",
    [
        '"channels": null, "duration": 1',
        '"channels": {"": [[1]]}, "duration": 1',
        '"channels": {"": [["x", 1]]}, "duration": 1',
        '"channels": {"": 5}, "duration": 1',
        '"channels": {}',
        '"channels": {}, "duration": null',
    ],
)
def test_a_line_without_a_result_is_told(tmp_path: Path, result: str) -> None:
    write_line(tmp_path / "out.journal", result)
    with open_journal(tmp_path / "out.journal", {}) as journal:
        assert reason(journal) is None
        with pytest.raises(ConfigError, match=r"is damaged: the line of a\.wav"):
            list(journal.results([RECORDING]))


def test_the_recording_of_a_line_that_cannot_be_read_is_new(tmp_path: Path) -> None:
    write_line(tmp_path / "out.journal", f'"channels": {{"": {"[" * 3000}{"]" * 3000}}}, "duration": 1')
    with open_journal(tmp_path / "out.journal", {}) as journal:
        assert reason(journal) == "new"
