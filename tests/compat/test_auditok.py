"""The tasks of auditok's command line, by auditok and by `vad`, as docs/migrating.md shows them side by side."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import soundfile
from auditok import cmdline
from support.places import ROOT

from vad.cli import main

PAGE = (ROOT / "docs" / "migrating.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([^|`]*) \| `(auditok[^`]*)` \| `(vad [^`]*)` \|$", PAGE, flags=re.MULTILINE)
ON_FILES = [
    row
    for row in ROWS
    if "meeting.wav" in row[1] and not set(row[1].split()) & {"-C", "-E", "-u", "--save-image"}
]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the recording, which is where the test stands."""
    shutil.copy(ROOT / "data" / "examples" / "clip.wav", tmp_path / "meeting.wav")
    (tmp_path / "cuts").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", [row[1] for row in ROWS])
def test_auditok_knows_its_commands(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for task in ("split", "trim", "fix_pauses"):
        monkeypatch.setattr(cmdline, f"_run_{task}", lambda _: 0)
    assert cmdline.main(shlex.split(command.partition("<")[0])[1:]) == 0


@pytest.mark.acceptance  # auditok's threads may wait for ever in a process that other tests used before
@pytest.mark.filterwarnings("ignore:'drop_trailing_silence':DeprecationWarning")  # auditok's own
@pytest.mark.parametrize(("task", "theirs", "ours"), ON_FILES, ids=[row[0] for row in ON_FILES])
def test_both_do_the_task(
    desk: Path, task: str, theirs: str, ours: str, capfd: pytest.CaptureFixture[str]
) -> None:
    results = []
    for run, command in ((cmdline.main, theirs), (main, ours)):
        assert run(shlex.split(command)[1:]) == 0
        lines = capfd.readouterr().out.splitlines()
        written = sorted(path for path in desk.rglob("*") if path.is_file() and path.name != "meeting.wav")
        durations = [soundfile.info(path).duration for path in written if path.suffix == ".wav"]
        results.append((len(lines), [len(path.suffix) for path in written], durations))
        for path in written:
            path.unlink()
    (their_lines, their_files, their_durations), (our_lines, our_files, our_durations) = results
    assert (our_lines, our_files) == (their_lines, their_files)
    assert our_durations == pytest.approx(their_durations, abs=0.6)
