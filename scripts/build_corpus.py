"""Builds the training corpus again from its public sources.

    python scripts/build_corpus.py --out corpus [--only SOURCE ...] [--mirror DIR]

data/sources.toml names the sources: git repositories at their commits, and packages of Debian 12. data/corpus has the
rows of the manifest and the labels. `vad train --corpus corpus` takes the result: 16 kHz mono FLAC. A stopped run goes
on with the same command. Needs the `media` extra, git, and apt-get and dpkg-deb for the packages.
"""

from __future__ import annotations

import argparse
import json
import lzma
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt
from game_archives import unpack
from tqdm import tqdm

from vad.audio.reading import read_audio
from vad.audio.writing import write_audio
from vad.errors import VadError, did_you_mean
from vad.files import make_folder, write_text, writing

DATA = Path(__file__).parent.parent / "data"
SAMPLE_RATE = 16_000
_ROUNDING_S = (
    0.05  # the manifest's durations are rounded, and decoders differ in the padding that they cut off
)
# Many rows name a file as a copy of its source had it: below another folder, and as FLAC.
_SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".wv", ".gsm", ".voc", ".aiff")

Row = dict[str, Any]
Table = dict[str, str]
Labels = Mapping[str, npt.NDArray[np.uint8]]


class MissingError(Exception):
    """A source or a recording cannot be had. The message says why."""


@dataclass(frozen=True)
class Files:
    """The files of a source: their names, what gets many in one go, and what gives one on the disk."""

    names: Collection[str]
    fetch: Callable[[Iterable[str]], object]
    path: Callable[[str], Path]


def git_files(table: Table, folder: Path, temporary: Path, mirror: Path | None) -> Files:
    """Lists the files of a repository at a commit. Only the commit's tree and the files that are needed are fetched."""
    name = "/".join(table["url"].split("/")[-2:])
    is_local = mirror is not None and (mirror / name).is_dir()
    repository = (mirror if mirror and is_local else folder) / name

    def git(*arguments: str, given: bytes = b"") -> bytes:
        # Without negotiation, as git itself fetches what a partial clone lacks.
        return run(
            "git", "-C", str(repository), "-c", "fetch.negotiationAlgorithm=noop", *arguments, given=given
        )

    def fetch(names: Iterable[str]) -> None:
        if not is_local:
            objects = "\n".join({blobs[one] for one in names})
            git(*fetching, "--no-write-fetch-head", "--stdin", "origin", given=objects.encode())

    def path(wanted: str) -> Path:
        copy = temporary / f"file{Path(wanted).suffix}"
        copy.write_bytes(git("cat-file", "blob", blobs[wanted]))
        return copy

    fetching = ("fetch", "--quiet", "--no-tags", "--filter=blob:none")
    if not is_local:
        if not (repository / "config").is_file():
            repository.mkdir(parents=True, exist_ok=True)
            git("init", "--quiet", "--bare")
            git("remote", "add", "origin", table["url"])
        git(*fetching, "--depth=1", "origin", table["commit"])
    tree = git("ls-tree", "-r", "-z", table["commit"]).decode(errors="surrogateescape")
    blobs = {line.split("\t", 1)[1]: line.split()[2] for line in tree.split("\0") if line}
    return Files(blobs, fetch, path)


def debian_files(table: Table, folder: Path, temporary: Path, mirror: Path | None) -> Files:
    """Downloads and unpacks a package."""

    def packages(place: Path | None) -> list[Path]:
        found = place.glob(f"{table['package']}_*.deb") if place else ()
        return [path for path in found if unquote(path.name).split("_")[1] == table["version"]]

    downloads = folder / "packages"
    if not packages(mirror) and not packages(downloads):
        run("apt-get", "download", "--quiet=2", f"{table['package']}={table['version']}", folder=downloads)
    run("dpkg-deb", "-x", str([*packages(mirror), *packages(downloads)][0]), str(temporary))
    for archive in [path for path in temporary.rglob("*.*") if path.is_file()]:
        unpack(archive, temporary)
    files = [path for path in temporary.rglob("*") if path.is_file() and not path.is_symlink()]
    paths = {path.relative_to(temporary).as_posix(): path for path in files}
    return Files(paths, lambda _: None, paths.__getitem__)


def run(*command: str, folder: Path | None = None, given: bytes = b"") -> bytes:
    """Runs a program and returns its output. If it fails, its last line is the reason."""
    try:
        ended = subprocess.run(command, cwd=folder, input=given, capture_output=True)
    except FileNotFoundError as error:
        raise MissingError(f"the program {command[0]} is not installed") from error
    if ended.returncode:
        said = ended.stderr.decode(errors="replace").strip() or f"{command[0]} failed"
        raise MissingError(said.splitlines()[-1])
    return ended.stdout


def matched(originals: Iterable[str], names: Collection[str]) -> dict[str, str]:
    """The file of each original: with its name, or without its first folders and with another suffix."""
    known = {_plain(name): name for name in sorted(names, key=_suffix_rank, reverse=True)}
    known |= {name: name for name in names}
    found = {}
    for original in originals:
        parts = original.split("/")
        wanted = (original, *(_plain("/".join(parts[first:])) for first in range(len(parts))))
        found[original] = next((known[one] for one in wanted if one in known), "")
    return {original: name for original, name in found.items() if name}


