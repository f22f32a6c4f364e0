"""`vad detect`: finds the speech in files, folders, patterns and standard input.

stdout has the segments, in the order of the recordings, each as soon as it is ready. A recording that fails costs one
line on stderr and exit code 1; the others are processed. The segments before damage in a recording are results too.
"""

import argparse
import os
import sys
from contextlib import ExitStack, closing
from functools import partial
from typing import TYPE_CHECKING

from vad.commands.options.detection import add_detection_arguments, detector_maker
from vad.commands.options.extras import require_extra
from vad.commands.options.raw import add_raw_arguments, raw_format
from vad.commands.options.recordings import add_recording_arguments
from vad.commands.options.templates import TIME_FORMAT_HELP
from vad.errors import EXIT_INPUT_FAILED
from vad.labels import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vad.commands.detecting.analysis import Result
    from vad.commands.detecting.playing import SegmentPlayer
    from vad.commands.detecting.recordings import AudioInput, Task
    from vad.commands.detecting.results import Results
    from vad.commands.detecting.summary import Summary
    from vad.commands.options.progress import Progress

__all__ = ["add_arguments", "run"]

_EXAMPLES = """\
examples:
  vad detect meeting.wav                             start and end, in seconds
  vad detect recordings/ -r -f rttm -o labels/       a label file for each one
  vad detect meeting.wav --report meeting.html       a page to look and listen
  ffmpeg -i film.mkv -f wav - | vad detect - -f srt  standard input
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = _EXAMPLES
    add_recording_arguments(parser, each=True)
    outputs = parser.add_argument_group(
        "what is written", "DIR gets a file for each recording. Files that exist are not replaced."
    )
    outputs.add_argument("--overwrite", action="store_true", help="replace output files that exist")
    outputs.add_argument(
        "--format", "-f", choices=list(FORMATS), metavar="NAME",
        help=f"format of the segments: {', '.join(FORMATS)} (default: by the extension of --output, else text)",
    )  # fmt: skip
    outputs.add_argument(
        "--output", "-o", metavar="FILE|DIR", help="where to write the segments (default: stdout)"
    )
    outputs.add_argument(
        "--printf", metavar="TEMPLATE",
        help="print a line for each segment: {id} {start} {end} {duration} {name} {file} {channel}, as in "
        "'[{id}]: {start} -> {end:.2f}\\t{file}' (default: {start} {end})",
    )  # fmt: skip
    outputs.add_argument(
        "--time-format", metavar="FORMAT", help=f"{TIME_FORMAT_HELP}; for text and --printf (default: %%S)"
    )
    outputs.add_argument(
        "--save-probabilities", metavar="FILE|DIR",
        help="write the speech probability of every frame, as .npz or .csv (default: not written)",
    )  # fmt: skip
    outputs.add_argument(
        "--save-segments", metavar="DIR|TEMPLATE",
        help="write each segment as an audio file, cut from the original samples; the names are "
        "{name}_{id:04d}_{start:.3f}-{end:.3f}.wav, or as in DIR/{name}_{id}.flac (default: not written)",
    )  # fmt: skip
    outputs.add_argument(
        "--save-speech", metavar="FILE|DIR",
        help="write all speech as one audio file, cut from the original samples; in DIR as WAV "
        "(default: not written)",
    )  # fmt: skip
    outputs.add_argument(
        "--report", metavar="FILE|DIR",
        help="write a page to look at and listen to, as one .html file (default: not written)",
    )  # fmt: skip
    outputs.add_argument(
        "--plot", metavar="FILE|DIR",
        help="write a picture, as .png, .svg or .pdf; in DIR as .png; needs the extra plot (default: not written)",
    )  # fmt: skip
    outputs.add_argument("--play", action="store_true", help="play each segment after its line; Ctrl-C stops")
    add_raw_arguments(parser)
    add_detection_arguments(parser, lookahead=True)


def run(args: argparse.Namespace) -> int:
    """Process every recording; the exit code is in `vad.cli`.

    Raises:
        ConfigError: An option does not exist, is out of its range, or an output cannot be written.
        ModelError: There is no such model, or it is damaged.
        MissingDependencyError: --plot was given without its extra.
        DeviceError: --play was given, and no device can play.
    """
    from vad.audio.pipe import Pipe
    from vad.commands.detecting.analysis import Analyser
    from vad.commands.detecting.follower import Follower
    from vad.commands.detecting.lines import chosen_lines
    from vad.commands.detecting.outputs import refuse_existing, refuse_overwriting
    from vad.commands.detecting.playing import SegmentPlayer
    from vad.commands.detecting.recordings import find_recordings
    from vad.commands.detecting.results import choose_format, label_paths, open_results
    from vad.commands.detecting.segment_names import existing_segments
    from vad.commands.detecting.summary import Summary
    from vad.commands.options.progress import Progress
    from vad.processes import in_order, sensible_jobs

    if args.plot is not None:
        require_extra("plot", "--plot")
    make_analyser = partial(Analyser, detector_maker(args), args.channel, raw_format(args))
    analyser = make_analyser()  # refuses wrong options before anything is read
    label_format = choose_format(args.format, args.output)
    each = args.channel == "each"
    lines = chosen_lines(args.printf, args.time_format, label_format, args.channel)
    outputs = ("output", "save_probabilities", "save_segments", "save_speech", "report", "plot")
    written = dict.fromkeys(filter(None, (getattr(args, name) for name in outputs)))
    summary = None
    if sys.stderr.isatty() and not args.quiet:
        summary = Summary(args.inputs, recursive=args.recursive, written=written)
    with ExitStack() as stack:
        again = (each, args.play, args.save_segments, args.save_speech, args.report, args.plot)
        recordings = find_recordings(
            args.inputs,
            stack,
            recursive=args.recursive,
            keep_pipes=any(again),
        )
        label_output = label_paths(args.output, label_format, recordings)
        tasks = _tasks(args, recordings)
        cut = existing_segments([task.segments for task in tasks if task.segments], each_channel=each)
        refuse_overwriting(cut, recordings)
        if not args.overwrite:
            refuse_existing(label_output, tasks, cut, each_channel=each)
        jobs = args.jobs or sensible_jobs(len(tasks), _total_bytes(recordings))
        if not all(isinstance(one.source, str) for one in recordings):
            jobs = 1  # a pipe cannot be sent to other processes
        results = stack.enter_context(
            open_results(label_output, label_format, recordings, each_channel=each, lines=lines)
        )
        progress = stack.enter_context(Progress(len(tasks)))
        player = SegmentPlayer(results, args.channel, raw_format(args)) if args.play else None
        analyser.watcher = Follower(None if args.play else results, progress)
        for one in recordings:
            if isinstance(one.source, Pipe):
                one.source.on_wait = progress.show_received
        work = make_analyser if jobs > 1 else lambda: analyser
        done = stack.enter_context(closing(in_order(work, tasks, jobs, crashed=_crashed)))
        failed = _write_all(done, results, progress, summary, player)
    if summary is not None and (text := summary.text()):
        print(f"vad: {text}", file=sys.stderr)
    return EXIT_INPUT_FAILED if failed else 0


def _write_all(
    done: "Iterable[Result]",
    results: "Results",
    progress: "Progress",
    summary: "Summary | None",
    player: "SegmentPlayer | None",
) -> bool:
    """Write each result as it comes.

    Returns:
        Whether a recording failed.
    """
    from vad.commands.detecting.analysis import OutputError

    failed = False
    try:
        for result in done:
            progress.clear()
            if player is not None:
                player.play(result)
            results.write(result)
            if summary is not None:
                summary.add(result)
            if result.problem is not None:
                failed = True
                progress.report(result.problem)
            progress.advance(result.duration)
    except OutputError as stopped:
        raise stopped.reason from None
    return failed


def _tasks(args: argparse.Namespace, recordings: "Sequence[AudioInput]") -> "list[Task]":
    """Plan the files to write about each recording.

    Raises:
        ConfigError: An output cannot be written, or does not fit so many recordings.
    """
    from vad.audio.writing import WRITTEN_SUFFIXES
    from vad.commands.detecting.outputs import output_paths
    from vad.commands.detecting.recordings import Task
    from vad.commands.detecting.segment_names import segment_names

    segments = segment_names(args.save_segments, recordings, args.channel, overwrite=args.overwrite)
    probabilities = output_paths(
        args.save_probabilities, "--save-probabilities", (".npz", ".csv"), recordings
    )
    speech = output_paths(
        args.save_speech, "--save-speech", WRITTEN_SUFFIXES, recordings, ending="_speech.wav"
    )
    report = output_paths(args.report, "--report", (".html",), recordings)
    plot = output_paths(args.plot, "--plot", (".png", ".svg", ".pdf"), recordings)
    return [
        Task(one, probabilities.get(one), segments.get(one), speech.get(one), report.get(one), plot.get(one))
        for one in recordings
    ]


def _total_bytes(recordings: "Sequence[AudioInput]") -> int:
    paths = (one.path for one in recordings)
    return sum(os.path.getsize(path) for path in paths if path is not None and os.path.isfile(path))


def _crashed(task: "Task") -> "Result":
    from vad.commands.detecting.analysis import Result

    problem = f"{task.recording.name}: the process that read it died (a bug in a decoder, or no memory left)."
    return Result(task.recording, problem=problem)
