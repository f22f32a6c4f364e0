"""Sources that an asynchronous program waits for: a thread of its own waits for each.

asyncio's default executor is left to the program: sources that wait would take all of its threads, and it joins them
when the program ends.
"""

import asyncio
import contextvars
import functools
import queue
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

import numpy.typing as npt

from vad.errors import AudioError, shown

__all__ = ["as_asynchronous"]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Block = TypeVar("Block", bound=npt.ArrayLike)


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
