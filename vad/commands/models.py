"""`vad models`: lists the models of the package with their size, latency and speed."""

import argparse
import json

__all__ = ["add_arguments", "run"]

_EXAMPLES = """\
examples:
  vad models
  vad detect meeting.wav --model tiny
"""

_HEADINGS = ("model", "size", "parameters", "streams", "recordings", "speed")
_LEGEND = """
streams, recordings: latency, from the beginning of a frame to its probability.
speed: seconds of audio per second, on one thread of the machine that built it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments: none."""
    parser.epilog = _EXAMPLES


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    from vad.detection.model_files import model_names

    rows = [_HEADINGS, *map(_row, model_names())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *cells in rows:
        padded = (f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
        print("  ".join([f"{name:<{widths[0]}}", *padded]))
    print(_LEGEND)
    return 0


def _row(name: str) -> tuple[str, ...]:
    """Give the cells of a model, from its files; nothing is loaded into LiteRT."""
    from vad.detection.model_files import find_model

    graph = find_model(name)
    card = json.loads(graph.with_suffix(".json").read_text(encoding="utf-8"))
    frame_ms = 1000 * card["frame_length"] / card["sample_rate"]
    delays = (card["delay_frames"], card.get("late_frames") or card["delay_frames"])  # 0 is no such output
    speeds = card.get("metrics", {}).get("times real time, one thread")
    return (
        name,
        f"{graph.stat().st_size / 1e6:.1f} MB",
        f"{card['parameters']:,}",
        *(f"{frame_ms * (1 + frames):.0f} ms" for frames in delays),
        "-" if speeds is None else f"{speeds['chunk']:,.0f} x",
    )
