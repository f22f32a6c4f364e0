"""`vad inspect`: shows what a trained network learned, and why it reports speech."""

import argparse
import math
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np

from vad.commands.options.extras import require_extra
from vad.commands.options.outputs import add_overwrite_argument, check_all, refuse_existing, require_file
from vad.commands.options.progress import Progress
from vad.errors import AudioError, ConfigError, LabelError, require
from vad.files import require_writable
from vad.labels.owners import labels_of
from vad.report.excerpt import blocks_between
from vad.training.weights import weights_of

__all__ = ["add_arguments", "run"]

_EXAMPLES = """\
examples:
  vad inspect weights runs/mine                    needs no recording
  vad inspect all default meeting.wav --start 12 --labels meeting.rttm
"""

_VIEWS = {
    "weights": "the filters; which are dead, saturated, noise; needs no AUDIO",
    "gradients": "how a clip would change each layer; the run's update sizes",
    "activations": "the output of every layer for a clip",
    "saliency": "what in a clip raises and lowers the probability",
    "occlusion": "what in a clip the decision needs: parts are silenced",
    "embedding": "a map of the frames of a clip",
}
_SAMPLE_RATE = 16_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = (
        _EXAMPLES + "\nviews:\n" + "".join(f"  {name:<12} {text}\n" for name, text in _VIEWS.items())
    )
    parser.add_argument(
        "view", metavar="VIEW", choices=(*_VIEWS, "all"), help="one of the views below, or all"
    )
    parser.add_argument(
        "network", metavar="NETWORK", help="a model's name, a run's folder, a .keras or .tflite file"
    )
    parser.add_argument("audio", metavar="AUDIO", nargs="?", help="a recording, from which a clip is taken")
    parser.add_argument(
        "--labels", metavar="FILE",
        help="label file of the recording, in any format of data/README.md (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--start", metavar="S", type=float, default=0.0, help="start of the clip in seconds (default: 0)"
    )
    parser.add_argument(
        "--duration",
        metavar="S",
        type=float,
        default=10.0,
        help="length of the clip in seconds (default: 10)",
    )
    parser.add_argument(
        "--output", "-o", metavar="DIR", type=Path, default=Path("inspection"),
        help="folder for pictures, page and arrays (default: inspection)",
    )  # fmt: skip
    add_overwrite_argument(parser)
    parser.add_argument(
        "--format", choices=("png", "svg"), default="png", help="format of the pictures (default: png)"
    )


def run(args: argparse.Namespace) -> int:
    """Write pictures, page and arrays; stdout has the path of the page, stderr the findings.

    Raises:
        ConfigError: The recording is missing, an option is out of its range, or the folder cannot be made.
        AudioError: The recording cannot be read, or ends before the clip.
        LabelError: The labels cannot be read.
        ModelError: There is no such network.
    """
    names = [*_VIEWS] if args.view == "all" else [args.view]
    if names != ["weights"] and args.audio is None:
        raise ConfigError(f"the view {args.view} needs a recording. Name one after the network.")
    if args.labels is not None and args.audio is None:
        raise ConfigError("--labels needs a recording. Name one after the network.")
    require(0 <= args.start < math.inf, "start must be 0 seconds or more", start=args.start)
    require(0 < args.duration < math.inf, "duration must be above 0 seconds", duration=args.duration)
    require_extra("train", "vad inspect")
    files = ((args.audio, AudioError), (args.labels, LabelError))
    check_all(
        *(partial(require_file, path, error) for path, error in files if path is not None),
        partial(weights_of, args.network, "network"),
        partial(_check_outputs, args, names),
    )
    samples = segments = None
    if args.audio is not None:
        end = args.start + args.duration
        with Progress(1) as progress:
            blocks = blocks_between(args.audio, args.start, end, _SAMPLE_RATE, progress.show_position)
            samples = np.concatenate(list(blocks))
    if args.labels is not None:
        segments = labels_of(Path(args.audio), Path(args.labels))
    from vad.training.backend import require_tensorflow
    from vad.training.inspection.network import InspectedAudio, load_inspected_network
    from vad.training.inspection.pictures import write
    from vad.training.inspection.views import look

    require_tensorflow("vad inspect")
    network = load_inspected_network(args.network)
    clip = None if samples is None else InspectedAudio(Path(args.audio).name, samples, segments, args.start)
    with Progress(len(names), unit="views") as progress:
        views = look(network, names, clip, progress.advance)
    for line in (line for view in views for line in view.findings):
        print(line, file=sys.stderr)
    title = f"{network.name}: {args.view}" if len(views) == 1 else f"A look into {network.name}"
    print(write(views, args.output, name=args.view, title=title, format=args.format))
    return 0


def _check_outputs(args: argparse.Namespace, views: Iterable[str]) -> None:
    require_writable(args.output)
    if not args.overwrite:
        arrays = (f"{view}.npz" for view in views)
        pictures = (path.name for view in views for path in args.output.glob(f"{view}-*.{args.format}"))
        refuse_existing(args.output / name for name in (f"{args.view}.html", *arrays, *pictures))
