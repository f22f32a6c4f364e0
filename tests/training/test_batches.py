"""Scenes read back: batches that a seed decides, at levels and with targets as the policy has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vad.errors import ConfigError
from vad.training.data.batches import Batches, set_level, targets
from vad.training.data.decoded import CELL
from vad.training.data.rendering import SCENES_PER_FILE
from vad.training.history import read_rows
from vad.training.networks import Interchange, NetworkConfig

drawn = settings(max_examples=30, deadline=None)
SCENES = 2 * SCENES_PER_FILE
NETWORK = NetworkConfig(delay_frames=0)


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("marked")
    samples = np.zeros((SCENES, 2 * SCENES * CELL), np.int16)
    labels = np.zeros((SCENES, 2 * SCENES), np.uint8)
    for scene in range(SCENES):
        samples[scene, 2 * scene * CELL : 2 * (scene + 1) * CELL] = 20_000
        labels[scene, 2 * scene : 2 * (scene + 1)] = 255
    for file in range(2):
        rows = slice(file * SCENES_PER_FILE, (file + 1) * SCENES_PER_FILE)
        np.save(folder / f"samples-{file:05d}.npy", samples[rows])
        np.save(folder / f"labels-{file:05d}.npy", labels[rows])
        np.save(folder / f"levels-{file:05d}.npy", np.full((SCENES_PER_FILE, 2), [-4.3, -3.0], np.float32))
    return [folder / f"labels-{file:05d}.npy" for file in range(2)]


def batches(marked: list[Path], *, batch_size: int = 16, seed: int = 1) -> Batches:
    return Batches(marked, NETWORK, batch_size=batch_size, seed=seed)


def scene_numbers(one: Batches, steps: range) -> list[int]:
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
    order = scene_numbers(batches(marked, batch_size=12), range(2 * SCENES // 12 + 1))
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


def test_excerpts_begin_anywhere_and_keep_samples_and_labels_together(marked: list[Path]) -> None:
    one = Batches(marked, NetworkConfig(delay_frames=0), batch_size=SCENES, seed=1, excerpt_s=0.6)
    samples, labels = one[0]
    assert (samples.shape, labels.shape) == ((SCENES, 60 * CELL), (SCENES, 30))
    seen = np.flatnonzero(labels.any(axis=1))
    assert 0.1 * SCENES < len(seen) < 0.5 * SCENES
    level = np.abs(samples[seen]).reshape(len(seen), 30, 2 * CELL).mean(axis=2)
    np.testing.assert_allclose(
        level / level.max(axis=1, keepdims=True),
        labels[seen] / labels[seen].max(axis=1, keepdims=True),
        atol=0.02,
    )


def test_a_batch_ends_with_its_last_whole_frame(marked: list[Path]) -> None:
    samples, labels = Batches(marked, Interchange(), batch_size=4, seed=1)[0]
    assert samples.shape == (4, 512 * labels.shape[1])
    assert 0 <= 2 * SCENES * CELL - samples.shape[1] < 512


def test_a_batch_has_the_shape_that_a_network_expects(marked: list[Path]) -> None:
    samples, labels = batches(marked)[0]
    assert (samples.shape, samples.dtype) == ((16, 2 * SCENES * CELL), np.float32)
    assert (labels.shape, labels.dtype) == ((16, SCENES), np.float32)
    twice = Batches(marked, NetworkConfig(lookahead_frames=9), batch_size=16, seed=1)
    assert twice[0][1].shape == (16, SCENES, 2)


@given(
    st.lists(st.integers(0, 255), min_size=30, max_size=60),
    st.sampled_from([20, 30, 32, 50, 100]),
    st.integers(0, 5),
)
@drawn
def test_targets_are_frame_means_late_by_the_delay(
    cells: list[int], frame_ms: int, delay_frames: int
) -> None:
    label = np.array(cells, np.uint8)
    kind = Interchange if frame_ms == 32 else NetworkConfig
    low_latency = targets(label, kind(frame_ms=frame_ms, delay_frames=0))
    per_ms = np.repeat(label, 10)
    starts = range(0, len(per_ms) - frame_ms + 1, frame_ms)
    means = [per_ms[start : start + frame_ms].mean() / 255 for start in starts]
    np.testing.assert_allclose(low_latency, means, atol=1e-6)
    lookahead = targets(label, kind(frame_ms=frame_ms, delay_frames=delay_frames))
    assert len(lookahead) == len(low_latency)
    assert not lookahead[:delay_frames].any()
    np.testing.assert_array_equal(
        lookahead[delay_frames:], low_latency[: max(0, len(low_latency) - delay_frames)]
    )


def test_every_shard_has_its_own_pause_prior(marked: list[Path]) -> None:
    mixed = Batches(marked, NETWORK, batch_size=16, seed=1, pause_priors=[0.0, 0.5])
    doubtful = {
        int(label.argmax()) // SCENES_PER_FILE: bool(((label > 0) & (label < 1)).any())
        for step in range(2 * SCENES // 16)
        for label in mixed[step][1]
    }
    assert doubtful == {0: False, 1: True}


@pytest.mark.parametrize("pause_prior", [0.0, 0.33])
def test_late_targets_are_the_prompt_ones_later(pause_prior: float) -> None:
    label = np.random.default_rng(0).integers(0, 256, 61).astype(np.uint8)
    both = targets(label, NetworkConfig(delay_frames=2, lookahead_frames=9), pause_prior)
    assert (both.shape, both.dtype) == ((30, 2), np.float32)
    low_latency, lookahead = both.T
    np.testing.assert_array_equal(low_latency, targets(label, NetworkConfig(delay_frames=2), pause_prior))
    assert not lookahead[:9].any()
    np.testing.assert_array_equal(lookahead[9:], low_latency[2:-7])


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


def test_talk_comes_to_all_levels_down_to_minus_60_dbfs_and_mostly_to_usual_ones() -> None:
    samples = scene_at(-20.0)
    levels = [level_of(set_level(np.random.default_rng(seed), samples, -20.0)) for seed in range(400)]
    assert -60.1 < min(levels) < -58
    assert -6 < max(levels) < -2.9
    assert 0.55 < np.mean([-36 <= level <= -12 for level in levels]) < 0.8


def test_talk_is_played_no_louder_than_its_scene_allows() -> None:
    samples = scene_at(-20.0)
    levels = [level_of(set_level(np.random.default_rng(seed), samples, -20.0, -35.0)) for seed in range(100)]
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
        scaled = set_level(np.random.default_rng(seed), samples, -20.0)
        steps = scaled * 32768
        if not np.array_equal(steps, np.round(steps)):
            kinds["float"] += 1
            continue
        assert level_of(scaled) > -65.5, "faint talk was rounded away"
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


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00", b"no array"])
@pytest.mark.parametrize("part", ["labels", "levels", "samples"])
def test_damaged_scenes_are_named(marked: list[Path], tmp_path: Path, part: str, content: bytes) -> None:
    for path in marked[0].parent.glob("*-00000.npy"):
        (tmp_path / path.name).write_bytes(content if path.name.startswith(part) else path.read_bytes())
    with pytest.raises(ConfigError, match=f"{part}-00000"):
        batches([tmp_path / "labels-00000.npy"])


@pytest.mark.parametrize("text", ["epoch,val_auc\n1\n", "epoch,val_auc\n1,x\n", "epoch,val_auc\n1,2,3\n"])
def test_a_damaged_history_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(ConfigError, match=r"history\.csv is damaged"):
        read_rows(tmp_path / "history.csv")
