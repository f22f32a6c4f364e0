"""Scenes: the same for the same seed, each part by its own draws and as loud as was asked for."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal
from support import tiny_corpus
from support.scenes import BARE, CHANNEL, PARTS, cell_power, is_recorded, louder_half_db, mix, power_db
from support.sounds import RATE

from vad.errors import ConfigError
from vad.training.data.decoded import CELL, DecodedCorpus, decode_corpus
from vad.training.data.scene_config import SceneConfig
from vad.training.data.scenes import LOUDEST_DB, Mixer, Scene


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("mixing")
    return decode_corpus(tiny_corpus.write(place), place / "bank", jobs=1)


@pytest.fixture(scope="module")
def decoded(folder: Path) -> DecodedCorpus:
    return DecodedCorpus(folder, "train")


def same(first: Scene, second: Scene) -> bool:
    return (
        np.array_equal(first.samples, second.samples)
        and np.array_equal(first.labels, second.labels)
        and (first.level_db, first.loudest_db) == (second.level_db, second.loudest_db)
    )


def test_a_seed_decides_every_sample_whatever_was_rendered_before(folder: Path) -> None:
    config = SceneConfig(scene_s=3.0)
    first = Mixer(DecodedCorpus(folder, "train"), config, seed=7)
    second = Mixer(DecodedCorpus(folder, "train"), config, seed=7)
    forwards = {index: first.scene(index) for index in range(6)}
    for index in reversed(range(6)):
        assert same(second.scene(index), forwards[index])


def test_another_seed_or_number_is_another_scene(decoded: DecodedCorpus) -> None:
    scenes = [Mixer(decoded, BARE, seed).scene(index) for seed, index in ((1, 0), (2, 0), (1, 1))]
    assert not any(same(scenes[i], scenes[j]) for i, j in ((0, 1), (0, 2), (1, 2)))


def test_what_a_seed_renders_does_not_change_from_version_to_version(decoded: DecodedCorpus) -> None:
    """A network can be trained again only while this holds."""
    scenes = [Mixer(decoded, SceneConfig(scene_s=4.0), seed=2026).scene(index) for index in range(12)]
    labels = np.concatenate([np.round(scene.labels * 255).astype(np.uint8) for scene in scenes])
    levels = [scene.level_db for scene in scenes]
    assert zlib.crc32(labels.tobytes()) == 2851599499
    assert levels == pytest.approx(
        [-3.53, -29.31, -11.63, -3.68, -30.04, -22.23, -6.39, -19.5, -1.02, -36.23, -2.46, -21.17], abs=0.02
    )


@pytest.mark.parametrize("part", [*PARTS, *CHANNEL, "room"])
def test_no_part_changes_the_labels(decoded: DecodedCorpus, part: str) -> None:
    quiet, loud = Mixer(decoded, BARE, 3), Mixer(decoded, replace(BARE, **{part: 1.0}), 3)
    differs = False
    for index in range(3):
        before, after = quiet.scene(index), loud.scene(index)
        np.testing.assert_array_equal(before.labels, after.labels)
        differs |= not np.array_equal(before.samples, after.samples)
    assert differs, f"{part} changes nothing"


def test_parts_add_up_each_by_its_own_draws(decoded: DecodedCorpus) -> None:
    everything = Mixer(decoded, replace(BARE, **dict.fromkeys(PARTS, 1.0)), 11)
    bare = Mixer(decoded, BARE, 11)
    alone = [Mixer(decoded, replace(BARE, **{part: 1.0}), 11) for part in PARTS]
    for index in range(2):
        talk = mix(bare.scene(index))
        together = talk + sum(mix(mixer.scene(index)) - talk for mixer in alone)
        np.testing.assert_allclose(mix(everything.scene(index)), together, atol=1e-4)


def test_a_noise_more_in_the_corpus_changes_no_speech_and_no_label(
    decoded: DecodedCorpus, tmp_path: Path
) -> None:
    grown = DecodedCorpus(
        decode_corpus(tiny_corpus.write(tmp_path, noises=5), tmp_path / "bank", jobs=1), "train"
    )
    config = replace(
        BARE, room=0.5, music=0.5, bars=0.5, background=0.5, events=1.0, noise=1.0, snr_db=(0.0, 10.0)
    )
    below_noise = signal.butter(10, 3000, fs=RATE, output="sos")
    noises_differ = 0
    for index in range(8):
        before, after = (Mixer(one, config, 5).scene(index) for one in (decoded, grown))
        np.testing.assert_array_equal(before.labels, after.labels)
        difference = mix(after) - mix(before)
        noises_differ += power_db(difference) > -20
        assert power_db(signal.sosfilt(below_noise, difference)) < -50
    assert noises_differ >= 3


def test_the_level_is_that_of_the_talk(decoded: DecodedCorpus) -> None:
    for config in (BARE, replace(BARE, room=1.0)):
        scene = Mixer(decoded, config, 4).scene(1)
        talk = cell_power(scene.samples)[scene.labels > 0.5].mean()
        assert 10 * np.log10(talk) == pytest.approx(scene.level_db, abs=0.05)
        assert np.abs(scene.samples).max() == pytest.approx(0.98, abs=1e-5)


@given(st.integers(0, 2**31), st.floats(-5, 35))
@settings(max_examples=15, deadline=None)
def test_a_noise_bed_has_the_snr_that_was_drawn(decoded: DecodedCorpus, seed: int, snr_db: float) -> None:
    scene = Mixer(decoded, replace(BARE, noise=1.0, snr_db=(snr_db, snr_db)), seed).scene(0)
    bed = mix(scene) - mix(Mixer(decoded, BARE, seed).scene(0))
    # A recorded bed is steady here; a synthetic one drifts and hums.
    assert louder_half_db(bed) == pytest.approx(-snr_db, abs=0.3 if is_recorded(bed) else 8)


def test_beds_are_recorded_and_synthetic(decoded: DecodedCorpus) -> None:
    mixer = Mixer(decoded, replace(BARE, speech_free=1.0, noise=1.0), 0)
    assert 10 <= sum(is_recorded(mixer.scene(index).samples) for index in range(30)) <= 25


@pytest.mark.parametrize(
    ("part", "level", "tolerance_db"), [("music", "music_snr_db", 0.5), ("hiss", "hiss_db", 8)]
)
def test_other_beds_have_the_level_that_was_asked_for(
    decoded: DecodedCorpus, part: str, level: str, tolerance_db: float
) -> None:
    for index in range(4):
        scene = Mixer(decoded, replace(BARE, speech_free=1.0, **{part: 1.0, level: (17.0, 17.0)}), 0).scene(
            index
        )
        assert power_db(mix(scene)) == pytest.approx(-17, abs=tolerance_db)


@pytest.mark.parametrize(("part", "level"), [("background", "background_db"), ("babble", "babble_snr_db")])
def test_talk_behind_is_as_faint_as_asked_and_carries_no_label(
    decoded: DecodedCorpus, part: str, level: str
) -> None:
    alone = replace(BARE, speech_free=1.0, background_snr_db=(60.0, 60.0))
    mixer = Mixer(decoded, replace(alone, **{part: 1.0, level: (22.0, 22.0)}), 6)
    for index in range(3):
        scene = mixer.scene(index)
        assert not scene.labels.any()
        assert louder_half_db(mix(scene)) == pytest.approx(-22, abs=0.1)


def test_talk_behind_is_heard_over_the_noise_of_its_own_place(decoded: DecodedCorpus) -> None:
    behind = replace(BARE, speech_free=1.0, background=1.0, background_db=(22.0, 22.0))
    for index in range(3):
        quiet, noisy = (
            mix(Mixer(decoded, replace(behind, background_snr_db=(snr_db, snr_db)), 6).scene(index))
            for snr_db in (100.0, 10.0)
        )
        # A synthetic noise drifts and hums.
        assert power_db(noisy - quiet) == pytest.approx(-32, abs=8)


def test_crosstalk_is_all_that_sounds_in_its_scenes(decoded: DecodedCorpus) -> None:
    """Under a bed or music it would be drowned, and never learned."""
    listener = replace(
        BARE, speech_free=1.0, crosstalk=1.0, background_db=(30.0, 30.0), crosstalk_snr_db=(60.0, 60.0)
    )
    for index in range(3):
        alone, among_others = (
            Mixer(decoded, config, 6).scene(index)
            for config in (listener, replace(listener, noise=1.0, music=1.0, background=1.0))
        )
        assert louder_half_db(mix(alone)) == pytest.approx(-30, abs=0.1)
        assert np.array_equal(alone.samples, among_others.samples)
        assert not alone.labels.any()


def test_scenes_with_talk_in_front_have_no_crosstalk(decoded: DecodedCorpus) -> None:
    assert np.array_equal(
        Mixer(decoded, replace(BARE, crosstalk=1.0), 6).scene(0).samples,
        Mixer(decoded, BARE, 6).scene(0).samples,
    )


def test_talk_behind_nobody_is_never_played_loud(decoded: DecodedCorpus) -> None:
    loudest = {
        (absent, part): Mixer(decoded, replace(BARE, speech_free=absent, **{part: 1.0}), 0)
        .scene(0)
        .loudest_db
        for absent in (0.0, 1.0)
        for part in ("background", "crosstalk", "noise")
    }
    assert loudest.pop((1.0, "background")) == loudest.pop((1.0, "crosstalk")) == -35.0
    assert set(loudest.values()) == {LOUDEST_DB}


def test_without_foreground_half_of_the_scenes_hold_no_voice(decoded: DecodedCorpus) -> None:
    """Music alone, at all levels, is what a network must hear to leave it alone."""
    mixer = Mixer(decoded, replace(BARE, speech_free=1.0, background=0.5, crosstalk=0.0), 0)
    without = [mixer.scene(index).loudest_db == LOUDEST_DB for index in range(60)]
    assert 18 < sum(without) < 42


def test_bangs_are_short_and_far_louder_than_the_talk(decoded: DecodedCorpus) -> None:
    mixer = Mixer(decoded, replace(BARE, bangs=1.0, bangs_db=(30.0, 30.0)), 3)
    for index in range(6):
        power = cell_power(mix(mixer.scene(index)))
        loud = power > 100 * np.percentile(power, 75)
        assert loud.any()
        assert loud.mean() < 0.25


def test_a_part_is_narrow_at_times_whatever_the_others_are(decoded: DecodedCorpus) -> None:
    """Else narrow would mean speech: the corpus' speech mostly is."""
    high = signal.butter(8, 7_000, "high", fs=RATE, output="sos")
    config = replace(BARE, speech_free=1.0, hiss=1.0)
    wide, narrow = (Mixer(decoded, replace(config, part_band_limit=share), 3) for share in (0.0, 1.0))
    lost = [
        power_db(signal.sosfilt(high, mix(wide.scene(index))))
        - power_db(signal.sosfilt(high, mix(narrow.scene(index))))
        for index in range(6)
    ]
    assert max(lost) > 20


