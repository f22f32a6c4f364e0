"""Scenes on disk: whole after any kill, one recipe a folder, the same however they were rendered."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import tiny_corpus

from vad.errors import ConfigError
from vad.training.data.decoded import DecodedCorpus, decode_corpus
from vad.training.data.rendering import SCENES_PER_FILE, render_scenes
from vad.training.data.scene_config import SceneConfig
from vad.training.data.scenes import Mixer

# What a scene holds is no matter here: without what takes long.
CONFIG = SceneConfig(scene_s=1.0, room=0.0, events=0.0, background=0.0, babble=0.0, handling=0.0)
HOURS_PER_FILE = SCENES_PER_FILE * CONFIG.scene_s / 3600
FILES = 3


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("files")
    return decode_corpus(tiny_corpus.write(place), place / "bank", jobs=1)


def render(decoded: Path, folder: Path, **changed: Any) -> list[Path]:
    wanted: dict[str, Any] = {"hours": FILES * HOURS_PER_FILE, "seed": 5, "jobs": 1, "split": "train"}
    wanted |= {"config": CONFIG, **changed}
    return render_scenes(decoded, wanted.pop("split"), folder, wanted.pop("config"), **wanted)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def unbroken(decoded: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("unbroken")
    render(decoded, folder)
    return contents(folder)


def test_rendering_hold_the_mixers_scenes_in_order(
    decoded: Path, unbroken: dict[str, bytes], tmp_path: Path
) -> None:
    files = render(decoded, tmp_path, hours=2 * HOURS_PER_FILE)
    assert files == [tmp_path / "labels-00000.npy", tmp_path / "labels-00001.npy"]
    scene = Mixer(DecodedCorpus(decoded, "train"), CONFIG, 5).scene(SCENES_PER_FILE + 3)
    samples, labels, levels = (np.load(tmp_path / f"{x}-00001.npy") for x in ("samples", "labels", "levels"))
    assert samples.dtype == np.int16
    np.testing.assert_allclose(samples[3] / 32767, scene.samples, atol=0.51 / 32767)
    np.testing.assert_allclose(labels[3] / 255, scene.labels, atol=0.51 / 255)
    assert levels[3] == pytest.approx([scene.level_db, scene.loudest_db], abs=1e-4)


def test_what_is_lost_is_rendered_again_and_the_rest_kept(
    decoded: Path, unbroken: dict[str, bytes], tmp_path: Path
) -> None:
    files = render(decoded, tmp_path)
    kept = files[2].stat().st_mtime_ns
    for path in tmp_path.glob("*-00000.npy"):
        path.unlink()
    # A kill between a file's samples and its labels.
    files[1].unlink()
    (tmp_path / "samples-00001.npy").write_bytes(b"half")
    assert render(decoded, tmp_path) == files
    assert contents(tmp_path) == unbroken
    assert files[2].stat().st_mtime_ns == kept


def test_a_killed_rendering_goes_on_to_the_same_end(
    decoded: Path, unbroken: dict[str, bytes], tmp_path: Path
) -> None:
    code = (
        "import os, sys, pathlib; sys.path[:0] = sys.argv[1].split(os.pathsep)\n"
        "import test_rendering; test_rendering.render(*map(pathlib.Path, sys.argv[2:]))"
    )
    command = [sys.executable, "-c", code, os.pathsep.join(sys.path), str(decoded), str(tmp_path)]
    with subprocess.Popen(command) as process:
        while not list(tmp_path.glob("labels-*")) and process.poll() is None:
            time.sleep(0.002)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    found = [name for name in unbroken if (tmp_path / name).exists()]
    assert 0 < len(found) < len(unbroken)
    render(decoded, tmp_path)
    for unfinished in tmp_path.glob(".part-*"):
        unfinished.unlink()
    assert contents(tmp_path) == unbroken


def test_processes_change_nothing(decoded: Path, unbroken: dict[str, bytes], tmp_path: Path) -> None:
    render(decoded, tmp_path, jobs=2)
    assert contents(tmp_path) == unbroken


def test_more_hours_of_a_recipe_go_on_where_it_stopped(
    decoded: Path, unbroken: dict[str, bytes], tmp_path: Path
) -> None:
    (first,) = render(decoded, tmp_path, hours=HOURS_PER_FILE / 100)
    rendered = first.stat().st_mtime_ns
    assert len(render(decoded, tmp_path)) == FILES
    assert first.stat().st_mtime_ns == rendered
    assert contents(tmp_path) == unbroken


@pytest.mark.parametrize("changed", [{"seed": 6}, {"split": "dev"}, {"config": replace(CONFIG, noise=0.71)}])
def test_scenes_of_other_mixing_options_are_refused(
    decoded: Path, tmp_path: Path, changed: dict[str, Any]
) -> None:
    render(decoded, tmp_path, hours=HOURS_PER_FILE)
    before = contents(tmp_path)
    with pytest.raises(ConfigError, match=re.escape(str(tmp_path))):
        render(decoded, tmp_path, **changed)
    assert contents(tmp_path) == before


def test_a_split_without_speech_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    manifest = tiny_corpus.write(tmp_path / "corpus")
    manifest.write_text("\n".join(line for line in manifest.read_text().splitlines() if "emil" not in line))
    decoded = decode_corpus(manifest, tmp_path / "bank", jobs=1)
    with pytest.raises(ConfigError, match="dev with none"):
        render(decoded, tmp_path / "dev", split="dev", jobs=2)
    assert not (tmp_path / "dev").exists()


# Batches read two files in which scene i is silent but for cell i, and labelled there.
