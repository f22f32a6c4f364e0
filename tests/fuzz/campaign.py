"""Runs targets in processes of their own, and keeps the inputs that broke a rule."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["KEPT", "Result", "run_target"]

KEPT = Path(__file__).parent / "kept"
_ROUND_S = 60.0  # then a new process starts: one that grows is no find before it has taken a gigabyte
_STALL_S = 300.0  # of waiting, beyond the time that a process was given: busy machines start one slowly
_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
_REPORTS = re.compile(r'\{"(kind|outcomes)": ').match
_LINE = re.compile(r'File ".*/vad/([^"]*)", line (\d+)')


@dataclass
class Result:
    """What became of a target.

    Attributes:
        executions: Inputs that were read.
        outcomes: The most different outcomes in one process.
        finds: By the kind of what went wrong, how often.
        first: By kind, the kept input and the text of the error.
        native: Crashes of a program in C++ that may crash.
    """

    executions: int = 0
    outcomes: int = 0
    finds: Counter[str] = field(default_factory=Counter)
    first: dict[str, tuple[Path, str]] = field(default_factory=dict)
    native: int = 0


def run_target(
    name: str,
    seconds: float,
    *,
    seed: int,
    table: str = "fuzz.targets:TARGETS",
    kept: Path = KEPT,
    limit_s: float = 10.0,
    is_native: bool = False,
) -> Result:
    """Run a target for some seconds.

    Args:
        name: The target's name.
        seconds: Without the start of the processes.
        seed: Of the changes.
        table: The module and the name of the table that has it.
        kept: The folder of the kept inputs. The first of each kind goes there, into a folder with the target's name.
        limit_s: Processor time for one input.
        is_native: As in `fuzz.targets.Target`.
    """
    result = Result()
    left = seconds
    while left > 0:
        with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
            words = [
                *("-m", "fuzz.worker", table, name, folder, "--kept", str(kept / name), "--seed", str(seed))
            ]
            words += ["--seconds", f"{min(left, _ROUND_S):.1f}", "--limit-s", f"{limit_s}"]
            began = time.monotonic()
            output, errors, code = _finished(words, min(left, _ROUND_S) + _STALL_S)
            with contextlib.suppress(OSError, ValueError):
                result.executions += int(Path(folder, "executions").read_text())
            for line in filter(_REPORTS, output.splitlines()):  # programs in C++ write to stdout too
                _count(result, json.loads(line), kept / name)
            if code > 0:
                raise RuntimeError(f"the worker of {name} ended: {errors}")
            if code:
                left -= max(1.0, time.monotonic() - began)
                seed += 1
                kind = _ending(code, errors)
                if is_native and "SIGPROF" not in kind:
                    result.native += 1
                else:
                    present = next(Path(folder).glob("input*"), None)
                    _count(result, {"kind": kind, "text": errors[-3000:], "path": str(present)}, kept / name)
            else:
                left -= _ROUND_S
                seed += 1
    return result


def _finished(words: list[str], most_s: float) -> tuple[str, str, int]:
    """The output, the errors and the exit code of a process, which is killed when it stalls."""
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = os.environ | {"PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3"}
    process = subprocess.Popen(
        [sys.executable, *words],
        env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors="replace",
    )  # fmt: skip
    try:
        output, errors = process.communicate(timeout=most_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # so it writes where it is
        output, errors = process.communicate(timeout=_STALL_S)
        return output, errors, -signal.SIGKILL
    except BaseException:
        process.kill()
        process.wait()
        raise
    return output, errors, process.returncode


def _ending(code: int, errors: str) -> str:
    """What ended a process, and the line of the package where it was."""
    name = signal.Signals(-code).name
    what = {"SIGPROF": "a hang (SIGPROF)", "SIGKILL": "a stall"}.get(name, name)
    lines = _LINE.findall(errors)
    return f"{what} at {':'.join(lines[0])}" if lines else what


def _count(result: Result, report: dict[str, str], kept: Path) -> None:
    if "outcomes" in report:
        result.outcomes = max(result.outcomes, int(report["outcomes"]))
        return
    kind = report["kind"]
    result.finds[kind] += 1
    if kind not in result.first:
        kept.mkdir(parents=True, exist_ok=True)
        path = Path(shutil.copy(report["path"], kept / _kept_name(kind, Path(report["path"]))))
        result.first[kind] = (path, report["text"])


def _kept_name(kind: str, path: Path) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "-", kind).strip("-").lower()
    return f"{words}{''.join(path.suffixes)}"
