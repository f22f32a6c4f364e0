"""`vad detect --resume`: a job that goes on where it was stopped, whatever stopped it.

Each result is first a line of the journal. In a folder of outputs, its file follows at once. One file for all results
is written whole at the end, from the journal, in the order of the recordings.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence, Set
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from vad.audio.decoding import is_pipe
from vad.commands.detecting.analysis import Analyser, Result
from vad.commands.detecting.follower import Follower
from vad.commands.detecting.job import execute_here, finished, to_do
from vad.commands.detecting.journal import Identity, Journal, identify, open_journal
from vad.commands.detecting.lines import Lines
from vad.commands.detecting.outputs import parquet_tables, refuse_replacing
from vad.commands.detecting.recordings import AudioInput, Task, find_recordings
from vad.commands.detecting.results import Folder, Results, label_paths, open_results, result_names
from vad.commands.detecting.summary import Summary
from vad.commands.detecting.work import summarized, threads_here
from vad.commands.options.progress import Progress
from vad.errors import ConfigError, VadError
from vad.files import remove_unfinished
from vad.processes import sensible_jobs

__all__ = ["resume"]

_OTHER_OUTPUTS = ("save_probabilities", "save_segments", "save_speech", "report", "plot", "play")


def resume(
    args: argparse.Namespace,
    make_analyser: Callable[[], Analyser],
    analyser: Analyser,
    label_format: str,
    lines: Lines | None,
) -> bool:
    """Do what is missing, and write the results of all recordings.

    Args:
        args: Those of `vad detect`.
        make_analyser: Makes the analyser of another process.
        analyser: That of this process.
        label_format: Of the results.
        lines: How segments are written, if not as the format says.

    Returns:
        Whether a recording failed.

    Raises:
        ConfigError: The options do not fit --resume, an output cannot be written, or another run writes it.
    """
    job = "--resume" if args.ray is None else "--ray"
    _refuse_options(args, job)
    _refuse_pipes(args.inputs, job)
    each_channel = args.channel == "each"
    with ExitStack() as stack:
        summary = stack.enter_context(summarized(args, [args.output]))
        recordings = [*dict.fromkeys(find_recordings(args.inputs, stack, recursive=args.recursive))]
        if args.ray is not None:  # workers stand in other folders
            recordings = [
                one if one.path is None else replace(one, source=os.path.abspath(one.path))
                for one in recordings
            ]
        output = label_paths(args.output, label_format, recordings)
        result_names(
            output, label_format, recordings, each_channel=each_channel
        )  # refused now, not at the end
        facts = analyser.facts() | {"printf": args.printf, "time_format": args.time_format}
        journal = stack.enter_context(open_journal(_journal_path(Path(args.output)), facts))
        if not args.overwrite:
            ours = {one for one in recordings if one in journal}
            _refuse_foreign(output, ours, label_format, each_channel=each_channel)
        for folder in _written_folders(output):
            remove_unfinished(folder)
        opening = partial(
            open_results, output, label_format, recordings, each_channel=each_channel, lines=lines
        )
        opened = stack.enter_context(opening()) if isinstance(output, dict) else None
        label_folder = opened if isinstance(opened, Folder) else None
        failed = _do(args, recordings, journal, label_folder, make_analyser, analyser)
        with opening() if label_folder is None else nullcontext(label_folder) as results:
            all_written = _write_all(journal, recordings, results, summary)
    return failed or not all_written


def _do(
    args: argparse.Namespace,
    recordings: Sequence[AudioInput],
    journal: Journal,
    results: Folder | None,
    make_analyser: Callable[[], Analyser],
    analyser: Analyser,
) -> bool:
    """Do what is missing, and report every problem. Whether there was one."""
    identities = identify(recordings, with_content=args.hash)
    tasks, note = to_do(journal, [Task(one) for one in recordings], identities)
    if journal.n_before:
        print(f"vad: note: {note}", file=sys.stderr, flush=True)
    sizes = {task.recording: max(0, identities[task.recording].size) for task in tasks}
    jobs = args.jobs or sensible_jobs(len(tasks), sum(sizes.values()))
    failed = False
    with ExitStack() as stack:
        execute, workers = execute_here(analyser, make_analyser, jobs), jobs
        if args.ray is not None and tasks:
            from vad.commands.detecting.cluster import execute_on_ray

            execute, workers = stack.enter_context(execute_on_ray(analyser, args.ray))
        progress = stack.enter_context(Progress(len(tasks), total_bytes=sum(sizes.values()), in_lines=True))
        if args.ray is None:
            analyser.watcher, analyser.threads = Follower(None, progress), threads_here()
        for result in finished(tasks, analyser, execute, sizes=sizes, workers=workers, progress=progress):
            progress.clear()
            _keep(result, identities[result.recording], journal, results)
            if result.problem is not None:
                failed = True
                progress.report(result.problem)
    return failed


def _keep(result: Result, identity: Identity, journal: Journal, results: Folder | None) -> None:
    """Keep a result: in the journal, and as a file in a folder. A kill between two steps loses nothing."""
    if results is not None and result.recording in journal:
        for path in filter(os.path.isfile, results.files(next(journal.results([result.recording])))):
            path.unlink()
    journal.add(result, identity)
    if results is not None:
        with suppress(VadError):  # `_write_all` tries again, and reports it
            results.write(result)


def _write_all(
    journal: Journal, recordings: Sequence[AudioInput], results: Results, summary: Summary | None
) -> bool:
    """Write all results to one file, or those that are missing to a folder. Report what cannot be written.

    Returns:
        Whether all are written.
    """
    all_written = True
    for result in journal.results(recordings):
        if not isinstance(results, Folder) or not all(map(os.path.isfile, results.files(result))):
            try:
                results.write(result)
            except VadError as error:
                all_written = False
                print(f"vad: {error}", file=sys.stderr)
                result = replace(result, problem=str(error))
        if summary is not None:
            summary.add(result)
    return all_written


def _written_folders(output: Path | dict[AudioInput, Path] | None) -> set[Path]:
    """The folders that results are written to, of an output as `label_paths` gives it."""
    if isinstance(output, Path):
        return {*parquet_tables(output)} if output.is_dir() else {output.parent}
    return {path.parent for path in (output or {}).values()}


def _journal_path(output: Path) -> Path:
    """Where the journal is: in a folder of outputs, or beside the file."""
    return output / ".vad.journal" if output.is_dir() else output.with_name(f"{output.name}.journal")


def _refuse_options(args: argparse.Namespace, job: str) -> None:
    if args.output is None:
        raise ConfigError(f"{job} needs an --output, where it finds what is done. Give a file or a folder.")
    for name in _OTHER_OUTPUTS:
        if getattr(args, name):
            option = f"--{name.replace('_', '-')}"
            raise ConfigError(f"{job} is for --output. Received: {option}. Leave one of the two out.")


def _refuse_pipes(inputs: Sequence[str], job: str) -> None:
    for one in inputs:
        if one == "-" or (is_pipe(one) and not os.path.isdir(one)):
            raise ConfigError(f"{job} is for files. Received: {one}, a pipe. Leave one of the two out.")


def _refuse_foreign(
    output: Path | dict[AudioInput, Path] | None,
    ours: Set[AudioInput],
    label_format: str,
    *,
    each_channel: bool,
) -> None:
    """Refuse to replace files that are not of this job.

    Raises:
        ConfigError: There are some.
    """
    if isinstance(output, dict):
        output = {one: path for one, path in output.items() if one not in ours}
    elif ours:
        output = None
    refuse_replacing(output, [], [], each_channel=each_channel, label_format=label_format)
