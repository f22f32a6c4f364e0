"""Labels of scenes follow the talk exactly, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support import tiny_corpus
from support.scenes import BARE, PARTS, cell_power
from support.sounds import RATE

from vad.training.data.decoded import CELL, DecodedCorpus, decode_corpus
from vad.training.data.scenes import Mixer


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory) -> DecodedCorpus:
    place = tmp_path_factory.mktemp("labels")
    return DecodedCorpus(decode_corpus(tiny_corpus.write(place), place / "bank", jobs=1), "train")


def test_dry_labels_are_where_the_sound_is_to_the_sample(decoded: DecodedCorpus) -> None:
    mixer = Mixer(decoded, BARE, 1)
    spoken = 0
    for index in range(6):
        scene = mixer.scene(index)
        np.testing.assert_array_equal(scene.labels, (cell_power(scene.samples) > 0).astype(np.float32))
        spoken += int(scene.labels.sum())
    assert spoken > 600


def test_at_another_speed_labels_stay_within_a_cell_of_the_sound(decoded: DecodedCorpus) -> None:
    mixer = Mixer(decoded, replace(BARE, speed=(0.8, 1.25)), 1)
    lengths = []
    for index in range(8):
        scene = mixer.scene(index)
        sounding = cell_power(scene.samples) > 0
        near = np.convolve(sounding, np.ones(3), "same") > 0
        inside = np.convolve(~sounding, np.ones(3), "same") == 0
        assert not scene.labels[~near].any()
        assert (scene.labels[inside] > 0.5).all()
        edges = np.flatnonzero(np.diff(np.concatenate([[False], scene.labels > 0.5, [False]])))
        lengths += list(edges[1::2] - edges[::2])
    assert min(lengths) < round(tiny_corpus.VOICE * 100) - 5, "nobody spoke faster"


def test_a_room_moves_no_onset(decoded: DecodedCorpus) -> None:
    mixer = Mixer(decoded, replace(BARE, room=1.0, drr_db=(-12.0, -12.0), rt60_s=(0.8, 0.8)), 2)
    for index in range(6):
        scene = mixer.scene(index)
        onset = int(np.flatnonzero(scene.labels > 0.5)[0]) * CELL
        peak = np.abs(scene.samples[onset : onset + CELL]).max()
        assert np.abs(scene.samples[:onset]).max(initial=0) < 1e-4 * peak
        after = scene.samples[onset : onset + CELL]
        assert np.flatnonzero(np.abs(after) > 0.01 * peak)[0] <= 8, "the direct sound is late"


def test_a_room_is_heard_after_the_talk_and_not_labelled(decoded: DecodedCorpus) -> None:
    dry, wet = (
        Mixer(decoded, replace(BARE, room=room, drr_db=(-6.0, -6.0)), 2).scene(0) for room in (0.0, 1.0)
    )
    silent = dry.labels == 0
    assert not cell_power(dry.samples)[silent].any()
    assert cell_power(wet.samples)[silent].max() > 1e-4


def test_speech_free_scenes_have_no_positive_label_and_the_others_have(decoded: DecodedCorpus) -> None:
    loud = replace(BARE, **dict.fromkeys(PARTS, 1.0), room=1.0)
    free, spoken = Mixer(decoded, replace(loud, speech_free=1.0), 8), Mixer(decoded, loud, 8)
    for index in range(4):
        assert not free.scene(index).labels.any()
        assert np.abs(free.scene(index).samples).max() > 0.9
        assert spoken.scene(index).labels.max() == 1.0


def test_digital_silence_is_exact_and_labelled_silence(decoded: DecodedCorpus) -> None:
    plain = replace(BARE, hiss=1.0, hiss_db=(30.0, 30.0))
    spoken_over = 0
    for index in range(8):
        before = Mixer(decoded, plain, 10).scene(index)
        scene = Mixer(decoded, replace(plain, digital_silence=1.0), 10).scene(index)
        silent = cell_power(scene.samples) == 0
        assert silent.sum() >= 1
        assert not scene.labels[silent].any()
        np.testing.assert_array_equal(scene.labels[~silent], before.labels[~silent])
        spoken_over += int(before.labels[silent].sum())
    assert spoken_over > 0, "no speech was ever silenced"


def test_talk_has_pauses_several_speakers_and_now_and_then_overlap(decoded: DecodedCorpus) -> None:
    mixer = Mixer(decoded, replace(BARE, scene_s=16.0), 12)
    speakers, spoken, together = set(), 0, 0
    pauses = []
    for index in range(30):
        scene = mixer.scene(index)
        spectra = np.abs(np.fft.rfft(scene.samples.reshape(-1, CELL) * np.hanning(CELL), axis=1))
        loudest = np.maximum(spectra.max(axis=1, keepdims=True), 1e-6)
        tones = [spectra[:, round(hertz / 100)] for hertz in tiny_corpus.TRAIN_SPEAKERS.values()]
        present = np.stack(tones, axis=1) > 0.1 * loudest
        inside = np.convolve(scene.labels, np.ones(5), "same") == 5
        speakers |= {tuple(row) for row in present[inside]}
        spoken += int(inside.sum())
        together += int((present[inside].sum(axis=1) > 1).sum())
        pauses.append(float((scene.labels == 0).mean()))
    assert {sum(who) for who in speakers} >= {1, 2}
    assert {row for row in speakers if sum(row) == 1} == {
        tuple(np.eye(4, dtype=bool)[who]) for who in range(4)
    }
    assert 0.002 < together / spoken < 0.4
    assert 0.2 < np.mean(pauses) < 0.9


def test_nobody_talks_over_himself(tmp_path: Path) -> None:
    manifest = tiny_corpus.write(tmp_path)
    alone = [
        line for line in manifest.read_text().splitlines() if not set("bcd") & {line[line.find("h/") + 2]}
    ]
    manifest.write_text("\n".join(alone))
    decoded = DecodedCorpus(decode_corpus(manifest, tmp_path / "bank", jobs=1), "train")
    mixer = Mixer(decoded, replace(BARE, scene_s=16.0), 12)
    lengths = []
    for index in range(20):
        edges = np.flatnonzero(np.diff(mixer.scene(index).labels, prepend=0.0))
        lengths += list(edges[1::2] - edges[: len(edges) // 2 * 2 : 2])
    assert len(lengths) > 100
    assert max(lengths) == round(tiny_corpus.VOICE * 100)


def test_a_long_clip_is_cut_to_what_is_left_with_its_own_labels(tmp_path: Path) -> None:
    """Ten times the scene long, label and sound in step: whatever is cut out must still be in step."""
    utterances = np.concatenate([tiny_corpus.speech(500.0)] * 20)
    length = tiny_corpus.BEFORE + tiny_corpus.VOICE + tiny_corpus.AFTER
    starts = [round(i * length + tiny_corpus.BEFORE, 2) for i in range(20)]
    soundfile.write(tmp_path / "a.wav", utterances, RATE, "PCM_16")
    segments = [[start, round(start + tiny_corpus.VOICE, 2)] for start in starts]
    row = tiny_corpus.row("a.wav", "speech", "train", segments=segments)
    (tmp_path / "manifest.jsonl").write_text(json.dumps(row))
    mixer = Mixer(
        DecodedCorpus(decode_corpus(tmp_path, tmp_path / "bank", jobs=1), "train"),
        replace(BARE, scene_s=2.0),
        0,
    )
    scenes = [mixer.scene(index) for index in range(12)]
    for scene in scenes:
        np.testing.assert_array_equal(scene.labels, (cell_power(scene.samples) > 0).astype(np.float32))
    assert len({scene.labels.tobytes() for scene in scenes}) > 6, "always cut at the same place"
