"""The same work over processes: in order, whatever an item does, and stopped when asked."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from vad.processes import as_ready, in_order, sensible_jobs


def make_slow_square() -> Callable[[int], int]:
    """Earlier items take longer: results must still come in order."""

    def square(item: int) -> int:
        time.sleep(0.05 if item < 2 else 0.0)
        return item * item

    return square


def make_fragile() -> Callable[[int], int]:
    def work(item: int) -> int:
        if item == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    return work


def make_failing() -> Callable[[int], int]:
    def work(item: int) -> int:
        raise LookupError(f"item {item}")

    return work


def make_sleeper(folder: Path) -> Callable[[int], int]:
    def work(item: int) -> int:
        try:
            (folder / f"{item}.begun").touch()
            time.sleep(60)
        finally:
            (folder / f"{item}.cleaned").touch()
        return item

    return work


def make_waiting(folder: Path) -> Callable[[int], int]:
    """Item 0 ends after item 3."""

    def work(item: int) -> int:
        while item == 0 and not (folder / "3").exists():
            time.sleep(0.01)
        (folder / str(item)).touch()
        return item

    return work


def make_slowly(folder: Path) -> Callable[[int], int]:
    """A slow start, such as that of a large model: the process must stop before its first item."""
    make_sleeper(folder)(os.getpid())
    raise AssertionError("it was not stopped")


def make_large(folder: Path) -> Callable[[int], bytes]:
    """Results that fill the pipe to a parent that does not read."""

    def work(item: int) -> bytes:
        (folder / f"{os.getpid()}.begun").touch()
        while not (folder / "stopped").exists():
            time.sleep(0.01)
        return bytes(10_000_000)

    return work


def never(item: int) -> int:
    raise AssertionError(f"{item} brought no process down")


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_the_order_of_the_items(jobs: int) -> None:
    items = list(range(12))
    assert list(in_order(make_slow_square, items, jobs, crashed=never)) == [item**2 for item in items]


def test_no_items_are_no_results() -> None:
    assert list(in_order(make_slow_square, [], 2, crashed=never)) == []


def test_an_item_that_kills_its_process_costs_only_itself() -> None:
    results = list(in_order(make_fragile, [0, 1, 2, 3, 4], 2, crashed=lambda item: -item))
    assert results == [0, 1, -2, 3, 4]


def test_a_slow_item_does_not_delay_the_others_that_are_yielded_as_they_are_ready(tmp_path: Path) -> None:
    results = list(as_ready(partial(make_waiting, tmp_path), [0, 1, 2, 3], 2, crashed=never))
    assert results[-1] == (0, 0)
    assert sorted(results) == [(item, item) for item in range(4)]


def test_a_crash_costs_one_item_in_any_order() -> None:
    results = dict(as_ready(make_fragile, [0, 1, 2, 3, 4], 2, crashed=lambda item: -item))
    assert results == {0: 0, 1: 1, 2: -2, 3: 3, 4: 4}


def test_an_error_of_the_work_is_raised() -> None:
    with pytest.raises(LookupError, match="item 7"):
        list(in_order(make_failing, [7, 8], 2, crashed=never))


@pytest.fixture(params=["make_sleeper", "make_slowly"])
def sleepers(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """A program whose two processes have begun their work, or to load what it needs."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from functools import partial; from pathlib import Path\n"
        "from test_processes import make_large, make_sleeper, make_slowly, never; from vad.processes import in_order\n"
        "if __name__ == '__main__':\n"
        "    try: list(in_order(partial(eval(sys.argv[3]), Path(sys.argv[2])), range(9), 2, crashed=never))\n"
        "    except KeyboardInterrupt: sys.exit(130)\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    words = [sys.executable, str(script), str(Path(__file__).parent), str(tmp_path), request.param]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        deadline = time.monotonic() + 30
        while len(list(tmp_path.glob("*.begun"))) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process
        process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes without a signal")
def test_ctrl_c_stops_the_processes_and_lets_them_clean_up(
    sleepers: subprocess.Popen[str], tmp_path: Path
) -> None:
    os.killpg(sleepers.pid, signal.SIGINT)  # as a terminal does
    _, words_on_stderr = sleepers.communicate(timeout=30)
    assert sleepers.returncode == 130
    assert words_on_stderr == ""
    begun = {path.stem for path in tmp_path.glob("*.begun")}
    assert {path.stem for path in tmp_path.glob("*.cleaned")} == begun


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes without a signal")
def test_processes_do_not_outlive_a_parent_that_is_killed(
    sleepers: subprocess.Popen[str], tmp_path: Path
) -> None:
    sleepers.kill()
    deadline = time.monotonic() + 20
    while len(list(tmp_path.glob("*.cleaned"))) < 2:
        assert time.monotonic() < deadline, "they went on"
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows stops no processes")
@pytest.mark.parametrize("sleepers", ["make_large"], indirect=True)
def test_a_process_that_gives_its_result_to_a_killed_parent_ends_at_once(
    sleepers: subprocess.Popen[str], tmp_path: Path
) -> None:
    left = [int(path.stem) for path in tmp_path.glob("*.begun")]
    sleepers.send_signal(signal.SIGSTOP)
    (tmp_path / "stopped").touch()
    time.sleep(0.5)  # until one waits for the parent to read
    sleepers.kill()
    killed = time.monotonic()
    while left := [pid for pid in left if is_running(pid)]:
        assert time.monotonic() < killed + 8, "they wait for a reader"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("items", "total_bytes", "most"), [(1, 10**12, 1), (100, 1000, 1), (100, 25_000_000, 2)]
)
def test_processes_are_started_only_where_they_pay(items: int, total_bytes: int, most: int) -> None:
    assert 1 <= sensible_jobs(items, total_bytes) <= most


def test_the_work_may_carry_arguments(tmp_path: Path) -> None:
    assert list(in_order(partial(_make_adder, 10), [1, 2], 2, crashed=never)) == [11, 12]


def _make_adder(term: int) -> Callable[[int], int]:
    return lambda item: item + term
