"""Rendered scenes as batches, over many epochs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from vad.errors import ConfigError
from vad.labels.cells import CELL_DURATION
from vad.training.data.decoded import CELL
from vad.training.data.rendering import FULL_SCALE, SCENES_PER_FILE
from vad.training.data.scenes import FAINTEST_DB, LOUDEST_DB
from vad.training.networks import NetworkConfig

__all__ = ["Batches", "set_level", "targets"]

_PAUSE_REACH_CELLS = 75

Array: TypeAlias = npt.NDArray[np.float32]


class Batches:
    """Batches of scenes, in an order and at levels that the seed decides.

    They go through all scenes, then through all in another order. A batch depends on its step alone, so a resumed run
    gets the same batches as an unbroken one.

    Args:
        scenes: The label files that `vad.training.data.rendering.render_scenes` returned.
        network: Its frame and delays.
        batch_size: Scenes a batch.
        seed: Decides order and levels.
        pause_priors: One a file, as in `targets`; 0 for all by default.
        excerpt_s: Seconds of a scene in a batch, from any place on; 0 takes whole scenes.
        teach: Changes the targets of a batch, as `vad.training.teacher.Teacher` does.

    Raises:
        ConfigError: A file of scenes is damaged.
    """

    def __init__(
        self,
        scenes: list[Path],
        network: NetworkConfig,
        *,
        batch_size: int,
        seed: int,
        pause_priors: Sequence[float] = (),
        excerpt_s: float = 0.0,
        teach: Callable[[Array, Array], Array] | None = None,
    ):
        self._samples = [_loaded(_sibling(path, "samples"), mmap_mode="r") for path in scenes]
        self._levels = [_loaded(_sibling(path, "levels")) for path in scenes]
        self._labels = [_loaded(path) for path in scenes]
        self._network, self._batch_size, self._seed = network, batch_size, seed
        self._pause_priors = pause_priors or [0.0] * len(scenes)
        self._excerpt_cells = round(excerpt_s / CELL_DURATION)
        self._teach = teach

    def forever(self, step: int = 0, share: slice = slice(None)) -> Iterator[tuple[Array, Array]]:
        """All batches from ``step`` on, without end; of each, the scenes of ``share``."""
        return (self._part(n, share) for n in itertools.count(step))

    def __getitem__(self, step: int) -> tuple[Array, Array]:
        """Samples [shape=(batch, samples)] and targets [shape=(batch, frames[, 2])] of one step."""
        return self._part(step, slice(None))

    def _part(self, step: int, share: slice) -> tuple[Array, Array]:
        first = step * self._batch_size
        total = len(self._samples) * SCENES_PER_FILE
        places = range(first, first + self._batch_size)[share]
        pairs = [self._scene(*divmod(place, total)) for place in places]
        samples, wanted = map(np.stack, zip(*pairs, strict=True))
        return samples, self._teach(samples, wanted) if self._teach else wanted

    def _scene(self, epoch: int, place: int) -> tuple[Array, Array]:
        order = np.random.default_rng([self._seed, epoch]).permutation(len(self._samples) * SCENES_PER_FILE)
        file, row = divmod(int(order[place]), SCENES_PER_FILE)
        rng = np.random.default_rng([self._seed, epoch, place])
        samples, cells = self._samples[file][row], self._labels[file][row]
        if 0 < self._excerpt_cells < len(cells):
            at = int(rng.integers(len(cells) - self._excerpt_cells + 1))
            cells = cells[at : at + self._excerpt_cells]
            samples = samples[at * CELL : (at + self._excerpt_cells) * CELL]
        wanted = targets(cells, self._network, self._pause_priors[file])
        samples = set_level(rng, samples, *self._levels[file][row].tolist())
        return samples[: len(wanted) * self._network.frame_length], wanted


def set_level(
    rng: np.random.Generator,
    samples: npt.NDArray[np.int16],
    level_db: float,
    loudest_db: float = LOUDEST_DB,
) -> Array:
    """Scales talk to a random level, often to a usual one, and sometimes rounds to 16 bits.

    Args:
        rng: Source of randomness.
        samples: A scene [shape=(samples,)].
        level_db: The level of talk in it, dBFS.
        loudest_db: The highest level to scale to, dBFS.

    Returns:
        Samples in [-1, 1] [shape=(samples,)].
    """
    usual = rng.random() < 0.4
    target_db = rng.uniform(-36, -12) if usual else rng.uniform(FAINTEST_DB, loudest_db)
    target_db = min(target_db, loudest_db)
    scaled = samples * np.float32(10 ** ((target_db - level_db) / 20) / FULL_SCALE)
    if rng.random() < 0.5:
        dither = np.float32(0)
        if rng.random() < 0.5:
            noise = rng.random(len(samples), np.float32) - rng.random(len(samples), np.float32)
            dither = noise * (samples != 0)
        scaled = np.round(scaled * 32_768 + dither) / np.float32(32_768)
    return np.clip(scaled, -1, 1)


def targets(cells: npt.NDArray[np.uint8], network: NetworkConfig, pause_prior: float = 0.0) -> Array:
    """Targets of a network's outputs: the mean of the label cells over each frame, shifted by the delay.

    The first ``delay_frames`` targets are 0, since nobody speaks before the recording begins.

    Args:
        cells: Speech probability x 255 per 10 ms [shape=(cells,)].
        network: Its frame and delays.
        pause_prior: The highest speech probability of a pause, 0 to 1, reached where speech fills the 0.75 s on either
            side. Annotators differ: to some a pause between two words is silence, to others the turn goes on.

    Returns:
        [shape=(frames,)], or of a network with a lookahead output [shape=(frames, 2)].
    """
    per_frame = network.frame_length / CELL
    n = int(len(cells) / per_frame)
    sums = np.concatenate([[0.0], np.cumsum(cells, dtype=np.float64)])
    # A frame may end within a cell.
    until = np.interp(np.arange(n + 1) * per_frame, np.arange(len(sums)), sums)
    frames = (np.diff(until) / (255 * per_frame)).astype(np.float32)
    if pause_prior > 0:
        width = 2 * round(_PAUSE_REACH_CELLS / per_frame) + 1
        padded = np.pad(frames, width // 2, mode="edge")
        around = np.convolve(padded, np.full(width, 1 / width, np.float32), "valid")
        frames += (1 - frames) * np.float32(pause_prior) * around
    delayed = [np.concatenate([np.zeros(delay, np.float32), frames])[:n] for delay in network.delays]
    return np.stack(delayed, axis=-1) if network.lookahead_frames else delayed[0]


def _loaded(path: Path, mmap_mode: Literal["r"] | None = None) -> npt.NDArray[Any]:
    try:
        scenes: npt.NDArray[Any] = np.load(path, mmap_mode=mmap_mode)
    except (OSError, ValueError, EOFError) as error:
        raise ConfigError(
            f"the rendered scenes {path} are damaged: {error}. Delete {path.parent}: it is made again."
        ) from error
    return scenes


def _sibling(labels: Path, name: str) -> Path:
    return labels.with_name(labels.name.replace("labels", name))
