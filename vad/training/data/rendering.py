"""Scenes rendered once to disk, in shards that a stopped run takes up again."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import NoReturn

import numpy as np
from tqdm import tqdm

from vad.errors import ConfigError, VadError
from vad.files import writing
from vad.processes import in_order
from vad.training.data.decoded import DecodedCorpus
from vad.training.data.scene_config import SceneConfig
from vad.training.data.scenes import Mixer

__all__ = ["FULL_SCALE", "SCENES_PER_FILE", "render_scenes"]

SCENES_PER_FILE = 64
FULL_SCALE = 32_767


def render_scenes(
    bank: Path, split: str, folder: Path, config: SceneConfig, *, hours: float, seed: int, jobs: int
) -> list[Path]:
    """Renders ``hours`` of scenes in shards of 64; what is there already is kept, so it can be stopped and resumed.

    Args:
        bank: What `vad.training.data.decoded.decode_corpus` wrote.
        split: "train" or "dev".
        folder: Where the shards go.
        config: How to mix.
        hours: How much, rounded up to whole shards.
        seed: Decides every scene.
        jobs: Processes.

    Returns:
        The shards' label files, in order: what `vad.training.data.batches.Batches` reads.

    Raises:
        ConfigError: The folder holds scenes of another recipe, or the bank no speech in this split.
        VadError: A process was ended from outside, twice on the same shard.
    """
    make_renderer = partial(_Renderer, bank, split, folder, config, seed)
    make_renderer()  # what is wrong with the bank is told before any process starts
    folder.mkdir(parents=True, exist_ok=True)
    _keep_recipe(folder, json.dumps({"split": split, "seed": seed, **asdict(config)}, indent=1))
    count = math.ceil(hours * 3600 / (config.scene_s * SCENES_PER_FILE))
    shards = [folder / f"labels-{shard:05d}.npy" for shard in range(count)]
    missing = [shard for shard, path in enumerate(shards) if not path.exists()]
    rendered = in_order(make_renderer, missing, jobs, crashed=_crashed)
    done = count - len(missing)
    for _ in tqdm(
        rendered, f"render {split}", count, unit=" shards", initial=done, leave=False, disable=None
    ):
        pass
    return shards


def _keep_recipe(folder: Path, recipe: str) -> None:
    note = folder / "recipe.json"
    if not note.exists():
        with writing(note) as unfinished:
            unfinished.write_text(recipe, encoding="utf-8")
    if note.read_text(encoding="utf-8") != recipe:
        raise ConfigError(
            f"Shards of one folder must share a recipe. Received: {folder}, which holds another. "
            "Delete it or name another data folder."
        )


class _Renderer:
    def __init__(self, bank: Path, split: str, folder: Path, config: SceneConfig, seed: int):
        self._mixer, self._folder = Mixer(DecodedCorpus(bank, split), config, seed), folder

    def __call__(self, shard: int) -> None:
        first = shard * SCENES_PER_FILE
        scenes = [self._mixer.scene(index) for index in range(first, first + SCENES_PER_FILE)]
        # The labels come last: where they are, the shard is whole.
        for name, rows in (
            ("samples", [np.round(scene.samples * FULL_SCALE).astype(np.int16) for scene in scenes]),
            (
                "levels",
                [
                    np.array([scene.level_db, scene.faintest_db, scene.loudest_db], np.float32)
                    for scene in scenes
                ],
            ),
            ("labels", [np.round(scene.labels * 255).astype(np.uint8) for scene in scenes]),
        ):
            with writing(self._folder / f"{name}-{shard:05d}.npy") as unfinished:
                np.save(unfinished, np.stack(rows))


def _crashed(shard: int) -> NoReturn:
    raise VadError(
        f"Rendering needs its processes alive. Received: shard {shard}, whose process was ended twice, "
        "perhaps for want of memory. Run again with fewer jobs: what is rendered is kept."
    )
