"""A cluster on paper: what `vad detect --ray` calls of Ray, in this process."""

import contextlib
import itertools
import pickle
import sys
import types
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from typing import Any

import pytest


class RayError(Exception):
    """A task whose node died too often."""


class PaperRay(types.ModuleType):
    """Tasks are done when they are asked for, the last one first.

    Args:
        died: Whether the node of a task with these arguments dies, each time.

    Attributes:
        address: What `init` got.
        most_waiting: The largest number of tasks that waited at a time.
    """

    def __init__(self, died: Callable[..., bool]):
        super().__init__("ray")
        self.__spec__ = ModuleSpec("ray", None)
        self.exceptions = types.SimpleNamespace(RayError=RayError)
        self.address: str | None = "not connected"
        self.most_waiting = 0
        self._died = died
        self._tasks: dict[int, tuple[bytes, bytes]] = {}
        self._numbers = itertools.count()

    def init(self, address: str | None, **_: object) -> None:
        if address == "nowhere":
            raise ConnectionError("no cluster there")
        self.address = address

    def shutdown(self) -> None:
        self.address = "not connected"

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 3.0}

    def put(self, value: object) -> bytes:
        return pickle.dumps(value)

    def remote(self, **_: object) -> Callable[[Callable[..., object]], Any]:
        return lambda work: types.SimpleNamespace(
            remote=lambda *arguments: self._submit(pickle.dumps(work), arguments)
        )

    def _submit(self, work: bytes, arguments: tuple[bytes, object]) -> int:
        number = next(self._numbers)
        self._tasks[number] = work, pickle.dumps((pickle.loads(arguments[0]), *arguments[1:]))
        self.most_waiting = max(self.most_waiting, len(self._tasks))
        return number

    def wait(self, tasks: list[int], *, num_returns: int) -> tuple[list[int], list[int]]:
        return tasks[-num_returns:], tasks[:-num_returns]

    def get(self, task: int) -> object:
        work, arguments = map(pickle.loads, self._tasks.pop(task))
        if self._died(*arguments):
            raise RayError
        with contextlib.chdir("/"):  # a worker stands elsewhere
            return pickle.loads(pickle.dumps(work(*arguments)))


def install(monkeypatch: pytest.MonkeyPatch, died: Callable[..., bool]) -> PaperRay:
    """Put it in the place of Ray."""
    ray = PaperRay(died)
    monkeypatch.setitem(sys.modules, "ray", ray)
    return ray
