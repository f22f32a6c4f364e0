"""Where results are written, and how: whole or not at all."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from vad.commands.detecting.recordings import AudioInput
from vad.errors import ConfigError
from vad.files import make_folder, writing

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["is_folder", "keep_recordings", "paths_in", "save_probabilities"]


def is_folder(path: str, recordings: int) -> bool:
    """Tell whether an output names a folder: it is one, ends like one, or is to hold the results of many."""
    return os.path.isdir(path) or path.endswith(("/", os.sep)) or (recordings > 1 and not Path(path).suffix)


def keep_recordings(outputs: Iterable[Path], recordings: Iterable[AudioInput]) -> None:
    """Refuse to write over what is to be heard.

    Raises:
        ConfigError: An output is one of the recordings.
    """
    heard = {os.path.realpath(recording.path) for recording in recordings}
    for path in outputs:
        if os.path.realpath(path) in heard:
            raise ConfigError(
                f"{path}: output must not be one of the recordings. Received: one. Name another."
            )


def paths_in(folder: Path, recordings: Iterable[AudioInput], ending: str) -> dict[AudioInput, Path]:
    """Give each recording a path of its own in an output folder, below the folders that it was found in.

    `clip.wav` becomes `clip` and the ending; beside a `clip.flac` both keep their whole names. The folders are
    made now: better than to learn after hours of work that they cannot be.

    Raises:
        ConfigError: A recording is given twice, two would have the same path, one's output is another, or a
            folder cannot be made or written to.
    """
    openable = [recording for recording in recordings if recording.problem is None]
    stems = Counter(recording.place.with_suffix("") for recording in openable)
    taken: dict[Path, AudioInput] = {}
    for recording in openable:
        place = recording.place
        alone = stems[place.with_suffix("")] == 1
        path = folder / place.with_name((place.stem if alone else place.name) + ending)
        if path in taken and os.path.realpath(taken[path].path) == os.path.realpath(recording.path):
            raise ConfigError(
                "a recording must be given once where each has an output of its own. "
                f"Received: {taken[path].name} and {recording.name}, which are one file. Leave one out."
            )
        if path in taken:
            raise ConfigError(
                "every recording must have an output of its own. "
                f"Received: {taken[path].name} and {recording.name} for {path}. "
                "Give the folder that both lie in."
            )
        taken[path] = recording
    keep_recordings(taken, openable)
    for parent in {folder, *(path.parent for path in taken)}:
        make_folder(parent)
    return {recording: path for path, recording in taken.items()}


def save_probabilities(path: Path, probabilities: "npt.NDArray[np.float32]", frame_duration: float) -> None:
    """Write frame probabilities: CSV with a line a frame where the path ends in .csv, NumPy's .npz elsewhere.

    The .npz holds `probabilities` as they are, and `frame_duration`. The CSV has the columns start and
    probability, or probability_0, probability_1, ... of every channel.

    Args:
        path: Where to write.
        probabilities: [shape=(frames,) or (channels, frames)]
        frame_duration: In seconds; frame t begins at t * frame_duration.

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
