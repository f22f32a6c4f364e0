"""`vad detect --resume`: what is done stays done, and the output is that of one unbroken run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from pyarrow.dataset import dataset
from support.sounds import RATE, tone

from vad.cli import main
from vad.commands.detecting import parquet
from vad.commands.detecting.journal import open_journal

N = 6
TABLES = ("segments", "recordings")
Run = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand beside `rec`, a folder of recordings; the last one of them is damaged."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rec").mkdir()
    for index in range(N):
        write_recording(index, 0.4 + 0.1 * index)
    soundfile.write("rec/stereo.flac", np.stack([tone(2.0), 0 * tone(2.0)], axis=1), RATE)
    content = Path("rec/0.wav").read_bytes()
    Path("rec/x.wav").write_bytes(content[: len(content) // 2])
    return tmp_path


def write_recording(index: int, seconds: float) -> None:
    silence = np.zeros(RATE // 2, np.float32)
    soundfile.write(f"rec/{index}.wav", np.concatenate([silence, tone(seconds), silence]), RATE)


@pytest.fixture
def run(folder: Path, model_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `vad detect rec` to its end, in which the damaged recording fails, and give its lines on stderr."""

    def detect(*words: str, code: int = 1) -> str:
        assert main(["detect", "rec", "--model", str(model_path), "--jobs", "1", *words]) == code
        return capsys.readouterr().err

    return detect


def done(journal: str) -> list[str]:
    """The recordings of a journal, in the order in which they were done."""
    lines = map(json.loads, Path(journal).read_text().splitlines())
    return [line["recording"] for line in lines if "recording" in line]


@pytest.mark.parametrize("name", ["out.jsonl", "out.json", "out.rttm", "out.csv"])
@pytest.mark.parametrize("words", [[], ["--channel", "each"], ["--chunks", "2"]])
def test_a_job_writes_what_an_unbroken_run_writes(run: Run, name: str, words: list[str]) -> None:
    run("-o", f"plain-{name}", *words)
    run("--resume", "-o", name, *words)
    assert Path(name).read_bytes() == Path(f"plain-{name}").read_bytes() != b""


def test_a_folder_of_outputs_is_that_of_an_unbroken_run(run: Run) -> None:
    run("-o", "plain/", "-f", "rttm")
    run("--resume", "-o", "labels/", "-f", "rttm")
    plain = {path.name: path.read_bytes() for path in Path("plain").iterdir()}
    assert {path.name: path.read_bytes() for path in Path("labels").glob("[!.]*")} == plain
    assert len(plain) == N + 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has none")
@pytest.mark.parametrize("words", [[], ["--resume"]])
def test_what_cannot_be_opened_does_not_end_a_run_into_a_folder(run: Run, words: list[str]) -> None:
    os.mkfifo("rec/0.flac")
    for _ in range(2):
        assert "rec/0.flac: cannot be read" in run("-o", "labels/", "-f", "rttm", "--overwrite", *words)
        assert len([*Path("labels").glob("[!.]*")]) == N + 2


def test_a_file_that_cannot_be_written_costs_its_recording_alone(run: Run) -> None:
    Path("rec/0.wav").rename(f"rec/{'n' * 249}.wav")
    Path("labels/1.TextGrid").mkdir(parents=True)
    for _ in range(2):
        errors = run("--resume", "-o", "labels/", "-f", "textgrid")
        assert errors.count("file name too long") == 1
        assert errors.count("is a directory") == 1
        assert len([*Path("labels").glob("*.TextGrid")]) == N + 1
        write_recording(1, 1.7)


def test_parquet_has_the_segments_and_the_recordings(run: Run) -> None:
    run("-o", "plain.csv", "--channel", "each")
    run("--resume", "-o", "out.parquet", "--channel", "each")
    rows = pq.read_table("out.parquet").to_pylist()
    csv = [line.split(",") for line in Path("plain.csv").read_text().splitlines()[1:]]
    assert len(rows) == len(csv) > N
    assert {row["channel"] for row in rows if row["recording"] == "rec/stereo.flac"} == {0}
    recordings = {row["recording"]: row for row in pq.read_table("out_recordings.parquet").to_pylist()}
    assert recordings["rec/0.wav"]["segments"] == 1
    assert recordings["rec/0.wav"]["duration"] == pytest.approx(1.4)
    assert "cut off" in recordings["rec/x.wav"]["problem"]


