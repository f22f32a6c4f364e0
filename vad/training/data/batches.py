"""Rendered scenes read back as batches, over many epochs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from vad.training.data.decoded import CELL
from vad.training.data.rendering import FULL_SCALE, SCENES_PER_FILE
from vad.training.data.scenes import FAINTEST_DB, LOUDEST_DB
from vad.training.networks import NetworkConfig

__all__ = ["Batches", "set_level", "targets"]

_PAUSE_REACH_CELLS = 75

Batch: TypeAlias = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


class Batches:
    """Batches of scenes, in an order and at levels that the seed decides.

    Step after step they go through all scenes, then through all in another order. A step's batch does not depend on
    how one came there, so a resumed training hears what an unbroken one does.

    Args:
        shards: What `vad.training.data.rendering.render_scenes` gave.
        network: Tells frame and delay.
        batch_size: Scenes a batch.
        seed: Decides order and levels.
        pause_priors: One a shard, as `targets` takes it; without, 0 for all.
    """

    def __init__(
        self,
        shards: list[Path],
        network: NetworkConfig,
        *,
        batch_size: int,
        seed: int,
        pause_priors: Sequence[float] = (),
    ):
        self._samples = [np.load(_sibling(path, "samples"), mmap_mode="r") for path in shards]
        self._levels = [np.load(_sibling(path, "levels")) for path in shards]
        self._labels = [np.load(path) for path in shards]
        self._network, self._batch_size, self._seed = network, batch_size, seed
        self._pause_priors = pause_priors or [0.0] * len(shards)

    def forever(self, step: int = 0) -> Iterator[Batch]:
        """All batches from ``step`` on, without end."""
        for n in itertools.count(step):
            yield self[n]

    def __getitem__(self, step: int) -> Batch:
        """Samples [shape=(batch, samples)] and targets [shape=(batch, frames[, 2])] of one step."""
        first = step * self._batch_size
        total = len(self._samples) * SCENES_PER_FILE
        pairs = [self._scene(*divmod(place, total)) for place in range(first, first + self._batch_size)]
        samples, labels = zip(*pairs, strict=True)
        return np.stack(samples), np.stack(labels)

    def _scene(self, turn: int, place: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        order = np.random.default_rng([self._seed, turn]).permutation(len(self._samples) * SCENES_PER_FILE)
        shard, row = divmod(int(order[place]), SCENES_PER_FILE)
        rng = np.random.default_rng([self._seed, turn, place])
        samples = set_level(rng, self._samples[shard][row], *self._levels[shard][row].tolist())
        return samples, targets(self._labels[shard][row], self._network, self._pause_priors[shard])


def set_level(
    rng: np.random.Generator,
    samples: npt.NDArray[np.int16],
    level_db: float,
    faintest_db: float = FAINTEST_DB,
    loudest_db: float = LOUDEST_DB,
) -> npt.NDArray[np.float32]:
    """Brings talk to a level from -60 to -3 dBFS, often to a usual one, and at times to 16 bits.

    Args:
        rng: Source of randomness.
        samples: A scene [shape=(samples,)].
        level_db: The level talk has in it, dBFS.
        faintest_db: The lowest level to bring it to, dBFS.
        loudest_db: The highest.

    Returns:
        Samples in [-1, 1] [shape=(samples,)].
    """
    usual = rng.random() < 0.4
    target_db = rng.uniform(-36, -12) if usual else rng.uniform(FAINTEST_DB, LOUDEST_DB)
    target_db = min(max(target_db, faintest_db), loudest_db)
    scaled = samples * np.float32(10 ** ((target_db - level_db) / 20) / FULL_SCALE)
    if rng.random() < 0.5:
        dither = np.float32(0)
        if rng.random() < 0.5:
            dither = (rng.random(len(samples), np.float32) - rng.random(len(samples), np.float32)) * (
                samples != 0
            )
        scaled = np.round(scaled * 32_768 + dither) / np.float32(32_768)
    return np.clip(scaled, -1, 1)


def targets(
    cells: npt.NDArray[np.uint8], network: NetworkConfig, pause_prior: float = 0.0
) -> npt.NDArray[np.float32]:
    """Label cells as a network's targets: the mean over each frame, later by the delay.

    Nobody speaks before the recording begins, so the first ``delay_frames`` targets are 0. Of a network that decides
    twice there are two targets a frame, the prompt and the late one. [shape=(frames,) or (frames, 2)]

    Args:
        cells: Speech probability x 255 per 10 ms [shape=(cells,)].
        network: Tells frame and delay.
        pause_prior: What a pause keeps of the talk around it, 0 to 1. Annotators differ: to some a pause between two
            words is silence, to others the speaker's turn goes on. So a pause gets up to this probability, by the
            share of speech within 0.75 s on either side, and is neither speech nor as silent as an empty room.
    """
    per_frame = network.frame_length // CELL
    n = len(cells) // per_frame
    frames = cells[: n * per_frame].reshape(n, per_frame).mean(axis=1, dtype=np.float32) / 255
    if pause_prior > 0:
        width = 2 * round(_PAUSE_REACH_CELLS / per_frame) + 1
        around = np.convolve(
            np.pad(frames, width // 2, mode="edge"), np.full(width, 1 / width, np.float32), "valid"
        )
        frames += (1 - frames) * np.float32(pause_prior) * around
    delayed = [np.concatenate([np.zeros(delay, np.float32), frames])[:n] for delay in network.delays]
    return np.stack(delayed, axis=-1) if network.lookahead_frames else delayed[0]


def _sibling(labels: Path, name: str) -> Path:
    return labels.with_name(labels.name.replace("labels", name))
