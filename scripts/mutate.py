"""Changes the code in small ways, one at a time, and reports the changes that no test notices.

It makes mutants of the modules whose errors would be silent, such as `<` in place of `<=` or 3 in place of 2, by
cosmic-ray (`pip install cosmic-ray`). Each runs against the tests of its group, in a copy of the package. The same seed
draws the same mutants from the same code. Examples:

    python scripts/mutate.py
    python scripts/mutate.py labels segmenter --mutants 60 --seed 2
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import hypothesis  # noqa: F401 (loaded once for all mutants)
import pytest

try:
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator
except ImportError:
    sys.exit("scripts/mutate.py needs cosmic-ray. Install it: pip install cosmic-ray")

ROOT = Path(__file__).resolve().parents[1]
LEAST_KILLED = 0.9
_MEMORY_BYTES = 16 << 30
# One or two changes of a place: all that cosmic-ray knows would be mostly comparisons and sums.
_OPERATORS = [
    *["AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"],
    *["ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ExceptionReplacer", "NumberReplacer"],
    *["ZeroIterationForLoop", "ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_Delete_USub"],
    *map(
        "ReplaceComparisonOperator_{}".format,
        ["Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is"],
    ),
    *map(
        "ReplaceBinaryOperator_{}".format,
        [
            "Add_Sub",
            "Sub_Add",
            "Mul_Div",
            "Div_Mul",
            "FloorDiv_Mul",
            "Mod_Mul",
            "RShift_LShift",
            "LShift_RShift",
            "BitAnd_Add",
        ],
    ),
]


@dataclass(frozen=True)
class Group:
    """Modules and their tests, as patterns below the repository, and tests to leave out (pytest's -k)."""

    modules: Sequence[str]
    tests: Sequence[str]
    leave_out: Sequence[str] = ()


AUDIO = "wav riff mpeg mpeg_frames containers ogg pcm pipe samples channels libsndfile decoding sections resampling"
GROUPS = {
    "files": Group(["vad/files.py"], ["tests/test_files.py"]),
    "labels": Group(
        ["vad/labels/*.py"], ["tests/labels/*.py"], ["test_fuzzed", "test_peers", "see_the_same_labels"]
    ),
    "segmenter": Group(
        [f"vad/detection/{name}.py" for name in ("segmenter", "hysteresis", "chunks", "trimming")],
        [f"tests/detection/test_{name}.py" for name in ("segment*", "chunks", "trimming")],
    ),
    "audio": Group(
        [f"vad/audio/{name}.py" for name in AUDIO.split()],
        [
            f"tests/audio/test_{name}.py"
            for name in ("p[ci]*", "[rs]*", "mpeg*", "bad_audio", "foreign_files")
        ],
    ),
    "export": Group(
        ["vad/training/release/export.py"], ["tests/training/test_export.py"], ["by_step", "int8"]
    ),
    "prepare": Group(["vad/prepare/*.py"], ["tests/prepare/*.py"]),
    "compat": Group(
        ["vad/compat/**/*.py"], ["tests/compat/test_compat.py", "tests/compat/test_silero_rules.py"]
    ),
    "resume": Group(
        [f"vad/commands/detecting/{name}.py" for name in ("journal", "resuming", "job", "outputs")],
        ["tests/commands/test_jo*.py", "tests/commands/test_re*.py", "tests/detection/test_cutting.py"],
    ),
}


@dataclass(frozen=True)
class Mutant:
    """A change of a module: the `occurrence`-th place where an operator of cosmic-ray applies."""

    module: str
    operator: str
    occurrence: int

    def mutated(self, code: str) -> str:
        """The changed code."""
        return str(mutate_code(code, get_operator(f"core/{self.operator}")(), self.occurrence))

    def difference(self) -> str:
        """The changed lines, for people."""
        code = (ROOT / self.module).read_text(encoding="utf-8")
        lines = difflib.unified_diff(code.splitlines(), self.mutated(code).splitlines(), n=0, lineterm="")
        place, *changed = [line for line in lines if not line.startswith(("---", "+++"))]
        return "\n".join([f"{self.module} {place}", *changed])


def files(patterns: Sequence[str]) -> list[str]:
    """The files that patterns name, in the order of the patterns."""
    found = (path for pattern in patterns for path in sorted(ROOT.glob(pattern)))
    return [path.relative_to(ROOT).as_posix() for path in found]


def all_mutants(modules: Sequence[str]) -> Iterator[Mutant]:
    """Each change of each module."""
    for module in modules:
        nodes = list(ast_nodes(get_ast((ROOT / module).read_text(encoding="utf-8"))))
        for name in _OPERATORS:
            operator = get_operator(f"core/{name}")()
            places = sum(len(list(operator.mutation_positions(node))) for node in nodes)
            yield from (Mutant(module, name, occurrence) for occurrence in range(places))


def passes(group: Group, place: Path, limit_s: float) -> bool:
    """Whether the tests of a group pass with the package in a folder. Tests that do not end have failed."""
    child = os.fork()  # pytest takes longer to load than most tests take
    if child == 0:
        run_tests(group, place)
    ended, status = 0, 1
    deadline = time.monotonic() + limit_s
    try:
        while not ended and time.monotonic() < deadline:
            time.sleep(0.05)
            ended, status = os.waitpid(child, os.WNOHANG)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what the tests started
    if not ended:
        os.waitpid(child, 0)
    return bool(ended) and status == 0


def run_tests(group: Group, place: Path) -> NoReturn:
    """Runs the tests of a group, silently, and exits with pytest's code."""
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    os.dup2(1, 2)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    # The copy is found before the checkout, also by the processes that tests start.
    os.environ |= {"PYTHONPATH": str(place), "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(place / "hypothesis")
    os.chdir(ROOT)
    sys.path.insert(0, str(place))
    sys.dont_write_bytecode = True
    leave_out = " and ".join(f"not {name}" for name in group.leave_out)
    options = ["-qx", "-n", "0", "-p", "no:cacheprovider", "--hypothesis-seed=0", "-k", leave_out]
    options += ["-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"]
    os._exit(pytest.main([*options, *files(group.tests)]))


def survivors(name: str, group: Group, count: int, seed: int, place: Path) -> tuple[list[Mutant], int]:
    """Draws mutants and runs their tests. Returns those that passed, and how many there were."""
    began = time.monotonic()
    if not passes(group, place, 3600):
        sys.exit(
            f"the tests of {name} fail on the code as it is. Mend them first: pytest {' '.join(group.tests)}"
        )
    limit_s = 30 + 5 * (time.monotonic() - began)
    every = list(all_mutants(files(group.modules)))
    drawn = random.Random(f"{name} {seed}").sample(every, min(count, len(every)))
    found = []
    for mutant in drawn:
        copy = place / mutant.module
        code = copy.read_text(encoding="utf-8")
        copy.write_text(mutant.mutated(code), encoding="utf-8")
        if passes(group, place, limit_s):
            found.append(mutant)
            print(f"survived: {mutant.difference()}", flush=True)
        copy.write_text(code, encoding="utf-8")
    print(f"{name}: {len(drawn) - len(found)} of {len(drawn)} killed, of {len(every)} possible", flush=True)
    return found, len(drawn)


def main() -> int:
    """Runs the groups that are named. Returns 1 if fewer than nine of ten mutants were killed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument(
        "groups", nargs="*", metavar="group", help=f"one of {', '.join(GROUPS)} (default: all)"
    )
    parser.add_argument(
        "--mutants", type=int, default=25, help="drawn from each group (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the draw (default: %(default)s)")
    args = parser.parse_args()
    if unknown := sorted(set(args.groups) - GROUPS.keys()):
        parser.error(f"a group must be one of {', '.join(GROUPS)}. Received: {', '.join(unknown)}.")
    left = drawn = 0
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "vad", Path(folder, "vad"), ignore=shutil.ignore_patterns("__pycache__"))
        for name in args.groups or GROUPS:
            found, count = survivors(name, GROUPS[name], args.mutants, args.seed, Path(folder))
            left, drawn = left + len(found), drawn + count
    print(f"all: {drawn - left} of {drawn} killed")
    return int(left > (1 - LEAST_KILLED) * drawn)


if __name__ == "__main__":
    sys.exit(main())
