"""The executor of `vad detect --ray`: the work items of a job as tasks of a Ray cluster.

Ray sends a task again where its node or its process died. A worker process loads the model once: `Model` is pickled
whole, and an equal pickle gives the model that is there.
"""

import contextlib
import logging
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from vad.commands.detecting.analysis import Analyser
from vad.commands.detecting.job import Executor, Outcome, WorkItem, crashed_outcome
from vad.errors import ConfigError

__all__ = ["execute_on_ray"]

_RETRIES = 3  # of a task whose node or process died; then its recording is reported, and skipped
_WAITING_PER_CPU = 4  # submitted tasks: they keep all processes busy, and the queue is small


@contextlib.contextmanager
def execute_on_ray(analyser: Analyser, address: str) -> Iterator[tuple[Executor, int]]:
    """Connect to a cluster, and give its executor and its number of CPUs.

    Args:
        analyser: Sent to the workers.
        address: Of the cluster; empty for that of RAY_ADDRESS, or that of this machine, or one that is started here.

    Raises:
        ConfigError: There is no such cluster.
    """
    import ray

    try:
        ray.init(address or None, logging_level=logging.ERROR, log_to_driver=False)
    except (OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise ConfigError(f"cannot reach a Ray cluster at {address or 'this machine'}: {reason}.") from error
    try:
        task = ray.remote(max_retries=_RETRIES, num_cpus=1)(Analyser.work)
        sent = ray.put(analyser)

        def execute(items: Sequence[WorkItem]) -> Generator[tuple[WorkItem, Outcome], None, None]:
            waiting: dict[Any, WorkItem] = {}
            for item in items:
                waiting[task.remote(sent, item)] = item
                if len(waiting) >= _WAITING_PER_CPU * _cpus():
                    yield _next(waiting)
            while waiting:
                yield _next(waiting)

        yield execute, _cpus()
    finally:
        ray.shutdown()


def _cpus() -> int:
    """The CPUs of the cluster, which may grow and shrink."""
    import ray

    resources: Any = ray.cluster_resources
    return max(1, int(resources().get("CPU", 1)))


def _next(waiting: dict[Any, WorkItem]) -> tuple[WorkItem, Outcome]:
    """Wait for any task."""
    import ray

    (ready,), _ = ray.wait([*waiting], num_returns=1)
    item = waiting.pop(ready)
    try:
        outcome: Outcome = ray.get(ready)
    except ray.exceptions.RayError:
        outcome = crashed_outcome(item)
    return item, outcome
