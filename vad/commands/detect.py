"""`vad detect`: the speech in files, folders, patterns and stdin.

stdout has the segments, in the order of the recordings and as each is done. A recording that fails is one line on
stderr and exit code 1; the others are done. What was heard before a recording's damage counts, and is told as well.
"""

import argparse
import functools
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vad.commands.options.detection import add_detection_arguments, add_lookahead_argument, resolve_detection
from vad.commands.options.raw import add_raw_arguments, resolve_raw
from vad.errors import EXIT_INPUT_FAILED, ConfigError
from vad.labels import FORMATS

if TYPE_CHECKING:
    from vad.commands.detecting.analysis import Findings, Order
    from vad.commands.detecting.recordings import AudioInput

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `vad detect`."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="FILE|DIR|GLOB|-",
        help="recordings; - reads a file, or raw samples, on stdin",
    )
    parser.add_argument("--recursive", "-r", action="store_true", help="search the folders in a folder too")
    parser.add_argument(
        "--channel", type=_channel, default="mix", metavar="mix|each|N",
        help="the mean of all channels, each of them by itself, or one, counted from 0 (default: mix)",
    )  # fmt: skip
    parser.add_argument("--jobs", "-j", type=_jobs, metavar="N", help="processes (default: as many as pay)")
    parser.add_argument("--quiet", "-q", action="store_true", help="show no progress")
    outputs = parser.add_argument_group("what is written")
    outputs.add_argument(
        "--format", "-f", choices=list(FORMATS), help="default: by the name of the output, else text"
    )
    outputs.add_argument(
        "--output",
        "-o",
        metavar="FILE|DIR",
        help="where to (default: stdout); a folder gets a file a recording",
    )
    outputs.add_argument(
        "--save-probabilities",
        metavar="FILE|DIR",
        help="speech probability of every frame, as .npz or .csv (default: not written)",
    )
    outputs.add_argument(
        "--save-segments",
        metavar="DIR",
        help="each segment as a WAV, cut from the original (default: not written)",
    )
    outputs.add_argument(
        "--save-speech",
        metavar="FILE|DIR",
        help="the speech alone as a WAV, cut likewise (default: not written)",
    )
    outputs.add_argument(
        "--report",
        metavar="FILE|DIR",
        help="a page to look at and listen to, as .html that needs no other file (default: not written)",
    )
    outputs.add_argument(
        "--plot",
        metavar="FILE|DIR",
        help="a picture, as .png, .svg or .pdf; a folder gets .png; needs the extra plot (default: not written)",
    )
    add_raw_arguments(parser)
    add_detection_arguments(parser)
    add_lookahead_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Hear every recording; the exit code is in `vad.cli`.

    Raises:
        ConfigError: An option does not exist, is out of its range, or an output cannot be written.
        ModelError: There is no such model, or it is damaged.
        MissingDependencyError: A picture was asked for without its extra.
    """
    from vad.commands.detecting.analysis import AnalysisSettings
    from vad.commands.detecting.recordings import find_recordings
    from vad.commands.detecting.results import choose_format, open_results
    from vad.commands.options.extras import require_matplotlib
    from vad.commands.options.progress import Progress
    from vad.processes import in_order, sensible_jobs

    if args.plot is not None:
        require_matplotlib()
    settings = AnalysisSettings(resolve_detection(args), args.channel, resolve_raw(args))
    analyser = settings.analyser()
    label_format = choose_format(args.format, args.output)
    failed = False
    with ExitStack() as stack:
        recordings = find_recordings(
            args.inputs, recursive=args.recursive, spool=functools.cache(lambda: _spool(stack))
        )
        orders = _orders(args, recordings)
        jobs = args.jobs or sensible_jobs(len(orders), _total_bytes(recordings))
        write = stack.enter_context(
            open_results(args.output, label_format, recordings, each_channel=args.channel == "each")
        )
        progress = stack.enter_context(Progress(len(orders), hidden=args.quiet))
        make_analyser = settings.analyser if jobs > 1 else lambda: analyser
        all_findings = stack.enter_context(closing(in_order(make_analyser, orders, jobs, crashed=_crashed)))
        for findings in all_findings:
            progress.wipe()
            write(findings)
            if findings.problem is not None:
                failed = True
                print(f"vad: {findings.problem}", file=sys.stderr)
            progress.advance(findings.duration)
    return EXIT_INPUT_FAILED if failed else 0


def _spool(stack: ExitStack) -> Path:
    """Make a folder for what comes through pipes, which goes with the stack.

    Raises:
        ConfigError: There is no place for one.
    """
    try:
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vad-")))
    except OSError as error:
        raise ConfigError(
            f"what comes through a pipe is kept in a temporary folder, which cannot be made ({error.strerror}). "
            "Give the recording as a file, or point TMPDIR to a folder with room."
        ) from error


def _orders(args: argparse.Namespace, recordings: Sequence["AudioInput"]) -> list["Order"]:
    """Say for each recording what is to be kept of it, and where.

    Raises:
        ConfigError: An output cannot be written, or is not fit for so many recordings.
    """
    from vad.commands.detecting.analysis import Order
    from vad.commands.detecting.outputs import paths_in

    cuts: dict[AudioInput, Path] = {}
    if args.save_segments is not None:
        cuts = paths_in(Path(args.save_segments), recordings, "")
    probabilities = _paths(args.save_probabilities, "--save-probabilities", (".npz", ".csv"), recordings)
    speech = _paths(args.save_speech, "--save-speech", (".wav",), recordings, ending="_speech.wav")
    report = _paths(args.report, "--report", (".html",), recordings)
    plot = _paths(args.plot, "--plot", (".png", ".svg", ".pdf"), recordings)
    return [
        Order(one, *(paths.get(one) for paths in (probabilities, cuts, speech, report, plot)))
        for one in recordings
    ]


def _paths(
    output: str | None,
    flag: str,
    suffixes: tuple[str, ...],
    recordings: Sequence["AudioInput"],
    *,
    ending: str | None = None,
) -> dict["AudioInput", Path]:
    """Give each recording a path: the output itself for a single one, or its own in the output folder."""
    from vad.commands.detecting.outputs import is_folder, keep_recordings, paths_in
    from vad.files import make_folder

    if output is None:
        return {}
    if is_folder(output, len(recordings)):
        return paths_in(Path(output), recordings, ending or suffixes[0])
    if len(recordings) != 1:
        raise ConfigError(f"{flag} must be a folder for {len(recordings)} recordings. Received: {output}.")
    if Path(output).suffix.lower() not in suffixes:
        raise ConfigError(f"{flag} must be a folder, or end in {' or '.join(suffixes)}. Received: {output}.")
    keep_recordings([Path(output)], recordings)
    make_folder(Path(output).parent)
    return {recordings[0]: Path(output)}


def _total_bytes(recordings: Sequence["AudioInput"]) -> int:
    return sum(os.path.getsize(found.path) for found in recordings if os.path.isfile(found.path))


def _crashed(order: "Order") -> "Findings":
    from vad.commands.detecting.analysis import Findings

    name = order.recording.name
    reason = "one that ended the process that read it (a fault of the decoder, or no memory left)"
    return Findings(order.recording, problem=f"{name}: audio must be readable. Received: {reason}.")


def _channel(text: str) -> int | Literal["mix", "each"]:
    named: dict[str, Literal["mix", "each"]] = {"mix": "mix", "each": "each"}
    if text in named:
        return named[text]
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"must be mix, each, or a number counted from 0. Received: {text!r}.")


def _jobs(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"must be a number of at least 1. Received: {text!r}.")
