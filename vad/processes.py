"""The same work on many items, over processes: results in the order of the items, as they become ready."""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import FrameType
from typing import Any, Generic, NoReturn, TypeVar

__all__ = ["in_order", "sensible_jobs"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_HAS_MASKS = hasattr(signal, "pthread_sigmask")  # not on Windows
# A process takes about half a second to start; that pays from some minutes of audio on.
_BYTES_WORTH_A_PROCESS = 20_000_000


def sensible_jobs(items: int, total_bytes: int) -> int:
    """Choose how many processes are worth their start, at most one a core and an item."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, items, 1 + total_bytes // _BYTES_WORTH_A_PROCESS))


def in_order(
    make_work: Callable[[], Callable[[Item], Result]],
    items: Sequence[Item],
    jobs: int,
    *,
    crashed: Callable[[Item], Result],
) -> Generator[Result, None, None]:
    """Do the work on every item and yield the results in the items' order.

    Closing the iterator, or Ctrl-C, stops the processes; what they had open is cleaned up.

    Args:
        make_work: Makes what is called with an item; once in each process, so that it may load something big.
            It is sent to the processes, as are items and results: all must pickle.
        items: What to work on.
        jobs: How many processes; 1 works in this one.
        crashed: The result of an item that brought its process down (a decoder's crash, lack of memory).

    Yields:
        One result an item.
    """
    if jobs == 1:
        yield from map(make_work(), items)
        return
    waiting = deque(items)
    while waiting:
        try:
            with contextlib.closing(_over_processes(make_work, list(waiting), jobs)) as results:
                for result in results:
                    waiting.popleft()
                    yield result
        except BrokenProcessPool:
            # Any item that was being worked on may have done it: the first of them goes again, alone.
            item = waiting.popleft()
            try:
                (result,) = _over_processes(make_work, [item], 1)
            except BrokenProcessPool:
                result = crashed(item)
            yield result


def _over_processes(
    make_work: Callable[[], Callable[[Item], Result]], items: Sequence[Item], jobs: int
) -> Generator[Result, None, None]:
    """Keep the processes busy, a few items ahead of the result that is waited for."""
    # Forking would copy the locks of other threads (the model's, numpy's) in whatever state they are.
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(jobs, context, initializer=_Worker.start, initargs=(make_work,))
    try:
        queued: deque[Future[Result]] = deque()
        for item in items:
            with _interrupts_held():  # a process that still imports would die of Ctrl-C in many words
                queued.append(pool.submit(_Worker.call, item))
            if len(queued) > 4 * jobs:
                yield queued.popleft().result()
        while queued:
            yield queued.popleft().result()
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C waits; processes started meanwhile never get it, as they inherit the mask and then ignore it.

    The mask is this thread's alone: a signal that another thread takes would still interrupt here, between a
    process and what it must be told. So it is taken down, and raised again.
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


class _Worker(Generic[Item, Result]):
    """What lives in each process: the work, and how to stop."""

    work: Callable[[Any], Any]

    @classmethod
    def start(cls, make_work: Callable[[], Callable[[Item], Result]]) -> None:
        """Prepare a fresh process. A terminal sends Ctrl-C to all of them: the parent decides, and tells."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with _cleaned_up_and_gone():
            signal.signal(signal.SIGTERM, _leave)
            threading.Thread(target=_leave_with_parent, daemon=True).start()
            cls.work = make_work()

    @classmethod
    def call(cls, item: Item) -> Result:
        """Work on an item."""
        with _cleaned_up_and_gone():
            result: Result = cls.work(item)
        return result


@contextlib.contextmanager
def _cleaned_up_and_gone() -> Iterator[None]:
    """Told to leave, leave once all is cleaned up: the pool prints an exit at the start, and hands on a later one."""
    try:
        yield
    except SystemExit:
        os._exit(1)


def _leave_with_parent() -> None:
    """A parent that is killed can tell nobody: its processes would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    # The pool tells this process again once another has left: it must not be kept from cleaning up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(1)
