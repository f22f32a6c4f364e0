"""Where results are written, and how: whole or not at all."""

import contextlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vad.commands.recordings import Recording
from vad.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["is_folder", "paths_in", "save_probabilities", "writing"]


def is_folder(path: str, recordings: int) -> bool:
    """Tell whether an output names a folder: it is one, ends like one, or is to hold the results of many."""
    return os.path.isdir(path) or path.endswith(("/", os.sep)) or (recordings > 1 and not Path(path).suffix)


def paths_in(folder: Path, recordings: Sequence[Recording], ending: str) -> list[Path]:
    """Give each recording a path of its own in an output folder, with the folders that it was found in.

    `clip.wav` becomes `clip` and the ending; beside a `clip.flac` both keep their whole names.

    Raises:
        ConfigError: Two recordings would have the same path.
    """
    stems = Counter(recording.place.with_suffix("") for recording in recordings)
    taken: dict[Path, str] = {}
    for recording in recordings:
        place = recording.place
        alone = stems[place.with_suffix("")] == 1
        path = folder / place.with_name((place.stem if alone else place.name) + ending)
        if path in taken:
            raise ConfigError(
                "every recording must have an output of its own. "
                f"Received: {taken[path]} and {recording.name} for {path}. Give the folder that both lie in."
            )
        taken[path] = recording.name
    return list(taken)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to, which becomes `path` at the end and vanishes on an error.

    A link is followed; what is no regular file (a terminal, a pipe, /dev/null) is written to as it is.

    Raises:
        ConfigError: The folder or the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    special = target.exists() and not target.is_file()
    temporary = target if special else target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        if not special:
            os.replace(temporary, target)
    except OSError as error:
        raise ConfigError(f"{path}: output must be writable. Received: {error.strerror or error}.") from error
    finally:
        if not special:
            with contextlib.suppress(OSError):  # it is the finished file now, or was never there
                temporary.unlink()


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
