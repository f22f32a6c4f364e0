"""Threads: the locks that a fork respects, and the threads of this process that run networks."""

import functools
import os
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

__all__ = ["fork_safe_lock", "network_threads"]

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
    """The threads of this process that run networks, one for each core."""
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="vad")


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(before=_take_locks, after_in_parent=_free_locks, after_in_child=_free_locks)
    os.register_at_fork(after_in_child=network_threads.cache_clear)  # threads do not survive a fork
