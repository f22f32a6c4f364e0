"""A job that can resume: what is to do, who does it, and what is done.

    Journal ─► to_do ─► tasks ─► divided ─► execute ─► joined ─► Journal ─► results, in the order of the recordings
                                 pieces     processes, or
                                            a cluster

An executor takes work items and yields each with its outcome, in any order. It knows nothing of the rest.
"""

from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import TypeAlias

from vad.commands.detecting.analysis import Analyser, Piece, Result
from vad.commands.detecting.journal import Identity, Journal
from vad.commands.detecting.recordings import AudioInput, Task
from vad.commands.detecting.work import crashed
from vad.commands.options.progress import Progress
from vad.detection.pieces import PieceResult
from vad.processes import as_ready

__all__ = [
    "Executor",
    "Outcome",
    "WorkItem",
    "crashed_outcome",
    "divided",
    "execute_here",
    "finished",
    "to_do",
]

WorkItem: TypeAlias = Task | Piece
Outcome: TypeAlias = Result | PieceResult | None
Executor: TypeAlias = Callable[[Sequence[WorkItem]], Generator[tuple[WorkItem, Outcome], None, None]]


def to_do(
    journal: Journal, tasks: Sequence[Task], identities: Mapping[AudioInput, Identity]
) -> tuple[list[Task], str]:
    """Choose the recordings to do, and say how many are done, and why some are done again."""
    reasons: Counter[str] = Counter()
    chosen = []
    options: dict[str, str] = {}
    for task in tasks:
        recording = task.recording
        reason = journal.reason(recording, identities[recording])
        if reason is None:
            continue
        chosen.append(task)
        reasons[reason] += 1
        if reason == "options":
            for name, (then, now) in journal.other_options(recording).items():
                options[name] = f"{name} was {_shown(then)}, is {_shown(now)}"
    shown = [
        f"{reasons['changed']} changed",
        f"{reasons['options']} {'was' if reasons['options'] == 1 else 'were'} done with other options "
        f"({'; '.join(options.values())})",
        f"{reasons['failed']} failed",
    ]
    again = [text for text in shown if not text.startswith("0 ")]
    done = len(tasks) - len(chosen)
    summary = f"{done} of {len(tasks)} recordings are done."
    return chosen, summary + (f" Done again: {', '.join(again)}." if again else "")


def _shown(value: object) -> object:
    return "not set" if value is None else value


def execute_here(analyser: Analyser, make_analyser: Callable[[], Analyser], jobs: int) -> Executor:
    """Give the executor of this machine.

    Args:
        analyser: That of this process.
        make_analyser: Makes the analyser of another process.
        jobs: Number of processes; 1 works in this process.
    """
    make_work = (lambda: analyser.work) if jobs == 1 else partial(_make_work, make_analyser)

    def execute(items: Sequence[WorkItem]) -> Generator[tuple[WorkItem, Outcome], None, None]:
        return as_ready(make_work, items, jobs, crashed=crashed_outcome)

    return execute


def divided(
    tasks: Sequence[Task], analyser: Analyser, sizes: Mapping[AudioInput, int], workers: int
) -> list[WorkItem]:
    """Order the work so that no worker is left alone with a long recording at the end.

    A recording that is larger than the share of a worker is done in pieces. Large items come first.

    Args:
        tasks: The recordings.
        analyser: Opens them.
        sizes: Bytes of each.
        workers: Number of workers.
    """
    share = sum(sizes[task.recording] for task in tasks) / workers
    items: list[tuple[float, list[WorkItem]]] = []
    for task in tasks:
        size = sizes[task.recording]
        pieces = analyser.pieces(task, -int(-size // share)) if workers > 1 and size > share else []
        items.append((size / max(1, len(pieces)), [*pieces] or [task]))
    items.sort(key=lambda item: -item[0])
    return [one for _, group in items for one in group]


def finished(
    tasks: Sequence[Task],
    analyser: Analyser,
    execute: Executor,
    *,
    sizes: Mapping[AudioInput, int],
    workers: int,
    progress: Progress,
) -> Generator[Result, None, None]:
    """Do recordings, and yield the result of each as soon as it is ready.

    Args:
        tasks: The recordings.
        analyser: Divides them and joins the pieces.
        execute: Does the work.
        sizes: Bytes of each recording.
        workers: Number of workers.
        progress: Shows how much is done.
    """
    items = divided(tasks, analyser, sizes, workers)
    counts = Counter(item.task.recording for item in items if isinstance(item, Piece))
    outcomes: dict[AudioInput, list[tuple[Piece, PieceResult | None]]] = {}
    whole: list[WorkItem] = []
    with closing(execute(items)) as done:
        for item, outcome in done:
            if isinstance(outcome, Result):
                progress.advance(outcome.duration, sizes[outcome.recording])
                yield outcome
            elif isinstance(item, Piece):
                recording = item.task.recording
                n_pieces = counts[recording]
                if outcome is not None:
                    progress.advance(outcome.duration / n_pieces, sizes[recording] // n_pieces, count=0)
                gathered = outcomes.setdefault(recording, [])
                gathered.append((item, outcome))
                if len(gathered) == n_pieces:
                    result = _joined(item.task, analyser, outcomes.pop(recording))
                    if result is None:
                        whole.append(item.task)
                    else:
                        progress.advance()
                        yield result
    with closing(execute(whole)) as done:
        for _, outcome in done:
            if isinstance(outcome, Result):
                progress.advance()
                yield outcome


def _joined(
    task: Task, analyser: Analyser, outcomes: Sequence[tuple[Piece, PieceResult | None]]
) -> Result | None:
    channels: dict[str, list[PieceResult]] = {}
    for piece, outcome in sorted(outcomes, key=lambda one: one[0].span.first):
        if outcome is None:
            return None
        channels.setdefault(piece.suffix, []).append(outcome)
    ordered = sorted(channels, key=lambda suffix: int(suffix.removeprefix(".ch") or 0))
    return analyser.join(task, {suffix: channels[suffix] for suffix in ordered})


def _make_work(make_analyser: Callable[[], Analyser]) -> Callable[[WorkItem], Outcome]:
    return make_analyser().work


def crashed_outcome(item: WorkItem) -> Outcome:
    """The outcome of an item whose process died."""
    return None if isinstance(item, Piece) else crashed(item)
