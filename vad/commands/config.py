"""`vad config`: prints the options of detection that are in force, and where each value comes from, as a TOML file."""

import argparse
import json
from dataclasses import asdict

from vad.commands.options.detection import add_detection_arguments, chosen_options, detector_maker

__all__ = ["add_arguments", "run"]

_EXAMPLES = """\
examples:
  vad config                                 what `vad detect` uses
  vad config --config tuned.toml --threshold 0.6
  vad config --operating-point eager > mine.toml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments: those of detection."""
    parser.epilog = _EXAMPLES
    add_detection_arguments(parser, lookahead=True)


def run(args: argparse.Namespace) -> int:
    """Print the options.

    Raises:
        ConfigError: An option does not exist, or is out of its range.
        ModelError: There is no such model, or it is damaged.
    """
    detector, chosen = detector_maker(args)(), chosen_options(args)
    names = {"model": "default", "operating_point": "balanced"}
    names |= {name: value for name, (value, _) in chosen.items() if name in names}
    of_card = detector.model.card["segment_options"][names["operating_point"]]
    for name, value in {**names, **asdict(detector.options)}.items():
        if name in chosen:
            source = chosen[name][1]
        elif name in of_card and of_card[name] == value:
            source = f"the model's operating point {names['operating_point']}"
        elif name == "neg_threshold":
            source = "moves with the threshold"
        else:
            source = "default"
        shown = detector.options.release_threshold if value is None else value
        written = (
            f"{name} = {json.dumps(shown, ensure_ascii=False) if isinstance(shown, str) else f'{shown:.6g}'}"
        )
        print(f"{written:<36}# {source}")
    print(f"# lookahead = {str(detector.lookahead).lower():<21} # changed by --no-lookahead alone")
    return 0
