"""`vad prepare`: makes the manifest of a corpus from recordings and labels in many formats.

Exit 0: the manifest has all recordings; 1: some were left out, or nothing was written. stderr has all reasons at once.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vad.commands.options.messages import close_with, is_quiet, next_command
from vad.commands.options.outputs import add_overwrite_argument, check_all, refuse_existing
from vad.commands.options.progress import Progress
from vad.corpus.folders import SPLITS
from vad.errors import EXIT_INPUT_FAILED, ConfigError, require
from vad.files import make_folder, write_text

if TYPE_CHECKING:
    from vad.labels.findings import Finding
    from vad.prepare.inputs import Candidate
    from vad.prepare.measure import Measured

__all__ = ["add_arguments", "run"]

_EXAMPLES = """\
examples:
  vad prepare recordings/ -o mine.jsonl           labels beside the recordings
  vad prepare calls/ --labels calls.csv           labels in one file
  vad prepare calls/ --label-with default         no labels: a model makes them
"""

_SPEAKERS_BY = {
    "folder": "the name of the folder",
    "file": "file: each file has its own",
    "labels": "the names in the labels",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "inputs", nargs="+", metavar="PATH", type=Path,
        help="recordings, folders of recordings (with or without subfolders train/, dev/, test/ and speech/, noise/, "
        "music/), manifests, Kaldi data folders",
    )  # fmt: skip
    parser.add_argument(
        "--output", "-o", metavar="JSONL", type=Path, default=Path("corpus.jsonl"),
        help="the manifest (default: corpus.jsonl); a page to check the labels is written beside it, as .html",
    )  # fmt: skip
    parser.add_argument(
        "--labels", metavar="FILE|DIR", type=Path,
        help="a folder of label files, or one file that names its recordings (default: beside each recording)",
    )  # fmt: skip
    parser.add_argument(
        "--tier", metavar="NAME", action="append", default=[],
        help="the TextGrid or ELAN tier to read; can be repeated (default: speech, or else the first)",
    )  # fmt: skip
    parser.add_argument(
        "--speaker", metavar="folder|file|labels|PATTERN", default="folder",
        help="where the speaker's name is: the folder's name, the file (each has its own speaker), the labels, or a "
        "regular expression whose first group in the path is the name, such as '([a-z]+)-[0-9]+' (default: folder)",
    )  # fmt: skip
    parser.add_argument(
        "--label-with", metavar="MODEL",
        help="label speech that has no labels with this model, such as default; a sheet to review the labels is "
        "written beside the manifest (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--shares", metavar="T,D,E", type=_shares, default=(0.8, 0.1, 0.1),
        help="the shares of train, dev and test (default: 0.8,0.1,0.1)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, metavar="N", default=0, help="seed of the splits (default: 0)")
    parser.add_argument(
        "--jobs", "-j", type=int, default=1, metavar="N", help="number of processes (default: 1)"
    )
    add_overwrite_argument(parser)
    parser.add_argument("--json", action="store_true", help="print the summary as JSON on stdout")


def run(args: argparse.Namespace) -> int:
    """Prepare the corpus; the exit code is in the module's docstring.

    Raises:
        ConfigError: An option is out of its range, or the output cannot be written.
        ModelError: The model of --label-with does not exist.
    """
    from vad.detection.model_files import find_model
    from vad.prepare.checks import check_classes, check_duplicates, check_speakers
    from vad.prepare.inputs import InputOptions, find_recordings
    from vad.prepare.labelling import assign_labels
    from vad.prepare.splits import assign_splits
    from vad.prepare.summary import summarise, summary_text

    require(args.jobs >= 1, "jobs must be at least 1", jobs=args.jobs)
    require(args.seed >= 0, "seed must be 0 or more", seed=args.seed)
    page, sheet = args.output.with_suffix(".html"), args.output.with_suffix(".review.csv")
    check_all(
        partial(_check_outputs, args, page, sheet),
        *([] if args.label_with is None else [partial(find_model, args.label_with)]),
    )
    options = InputOptions(args.labels, tuple(args.tier), args.speaker, args.label_with is not None)
    candidates, findings = find_recordings(args.inputs, options)
    labelled, label_findings = assign_labels(candidates, options)
    usable, recording_findings = _measure(labelled, args.jobs, args.label_with)
    shares = dict(zip(SPLITS, args.shares, strict=True))
    recordings, split_findings = assign_splits(usable, shares, args.seed)
    conflicts = [*check_duplicates(recordings), *check_speakers(recordings)]
    findings += [*label_findings, *recording_findings, *split_findings, *conflicts]
    findings += check_classes(recordings) if recordings else []
    for finding in sorted(findings, key=lambda one: not one.is_problem):
        print(f"vad: {'' if finding.is_problem else 'note: '}{finding}", file=sys.stderr)
    if not recordings or conflicts:
        print("vad: nothing was written. Correct the problems above first.", file=sys.stderr)
        return EXIT_INPUT_FAILED
    summary = summarise(recordings)
    if not is_quiet():
        print(summary_text(summary), file=sys.stderr)
    close_with(_speakers_text(args.speaker, recordings))
    _write(args.output, page, sheet, recordings, summary, findings)
    if args.json:
        print(json.dumps(summary, indent=1))
    _print_next(args, summary)
    return EXIT_INPUT_FAILED if any(one.is_problem for one in findings) else 0


def _speakers_text(rule: str, recordings: "Sequence[Measured]") -> str:
    """How many speakers there are, and by what rule."""
    of_speech = [one.recording.speakers for one in recordings if one.recording.kind == "speech"]
    known = len({name for names in of_speech for name in names})
    text = f"{known} speaker{'s' * (known != 1)}, by {_SPEAKERS_BY.get(rule, f'the pattern {rule!r}')}"
    unknown = sum(not names for names in of_speech)
    return text + (f"; recordings of unknown speakers, each taken as one: {unknown}." if unknown else ".")


def _print_next(args: argparse.Namespace, summary: dict[str, Any]) -> None:
    """Print the command that comes next: correct the labels, train, or why that needs more speakers."""
    missing = [split for split in SPLITS if f"{split} speech" not in summary]
    if args.label_with is not None:
        sheet = args.output.with_suffix(".review.csv")
        close_with(f"a model made the labels. Correct {sheet}, then give it back:")
        next_command("prepare", *args.inputs, "--labels", sheet, "--output", args.output, "--overwrite")
    elif missing:
        close_with(f"not ready to train and evaluate: there is no speech in {' and '.join(missing)}.")
    else:
        next_command("train", f"runs/{args.output.stem}", "--init", "default", "--corpus", args.output)


def _check_outputs(args: argparse.Namespace, page: Path, sheet: Path) -> None:
    """Refuse outputs that cannot be written, or would overwrite something, before hours of work."""
    output: Path = args.output
    require(
        page != output, "output must not end in .html, which is for the page. Try .jsonl", output=str(output)
    )
    inputs = {path.resolve() for path in (*args.inputs, *filter(None, [args.labels]))}
    # A folder with a manifest is read through it.
    inputs |= {manifest.resolve() for path in args.inputs if (manifest := path / "manifest.jsonl").is_file()}
    for path in [output, page, *([sheet] if args.label_with is not None else [])]:
        if path.resolve() in inputs:
            raise ConfigError(f"the output {path} would overwrite an input. Give another --output.")
        if path.is_dir():
            raise ConfigError(f"the output {path} is a folder. Give --output a file, such as corpus.jsonl.")
    if args.label_with is not None and sheet.exists():
        raise ConfigError(
            f"the review sheet {sheet} exists and may have corrections. Read it with --labels {sheet}, delete it, or "
            "give another --output."
        )
    if not args.overwrite:
        refuse_existing([output, page])
    make_folder(output.parent)


def _measure(
    candidates: "Sequence[Candidate]", jobs: int, label_with: str | None
) -> "tuple[list[Measured], list[Finding]]":
    """Measure and check all recordings; leave out those with a problem."""
    from vad.prepare.checks import check_recording
    from vad.prepare.measure import measure_all

    usable, findings = [], []
    with (
        Progress(len(candidates)) as progress,
        closing(measure_all(candidates, jobs, label_with)) as measured,
    ):
        for recording in measured:
            its_findings = check_recording(recording)
            findings += its_findings
            if not any(one.is_problem for one in its_findings):
                usable.append(recording)
            progress.advance(recording.duration)
    return usable, findings


def _write(
    output: Path,
    page: Path,
    sheet: Path,
    recordings: "Sequence[Measured]",
    summary: dict[str, Any],
    findings: "Sequence[Finding]",
) -> None:
    """Write the page, the manifest and, where a model labelled, the review sheet."""
    from vad.prepare.manifest import manifest_text, review_text
    from vad.report.corpus import corpus_page

    texts = {
        page: corpus_page(output.stem, output.parent, recordings, summary, findings),
        output: manifest_text(recordings, output.parent),
    }
    if labelled := [one for one in recordings if one.probabilities.size]:
        texts[sheet] = review_text(labelled)
    for path, text in texts.items():
        write_text(path, text)
    close_with(f"wrote {', '.join(map(str, texts))}.")


def _shares(text: str) -> tuple[float, ...]:
    try:
        shares = tuple(float(share) for share in text.split(","))
    except ValueError:
        shares = ()
    if len(shares) != 3 or min(shares) < 0 or not math.isclose(sum(shares), 1.0) or shares[0] == 0:
        raise argparse.ArgumentTypeError(
            f"must be three shares that add up to 1, the first (train) above 0. Received: {text!r}"
        )
    return shares
