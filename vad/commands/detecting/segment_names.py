"""The names of the files of `vad detect --save-segments`."""

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vad.audio.writing import WRITTEN_SUFFIXES, check_suffix
from vad.commands.detecting.outputs import paths_in
from vad.commands.detecting.recordings import AudioInput
from vad.commands.options.templates import Template
from vad.detection.segments import Segment
from vad.errors import ConfigError
from vad.files import write_text
from vad.labels.reading import path_to_cell, seconds

__all__ = ["SegmentNames", "existing_segments", "segment_names", "write_table"]

_NAMES = {"name": "", "channel": ""}
_OPTION = "--save-segments"
_DEFAULT = "{name}_{id:04d}_{start:.3f}-{end:.3f}.wav"


@dataclass(frozen=True)
class SegmentNames:
    """The names of one recording's files.

    Attributes:
        stem: The folder, and the {name} in it.
        template: Of the names.
        channel: "mix" or an index: the {channel} where a recording is not analysed channel by channel.
        overwrite: Files that exist are replaced.
        table: For the names and the times of chunks; None for segments, whose names have the times.
    """

    stem: Path
    template: Template
    channel: str
    overwrite: bool
    table: Path | None = None

    def paths(self, segments: Sequence[Segment], suffix: str) -> list[Path]:
        """Give the path of each segment.

        Args:
            segments: Of one channel.
            suffix: Of the channel, as in `Result.channels`. It is part of the {name} where there is no {channel}.

        Raises:
            ConfigError: Two segments have one name, or a file exists.
        """
        name = self.stem.name if "channel" in self.template.fields else self.stem.name + suffix
        channel = suffix.removeprefix(".ch") or self.channel
        paths = [
            self.stem.with_name(self.template.format(number, segment, name=name, channel=channel))
            for number, segment in enumerate(segments, 1)
        ]
        path, count = next(iter(Counter(paths).most_common(1)), (None, 0))
        if count > 1:
            raise ConfigError(
                f"{count} segments would be called {path}. None was written. Add {{id}} to {_OPTION}."
            )
        existing = None if self.overwrite else next(filter(os.path.exists, paths), None)
        if existing is not None:
            raise ConfigError(f"{existing} would be replaced. No segment of this recording was written.")
        return paths

    def pattern(self, *, each_channel: bool) -> str:
        """Give a regular expression for the names of all recordings in the folder; its group `name` is {name}."""
        is_suffix = each_channel and "channel" not in self.template.fields
        name = r"(?P<name>.+)\.ch\d+" if is_suffix else "(?P<name>.+)"
        start, first, rest = self.template.pattern(name=name, channel=r"(?:mix|\d+)").partition(name)
        return start + first + rest.replace(name, ".+")


def segment_names(
    output: str | None,
    recordings: Sequence[AudioInput],
    channel: str | int,
    *,
    overwrite: bool,
    are_chunks: bool = False,
) -> dict[AudioInput, SegmentNames]:
    """Give each recording the names of its files, and make the folders.

    Args:
        output: A folder, or a template of paths; None gives no names.
        recordings: All recordings.
        channel: "mix", "each" or an index.
        overwrite: Files that exist are replaced.
        are_chunks: Write a table of the files too.

    Raises:
        ConfigError: The template has a wrong field, gives several segments one name, or has no known extension; or a
            folder cannot be made.
    """
    if output is None:
        return {}
    folder, name = output, _DEFAULT
    is_file = "{" in output or os.path.splitext(output)[1].lower() in WRITTEN_SUFFIXES
    if is_file and not os.path.isdir(output):
        folder, name = os.path.split(output)
        if "{" in folder:
            raise ConfigError(f"{_OPTION} must have no field in its folder. Received: {folder}.")
    template = _template(name)
    if not template.fields & {"id", "start", "end"}:
        raise ConfigError(
            f"{_OPTION} must have {{id}}, {{start}} or {{end}}, so that each segment has a name of its own. "
            f"Received: {name}."
        )
    if len(recordings) > 1 and "name" not in template.fields:
        raise ConfigError(f"{_OPTION} must have {{name}} for {len(recordings)} recordings. Received: {name}.")
    stems = paths_in(Path(folder), recordings, "")
    return {
        one: SegmentNames(
            stem,
            template,
            str(channel),
            overwrite,
            stem.with_name(f"{stem.name}_chunks.csv") if are_chunks else None,
        )
        for one, stem in stems.items()
    }


def write_table(path: Path, files: Sequence[Path], segments: Sequence[Segment]) -> None:
    """Write the name of each file, and where it starts and ends in the recording, in seconds, as CSV.

    Raises:
        ConfigError: It cannot be written.
    """
    sheet = io.StringIO()
    rows = csv.writer(sheet, lineterminator="\n")
    rows.writerow(["file", "start", "end"])
    for file, segment in zip(files, segments, strict=True):
        rows.writerow([path_to_cell(file.name), seconds(segment.start), seconds(segment.end)])
    write_text(path, sheet.getvalue())


def existing_segments(names: Iterable[SegmentNames], *, each_channel: bool) -> list[Path]:
    """Find the files that exist under these names.

    Args:
        names: Of all recordings, from one template.
        each_channel: Recordings are analysed channel by channel.
    """
    stems = {one.stem: one for one in names}
    found = []
    for folder in sorted({stem.parent for stem in stems}):
        pattern = re.compile(next(iter(stems.values())).pattern(each_channel=each_channel))
        for name in sorted(os.listdir(folder)):
            match = pattern.fullmatch(name)
            if match and ("name" not in match.groupdict() or folder / match["name"] in stems):
                found.append(folder / name)
    return found


def _template(name: str) -> Template:
    """Make the template of a name. Without an extension it gets .wav."""
    template = Template(name, _OPTION, _NAMES, is_file_name=True)
    if not os.path.splitext(f"x{template.ending}")[1]:
        return Template(f"{name}.wav", _OPTION, _NAMES, is_file_name=True)
    check_suffix(name, _OPTION)
    return template