def _suffix_rank(name: str) -> int:
    return (*_SUFFIXES, Path(name).suffix.lower()).index(Path(name).suffix.lower())


def _plain(name: str) -> str:
    return re.sub(r"[^\w./+-]", "_", str(Path(name).with_suffix("")))


def build_row(row: Row, path: Path, target: Path) -> None:
    """Decodes a recording, cuts out the part that the row names, and writes it."""
    try:
        samples = read_audio(path, sample_rate=SAMPLE_RATE)
    except VadError as error:
        raise MissingError(str(error).removeprefix(f"{path}: ")) from error
    if "original_start" in row:
        start = round(row["original_start"] * SAMPLE_RATE)
        samples = samples[start : start + round(row["duration"] * SAMPLE_RATE)]
    seconds = len(samples) / SAMPLE_RATE
    if abs(seconds - row["duration"]) > _ROUNDING_S:
        raise MissingError(f"it has {seconds:.2f} s, the manifest has {row['duration']:.2f} s")
    samples = samples - samples.mean()  # some have an offset far above their sound; levels are measured later
    target.parent.mkdir(parents=True, exist_ok=True)
    write_audio(target, [samples[:, None]], SAMPLE_RATE, 1, "PCM_16", seconds)


def is_built(row: Row, out: Path) -> bool:
    """Whether the recording is there. Files are written whole or not at all."""
    return (out / row["audio_filepath"]).exists()


def build_source(table: Table, rows: list[Row], out: Path, mirror: Path | None) -> Iterator[str]:
    """Builds the rows of a source. After each, yields why it cannot be had, or else ""."""
    built = 0
    with tempfile.TemporaryDirectory(dir=out / "sources") as temporary:
        try:
            if "left_out" in table:
                raise MissingError(table["left_out"])
            open_source = git_files if table["kind"] == "git" else debian_files
            files = open_source(table, out / "sources", Path(temporary), mirror)
            found = matched((row["original"] for row in rows), files.names)
            files.fetch(found.values())
            for row in rows:
                reason = ""
                try:
                    if row["original"] not in found:
                        raise MissingError("there is no such file")
                    build_row(row, files.path(found[row["original"]]), out / row["audio_filepath"])
                except MissingError as error:
                    reason = str(error)
                yield reason
                built += 1
        except MissingError as error:
            yield from [str(error)] * (len(rows) - built)


def read_rows(folder: Path, sources: Mapping[str, Table]) -> tuple[list[Row], Labels]:
    """The rows of the manifest, with what the tables of their sources say, and the soft labels by file."""
    with lzma.open(folder / "manifest.jsonl.xz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for row in rows:
        table = sources[row["source"]]
        row.setdefault("commit", table.get("commit") or table.get("version"))
        row.setdefault("license", table["licence"])
    with np.load(folder / "soft_labels.npz") as stored:
        parts = np.split(stored["cells"], np.cumsum(stored["lengths"], dtype=int)[:-1])
    speech = [row["audio_filepath"].replace("/", "|") for row in rows if row["kind"] == "speech"]
    return rows, dict(zip(speech, parts, strict=True))


def write_corpus(rows: list[Row], labels: Labels, out: Path) -> None:
    """Writes the manifest and the soft labels of these rows."""
    keys = {row["audio_filepath"].replace("/", "|") for row in rows}
    with writing(out / "soft_labels.npz") as path:
        np.savez_compressed(path, **{key: cells for key, cells in labels.items() if key in keys})
    write_text(out / "manifest.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def main(arguments: list[str] | None = None) -> int:
    """Builds the sources that are named, or all. Returns 1 if a recording could not be had."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the corpus' folder")
    parser.add_argument("--only", nargs="+", metavar="SOURCE", help="these sources (default: all)")
    parser.add_argument("--mirror", type=Path, metavar="DIR", help="has OWNER/NAME (clones) and *.deb")
    args = parser.parse_args(arguments)
    sources: dict[str, Table] = tomllib.loads((DATA / "sources.toml").read_text(encoding="utf-8"))
    for name in args.only or ():
        if name not in sources:
            parser.error(f"no source is named {name}.{did_you_mean(name, sources)} See sources.toml.")
    if args.mirror and not args.mirror.is_dir():
        parser.error(f"--mirror must be a folder. Received: {args.mirror}.")
    make_folder(args.out / "sources/packages")
    rows, labels = read_rows(DATA / "corpus", sources)
    missing = 0
    for name in args.only or sources:
        wanted = [row for row in rows if row["source"] == name and not is_built(row, args.out)]
        reasons = build_source(sources[name], wanted, args.out, args.mirror) if wanted else ()
        progress = tqdm(reasons, name, len(wanted), unit=" recordings", leave=False, disable=None)
        for row, reason in zip(wanted, progress, strict=True):
            if reason:
                missing += 1
                progress.write(f"cannot get {row['original']} of {name}: {reason}.", file=sys.stderr)
    built = [row for row in rows if is_built(row, args.out)]
    write_corpus(built, labels, args.out)
    print(f"{args.out}: {len(built)} of {len(rows)} recordings. Not to be had: {missing}.", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except VadError as error:
        sys.exit(f"build_corpus.py: {error}")
