"""A job over thousands of recordings, killed five times at random, ends as one that nothing stopped.

Run it with `python -m pytest -m acceptance tests/acceptance/test_killed_jobs.py`; it takes about five minutes.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.archive import write_archive

pytestmark = pytest.mark.acceptance

N_SHORT = 3_000
KILLS = 5
LONG_S = 3_600


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short recordings of 1 to 3 s, a damaged one, and an hour of two channels."""
    folder = tmp_path_factory.mktemp("archive")
    write_archive(folder / "rec", N_SHORT, 3, LONG_S)
    return folder


def command(archive: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "vad", "detect", str(archive / "rec"), "--model", "tiny", *words]


def killed_after(seconds: float, words: list[str]) -> bool:
    """Run a command and kill it, and only it, with SIGKILL. Whether it was still at work."""
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


@pytest.mark.parametrize("output", ["out.jsonl", "out.parquet", "labels/"])
def test_a_job_killed_five_times_is_that_of_an_unbroken_run(
    archive: Path, tmp_path: Path, output: str
) -> None:
    words = ["-f", "json"] if output.endswith("/") else []
    began = time.monotonic()
    subprocess.run(command(archive, "-o", str(tmp_path / "plain" / output), *words), check=False)
    unbroken_s = time.monotonic() - began
    resuming = command(archive, "--resume", "-o", str(tmp_path / "killed" / output), "--jobs", "2", *words)
    draw = random.Random(output)
    killed = [killed_after(0.5 + draw.random() * unbroken_s / 6, resuming) for _ in range(KILLS)]
    assert all(killed)
    assert subprocess.run(resuming, check=False).returncode == 1  # the damaged one
    plain, resumed = (
        {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and ".journal" not in path.name
        }
        for folder in (tmp_path / "plain", tmp_path / "killed")
    )
    assert plain == resumed
    journal = next((tmp_path / "killed").rglob("*.journal"))
    names = [line.get("recording") for line in map(json.loads, journal.read_text().splitlines())]
    done = [name for name in names if name and not name.endswith("damaged.wav")]
    assert len(done) == len(set(done)) == N_SHORT + 1  # nothing was done twice


HUNG = """
import signal, sys, time
from pathlib import Path
from vad.processes import in_order

def make_work():
    def work(item):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with open(sys.argv[1], "a") as file:
            file.write("begun")
            time.sleep(120)
    return work

if __name__ == "__main__":
    list(in_order(make_work, [0, 1], 2, crashed=print))
"""


def test_a_process_that_hangs_leaves_after_its_parent(tmp_path: Path) -> None:
    """It hung in the exit of its pool at times, and stayed for ever."""
    (tmp_path / "hung.py").write_text(HUNG)
    words = [sys.executable, str(tmp_path / "hung.py"), str(tmp_path / "begun")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
        while not (tmp_path / "begun").exists():
            time.sleep(0.1)
        time.sleep(1)
        program.kill()
        assert program.stdout is not None
        began = time.monotonic()
        program.stdout.read()  # ends when the last process that inherited it has left
        assert time.monotonic() - began < 20