def test_tones_are_as_loud_as_asked_and_for_some_of_the_time(decoded: DecodedCorpus) -> None:
    mixer = Mixer(decoded, replace(BARE, speech_free=1.0, tones=1.0, tones_db=(12.0, 12.0)), 3)
    shares = []
    for index in range(12):
        power = cell_power(mix(mixer.scene(index)))
        sounding = power[power > 0.1 * power.max()]
        assert 10 * np.log10(sounding.mean()) == pytest.approx(-12, abs=2.5)
        shares.append(len(sounding) / len(power))
    assert min(shares) < 0.4 < max(shares)


def test_tunes_are_as_loud_as_asked_and_for_some_of_the_time(decoded: DecodedCorpus) -> None:
    mixer = Mixer(decoded, replace(BARE, speech_free=1.0, tunes=1.0, tunes_db=(12.0, 12.0)), 3)
    levels, shares = [], []
    for index in range(12):
        sound = mix(mixer.scene(index))
        first, *_, last = np.flatnonzero(sound)
        levels.append(power_db(sound[first:last]))
        shares.append((last - first) / len(sound))
    # Some are in a room, which makes them longer and as a rule louder.
    assert np.median(levels) == pytest.approx(-12, abs=0.5)
    assert -16 < min(levels) < max(levels) < -4
    assert min(shares) < 0.4 < max(shares)


