"""Scenes rendered once to disk, in files of 64, which a stopped run completes."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from vad.errors import ConfigError, VadError
from vad.files import remove_unfinished, writing
from vad.processes import in_order
from vad.training.data.decoded import DecodedCorpus
from vad.training.data.scene_config import SceneConfig
from vad.training.data.scenes import Mixer

__all__ = ["FULL_SCALE", "SCENES_PER_FILE", "render_scenes"]

SCENES_PER_FILE = 64
FULL_SCALE = 32_767


def render_scenes(
    corpus: Path, split: str, folder: Path, config: SceneConfig, *, hours: float, seed: int, jobs: int
) -> list[Path]:
    """Renders ``hours`` of scenes in files of 64. Files that exist are kept, so it can be stopped and resumed.

    Args:
        corpus: The folder that `vad.training.data.decoded.decode_corpus` wrote.
        split: "train" or "dev".
        folder: Where to write.
        config: How to mix.
        hours: How much, rounded up to whole files.
        seed: Decides every scene.
        jobs: Processes.

    Returns:
        The label files, in order: the input of `vad.training.data.batches.Batches`.

    Raises:
        ConfigError: The folder holds scenes of another config, or the corpus no speech in this split.
        VadError: A process was ended from outside, twice on the same file.
    """
    make_renderer = partial(_Renderer, corpus, split, folder, config, seed)
    make_renderer()  # raises before any process starts
    folder.mkdir(parents=True, exist_ok=True)
    remove_unfinished(folder)
    _check_config(folder, json.dumps({"split": split, "seed": seed, **asdict(config)}, indent=1))
    count = math.ceil(hours * 3600 / (config.scene_s * SCENES_PER_FILE))
    files = [folder / f"labels-{number:05d}.npy" for number in range(count)]
    missing = [number for number, path in enumerate(files) if not path.exists()]
    rendered = in_order(make_renderer, missing, jobs, crashed=_crashed)
    done = count - len(missing)
    progress = tqdm(
        rendered, f"render {split}", count, unit=" files", initial=done, leave=False, disable=None
    )
    for _ in progress:
        pass
    return files


def _check_config(folder: Path, config: str) -> None:
    note = folder / "recipe.json"
    if not note.exists():
        with writing(note) as unfinished:
            unfinished.write_text(config, encoding="utf-8")
    if note.read_text(encoding="utf-8") != config:
        raise ConfigError(
            f"{folder} holds scenes of other mixing options. Delete it or name another data folder."
        )


class _Renderer:
    def __init__(self, corpus: Path, split: str, folder: Path, config: SceneConfig, seed: int):
        self._mixer, self._folder = Mixer(DecodedCorpus(corpus, split), config, seed), folder

    def __call__(self, number: int) -> None:
        first = number * SCENES_PER_FILE
        scenes = [self._mixer.scene(index) for index in range(first, first + SCENES_PER_FILE)]
        levels = [[scene.level_db, scene.loudest_db] for scene in scenes]
        arrays: dict[str, npt.NDArray[Any]] = {
            "samples": np.stack([np.round(one.samples * FULL_SCALE).astype(np.int16) for one in scenes]),
            "levels": np.array(levels, np.float32),
            # The labels come last: a file of labels means that the others are there.
            "labels": np.stack([np.round(scene.labels * 255).astype(np.uint8) for scene in scenes]),
        }
        for name, array in arrays.items():
            with writing(self._folder / f"{name}-{number:05d}.npy") as unfinished:
                np.save(unfinished, array)


def _crashed(number: int) -> NoReturn:
    raise VadError(
        f"a rendering process was ended twice on file {number}, perhaps for want of memory. "
        "Run again with fewer jobs: what is rendered is kept."
    )
