"""Work on many items in several processes. The results come in the order of the items, or as they are ready."""

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from types import FrameType
from typing import Any, NoReturn, TypeVar

__all__ = ["as_ready", "in_order", "sensible_jobs", "usable_cores"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_HAS_MASKS = hasattr(signal, "pthread_sigmask")  # not on Windows
# A process takes about half a second to start: too long for less than some minutes of audio.
_BYTES_PER_PROCESS = 20_000_000
_CLEAN_UP_S = 10.0

_log = logging.getLogger("vad")


def sensible_jobs(items: int, total_bytes: int) -> int:
    """Choose a number of processes: at most one per core and item, and one per 20 MB."""
    return max(1, min(usable_cores(), items, 1 + total_bytes // _BYTES_PER_PROCESS))


def usable_cores() -> int:
    """Count the cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(
    make_work: Callable[[], Callable[[Item], Result]],
    items: Sequence[Item],
    jobs: int,
    *,
    crashed: Callable[[Item], Result],
) -> Generator[Result, None, None]:
    """Work on every item and yield the results in the order of the items.

    The processes stop when the iterator is closed, and on Ctrl-C. They clean up first.

    Args:
        make_work: Called once in each process. It returns the function that is called with each item, and may load
            something large for it. It must pickle, as must items and results.
        items: The arguments.
        jobs: Number of processes; 1 works in this process.
        crashed: Gives the result of an item whose process crashed (a bug in a decoder, lack of memory).

    Yields:
        One result per item.
    """
    for _, result in _pairs(make_work, items, jobs, crashed, ordered=True):
        yield result


def as_ready(
    make_work: Callable[[], Callable[[Item], Result]],
    items: Sequence[Item],
    jobs: int,
    *,
    crashed: Callable[[Item], Result],
) -> Generator[tuple[Item, Result], None, None]:
    """Work on every item as `in_order` does, and yield each item with its result as soon as it is ready."""
    for index, result in _pairs(make_work, items, jobs, crashed, ordered=False):
        yield items[index], result


def _pairs(
    make_work: Callable[[], Callable[[Item], Result]],
    items: Sequence[Item],
    jobs: int,
    crashed: Callable[[Item], Result],
    *,
    ordered: bool,
) -> Generator[tuple[int, Result], None, None]:
    """Yield the index and the result of each item."""
    if jobs == 1:
        yield from enumerate(map(make_work(), items))
        return
    from concurrent.futures.process import BrokenProcessPool  # here: it takes 6 ms to load

    waiting = dict(enumerate(items))
    while waiting:
        try:
            with contextlib.closing(_over_processes(make_work, dict(waiting), jobs, ordered)) as results:
                for index, result in results:
                    del waiting[index]
                    yield index, result
        except BrokenProcessPool:
            # Any unfinished item may be the cause. Try the first one again, alone.
            index = next(iter(waiting))
            item = waiting.pop(index)
            try:
                ((_, result),) = _over_processes(make_work, {index: item}, 1, ordered)
            except BrokenProcessPool:
                result = crashed(item)
            yield index, result


def _over_processes(
    make_work: Callable[[], Callable[[Item], Result]], items: Mapping[int, Item], jobs: int, ordered: bool
) -> Generator[tuple[int, Result], None, None]:
    """Keep the processes busy, a few items ahead of the next result."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # A fork would copy the locks of other threads (of the model, of numpy) in any state.
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    formatters = [one.formatter for one in _log.handlers if type(one) is logging.StreamHandler]
    arguments = (make_work, _log.level, formatters)
    pool = ProcessPoolExecutor(jobs, context, initializer=_Worker.start, initargs=arguments)
    try:
        queued: dict[Future[Result], int] = {}
        for index, item in items.items():
            with _interrupts_held():  # Ctrl-C while a process imports would print a traceback
                queued[pool.submit(_Worker.call, item)] = index
            if len(queued) > 4 * jobs:
                yield _next(queued, ordered)
        while queued:
            yield _next(queued, ordered)
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _next(queued: dict[Future[Result], int], ordered: bool) -> tuple[int, Result]:
    """Wait for the first result of the queue, or for any."""
    ready = queued if ordered else wait(queued, return_when=FIRST_COMPLETED).done
    future = next(iter(ready))
    return queued.pop(future), future.result()


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Delay Ctrl-C. Processes that start here never receive it: they inherit the mask, and then ignore the signal.

    The mask is for this thread only. Python would handle a signal to another thread here too, in the middle of the
    start of a process. The handler therefore only notes it, and it is raised again at the end.
    """
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if _HAS_MASKS else set()
    try:
        yield
    finally:
        if _HAS_MASKS:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGINT, handler)
        if pressed:
            signal.raise_signal(signal.SIGINT)


class _Worker:
    """The state of a process: its work, and whether it is at it. Also how it starts and stops."""

    work: Callable[[Any], Any]
    is_busy = False

    @classmethod
    def start(
        cls,
        make_work: Callable[[], Callable[[Any], Any]],
        log_level: int,
        formatters: Sequence[logging.Formatter | None],
    ) -> None:
        """Prepare a new process. A terminal sends Ctrl-C to all processes; the parent stops this one with SIGTERM.

        The process logs to stderr as its parent does.
        """
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with _exit_at_once():
            signal.signal(signal.SIGTERM, _leave)
            threading.Thread(target=_leave_with_parent, daemon=True).start()
            _log.setLevel(log_level)
            for formatter in formatters:
                handler = logging.StreamHandler()
                handler.setFormatter(formatter)
                _log.addHandler(handler)
            cls.work = make_work()

    @classmethod
    def call(cls, item: Any) -> Any:
        """Work on an item."""
        with _exit_at_once():
            return cls.work(item)


@contextlib.contextmanager
def _exit_at_once() -> Iterator[None]:
    """Exit on SystemExit, after all clean-up. The pool would print it, or pass it to the parent."""
    try:
        _Worker.is_busy = True
        yield
    except SystemExit:
        os._exit(1)
    finally:
        _Worker.is_busy = False


def _leave_with_parent() -> None:
    """Stop when the parent is killed; without it, this process would wait for work for ever."""
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_CLEAN_UP_S)  # by then the work is in a call that does not return
        os._exit(1)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    if not _Worker.is_busy:
        # The code of the pool would catch SystemExit, and try to send it to the parent, which no longer reads.
        os._exit(1)
    # The pool sends SIGTERM again when another process has left. It must not interrupt the clean-up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(1)
