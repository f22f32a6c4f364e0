"""C libraries that talk to stderr: what they say is dropped, what others say is kept."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    # LiteRT speaks once a process, so each of these needs its own.
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)


def test_stderr_holds_nothing_of_litert(model_path: Path) -> None:
    loaded = run_python("import sys; from vad.runtime import Model; Model.load(sys.argv[1])", str(model_path))
    assert (loaded.stdout, loaded.stderr) == ("", "")


def test_stderr_keeps_what_others_say_meanwhile(model_path: Path) -> None:
    code = (
        "import os, sys, vad.runtime as runtime\n"
        "class Interpreter(runtime.Interpreter):\n"
        "    def get_signature_list(self):\n"
        "        os.write(2, b'the disk is full\\n')\n"
        "        return super().get_signature_list()\n"
        "runtime.Interpreter = Interpreter\n"
        "runtime.Model.load(sys.argv[1])\n"
        "print('after', file=sys.stderr)\n"
    )
    lines = run_python(code, str(model_path)).stderr.splitlines()
    assert set(lines) == {"the disk is full", "after"}
    assert lines[-1] == "after"


def test_a_program_keeps_its_own_words_and_drops_a_librarys(tmp_path: Path) -> None:
    code = (
        "import os, sys; from vad.chatter import own_stderr\n"
        "with own_stderr(b'ALSA lib '):\n"
        "    os.write(2, b'ALSA lib pcm.c: underrun\\nthe disk is full\\n')\n"
        "    print('at once', file=sys.stderr)\n"
        "    print(open(sys.argv[1]).read(), end='')\n"
        "print('after', file=sys.stderr)\n"
    )
    with open(tmp_path / "stderr", "w") as stderr:
        command = [sys.executable, "-c", code, stderr.name]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=60)
    assert done.returncode == 0
    assert done.stdout == "at once\n"
    assert (tmp_path / "stderr").read_text().splitlines() == ["at once", "the disk is full", "after"]


@pytest.mark.skipif(os.name == "nt", reason="closes file descriptor 2, which Windows does not have as such")
def test_a_process_without_stderr_loads_too(model_path: Path) -> None:
    code = "import os, sys; os.close(2)\nfrom vad.runtime import Model; print(Model.load(sys.argv[1]).name)"
    assert run_python(code, str(model_path)).stdout == "tiny\n"


def test_models_may_be_loaded_in_several_threads_without_losing_stderr(model_path: Path) -> None:
    code = (
        "import sys, threading; from vad.runtime import Model\n"
        "threads = [threading.Thread(target=Model.load, args=(sys.argv[1],)) for _ in range(8)]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
        "print('still here', file=sys.stderr)"
    )
    assert run_python(code, str(model_path)).stderr == "still here\n"
