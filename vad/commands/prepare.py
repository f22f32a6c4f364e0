"""`vad prepare`: from recordings with labels of any kind to the manifest of a corpus.

Exit 0: all is in it; 1: something was left out, or nothing could be written: stderr says what, all at once.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vad.commands.options.progress import Progress
from vad.errors import EXIT_INPUT_FAILED, ConfigError, require
from vad.files import make_folder, writing

if TYPE_CHECKING:
    from vad.labels.findings import Finding
    from vad.prepare.inputs import Candidate
    from vad.prepare.measure import Measured

__all__ = ["add_arguments", "run"]

_SPEAKERS_BY = {
    "folder": "the names of their folders",
    "file": "file, each its own",
    "labels": "the names in the labels",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "inputs", nargs="+", metavar="PATH", type=Path,
        help="recordings, folders (with speech/, noise/, music/ or of labelled recordings; maybe in train/, dev/, "
        "test/), manifests, Kaldi data folders",
    )  # fmt: skip
    parser.add_argument(
        "--output", "-o", metavar="JSONL", type=Path, default=Path("corpus.jsonl"),
        help="the manifest (default: corpus.jsonl); a page to look through lies beside it, as .html",
    )  # fmt: skip
    parser.add_argument(
        "--labels", metavar="FILE|DIR", type=Path,
        help="a folder of label files, or one file that names its recordings (default: beside each recording)",
    )  # fmt: skip
    parser.add_argument(
        "--tier",
        action="append",
        default=[],
        help="a TextGrid or ELAN tier; may be repeated (default: speech, or else the first)",
    )
    parser.add_argument(
        "--speaker", metavar="folder|file|labels|PATTERN", default="folder",
        help="who speaks: the folder's name, each file its own, the labels' names, or a pattern whose first group in "
        "the path is the name, such as '([a-z]+)-[0-9]+' (default: folder)",
    )  # fmt: skip
    parser.add_argument(
        "--label-with", metavar="MODEL",
        help="let this model (such as default) label speech without labels; a review sheet lies beside the manifest "
        "(default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--shares", metavar="T,D,E", type=_shares, default=(0.8, 0.1, 0.1),
        help="of train, dev and test (default: 0.8,0.1,0.1)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="decides who is in which split (default: 0)")
    parser.add_argument("--jobs", "-j", type=int, default=1, metavar="N", help="processes (default: 1)")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON on stdout")


def run(args: argparse.Namespace) -> int:
    """Prepare; the exit code is in the module's docstring.

    Raises:
        ConfigError: An option is out of its range, or the output cannot be written.
        ModelError: There is no model to label with.
    """
    from vad.prepare.checks import check_classes, check_duplicates, check_speakers
    from vad.prepare.inputs import InputOptions, find_recordings
    from vad.prepare.labelling import assign_labels
    from vad.prepare.splits import assign_splits
    from vad.prepare.summary import summarise, summary_text

    require(args.jobs >= 1, "jobs must be at least 1", jobs=args.jobs)
    require(args.seed >= 0, "seed must be 0 or more", seed=args.seed)
    _require_outputs(args)
    options = InputOptions(args.labels, tuple(args.tier), args.speaker, args.label_with is not None)
    found, findings = find_recordings(args.inputs, options)
    labelled, of_labels = assign_labels(found, options)
    usable, of_each = _measure(labelled, args.jobs, args.label_with)
    shares = dict(zip(("train", "dev", "test"), args.shares, strict=True))
    recordings, of_splits = assign_splits(usable, shares, args.seed)
    refused = [*check_duplicates(recordings), *check_speakers(recordings)]
    findings += [*of_labels, *of_each, *of_splits, *refused]
    findings += check_classes(recordings) if recordings else []
    for finding in sorted(findings, key=lambda one: not one.is_problem):
        print(f"vad: {'' if finding.is_problem else 'note: '}{finding}", file=sys.stderr)
    if not recordings or refused:
        print("vad: nothing was written. Correct the problems above first.", file=sys.stderr)
        return EXIT_INPUT_FAILED
    summary = summarise(recordings)
    print(summary_text(summary), file=sys.stderr)
    print(f"speakers by {_SPEAKERS_BY.get(args.speaker, f'the pattern {args.speaker!r}')}", file=sys.stderr)
    _write(args.output, recordings, summary, findings)
    if args.json:
        print(json.dumps(summary, indent=1))
    return EXIT_INPUT_FAILED if any(one.is_problem for one in findings) else 0


def _require_outputs(args: argparse.Namespace) -> None:
    """Refuse now what could not be written after hours of measuring, or would write over something."""
    output: Path = args.output
    rule = "output must have another extension than .html, which is the page's"
    require(_page(output) != output, f"{rule}, such as .jsonl", output=str(output))
    read = {path.resolve() for path in (*args.inputs, *filter(None, [args.labels]))}
    # A folder's manifest is read in place of the recordings beside it.
    read |= {found.resolve() for path in args.inputs if (found := path / "manifest.jsonl").is_file()}
    for path in [output, _page(output), *([_sheet(output)] if args.label_with is not None else [])]:
        require(path.resolve() not in read, "output must be another file than what is read", output=str(path))
        require(not path.is_dir(), "output must be a file, such as corpus.jsonl", output=f"the folder {path}")
    sheet = _sheet(output)
    if args.label_with is not None and sheet.exists():
        raise ConfigError(
            f"a review sheet must not be written over one that may be corrected. Received: {sheet}. "
            f"Give it with --labels {sheet}, delete it, or name another output."
        )
    make_folder(output.parent)


def _page(output: Path) -> Path:
    return output.with_suffix(".html")


def _sheet(output: Path) -> Path:
    return output.with_suffix(".review.csv")


def _measure(
    recordings: "Sequence[Candidate]", jobs: int, label_with: str | None
) -> "tuple[list[Measured], list[Finding]]":
    """Measure and check all recordings; those with a problem are left out."""
    from vad.prepare.checks import check_recording
    from vad.prepare.measure import measure_all

    usable, findings = [], []
    with (
        Progress(len(recordings)) as progress,
        closing(measure_all(recordings, jobs, label_with)) as measuring,
    ):
        for measured in measuring:
            its = check_recording(measured)
            findings += its
            if not any(one.is_problem for one in its):
                usable.append(measured)
            progress.advance(measured.duration)
    return usable, findings


def _write(
    output: Path, recordings: "Sequence[Measured]", summary: dict[str, Any], findings: "Sequence[Finding]"
) -> None:
    """Write the manifest, the page beside it and, where a model labelled, the review sheet."""
    from vad.prepare.manifest import manifest_text, review_text

    texts = {
        _page(output): _page_text(output, recordings, summary, findings),
        output: manifest_text(recordings, output.parent),
    }
    labelled = [one for one in recordings if one.probabilities.size]
    if labelled:
        texts[_sheet(output)] = review_text(labelled)
    for path, text in texts.items():
        with writing(path) as temporary:
            # A name need not be UTF-8: its stray bytes are written as JSON writes them, and the manifest finds it.
            temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
    print(f"wrote {', '.join(map(str, texts))}", file=sys.stderr)


def _page_text(
    output: Path, recordings: "Sequence[Measured]", summary: dict[str, Any], findings: "Sequence[Finding]"
) -> str:
    from vad.labels.cells import CELL_DURATION
    from vad.prepare.manifest import speech_of
    from vad.prepare.summary import distributions, summary_table
    from vad.report.corpus import Corpus, Distribution, LabelledRecording, corpus_page
    from vad.report.page import link_to

    def shown(measured: "Measured") -> LabelledRecording:
        recording = measured.recording
        facts = [
            *(recording.split, recording.kind, recording.speaker),
            *(f"{measured.duration:.1f} s", f"{measured.sample_rate} Hz"),
        ]
        return LabelledRecording(
            str(recording.path),
            ", ".join(filter(None, facts)),
            link_to(recording.path, output.parent),
            measured.duration,
            measured.levels_db,
            CELL_DURATION,
            speech_of(measured),
        )

    return corpus_page(
        Corpus(
            output.stem,
            summary_table(summary),
            [str(one) for one in findings if one.is_problem],
            [str(one) for one in findings if not one.is_problem],
            [Distribution(*one) for one in distributions(recordings)],
            [shown(one) for one in recordings],
        )
    )


def _shares(text: str) -> tuple[float, ...]:
    try:
        shares = tuple(float(part) for part in text.split(","))
    except ValueError:
        shares = ()
    if len(shares) != 3 or min(shares) < 0 or not math.isclose(sum(shares), 1.0) or shares[0] == 0:
        raise argparse.ArgumentTypeError(
            f"must be three shares that make 1, that of train above 0. Received: {text!r}"
        )
    return shares
