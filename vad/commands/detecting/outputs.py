"""Where `vad detect` writes: a path for each recording, checked before the work starts."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vad.commands.detecting.recordings import AudioInput, Task
from vad.commands.options.outputs import check_output, refuse_existing
from vad.errors import ConfigError
from vad.files import make_folder, writing
from vad.labels.formats import WITH_CHANNELS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = [
    "is_folder",
    "output_paths",
    "parquet_parts",
    "parquet_tables",
    "paths_in",
    "refuse_overwriting",
    "refuse_replacing",
    "save_probabilities",
]

_CHANNEL = r"\.ch\d+"


def is_folder(path: str, n_recordings: int) -> bool:
    """Decide whether an output is a folder: it exists as one, ends like one, or is for many recordings."""
    return os.path.isdir(path) or path.endswith(("/", os.sep)) or (n_recordings > 1 and not Path(path).suffix)


def parquet_tables(path: Path) -> tuple[Path, Path]:
    """Give the tables of segments and of recordings: two files, or in a folder two folders of parts."""
    if path.is_dir():
        return path / "segments", path / "recordings"
    return path, path.with_name(f"{path.stem}_recordings{path.suffix}")


def parquet_parts(folder: Path) -> list[Path]:
    """Give the parts of both tables that are in a folder."""
    return [part for table in parquet_tables(folder) for part in sorted(table.glob("part-*.parquet"))]


def refuse_overwriting(outputs: Iterable[Path], recordings: Iterable[AudioInput]) -> None:
    """Refuse to write over a recording.

    Raises:
        ConfigError: An output is one of the recordings.
    """
    inputs = {os.path.realpath(recording.path) for recording in recordings if recording.path is not None}
    for path in outputs:
        if os.path.realpath(path) in inputs:
            raise ConfigError(f"the output {path} would overwrite a recording. Give another output.")


def refuse_replacing(
    labels: Path | dict[AudioInput, Path] | None,
    tasks: Sequence[Task],
    segments: Iterable[Path],
    *,
    each_channel: bool,
    label_format: str = "text",
) -> None:
    """Refuse to replace any output: it may hold labels that somebody made by hand.

    Args:
        labels: The file for all results, or the folder of Parquet tables, a file for each recording, or None.
        tasks: The other files of each recording.
        segments: The files of segments that exist.
        each_channel: The files of a recording, but for its probabilities, get a suffix for each channel.
        label_format: If it tells channels apart, its files get none.

    Raises:
        ConfigError: Some outputs exist.
    """
    whole = [labels] if isinstance(labels, Path) else []
    if label_format == "parquet" and isinstance(labels, Path):
        whole = parquet_parts(labels) if labels.is_dir() else [*parquet_tables(labels)]
    whole += [task.probabilities for task in tasks if task.probabilities is not None]
    by_channel = [
        path
        for task in tasks
        for path in (task.speech, task.report, task.plot, task.trimmed)
        if path is not None
    ]
    by_channel += [task.segments.table for task in tasks if task.segments and task.segments.table]
    if isinstance(labels, dict):
        (whole if label_format in WITH_CHANNELS else by_channel).extend(labels.values())
    existing = _of_channels(by_channel) if each_channel else by_channel
    refuse_existing([*existing, *whole, *segments])


def _of_channels(outputs: Iterable[Path]) -> list[Path]:
    """Find the files whose names are those of the outputs, with a channel in them."""
    wanted = set(outputs)
    found = []
    for folder in sorted({path.parent for path in wanted}):
        for name in sorted(os.listdir(folder)):
            match = re.fullmatch(rf"(.*){_CHANNEL}(\.[^.]*)", name)
            if match and folder / "".join(match.groups()) in wanted:
                found.append(folder / name)
    return found


def output_paths(
    output: str | None,
    option: str,
    suffixes: tuple[str, ...],
    recordings: Sequence[AudioInput],
    *,
    ending: str | Callable[[AudioInput], str] | None = None,
) -> dict[AudioInput, Path]:
    """Give each recording its path: the output itself for a single recording, or a path in the output folder.

    Args:
        output: A file or a folder; None gives no paths.
        option: The option that names it.
        suffixes: The extensions that are allowed.
        recordings: All recordings.
        ending: The end of the names in a folder, as for `paths_in`; None takes the first extension.

    Raises:
        ConfigError: The output cannot be written, or does not fit so many recordings.
    """
    if output is None:
        return {}
    if is_folder(output, len(recordings)):
        return paths_in(Path(output), recordings, ending or suffixes[0])
    if len(recordings) != 1:
        raise ConfigError(f"{option} must be a folder for {len(recordings)} recordings. Received: {output}.")
    check_output(Path(output), option, suffixes, or_folder=True)
    refuse_overwriting([Path(output)], recordings)
    return {recordings[0]: Path(output)}


def paths_in(
    folder: Path, recordings: Iterable[AudioInput], ending: str | Callable[[AudioInput], str]
) -> dict[AudioInput, Path]:
    """Give each recording its path in an output folder, which mirrors the input folder, and make all folders.

    The path of `clip.wav` is `clip` and the ending, which may depend on the recording. If there is also a `clip.flac`,
    both keep their extensions.

    Raises:
        ConfigError: A recording is given twice, two would have the same path, a path is a recording, or a folder
            cannot be made or written to.
    """
    readable = [recording for recording in recordings if recording.problem is None]
    stems = Counter(recording.place.with_suffix("") for recording in readable)
    owners: dict[Path, AudioInput] = {}
    for recording in readable:
        place = recording.place
        is_unique = stems[place.with_suffix("")] == 1
        end = ending if isinstance(ending, str) else ending(recording)
        path = folder / place.with_name((place.stem if is_unique else place.name) + end)
        if path in owners:
            first = owners[path]
            paths = [os.path.realpath(one.path) for one in (first, recording) if one.path is not None]
            if len(paths) == 2 and paths[0] == paths[1]:
                raise ConfigError(f"{first.name} and {recording.name} are the same file. Leave one out.")
            raise ConfigError(
                f"{first.name} and {recording.name} would both be written to {path}. "
                "Give the folder that contains both."
            )
        owners[path] = recording
    refuse_overwriting(owners, readable)
    for parent in {folder, *(path.parent for path in owners)}:
        make_folder(parent)
    return {recording: path for path, recording in owners.items()}


def save_probabilities(path: Path, probabilities: "npt.NDArray[np.float32]", frame_duration: float) -> None:
    """Write frame probabilities: as CSV with a line for each frame if the path ends in .csv, else as .npz.

    The .npz has the arrays `probabilities` and `frame_duration`. The CSV has the columns start and probability, or
    probability_0, probability_1, ... of the channels.

    Args:
        path: The file.
        probabilities: [shape=(frames,) or (channels, frames)]
        frame_duration: Seconds; frame t starts at t * frame_duration.

    Raises:
        ConfigError: It cannot be written.
    """
    import numpy as np

    with writing(path) as temporary, open(temporary, "wb") as file:
        if path.suffix.lower() != ".csv":
            np.savez_compressed(file, probabilities=probabilities, frame_duration=frame_duration)
            return
        names = ["probability"]
        if probabilities.ndim == 2:
            names = [f"probability_{channel}" for channel in range(len(probabilities))]
        starts = np.arange(probabilities.shape[-1]) * frame_duration
        np.savetxt(
            file,
            np.column_stack([starts, probabilities.T]),
            fmt=["%.3f"] + ["%.6f"] * len(names),
            delimiter=",",
            header=",".join(["start", *names]),
            comments="",
        )