@pytest.mark.parametrize("part", ["music", "bars"])
def test_a_recorded_sound_is_played_at_speeds_of_the_range(decoded: DecodedCorpus, part: str) -> None:
    """The corpus' music is one tone of 4 kHz."""
    mixer = Mixer(decoded, replace(BARE, speech_free=1.0, sound_speed=(0.8, 1.25), **{part: 1.0}), 2)
    hertz = []
    for index in range(24):
        spectrum = np.abs(np.fft.rfft(mixer.scene(index).samples))
        hertz.append(spectrum.argmax() / len(spectrum) * RATE / 2)
    assert 0.8 * 4000 - 5 <= min(hertz) < 3600
    assert 4400 < max(hertz) <= 1.25 * 4000 + 5


def test_a_bed_that_is_played_faster_goes_on_to_the_end(decoded: DecodedCorpus) -> None:
    fast = replace(BARE, speech_free=1.0, music=1.0, sound_speed=(1.3, 1.3))
    spectrum = np.abs(np.fft.rfft(Mixer(decoded, fast, 2).scene(0).samples[-RATE:]))
    assert spectrum.argmax() == pytest.approx(1.3 * 4000, abs=2)


def test_talk_is_played_at_its_own_speed_whatever_that_of_other_sounds(decoded: DecodedCorpus) -> None:
    talk = replace(BARE, background=1.0, babble=1.0, speed=(0.9, 1.1))
    for index in range(3):
        scene = Mixer(decoded, talk, 3).scene(index)
        assert same(Mixer(decoded, replace(talk, sound_speed=(1.3, 1.4)), 3).scene(index), scene)


