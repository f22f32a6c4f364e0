"""The library leaves file descriptor 2 alone; the program drops known lines of C libraries."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import soundfile
from support.places import EXAMPLES
from support.sounds import noise

import vad
from vad.detection.model import Model


def run_python(code: str, *arguments: object, **options: object) -> "subprocess.CompletedProcess[str]":
    # C libraries write their first lines once per process.
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, text=True, check=True, timeout=60, **options)  # type: ignore[call-overload, no-any-return]


def test_lines_of_other_threads_are_all_there_in_order_while_an_mp3_is_read(
    tmp_path: Path, model_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / "long.mp3", 0.1 * noise(60 * 16000), 16000)
    detector = vad.Detector(model_path)
    done = threading.Event()
    counts = [0, 0]

    def write(thread: int) -> None:
        while not done.is_set():
            os.write(2, f"{thread} {counts[thread]}\n".encode())
            counts[thread] += 1

    capfd.readouterr()
    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            detector.detect_file(tmp_path / "long.mp3")
            Model.load(model_path)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    # LiteRT greets here where this process loads its first model.
    lines = [line for line in capfd.readouterr().err.splitlines() if not line.startswith("INFO: ")]
    assert min(counts) > 10
    for number, count in enumerate(counts):
        assert [line for line in lines if line.startswith(f"{number} ")] == [
            f"{number} {n}" for n in range(count)
        ]


def test_the_program_writes_nothing_of_litert_or_of_an_mp3_decoder(tmp_path: Path, model_path: Path) -> None:
    soundfile.write(tmp_path / "whole.mp3", 0.1 * noise(2 * 16000), 16000)
    content = bytearray((tmp_path / "whole.mp3").read_bytes())
    content[4000:4300] = bytes(300)
    (tmp_path / "hurt.mp3").write_bytes(content)
    code = "import sys; from vad.cli import main; main(sys.argv[1:])"
    words = ["detect", "--model", model_path, tmp_path / "whole.mp3", tmp_path / "hurt.mp3"]
    library = "import soundfile, sys; soundfile.read(sys.argv[-1])"
    assert "Note: " in run_python(library, *words, capture_output=True).stderr, "else nothing is shown below"
    for jobs in ("1", "2"):
        done = run_python(code, *words, "--jobs", jobs, capture_output=True)
        assert all(line.startswith("vad: ") for line in done.stderr.splitlines()), done.stderr


def test_a_program_keeps_its_own_lines_and_drops_a_librarys(tmp_path: Path) -> None:
    code = (
        "import os, sys; from vad.native_stderr import native_lines_dropped\n"
        "with native_lines_dropped():\n"
        "    os.write(2, b'ALSA lib pcm.c: underrun\\nthe disk is full\\n')\n"
        "    print('at once', file=sys.stderr)\n"
        "    print(open(sys.argv[1]).read(), end='')\n"
        "print('after', file=sys.stderr)\n"
    )
    with open(tmp_path / "stderr", "w") as stderr:
        done = run_python(code, stderr.name, stdout=subprocess.PIPE, stderr=stderr)
    assert done.stdout == "at once\n"
    assert (tmp_path / "stderr").read_text().splitlines() == ["at once", "the disk is full", "after"]


@pytest.mark.skipif(os.name == "nt", reason="closes file descriptor 2, which Windows does not have as such")
def test_a_program_without_stderr_runs_too(model_path: Path) -> None:
    code = (
        "import os, sys; os.close(2); sys.stderr = None\n"
        "from vad.cli import main; main(['detect', sys.argv[1], '--model', sys.argv[2]])"
    )
    example = EXAMPLES / "clip.wav"
    run_python(code, example, model_path, stdout=subprocess.PIPE)
