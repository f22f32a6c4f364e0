"""Threads: the locks that a fork respects, and where an asynchronous program waits and runs the network.

asyncio's default executor is left to the program: sources that wait would take all of its threads, and it joins them
when the program ends.
"""

import asyncio
import contextvars
import functools
import os
import queue
import threading
import weakref
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

import numpy.typing as npt

from vad.errors import AudioError, shown

__all__ = ["as_asynchronous", "fork_safe_lock", "network_threads"]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Block = TypeVar("Block", bound=npt.ArrayLike)

_locks: weakref.WeakValueDictionary[int, threading.Lock] = weakref.WeakValueDictionary()
_held: list[threading.Lock] = []


def fork_safe_lock() -> threading.Lock:
    """Make a lock that is free in the child of a fork, and whose holder is never interrupted by the fork."""
    lock = threading.Lock()
    _locks[id(lock)] = lock
    return lock


def _take_locks() -> None:
    """Wait until no thread has a lock. Then the child, which has no other thread, finds nothing half done."""
    taken = [lock for reference in _locks.valuerefs() if (lock := reference()) is not None]
    for lock in taken:
        lock.acquire()
    _held[:] = taken


def _free_locks() -> None:
    taken = _held[:]
    _held.clear()
    for lock in taken:
        lock.release()


@functools.cache
def network_threads() -> ThreadPoolExecutor:
    """The threads of this process that run networks for asynchronous programs, one for each core."""
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="vad")


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(before=_take_locks, after_in_parent=_free_locks, after_in_child=_free_locks)
    os.register_at_fork(after_in_child=network_threads.cache_clear)  # threads do not survive a fork


class _WaitingThread(Executor):
    """A thread for calls that may wait for ever. It keeps no program from ending, as a thread of a pool does."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="vad-source", daemon=True).start()

    def submit(
        self, fn: Callable[Parameters, Result], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Future[Result]:
        """Call a function after the calls before it."""
        future: Future[Result] = Future()
        self._calls.put((future, functools.partial(fn, *args, **kwargs)))
        return future

    def shutdown(self, wait: bool = False, *, cancel_futures: bool = False) -> None:
        """End the thread after the present call. Never waits for it."""
        self._calls.put(None)

    def _run(self) -> None:
        while (work := self._calls.get()) is not None:
            future, call = work
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # as every executor: it is raised where the result is awaited
                future.set_exception(error)


async def as_asynchronous(source: Iterable[Block] | AsyncIterable[Block]) -> AsyncGenerator[Block]:
    """Give the blocks of a source. Where it is not asynchronous, a thread of its own waits for them.

    Raises:
        AudioError: It is no iterable, or a closed file.
    """
    if isinstance(source, AsyncIterable):
        async for block in source:
            yield block
        return
    try:
        if getattr(source, "closed", False):
            raise ValueError("a closed file")
        blocks = iter(source)
    except (TypeError, ValueError) as error:  # ValueError: also of a detached file
        rule = "a source must be an iterable of blocks of samples"
        raise AudioError(f"{rule}. Received: {shown(source)}.") from error

    def wait() -> Block | None:
        return next(blocks, None)

    run = functools.partial(asyncio.get_running_loop().run_in_executor, thread := _WaitingThread())
    context = contextvars.copy_context()  # of the task, in which the source runs
    try:
        while (waited_for := await run(context.run, wait)) is not None:
            yield waited_for
    finally:
        thread.shutdown()