def test_about_as_many_scenes_are_speech_free_as_asked(decoded: DecodedCorpus) -> None:
    mixer = Mixer(decoded, replace(BARE, speech_free=0.3, scene_s=30.0), 9)
    assert 9 <= sum(not mixer.scene(index).labels.any() for index in range(60)) <= 28


def test_silence_throughout_is_a_scene_too(decoded: DecodedCorpus) -> None:
    scene = Mixer(decoded, replace(BARE, speech_free=1.0), 0).scene(0)
    assert not scene.samples.any()
    assert np.isfinite(scene.level_db)


def test_a_recording_of_nothing_is_never_blown_up_to_talk(tmp_path: Path) -> None:
    manifest = tiny_corpus.write(tmp_path)
    faint = np.random.default_rng(0).integers(-1, 2, RATE) / 32768
    soundfile.write(tmp_path / "speech/anna.wav", faint, RATE, "PCM_16")
    mixer = Mixer(DecodedCorpus(decode_corpus(manifest, tmp_path / "bank", jobs=1), "train"), BARE, 0)
    for index in range(6):
        spectrum = np.square(np.abs(np.fft.rfft(mixer.scene(index).samples)))
        hiss = spectrum[len(spectrum) // 2 :].sum()
        assert hiss <= 0.01 * spectrum.sum()


@pytest.mark.parametrize("scene_s", [1.0, 1.013, 7.5])
def test_a_scene_is_whole_cells_of_its_length(decoded: DecodedCorpus, scene_s: float) -> None:
    scene = Mixer(decoded, SceneConfig(scene_s=scene_s), 0).scene(0)
    assert len(scene.samples) == len(scene.labels) * CELL
    assert 0 <= scene_s - len(scene.samples) / RATE < 0.01
    assert scene.samples.dtype == scene.labels.dtype == np.float32


@given(st.integers(0, 2**31))
@settings(max_examples=15, deadline=None)
def test_any_scene_is_finite_and_in_range(decoded: DecodedCorpus, seed: int) -> None:
    shares = dict.fromkeys((*PARTS, *CHANNEL, "room", "digital_silence", "speech_free"), 0.5)
    scene = Mixer(decoded, replace(SceneConfig(scene_s=2.0), **shares), seed).scene(0)
    assert np.isfinite(scene.samples).all()
    assert np.abs(scene.samples).max() <= 0.981
    assert np.isfinite(scene.level_db)
    assert scene.labels.min() >= 0
    assert scene.labels.max() <= 1


def test_a_split_without_noise_or_music_is_mixed_all_the_same(tmp_path: Path) -> None:
    manifest = tiny_corpus.write(tmp_path)
    rows = [line for line in manifest.read_text().splitlines() if "speech/" in line]
    manifest.write_text("\n".join(rows))
    decoded = DecodedCorpus(decode_corpus(manifest, tmp_path / "bank", jobs=1), "dev")
    config = SceneConfig(scene_s=2.0, noise=1.0, events=1.0, bars=1.0, music=1.0)
    assert all(np.isfinite(Mixer(decoded, config, 0).scene(index).samples).all() for index in range(4))


def test_a_split_without_speech_is_refused_with_what_to_do(tmp_path: Path) -> None:
    manifest = tiny_corpus.write(tmp_path)
    rows = [line for line in manifest.read_text().splitlines() if "emil" not in line]
    manifest.write_text("\n".join(rows))
    folder = decode_corpus(manifest, tmp_path / "bank", jobs=1)
    Mixer(DecodedCorpus(folder, "train"), BARE, 0)
    with pytest.raises(ConfigError, match=r"Received: dev "):
        Mixer(DecodedCorpus(folder, "dev"), BARE, 0)
