"""Reads changed files in this process, until the time is up or a rule breaks it: `python -m fuzz.worker`.

`campaign` starts it, and sees from outside what ends it. In FOLDER it leaves the present input, the number of the
executions, and the inputs that broke a rule; a line of JSON on stdout tells of each of the latter.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import importlib
import json
import os
import random
import re
import resource
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path

from fuzz.mutation import Mutator
from fuzz.target import Target
from vad.errors import VadError

_MOST_BYTES = 1 << 30  # of address space, for one input
_MOST_KNOWN = 3000
_OUT_OF_MEMORY = ("MemoryError", "_ArrayMemoryError", "ResourceExhaustedError")
_PACKAGE = f"{os.sep}vad{os.sep}"


class Worker:
    """One target and its inputs.

    Args:
        target: What reads them.
        folder: Where the present input lies.
        seed: Of the changes.
        limit_s: Processor time for one input.
    """

    def __init__(self, target: Target, folder: Path, seed: int, limit_s: float):
        self._target = target
        self._folder = folder
        self._path = folder / f"input{target.suffix}"
        self._limit_s = limit_s
        self._random = random.Random(seed)
        self._mutator = Mutator(seed, target.repair)
        self._counter = os.open(folder / "executions", os.O_RDWR | os.O_CREAT)
        self._is_limited = False
        self.executions = 0
        self.outcomes: set[str] = set()

    def run(self, kept: list[bytes], seconds: float) -> None:
        """Read the kept inputs, then the seeds, then changed ones. What ended in a new way is changed further."""
        known = [*self._target.seeds(), *kept]
        for content in known:
            self._read(content)
        self._is_limited = True
        end = time.monotonic() + seconds
        while True:
            content = self._mutator.mutated(self._random.choice(known), known)
            if self._read(content) and len(known) < _MOST_KNOWN:
                known.append(content)
            if time.monotonic() > end:
                return

    def _read(self, content: bytes) -> bool:
        """Read one input. True if it ended in a way that none did before."""
        self.executions += 1
        self._path.write_bytes(content)
        os.pwrite(self._counter, str(self.executions).encode(), 0)
        if self._is_limited:
            _limit_memory()
        signal.setitimer(signal.ITIMER_PROF, self._limit_s)
        try:
            outcome = f"read: {_without_values(str(self._target.check(self._path)))}"
        except VadError as error:
            causes = _causes(error)
            reasons = [f"{type(one).__name__} at {_place(one, '')}" for one in causes]
            outcome = f"{_without_values(str(error))} {reasons}"
            self._check_refusal(error, causes, content)
        except Exception as error:
            outcome = f"{type(error).__name__} at {_place(error)}"
            self._tell(outcome, "".join(traceback.format_exception(error)), content)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        is_new = outcome not in self.outcomes
        self.outcomes.add(outcome)
        return is_new

    def _check_refusal(self, error: VadError, causes: list[BaseException], content: bytes) -> None:
        if not self._target.is_native and any(type(one).__name__ in _OUT_OF_MEMORY for one in causes):
            self._tell(f"out of memory at {_place(causes[-1])}", str(error), content)
        elif "\n" in str(error):
            self._tell(f"a message of several lines at {_place(error)}", str(error), content)

    def _tell(self, kind: str, text: str, content: bytes) -> None:
        path = self._folder / f"{hashlib.sha256(content).hexdigest()[:12]}{self._target.suffix}"
        path.write_bytes(content)
        print(json.dumps({"kind": kind, "text": text, "path": str(path)}), flush=True)


def _limit_memory() -> None:
    """Allow a gigabyte more than there is now. Loading Keras keeps some memory each time."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + _MOST_BYTES, resource.RLIM_INFINITY))


def _without_values(text: str) -> str:
    return re.sub(r"\d+|'[^']*'|\"[^\"]*\"|Received: .*", "", text)[:200]


def _causes(error: BaseException) -> list[BaseException]:
    """An error, the one that it came from, and so on."""
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    return causes


def _place(error: BaseException, within: str = _PACKAGE) -> str:
    """The last line in a folder, by default the package, that an error went through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        one for one in frames if within in one.filename and not (within and "site-packages" in one.filename)
    ]
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"


def main() -> None:
    """Run a target of a table of targets."""
    parser = argparse.ArgumentParser()
    parser.add_argument("table")
    parser.add_argument("target")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kept", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--limit-s", type=float, required=True)
    args = parser.parse_args()
    # A hang and a crash end the process, with the lines where it was on stderr.
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    faulthandler.enable()
    faulthandler.register(signal.SIGPROF, chain=True)
    module, name = args.table.split(":")
    target: Target = getattr(importlib.import_module(module), name)[args.target]
    if args.target != "keras":  # which warns of TensorFlow and numpy
        warnings.simplefilter("error")
    kept = [path.read_bytes() for path in sorted(args.kept.glob("*"))] if args.kept.is_dir() else []
    worker = Worker(target, args.folder, args.seed, args.limit_s)
    worker.run(kept, args.seconds)
    print(json.dumps({"outcomes": len(worker.outcomes)}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