def rows(folder: str, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = dataset(f"{folder}/{table}").to_table().to_pylist()
    return found


def test_a_folder_of_parquet_parts_is_the_two_tables(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("-o", "whole.parquet", "--channel", "each")
    monkeypatch.setattr(parquet, "_ROWS_PER_PART", 3)
    for words in (["plain.parquet/"], ["job", "-f", "parquet", "--resume"]):
        run("-o", *words, "--channel", "each")
        assert rows(words[0], "segments") == pq.read_table("whole.parquet").to_pylist()
        assert rows(words[0], "recordings") == pq.read_table("whole_recordings.parquet").to_pylist()
    parts = sorted(Path("job/segments").iterdir())
    assert [part.name for part in parts] == [f"part-0000{index}.parquet" for index in range(3)]
    for part in parts:
        segments, recordings = (pq.read_table(Path("job", table, part.name)) for table in TABLES)
        assert {*segments["recording"].to_pylist()} <= {*recordings["recording"].to_pylist()}
    for path in (path for table in TABLES for path in Path("job", table).iterdir()):
        assert path.read_bytes() == Path("plain.parquet", *path.parts[1:]).read_bytes()


def test_parts_are_replaced_by_option_and_no_old_one_stays(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_ROWS_PER_PART", 3)
    run("-o", "out.parquet/")
    before = rows("out.parquet", "recordings")
    assert "would be replaced" in run("-o", "out.parquet", code=2)
    monkeypatch.setattr(parquet, "_ROWS_PER_PART", 100)
    run("-o", "out.parquet", "--overwrite")
    assert rows("out.parquet", "recordings") == before
    assert len([*Path("out.parquet").rglob("*.*")]) == 2


def test_duckdb_reads_the_parts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = pytest.importorskip("duckdb")
    monkeypatch.setattr(parquet, "_ROWS_PER_PART", 3)
    run("-o", "out.parquet/")
    query = """
        SELECT recording, max("end") <= max(duration), count(*) = max(segments)
        FROM 'out.parquet/segments/*.parquet' JOIN 'out.parquet/recordings/*.parquet' USING (recording)
        GROUP BY recording ORDER BY recording
    """
    expected = sorted({row["recording"] for row in rows("out.parquet", "segments")})
    assert duckdb.sql(query).fetchall() == [(name, True, True) for name in expected]
    assert len(expected) > N


def test_what_is_there_is_not_replaced_without_overwrite(run: Run) -> None:
    for name in ("out.jsonl", "out_recordings.parquet", "out.jsonl.journal"):
        Path(name).write_text("by hand")
        run("--resume", "-o", name.removesuffix(".journal").replace("_recordings", ""), code=2)
        assert Path(name).read_text() == "by hand"
        Path(name).unlink()


def test_a_file_that_only_parquet_would_write_is_in_nobodys_way(run: Run) -> None:
    Path("out_recordings.jsonl").write_text("by hand")
    run("--resume", "-o", "out.jsonl")
    assert Path("out_recordings.jsonl").read_text() == "by hand"


@pytest.mark.parametrize(
    ("output", "place"), [("out.jsonl", "."), ("labels/", "labels"), ("out.parquet/", "out.parquet/segments")]
)
def test_what_a_killed_run_left_half_written_goes(run: Run, output: str, place: str) -> None:
    Path(place).mkdir(parents=True, exist_ok=True)
    half = Path(place, ".part-1-0.tmp")
    half.touch()
    os.utime(half, (0, 0))
    run("--resume", "-o", output)
    assert not half.exists()


def test_only_what_is_missing_changed_or_failed_is_done(run: Run) -> None:
    run("--resume", "-o", "out.jsonl")
    before = done("out.jsonl.journal")
    write_recording(1, 1.7)
    write_recording(N, 0.5)
    told = run("--resume", "-o", "out.jsonl")
    assert sorted(done("out.jsonl.journal")[len(before) :]) == ["rec/1.wav", f"rec/{N}.wav", "rec/x.wav"]
    assert "1 changed" in told
    assert "1 failed" in told
    run("-o", "plain.jsonl")
    assert Path("out.jsonl").read_bytes() == Path("plain.jsonl").read_bytes()


def test_other_options_are_done_again_and_told(run: Run) -> None:
    run("--resume", "-o", "out.jsonl")
    words = ["--threshold", "0.9", "--max-speech-duration-s", "20"]
    told = run("--resume", "-o", "out.jsonl", *words)
    assert "threshold was 0.5, is 0.9" in told
    assert "max_speech_duration_s was not set, is 20" in told
    assert done("out.jsonl.journal").count("rec/0.wav") == 2
    run("--resume", "-o", "out.jsonl", *words)
    assert done("out.jsonl.journal").count("rec/0.wav") == 2
    run("-o", "plain.jsonl", *words)
    assert Path("out.jsonl").read_bytes() == Path("plain.jsonl").read_bytes()


def test_an_option_that_an_older_version_did_not_have_is_no_other_one(run: Run) -> None:
    run("--resume", "-o", "out.jsonl")
    journal = Path("out.jsonl.journal")
    journal.write_text(journal.read_text().replace(', "printf": null', ""))
    assert "options" not in run("--resume", "-o", "out.jsonl")
    assert done("out.jsonl.journal").count("rec/0.wav") == 1


def test_a_torn_line_and_a_damaged_one_cost_their_recordings_alone(run: Run) -> None:
    run("--resume", "-o", "out.jsonl")
    whole, journal = Path("out.jsonl").read_bytes(), Path("out.jsonl.journal")
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[2] = b"\0" * (len(lines[2]) - 1) + b"\n"
    damaged = b"".join(lines)
    for missing in (1, len(lines[-1]) // 2, len(lines[-1]) - 1):
        journal.write_bytes(damaged[:-missing])
        run("--resume", "-o", "out.jsonl")
        assert Path("out.jsonl").read_bytes() == whole
        assert sum(line.startswith(b'{"recording"') for line in journal.read_bytes().splitlines()) == N + 3


def test_contents_are_compared_by_option(run: Run) -> None:
    run("--resume", "-o", "out.jsonl", "--hash")
    n_before = len(done("out.jsonl.journal"))
    path = Path("rec/1.wav")
    os.utime(path, ns=(0, 0))
    run("--resume", "-o", "out.jsonl", "--hash")
    assert done("out.jsonl.journal")[n_before:] == ["rec/x.wav"]
    path.write_bytes(path.read_bytes()[:-2] + b"\1\1")
    os.utime(path, ns=(0, 0))
    run("--resume", "-o", "out.jsonl", "--hash")
    assert "rec/1.wav" in done("out.jsonl.journal")[n_before:]


def test_labels_of_a_folder_stay_as_they_are_unless_their_recording_changed(run: Run) -> None:
    run("--resume", "-o", "labels/", "-f", "csv")
    fresh = Path("labels/1.csv").read_text()
    Path("labels/0.csv").write_text("by hand")
    Path("labels/1.csv").unlink()
    write_recording(2, 1.9)
    run("--resume", "-o", "labels/", "-f", "csv")
    assert Path("labels/0.csv").read_text() == "by hand"
    assert Path("labels/1.csv").read_text() == fresh
    assert "2.560" in Path("labels/2.csv").read_text()


def test_labels_of_a_folder_are_written_again_in_another_form_of_lines(run: Run) -> None:
    run("--resume", "-o", "labels/", "-f", "text")
    assert "time_format" in run("--resume", "-o", "labels/", "-f", "text", "--time-format", "%I")
    assert Path("labels/0.txt").read_text().startswith("500 ")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_disk_without_room_ends_a_job_that_goes_on_later(run: Run) -> None:
    import resource

    run("-o", "plain.jsonl")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limits[1]))
    try:
        error = run("--resume", "-o", "out.jsonl", code=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "cannot write out.jsonl.journal: file too large" in error
    n_done = len(done_so_far(Path("out.jsonl.journal")))
    assert f"{n_done} of {N + 2} recordings are done" in run("--resume", "-o", "out.jsonl")
    assert Path("out.jsonl").read_bytes() == Path("plain.jsonl").read_bytes()


def test_two_runs_on_one_output_refuse_each_other(run: Run) -> None:
    with open_journal(Path("out.jsonl.journal"), {}):
        assert "another run" in run("--resume", "-o", "out.jsonl", code=2)
    run("--resume", "-o", "out.jsonl")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has none")
def test_a_pipe_is_refused_before_it_is_opened(
    folder: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo("call.wav")  # opening it would wait for a writer
    for name in ("call.wav", "-"):
        assert main(["detect", name, "--model", str(model_path), "--resume", "-o", "out.jsonl"]) == 2
        assert f"{name}, a pipe" in capsys.readouterr().err


def test_options_that_do_not_fit_are_refused(run: Run) -> None:
    assert {"--resume", "--output"} <= {*run("--resume", code=2).replace(",", "").split()}
    assert "--hash" in run("--hash", "-o", "out.jsonl", code=2)
    assert "--report" in run("--resume", "-o", "out.jsonl", "--report", "pages/", code=2)
    assert not Path("out.jsonl.journal").exists()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no such signal")
def test_a_killed_run_ends_as_an_unbroken_one(run: Run, folder: Path, model_path: Path) -> None:
    for index in range(N, 60):
        write_recording(index, 0.3 + index % 7 / 10)
    run("-o", "plain.jsonl")
    words = ["rec", "--model", str(model_path), "--resume", "-o", "out.jsonl", "--jobs", "2"]
    journal = Path("out.jsonl.journal")
    process = subprocess.Popen([sys.executable, "-m", "vad", "detect", *words], stderr=subprocess.DEVNULL)
    while process.poll() is None and (not journal.exists() or len(done_so_far(journal)) < 5):
        time.sleep(0.002)
    process.kill()
    process.wait()
    killed = done_so_far(journal)
    assert "recordings are done" in run("--resume", "-o", "out.jsonl")
    assert Path("out.jsonl").read_bytes() == Path("plain.jsonl").read_bytes()
    again = done(str(journal))[len(killed) :]
    assert not set(again) & set(killed) - {"rec/x.wav"}


def done_so_far(journal: Path) -> list[str]:
    """The recordings of a journal that is being written."""
    whole = journal.read_bytes().rpartition(b"\n")[0].splitlines()
    return [line["recording"] for line in map(json.loads, whole) if "recording" in line]
