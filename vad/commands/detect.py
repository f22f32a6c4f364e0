"""`vad detect`: finds the speech in files, folders, patterns and standard input.

stdout has the segments, in the order of the recordings, each as soon as it is ready. A recording that fails costs one
line on stderr and exit code 1; the others are processed. The segments before damage in a recording are results too.
"""

import argparse
from contextlib import ExitStack, closing
from functools import partial
from typing import TYPE_CHECKING

from vad.commands.options.detection import add_detection_arguments, detector_maker
from vad.commands.options.extras import require_extra
from vad.commands.options.outputs import add_overwrite_argument
from vad.commands.options.raw import add_raw_arguments, raw_format
from vad.commands.options.recordings import add_recording_arguments
from vad.commands.options.templates import TIME_FORMAT_HELP
from vad.errors import EXIT_INPUT_FAILED, ConfigError
from vad.labels import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vad.commands.detecting.recordings import AudioInput, Task

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
    add_overwrite_argument(outputs)
    outputs.add_argument(
        "--format", "-f", choices=[*FORMATS, "parquet"], metavar="NAME",
        help=f"format of the segments: {', '.join(FORMATS)} or parquet, which needs the extra parquet "
        "(default: by the extension of --output, else text)",
    )  # fmt: skip
    outputs.add_argument(
        "--output", "-o", metavar="FILE|DIR", help="where to write the segments (default: stdout)"
    )
    _add_job_arguments(outputs)
    outputs.add_argument(
        "--chunks", type=float, metavar="S",
        help="join segments, pauses included, to chunks of at most S seconds for speech recognition, such as 30; "
        "a longer segment is cut where speech is least probable (default: not joined)",
    )  # fmt: skip
    outputs.add_argument(
        "--printf", metavar="TEMPLATE",
        help="print a line for each segment: {id} {start} {end} {duration} {name} {file} {channel}, as in "
        "'[{id}]: {start} -> {end:.2f}\\t{file}' (default: {start} {end})",
    )  # fmt: skip
    outputs.add_argument(
        "--time-format", metavar="FORMAT", help=f"{TIME_FORMAT_HELP}; for text and --printf (default: %%S)"
    )
    _add_file_arguments(outputs)
    add_raw_arguments(parser)
    add_detection_arguments(parser, lookahead=True)


def _add_job_arguments(outputs: argparse._ArgumentGroup) -> None:
    """Add the options of jobs that can resume."""
    outputs.add_argument(
        "--resume", action="store_true",
        help="do what is missing of a job that was stopped, or begin one that can resume (default: start anew)",
    )  # fmt: skip
    outputs.add_argument(
        "--ray", nargs="?", const="", metavar="ADDRESS",
        help="do such a job on a Ray cluster: that of ADDRESS, of RAY_ADDRESS or of this machine; needs the extra ray "
        "(default: no cluster)",
    )  # fmt: skip
    outputs.add_argument(
        "--hash", action="store_true",
        help="with --resume, know recordings by their content, not by size and time (default: by size and time)",
    )  # fmt: skip


def _add_file_arguments(outputs: argparse._ArgumentGroup) -> None:
    """Add what is written beside the segments, and --play."""
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


def run(args: argparse.Namespace) -> int:
    """Process every recording; the exit code is in `vad.cli`.

    Raises:
        ConfigError: An option does not exist, is out of its range, or an output cannot be written.
        ModelError: There is no such model, or it is damaged.
        MissingDependencyError: An option was given without its extra.
        DeviceError: --play was given, and no device can play.
    """
    from vad.commands.detecting.analysis import Analyser
    from vad.commands.detecting.lines import chosen_lines
    from vad.commands.detecting.outputs import refuse_overwriting, refuse_replacing
    from vad.commands.detecting.recordings import find_recordings
    from vad.commands.detecting.results import label_paths, open_results
    from vad.commands.detecting.segment_names import existing_segments
    from vad.commands.detecting.work import process_all, summarized

    make_analyser = partial(
        Analyser, detector_maker(args), args.channel, raw_format(args), chunk_duration_s=args.chunks
    )
    analyser = make_analyser()  # refuses wrong options before anything is read
    label_format = _label_format(args)
    each = args.channel == "each"
    lines = chosen_lines(args.printf, args.time_format, label_format, args.channel)
    if args.resume or args.ray is not None:
        from vad.commands.detecting.resuming import resume

        return EXIT_INPUT_FAILED if resume(args, make_analyser, analyser, label_format, lines) else 0
    outputs = ("output", "save_probabilities", "save_segments", "save_speech", "report", "plot")
    with ExitStack() as stack:
        summary = stack.enter_context(summarized(args, [getattr(args, name) for name in outputs]))
        again = (each, args.play, args.save_segments, args.save_speech, args.report, args.plot)
        recordings = find_recordings(args.inputs, stack, recursive=args.recursive, keep_pipes=any(again))
        label_output = label_paths(args.output, label_format, recordings)
        tasks = _tasks(args, recordings)
        cut = existing_segments([task.segments for task in tasks if task.segments], each_channel=each)
        refuse_overwriting(cut, recordings)
        if not args.overwrite:
            refuse_replacing(label_output, tasks, cut, each_channel=each, label_format=label_format)
        results = stack.enter_context(
            open_results(label_output, label_format, recordings, each_channel=each, lines=lines)
        )
        player = None
        if args.play:
            from vad.commands.detecting.playing import SegmentPlayer

            player = stack.enter_context(closing(SegmentPlayer(results, args.channel, raw_format(args))))
        failed = process_all(
            tasks, make_analyser, analyser, results, args=args, player=player, summary=summary
        )
    return EXIT_INPUT_FAILED if failed else 0


def _label_format(args: argparse.Namespace) -> str:
    """Choose the format of the segments, after a check of what the options need.

    Raises:
        ConfigError: An option needs another one.
        MissingDependencyError: An option needs an extra.
    """
    from vad.commands.detecting.results import PARQUET, choose_format

    if args.plot is not None:
        require_extra("plot", "--plot")
    if args.ray is not None:
        require_extra("ray", "--ray")
    elif args.hash and not args.resume:
        raise ConfigError("--hash is for --resume. Add --resume, or leave --hash out.")
    label_format = choose_format(args.format, args.output)
    if label_format == PARQUET:
        require_extra("parquet", "the format parquet")
        if args.output is None:
            raise ConfigError("parquet needs an --output. Name a file, such as results.parquet.")
    return label_format


def _tasks(args: argparse.Namespace, recordings: "Sequence[AudioInput]") -> "list[Task]":
    """Plan the files to write about each recording.

    Raises:
        ConfigError: An output cannot be written, or does not fit so many recordings.
    """
    from vad.audio.writing import WRITTEN_SUFFIXES
    from vad.commands.detecting.outputs import output_paths
    from vad.commands.detecting.recordings import Task
    from vad.commands.detecting.segment_names import segment_names

    segments = segment_names(
        args.save_segments,
        recordings,
        args.channel,
        overwrite=args.overwrite,
        are_chunks=args.chunks is not None,
    )
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
