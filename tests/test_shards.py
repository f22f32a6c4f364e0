"""Scenes on disk and back: whole after any kill, one recipe a folder, and batches that a seed decides."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tiny_corpus
from hypothesis import given, settings
from hypothesis import strategies as st

from vad.errors import ConfigError
from vad.training.bank import CELL, Bank, build_bank
from vad.training.mixing import Mixer
from vad.training.networks import NetworkConfig
from vad.training.recipe import MixingConfig
from vad.training.rendering import SCENES_PER_SHARD, render_shards
from vad.training.shards import Batches, set_level, targets

# What a scene holds is no matter here: without what takes long.
CONFIG = MixingConfig(scene_s=1.0, room=0.0, events=0.0, background=0.0, babble=0.0, handling=0.0)
HOURS_PER_SHARD = SCENES_PER_SHARD * CONFIG.scene_s / 3600
SHARDS = 3

drawn = settings(max_examples=30, deadline=None)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("shards")
    return build_bank(tiny_corpus.write(place), place / "bank", jobs=1)


def render(bank: Path, folder: Path, **changed: Any) -> list[Path]:
    wanted: dict[str, Any] = {"hours": SHARDS * HOURS_PER_SHARD, "seed": 5, "jobs": 1, "split": "train"}
    wanted |= {"config": CONFIG, **changed}
    return render_shards(bank, wanted.pop("split"), folder, wanted.pop("config"), **wanted)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def unbroken(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("unbroken")
    render(bank, folder)
    return contents(folder)


def test_shards_hold_the_mixers_scenes_in_order(
    bank: Path, unbroken: dict[str, bytes], tmp_path: Path
) -> None:
    shards = render(bank, tmp_path, hours=2 * HOURS_PER_SHARD)
    assert shards == [tmp_path / "labels-00000.npy", tmp_path / "labels-00001.npy"]
    scene = Mixer(Bank(bank, "train"), CONFIG, 5).scene(SCENES_PER_SHARD + 3)
    samples, labels, levels = (np.load(tmp_path / f"{x}-00001.npy") for x in ("samples", "labels", "levels"))
    assert samples.dtype == np.int16
    np.testing.assert_allclose(samples[3] / 32767, scene.samples, atol=0.51 / 32767)
    np.testing.assert_allclose(labels[3] / 255, scene.labels, atol=0.51 / 255)
    assert levels[3] == pytest.approx([scene.level_db, scene.faintest_db, scene.loudest_db], abs=1e-4)


def test_what_is_lost_is_rendered_again_and_the_rest_kept(
    bank: Path, unbroken: dict[str, bytes], tmp_path: Path
) -> None:
    shards = render(bank, tmp_path)
    kept = shards[2].stat().st_mtime_ns
    for path in tmp_path.glob("*-00000.npy"):
        path.unlink()
    # A kill between a shard's samples and its labels.
    shards[1].unlink()
    (tmp_path / "samples-00001.npy").write_bytes(b"half")
    assert render(bank, tmp_path) == shards
    assert contents(tmp_path) == unbroken
    assert shards[2].stat().st_mtime_ns == kept


def test_a_killed_rendering_goes_on_to_the_same_end(
    bank: Path, unbroken: dict[str, bytes], tmp_path: Path
) -> None:
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1])\n"
        "import test_shards; test_shards.render(*map(pathlib.Path, sys.argv[2:]))"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent), str(bank), str(tmp_path)]
    with subprocess.Popen(command) as process:
        while not list(tmp_path.glob("labels-*")) and process.poll() is None:
            time.sleep(0.002)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    found = [name for name in unbroken if (tmp_path / name).exists()]
    assert 0 < len(found) < len(unbroken)
    render(bank, tmp_path)
    for unfinished in tmp_path.glob("unfinished-*"):
        unfinished.unlink()
    assert contents(tmp_path) == unbroken


def test_processes_change_nothing(bank: Path, unbroken: dict[str, bytes], tmp_path: Path) -> None:
    render(bank, tmp_path, jobs=2)
    assert contents(tmp_path) == unbroken


def test_more_hours_of_a_recipe_go_on_where_it_stopped(
    bank: Path, unbroken: dict[str, bytes], tmp_path: Path
) -> None:
    (first,) = render(bank, tmp_path, hours=HOURS_PER_SHARD / 100)
    rendered = first.stat().st_mtime_ns
    assert len(render(bank, tmp_path)) == SHARDS
    assert first.stat().st_mtime_ns == rendered
    assert contents(tmp_path) == unbroken


@pytest.mark.parametrize("changed", [{"seed": 6}, {"split": "dev"}, {"config": replace(CONFIG, noise=0.71)}])
def test_another_recipe_in_the_folder_is_refused(bank: Path, tmp_path: Path, changed: dict[str, Any]) -> None:
    render(bank, tmp_path, hours=HOURS_PER_SHARD)
    before = contents(tmp_path)
    with pytest.raises(ConfigError, match=r"must share a recipe.*name another data folder"):
        render(bank, tmp_path, **changed)
    assert contents(tmp_path) == before


def test_a_split_without_speech_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    manifest = tiny_corpus.write(tmp_path / "corpus")
    manifest.write_text("\n".join(line for line in manifest.read_text().splitlines() if "emil" not in line))
    bank = build_bank(manifest, tmp_path / "bank", jobs=1)
    with pytest.raises(ConfigError, match="dev with none"):
        render(bank, tmp_path / "dev", split="dev", jobs=2)
    assert not (tmp_path / "dev").exists()


# Batches read two shards in which scene i is silent but for cell i, and labelled there.

SCENES = 2 * SCENES_PER_SHARD
NETWORK = NetworkConfig(delay_frames=0)


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("marked")
    samples = np.zeros((SCENES, 2 * SCENES * CELL), np.int16)
    labels = np.zeros((SCENES, 2 * SCENES), np.uint8)
    for scene in range(SCENES):
        samples[scene, 2 * scene * CELL : 2 * (scene + 1) * CELL] = 20_000
        labels[scene, 2 * scene : 2 * (scene + 1)] = 255
    for shard in range(2):
        rows = slice(shard * SCENES_PER_SHARD, (shard + 1) * SCENES_PER_SHARD)
        np.save(folder / f"samples-{shard:05d}.npy", samples[rows])
        np.save(folder / f"labels-{shard:05d}.npy", labels[rows])
        np.save(folder / f"levels-{shard:05d}.npy", np.full((SCENES_PER_SHARD, 2), [-4.3, -65], np.float32))
    return [folder / f"labels-{shard:05d}.npy" for shard in range(2)]


def batches(marked: list[Path], *, batch_size: int = 16, seed: int = 1) -> Batches:
    return Batches(marked, NETWORK, batch_size=batch_size, seed=seed)


def heard(one: Batches, steps: range) -> list[int]:
    """The scenes in the order of the batches, checked against their labels."""
    order: list[int] = []
    for step in steps:
        samples, labels = one[step]
        scenes = labels.argmax(axis=1)
        np.testing.assert_array_equal(np.abs(samples).argmax(axis=1) // (2 * CELL), scenes)
        order += scenes.tolist()
    return order


def test_every_scene_is_heard_once_before_any_is_heard_again(marked: list[Path]) -> None:
    # A batch of 12 begins in one turn and ends in the next.
    order = heard(batches(marked, batch_size=12), range(2 * SCENES // 12 + 1))
    turns = [order[start : start + SCENES] for start in (0, SCENES)]
    assert all(sorted(turn) == list(range(SCENES)) for turn in turns)
    assert turns[0] != turns[1]
    assert turns[0] != sorted(turns[0])


def test_seed_and_step_decide_a_batch_however_one_came_there(marked: list[Path]) -> None:
    ran = batches(marked).forever()
    unbroken = [next(ran) for _ in range(12)]
    resumed = batches(marked).forever(9)
    for step in (9, 10, 11):
        for here, there in zip(unbroken[step], next(resumed), strict=True):
            np.testing.assert_array_equal(here, there)
    assert not np.array_equal(unbroken[0][0], unbroken[1][0])
    assert not np.array_equal(unbroken[0][0], batches(marked, seed=2)[0][0])


def test_a_scene_comes_back_at_another_level(marked: list[Path]) -> None:
    one = batches(marked, batch_size=SCENES)
    peaks = []
    for step in range(2):
        samples, labels = one[step]
        peaks.append(np.abs(samples).max(axis=1)[np.argsort(labels.argmax(axis=1))])
    assert (peaks[0] != peaks[1]).mean() > 0.9


def test_a_batch_has_the_shape_that_a_network_expects(marked: list[Path]) -> None:
    samples, labels = batches(marked)[0]
    assert (samples.shape, samples.dtype) == ((16, 2 * SCENES * CELL), np.float32)
    assert (labels.shape, labels.dtype) == ((16, SCENES), np.float32)


@given(
    st.lists(st.integers(0, 255), min_size=30, max_size=60),
    st.sampled_from([20, 30, 50, 100]),
    st.integers(0, 5),
)
@drawn
def test_targets_are_frame_means_late_by_the_delay(
    cells: list[int], frame_ms: int, delay_frames: int
) -> None:
    label = np.array(cells, np.uint8)
    prompt = targets(label, NetworkConfig(frame_ms=frame_ms, delay_frames=0))
    size = frame_ms // 10
    means = [label[start : start + size].mean() / 255 for start in range(0, len(label) - size + 1, size)]
    np.testing.assert_allclose(prompt, means, atol=1e-6)
    late = targets(label, NetworkConfig(frame_ms=frame_ms, delay_frames=delay_frames))
    assert len(late) == len(prompt)
    assert not late[:delay_frames].any()
    np.testing.assert_array_equal(late[delay_frames:], prompt[: max(0, len(prompt) - delay_frames)])


def scene_at(level_db: float, seconds: float = 0.5) -> npt.NDArray[np.int16]:
    times = np.arange(round(seconds * 16000)) / 16000
    amplitude = np.sqrt(2) * 10 ** (level_db / 20)
    return np.round(32767 * amplitude * np.sin(2 * np.pi * 500 * times)).astype(np.int16)


def level_of(samples: npt.NDArray[np.float32]) -> float:
    return float(10 * np.log10(np.square(samples, dtype=np.float64).mean()))


def test_a_pause_keeps_something_of_the_talk_around_it_and_silence_nothing() -> None:
    label = np.zeros(1_000, np.uint8)
    label[400:450] = label[470:520] = 255
    network = NetworkConfig(delay_frames=0)
    plain, kept = targets(label, network), targets(label, network, pause_prior=0.33)
    np.testing.assert_array_equal(kept[plain == 1], 1)
    pause = kept[226:234]
    assert (pause > 0.33 * 0.6).all()
    assert (pause < 0.33).all()
    assert (np.diff(kept[260:298]) <= 0).all(), "after the last word the memory of it fades"
    assert kept[297] < 0.1 * kept[260]
    np.testing.assert_allclose(kept[:160], 0, atol=1e-6)
    np.testing.assert_allclose(kept[300:], 0, atol=1e-6)


def test_a_recordings_edge_is_no_pause() -> None:
    label = np.full(400, 255, np.uint8)
    label[:40] = 0
    kept = targets(label, NetworkConfig(delay_frames=0), pause_prior=0.33)
    np.testing.assert_allclose(kept[20:], 1)
    assert kept[0] < kept[19] < 0.33


def test_talk_comes_to_all_levels_down_to_minus_65_dbfs_and_mostly_to_usual_ones() -> None:
    samples = scene_at(-20.0)
    levels = [level_of(set_level(np.random.default_rng(seed), samples, -20.0)) for seed in range(400)]
    assert -65.1 < min(levels) < -63
    assert -6 < max(levels) < -2.9
    assert 0.55 < np.mean([-36 <= level <= -12 for level in levels]) < 0.8


def test_talk_is_played_no_fainter_than_its_scene_allows() -> None:
    samples = scene_at(-20.0)
    levels = [level_of(set_level(np.random.default_rng(seed), samples, -20.0, -45.0)) for seed in range(100)]
    assert -45.1 < min(levels) < -44.9


def test_talk_is_played_no_louder_than_its_scene_allows() -> None:
    samples = scene_at(-20.0)
    levels = [
        level_of(set_level(np.random.default_rng(seed), samples, -20.0, -65.0, -35.0)) for seed in range(100)
    ]
    assert -35.1 < max(levels) < -34.9


@given(st.integers(0, 2**32 - 1), st.floats(-30, -3.1))
@drawn
def test_the_level_does_not_hang_on_the_scenes_own(seed: int, level_db: float) -> None:
    first, second = (
        level_of(set_level(np.random.default_rng(seed), scene_at(level), level))
        for level in (level_db, -20.0)
    )
    assert first == pytest.approx(second, abs=0.1)


def test_some_scenes_have_16_bits_some_dither_some_neither() -> None:
    samples = scene_at(-20.0)
    kinds = {"float": 0, "16 bits": 0, "dither": 0}
    for seed in range(150):
        heard = set_level(np.random.default_rng(seed), samples, -20.0)
        steps = heard * 32768
        if not np.array_equal(steps, np.round(steps)):
            kinds["float"] += 1
            continue
        assert level_of(heard) > -65.5, "faint talk was rounded away"
        # Without dither every period of the tone is the same.
        kinds["16 bits" if np.array_equal(steps[:3200], steps[3200:6400]) else "dither"] += 1
    assert min(kinds.values()) > 15, kinds


def test_digital_silence_stays_exact_through_level_and_dither() -> None:
    samples = np.concatenate([scene_at(-20.0), np.zeros(8000, np.int16)])
    for seed in range(60):
        assert not set_level(np.random.default_rng(seed), samples, -20.0)[8000:].any()


def test_samples_never_leave_full_scale() -> None:
    samples = scene_at(-3.01)
    peaks = [np.abs(set_level(np.random.default_rng(seed), samples, -40.0)).max() for seed in range(60)]
    assert max(peaks) == 1.0
    assert all(peak <= 1.0 for peak in peaks)
