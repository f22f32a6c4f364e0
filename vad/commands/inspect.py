"""`vad inspect`: look into a trained network, and into what made it say speech."""

import argparse
import math
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vad.audio.reading import open_audio
from vad.commands.options.extras import training_extra
from vad.errors import ConfigError, require
from vad.labels.owners import labels_of

__all__ = ["add_arguments", "run"]

_VIEWS = {
    "weights": "the filters, and which of them are dead, saturated or noise",
    "gradients": "what a clip would change, layer by layer; steps of the run's training",
    "activations": "what every layer makes of a clip",
    "saliency": "which parts of a clip speak for speech and which against it",
    "occlusion": "which parts of a clip cannot be taken away",
    "embedding": "a map of a clip's frames",
}
_SAMPLE_RATE = 16_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "views:\n" + "".join(f"  {name:<12} {purpose}\n" for name, purpose in _VIEWS.items())
    parser.add_argument("view", metavar="VIEW", choices=(*_VIEWS, "all"), help="one of those below, or all")
    parser.add_argument(
        "network", metavar="NETWORK", help="a model's name, a run's folder, a .keras or .tflite file"
    )
    parser.add_argument("audio", metavar="AUDIO", nargs="?", help="a recording; only weights needs none")
    parser.add_argument(
        "--labels",
        metavar="FILE",
        help="where speech is in it, in any format of data/README.md (default: none)",
    )
    parser.add_argument("--start", metavar="S", type=float, default=0.0, help="from where on (default: 0)")
    parser.add_argument("--duration", metavar="S", type=float, default=10.0, help="how long (default: 10)")
    parser.add_argument(
        "--output", metavar="DIR", type=Path, default=Path("inspection"), help="default: inspection"
    )
    parser.add_argument("--format", choices=("png", "svg"), default="png", help="of pictures; default: png")


def run(args: argparse.Namespace) -> int:
    """Look, and write pictures, page and arrays; the path of the page goes to stdout.

    Raises:
        ConfigError: There is no recording where one is needed, or a stretch is none.
        AudioError: The recording cannot be read, or has nothing in the stretch.
        LabelError: The labels cannot be read.
        ModelError: There is no such network.
    """
    names = [*_VIEWS] if args.view == "all" else [args.view]
    _check(args, names)
    try:
        args.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"output must be a folder that can be made. Received: {args.output} ({error.strerror}). Name another."
        ) from error
    samples = None if args.audio is None else _stretch(args.audio, args.start, args.duration)
    segments = None if args.labels is None else labels_of(Path(args.audio), Path(args.labels))
    with training_extra():
        from vad.training.inspection.network import InspectedAudio, load_inspected_network
        from vad.training.inspection.pictures import write
        from vad.training.inspection.views import look

    network = load_inspected_network(args.network)
    clip = None if samples is None else InspectedAudio(Path(args.audio).name, samples, segments, args.start)
    views = look(network, names, clip)
    for line in (line for view in views for line in view.findings):
        print(line, file=sys.stderr)
    title = f"{network.name}: {args.view}" if len(views) == 1 else f"A look into {network.name}"
    print(write(views, args.output, name=args.view, title=title, format=args.format))
    return 0


def _check(args: argparse.Namespace, names: list[str]) -> None:
    if names != ["weights"] and args.audio is None:
        raise ConfigError(
            f"{args.view} must have a recording to hear. Received: none. Name one after the network."
        )
    if args.labels is not None and args.audio is None:
        raise ConfigError("labels must be those of a recording. Received: --labels without one.")
    require(0 <= args.start < math.inf, "start must be 0 seconds or more", start=args.start)
    require(0 < args.duration < math.inf, "duration must be above 0 seconds", duration=args.duration)


def _stretch(source: str, start: float, duration: float) -> npt.NDArray[np.float32]:
    """The samples from `start` on; nothing behind the stretch is read."""
    first, count = round(start * _SAMPLE_RATE), round(duration * _SAMPLE_RATE)
    blocks, read = [], 0
    with open_audio(source, sample_rate=_SAMPLE_RATE) as recording:
        for block in recording:
            blocks.append(block)
            read += len(block)
            if read >= first + count:
                break
    return np.concatenate(blocks)[first : first + count]
