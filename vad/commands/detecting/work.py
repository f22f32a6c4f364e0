"""Processes the recordings of `vad detect` and `vad trim`, and writes each result as it comes."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from vad.audio.pipe import Pipe
from vad.audio.remote import is_url, url_states
from vad.commands.detecting.analysis import Analyser, OutputError, Result
from vad.commands.detecting.follower import Follower
from vad.commands.detecting.recordings import AudioInput, Task
from vad.commands.detecting.results import Results
from vad.commands.detecting.summary import Summary
from vad.commands.options.progress import Progress
from vad.errors import VadError
from vad.processes import in_order, sensible_jobs, usable_cores

if TYPE_CHECKING:
    from vad.commands.detecting.playing import SegmentPlayer

__all__ = ["crashed", "process_all", "sizes_of", "summarized", "threads_here"]

_MOST_THREADS = 3  # each takes 30 MB, and the main thread decodes


def process_all(
    tasks: Sequence[Task],
    make_analyser: Callable[[], Analyser],
    analyser: Analyser,
    results: Results | None,
    *,
    args: argparse.Namespace,
    player: "SegmentPlayer | None" = None,
    summary: Summary | None = None,
) -> bool:
    """Process recordings, in this process or in several.

    Args:
        tasks: The recordings.
        make_analyser: Makes the analyser of another process.
        analyser: That of this process.
        results: Where the segments are written; None if they are not.
        args: Those of `add_recording_arguments`.
        player: Plays each segment after it is written.
        summary: Counts the results.

    Returns:
        Whether a recording failed.
    """
    recordings = [task.recording for task in tasks]
    sizes = sizes_of(recordings)
    jobs = args.jobs or sensible_jobs(len(tasks), sum(sizes.values()))
    is_known = all(isinstance(one.source, str) for one in recordings)
    if not is_known:
        jobs = 1  # a pipe cannot be sent to other processes
    with ExitStack() as stack:
        total_bytes = sum(sizes.values()) if is_known else None
        progress = stack.enter_context(Progress(len(tasks), total_bytes=total_bytes))
        take_segment = None if results is None else results.write_segment
        analyser.watcher = Follower(take_segment if player is None else player.play_segment, progress)
        for one in recordings:
            if isinstance(one.source, Pipe):
                one.source.on_wait = progress.show_received
        analyser.threads = threads_here()
        work = make_analyser if jobs > 1 else lambda: analyser
        done = stack.enter_context(closing(in_order(work, tasks, jobs, crashed=crashed)))
        return _write_all(done, results, progress, sizes, summary, player)


def threads_here() -> int:
    """Threads that analyse one recording, where one process does all of them."""
    return min(usable_cores(), _MOST_THREADS)


@contextmanager
def summarized(args: argparse.Namespace, outputs: Iterable[str | None]) -> Iterator[Summary | None]:
    """Give the summary of the results, and print it at the end. None if nobody sees it.

    Args:
        args: Those of `add_recording_arguments`.
        outputs: Where the results are written.
    """
    if args.quiet or not sys.stderr.isatty():
        yield None
        return
    written = dict.fromkeys(filter(None, outputs))
    summary = Summary(args.inputs, recursive=args.recursive, written=written)
    yield summary
    if text := summary.text():
        print(f"vad: {text}", file=sys.stderr)


def _write_all(
    done: Iterable[Result],
    results: Results | None,
    progress: Progress,
    sizes: Mapping[AudioInput, int],
    summary: Summary | None,
    player: "SegmentPlayer | None",
) -> bool:
    failed = False
    try:
        for result in done:
            progress.clear()
            if player is not None:
                player.play(result)
            if results is not None:
                result = _written(result, results)
            if summary is not None:
                summary.add(result)
            if result.problem is not None:
                failed = True
                progress.report(result.problem)
            progress.advance(result.duration, sizes[result.recording])
    except OutputError as stopped:
        raise stopped.reason from None
    return failed


def _written(result: Result, results: Results) -> Result:
    """Write a result. One that cannot be written is a problem of its recording alone."""
    try:
        results.write(result)
    except VadError as error:
        return replace(result, problem=" ".join(filter(None, (result.problem, str(error)))))
    return result


def sizes_of(recordings: Iterable[AudioInput]) -> dict[AudioInput, int]:
    """Give the bytes of each recording; 0 for what is no file."""
    recordings = [*recordings]
    remote = url_states(one.source for one in recordings if is_url(one.source))
    local = {one: one.path for one in recordings}
    return {
        one: os.path.getsize(path)
        if path and os.path.isfile(path)
        else max(0, remote.get(one.name, (0, ""))[0])
        for one, path in local.items()
    }


def crashed(task: Task) -> Result:
    """The result of a recording whose process died."""
    problem = f"{task.recording.name}: the process that read it died (a bug in a decoder, or no memory left)."
    return Result(task.recording, problem=problem)
