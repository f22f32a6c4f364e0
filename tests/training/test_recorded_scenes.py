"""Scenes cut from recordings as they are: their own noise, pauses and labels, nothing mixed in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy import signal
from support.scenes import BARE, PARTS
from support.sounds import RATE, tone

from vad.training.data.decoded import CELL, DecodedCorpus, decode_corpus
from vad.training.data.scenes import Mixer

TURNS = [[1.0, 4.0], [6.5, 7.25], [9.0, 15.0]]
SECONDS = 20
RECORDED = replace(BARE, recorded=1.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One conversation, with noise of its own throughout, and a noise that is far louder."""
    place = tmp_path_factory.mktemp("conversation")
    rng = np.random.default_rng(0)
    call = 0.01 * rng.standard_normal(SECONDS * RATE)
    for start, end in TURNS:
        call[round(start * RATE) : round(end * RATE)] += tone(end - start, level=0.3)
    soundfile.write(place / "call.wav", call, RATE, "PCM_16")
    soundfile.write(place / "fan.wav", 0.5 * np.clip(rng.standard_normal(RATE), -1, 1), RATE, "PCM_16")
    rows = [
        {"audio_filepath": "call.wav", "kind": "speech", "segments": TURNS},
        {"audio_filepath": "fan.wav", "kind": "noise"},
    ]
    (place / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return decode_corpus(place, place / "bank", jobs=1)


def test_a_recorded_scene_is_a_stretch_of_the_recording_with_its_labels(folder: Path) -> None:
    decoded = DecodedCorpus(folder, "train")
    (call,) = (clip for clip in decoded.recordings if clip.kind == "speech")
    samples, labels = decoded.samples(call), decoded.labels(call)
    loud = replace(RECORDED, **dict.fromkeys(PARTS, 1.0), speech_free=0.9)  # of the other scenes alone
    starts = set()
    for index in range(4):
        scene = Mixer(decoded, loud, 1).scene(index)
        first = int(np.argmax(signal.correlate(samples, scene.samples, "valid", "fft")))
        assert first % CELL == 0
        starts.add(first)
        stretch = samples[first : first + len(scene.samples)]
        inside = slice(CELL, -CELL)  # the ends are faded
        gain = scene.samples[inside] @ stretch[inside] / (stretch[inside] @ stretch[inside])
        np.testing.assert_allclose(scene.samples[inside], gain * stretch[inside], atol=1e-4)
        np.testing.assert_array_equal(scene.labels, labels[first // CELL :][: len(scene.labels)])
        assert scene.level_db == pytest.approx(call.level_db + 20 * np.log10(gain), abs=0.05)
    assert len(starts) > 1


def test_short_recordings_fill_a_scene_one_after_the_other(folder: Path) -> None:
    scene = Mixer(DecodedCorpus(folder, "train"), replace(RECORDED, scene_s=45.0), 1).scene(0)
    assert len(scene.labels) == 4500
    power = np.square(scene.samples.reshape(-1, CELL)).mean(axis=1)
    assert np.all((power > power.max() / 10) == (scene.labels > 0.5))


def test_a_share_of_recorded_scenes_leaves_the_others_as_they_were(folder: Path) -> None:
    decoded = DecodedCorpus(folder, "train")
    mixed = [Mixer(decoded, BARE, 3).scene(index).samples for index in range(40)]
    half = [Mixer(decoded, replace(BARE, recorded=0.5), 3).scene(index).samples for index in range(40)]
    kept = [np.array_equal(one, other) for one, other in zip(mixed, half, strict=True)]
    assert 10 < sum(kept) < 30
