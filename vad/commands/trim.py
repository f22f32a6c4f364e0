"""`vad trim`: writes recordings without the silence at their ends, and with shorter pauses."""

import argparse
import re
from contextlib import ExitStack
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from vad.commands.options.detection import add_detection_arguments, detector_maker
from vad.commands.options.outputs import add_overwrite_argument
from vad.commands.options.raw import add_raw_arguments, raw_format
from vad.commands.options.recordings import add_recording_arguments
from vad.errors import EXIT_INPUT_FAILED, ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vad.commands.detecting.recordings import AudioInput

__all__ = ["add_arguments", "run"]

_EXAMPLES = """\
examples:
  vad trim meeting.wav -o short.flac                 without silence at its ends
  vad trim meeting.wav -o short.mp3 --max-pause 0.5  and with shorter pauses
  vad trim recordings/ -r -o 'short/{name}.ogg'      every recording of a folder
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = _EXAMPLES
    add_recording_arguments(parser, each=False)
    parser.add_argument(
        "--output", "-o", required=True, metavar="FILE|DIR|TEMPLATE",
        help="where to write; the extension chooses the format, which in DIR is that of the recording, or wav; "
        "TEMPLATE is as in DIR/{name}.mp3",
    )  # fmt: skip
    add_overwrite_argument(parser)
    pauses = parser.add_mutually_exclusive_group()
    pauses.add_argument(
        "--max-pause", type=float, metavar="S",
        help="shorten the pauses inside to at most S seconds (default: they stay)",
    )  # fmt: skip
    pauses.add_argument(
        "--pause", type=float, metavar="S",
        help="make all pauses inside S seconds long; digital silence lengthens shorter ones (default: they stay)",
    )  # fmt: skip
    add_raw_arguments(parser)
    add_detection_arguments(parser, lookahead=True)


def run(args: argparse.Namespace) -> int:
    """Trim every recording; the exit code is in `vad.cli`.

    Raises:
        ConfigError: An option does not exist, is out of its range, or an output cannot be written.
        ModelError: There is no such model, or it is damaged.
    """
    from vad.commands.detecting.analysis import Analyser
    from vad.commands.detecting.outputs import refuse_replacing
    from vad.commands.detecting.recordings import Task, find_recordings
    from vad.commands.detecting.work import process_all, summarized
    from vad.detection.trimming import check_pauses

    check_pauses(args.max_pause, args.pause)
    make_analyser = partial(Analyser, detector_maker(args), args.channel, raw_format(args))
    analyser = make_analyser()  # refuses wrong options before anything is read
    with ExitStack() as stack:
        summary = stack.enter_context(summarized(args, [args.output]))
        recordings = find_recordings(args.inputs, stack, recursive=args.recursive, keep_pipes=True)
        outputs = _outputs(args.output, recordings)
        pauses = {"max_pause": args.max_pause, "pause": args.pause}
        tasks = [Task(one, trimmed=outputs.get(one), pauses=pauses) for one in recordings]
        if not args.overwrite:
            refuse_replacing(None, tasks, [], each_channel=False)
        failed = process_all(tasks, make_analyser, analyser, None, args=args, summary=summary)
    return EXIT_INPUT_FAILED if failed else 0


def _outputs(output: str, recordings: "Sequence[AudioInput]") -> "dict[AudioInput, Path]":
    """Give each recording its output, and make the folders.

    Raises:
        ConfigError: The output cannot be written, does not fit so many recordings, or has an unknown extension.
    """
    from vad.audio.writing import WRITTEN_SUFFIXES, check_suffix
    from vad.commands.detecting.outputs import output_paths, paths_in

    def same_format(recording: "AudioInput") -> str:
        suffix = recording.place.suffix.lower()
        return suffix if suffix in WRITTEN_SUFFIXES else ".wav"

    folder, name = PurePath(output).parent, PurePath(output).name
    template = re.fullmatch(r"\{name\}([^{}]*)", name)
    if "{" in name and template is None:
        raise ConfigError(
            f"--output must have the name {{name}} alone, at its beginning. Received: {output}."
        )
    if template is None:
        return output_paths(output, "--output", WRITTEN_SUFFIXES, recordings, ending=same_format)
    check_suffix(output, "--output")
    return paths_in(Path(folder), recordings, template[1])
